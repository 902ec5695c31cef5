"""A real CSE: discovery, backfill and subscription meet in one table without hole or double."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ccphva_harvesters import Client, MemoryCatalogue, MemoryTables, RunReport, harvest, push
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources.onem2m import (
    OneM2MConfig,
    OneM2MSource,
    Receiver,
    Subscriptions,
    follow,
    parse_notification,
)

from . import acme

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[acme.Acme]:
    """One CSE for all tests of this file."""
    with acme.running(tmp_path_factory.mktemp("acme")) as found:
        yield found


@pytest.fixture
def client() -> Iterator[Client]:
    """A client that may reach loopback."""
    with Client(allow_networks=["127.0.0.0/8"]) as found:
        yield found


def source(cse: acme.Acme, client: Client, label: str, **more: Any) -> OneM2MSource:
    """The things that carry ``label``."""
    return OneM2MSource(OneM2MConfig(url=cse.base, originator="CAdmin", labels=(label,), **more), client)


def run(made: OneM2MSource, tables: MemoryTables) -> RunReport:
    """A harvest with rows."""
    report = harvest(made, Native(), [], MemoryCatalogue(), tables=tables, personal_data="none")
    assert report.error is None
    return report


def test_discovery_and_all_kinds_of_sensors(cse: acme.Acme, client: Client) -> None:
    """Containers, time series and flexContainers of an AE are one dataset with one table; again, nothing is
    new."""
    path = cse.entity("sorten", "kind:all")
    bin_ = cse.container(path, "bac-1", "lat:49.48", "lon:5.92")
    for level in (10, 20, 30):
        cse.put(bin_, {"fillLevel": level, "battery": 3.6})
    cse.put(bin_, "fillLevel=91;temperature=16,9")
    series = {"rn": "pesee", "mni": 20, "cnf": "application/json:0"}
    cse.request("POST", path, {"m2m:ts": series}, 29)
    for second in range(3):
        tsi = {"dgt": f"20261101T1200{second:02},000000", "con": str(400 + second), "snr": second}
        cse.request("POST", f"{path}/pesee", {"m2m:tsi": tsi}, 30)
    flex = {
        "rn": "temp", "cnd": "org.onem2m.common.moduleclass.temperature", "curT0": 21.5, "unit": 1,
        "fcied": True, "mni": 10,
    }  # fmt: skip
    cse.request("POST", path, {"cod:tempe": flex}, 28)
    cse.request("PUT", f"{path}/temp", {"cod:tempe": {"curT0": 22.25}})

    made, tables = source(cse, client, "kind:all"), MemoryTables()
    assert "1 application entities" in made.check()
    report = run(made, tables)
    (table,) = tables.tables
    rows = tables.rows(table)
    said = {(r["source_id"], r["property"], r["value_num"]) for r in rows}
    assert {("sorten/bac-1", "fillLevel", n) for n in (10, 20, 30, 91)} <= said
    assert ("sorten/bac-1", "temperature", 16.9) in said
    assert {("sorten/pesee", "pesee", n) for n in (400, 401, 402)} <= said
    assert {("sorten/temp", "curT0", n) for n in (21.5, 22.25)} <= said
    assert rows[0]["geom"] == {"type": "Point", "coordinates": [5.92, 49.48]}
    assert report.rows_rejected == 0
    again = run(made, tables)
    assert again.rows_accepted == 0
    assert len(tables.rows(table)) == len(rows)


def test_small_windows_find_every_instance(cse: acme.Acme, client: Client) -> None:
    """Backfill by one-second windows brings each instance once, over pauses too."""
    bin_ = cse.container(cse.entity("fenster", "kind:windows"), "bac")
    for level in range(25):
        cse.put(bin_, {"n": level})
        time.sleep(0.1 if level % 10 else 1.1)
    made, tables = source(cse, client, "kind:windows", window=1), MemoryTables()
    assert run(made, tables).rows_accepted == 25
    cse.put(bin_, {"n": 25})
    assert run(made, tables).rows_accepted == 1


def test_subscription_and_backfill_meet(cse: acme.Acme, client: Client) -> None:
    """What is told, missed, told again and read later is in the table once; removal ends the telling."""
    path = cse.entity("abo", "kind:live")
    bin_ = cse.container(path, "bac")
    cse.put(bin_, {"n": 0})
    made, tables = source(cse, client, "kind:live"), MemoryTables()
    run(made, tables)
    (id_,) = tables.tables
    table, things = tables.described[id_], {t.ri: t for t in made.things(id_)}

    def parse(body: bytes) -> Any:
        return parse_notification(body, things, made.mapper, "CAdmin")

    with Receiver(parse) as receiver:
        subscriptions = Subscriptions(made.cse, "source-1", receiver.url)
        assert subscriptions.make(things.values()) == {}
        assert subscriptions.make(things.values()) == {}, "a second call makes no second subscription"
        began = time.monotonic()
        for n in range(1, 6):
            cse.put(bin_, {"n": n})
        told: list[Any] = []
        while len(told) < 5 and time.monotonic() - began < 10:
            told += [notice for notice in receiver.take() if notice.kind == "rows"]
            time.sleep(0.02)
        assert len(told) == 5
        for notice in [*reversed(told[1:]), *told[1:]]:  # out of order, twice, and the first one lost
            assert push(notice.rows, table, "x", tables).error is None
        assert {r["value_num"] for r in tables.rows(id_)} == {0, 2, 3, 4, 5}
        run(made, tables)
        assert sorted(r["value_num"] for r in tables.rows(id_)) == [0, 1, 2, 3, 4, 5]
        assert subscriptions.remove() == 1
        cse.put(bin_, {"n": 6})
        time.sleep(0.5)
        assert [n for n in receiver.take() if n.kind == "rows"] == []
    assert made.cse.discover("cse-in", 23) == []


def test_a_receiver_that_refuses_the_handshake(cse: acme.Acme, client: Client) -> None:
    """The CSE makes no subscription when we do not answer; the sensor is named and read by backfill."""
    cse.container(cse.entity("stumm", "kind:deaf"), "bac")
    made = source(cse, client, "kind:deaf")
    run(made, MemoryTables())
    (things,) = made._things.values()
    refused = Subscriptions(made.cse, "source-2", "http://127.0.0.1:9/nobody").make(things)
    assert list(refused) == ["stumm/bac"]


def test_following_a_platform(cse: acme.Acme, client: Client) -> None:
    """Observations of containers and flexContainers that fall before, while and after we subscribe: each
    once."""
    path = cse.entity("folgen", "kind:follow")
    bin_ = cse.container(path, "bac")
    flex = {
        "rn": "temp", "cnd": "org.onem2m.common.moduleclass.temperature", "curT0": 0, "fcied": True,
        "mni": 90,
    }  # fmt: skip
    cse.request("POST", path, {"cod:tempe": flex}, 28)
    cse.put(bin_, {"n": 0})
    tables, stop, taken = MemoryTables(), threading.Event(), [0]

    def speak() -> None:
        for n in range(1, 40):
            cse.put(bin_, {"n": n})
            with contextlib.suppress(AssertionError):  # ACME may name two instances alike
                cse.request("PUT", f"{path}/temp", {"cod:tempe": {"curT0": n}})
                taken.append(n)
        time.sleep(1.5)
        stop.set()

    speaker = threading.Thread(target=speak)
    speaker.start()
    refused = follow(source(cse, client, "kind:follow"), tables, "f", seconds=60, stopped=stop.is_set)
    speaker.join()
    assert refused == {}
    (id_,) = tables.tables
    said = [(row["property"], row["value_num"]) for row in tables.rows(id_)]
    assert sorted(n for p, n in said if p == "n") == list(range(40))
    assert set(taken) <= {n for p, n in said if p == "curT0"}
    assert len(said) == len(set(said))
    assert len(taken) > 10
    assert made_of(cse, client) == []


def made_of(cse: acme.Acme, client: Client) -> list[str]:
    """Subscriptions that are left at the CSE."""
    return source(cse, client, "kind:follow").cse.discover("cse-in", 23)
