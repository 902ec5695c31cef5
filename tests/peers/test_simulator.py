"""The simulator feeds a real CSE, and the harvest of its source file brings what it posted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ccphva_harvesters import Client, MemoryCatalogue, MemoryTables, harvest, load_mapping

from . import acme

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TERRITORY = ROOT / "deployment" / "territories" / "ccphva"


def test_the_territory_is_live_within_seconds(tmp_path: Path) -> None:
    """Five datasets, 20 sensors, three rounds and two hours of history; a second harvest brings nothing
    new."""
    things = TERRITORY / "simulator" / "things.yaml"
    document = yaml.safe_load((TERRITORY / "sources" / "iot-demo.yaml").read_text())
    with acme.running(tmp_path) as cse, Client(allow_networks=["127.0.0.0/8"]) as client:
        command = [
            sys.executable,
            "-m",
            "local.simulator",
            cse.base,
            things,
            "--rounds",
            "3",
            "--every",
            "0.2",
        ]
        done = subprocess.run(
            [str(part) for part in [*command, "--past", "2"]],
            env=os.environ | {"PYTHONPATH": str(ROOT / "deployment")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stdout == "100 values posted\n", done.stderr
        document["source"]["url"] = cse.base
        file = load_mapping(document)
        tables, catalogue = MemoryTables(), MemoryCatalogue()
        for expected in (True, False):
            report = harvest(
                file.build_source(client), file.format, file.steps, catalogue,
                tables=tables, personal_data=file.personal_data,
            )  # fmt: skip
            assert (report.error, report.tables_failed, report.rows_rejected) == (None, 0, 0)
            assert bool(report.writes) is expected
            assert bool(report.rows_accepted) is expected
    assert len(tables.tables) == 5
    rows = [row for table in tables.tables for row in tables.rows(table)]
    assert len({row["source_id"] for row in rows}) == 20
    assert all(row["geom"] for row in rows)
    assert {row["unit"] for row in rows if row["property"] == "fillLevel"} == {"%"}


def test_a_second_start_tells_the_same_story() -> None:
    """Values are a function of seed, sensor and time, within their bounds."""
    import datetime as dt

    from local import simulator

    things = simulator.read(TERRITORY / "simulator" / "things.yaml")
    for entity in things.entities:
        for thing in entity.things:
            for hour in range(48):
                when = dt.datetime(2026, 11, 24, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
                first = simulator.payload(1, entity, thing, when)
                assert first == simulator.payload(1, entity, thing, when)
                for name, one in entity.properties.items():
                    assert one.min <= first[name] <= one.max


def test_values_know_night_winter_and_weekend() -> None:
    """Lamps burn at night only, blocks are heated in winter, and there is less traffic on a Sunday."""
    import datetime as dt

    from local import simulator

    things = simulator.read(TERRITORY / "simulator" / "things.yaml")
    by_name = {entity.name: entity for entity in things.entities}

    def mean(entity: str, name: str, *moments: dt.datetime) -> float:
        of = by_name[entity]
        found = [simulator.payload(1, of, thing, when)[name] for thing in of.things for when in moments]
        return sum(found) / len(found)

    def hours(year: int, month: int, day: int) -> list[dt.datetime]:
        return [dt.datetime(year, month, day, hour, tzinfo=dt.UTC) for hour in range(24)]

    assert mean("eclairage", "powerW", dt.datetime(2026, 6, 21, 12, tzinfo=dt.UTC)) == 0
    assert mean("eclairage", "powerW", dt.datetime(2026, 12, 21, 17, tzinfo=dt.UTC)) > 1000
    winter, summer = hours(2026, 1, 20), hours(2026, 7, 20)
    assert mean("batiments-renoves", "heatKWh", *winter) > 4 * mean("batiments-renoves", "heatKWh", *summer)
    assert mean("air-meteo", "temperature", *summer) > 10 + mean("air-meteo", "temperature", *winter)
    friday, sunday = hours(2026, 3, 6), hours(2026, 3, 8)
    assert mean("air-meteo", "no2", *sunday) < 0.9 * mean("air-meteo", "no2", *friday)
