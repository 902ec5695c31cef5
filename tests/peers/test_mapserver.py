"""A real WFS: four reference systems, two formats, three versions give the same benches in the same
places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ccphva_harvesters import Client, MemoryCatalogue, MemoryTables, harvest
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources.wfs import WfsConfig, WfsSource

from . import mapserver

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests of this file."""
    with mapserver.running(tmp_path_factory.mktemp("mapserver")) as found:
        yield found


def rows_of(url: str, **config: Any) -> dict[str, list[dict[str, Any]]]:
    """Rows by feature type after a harvest."""
    tables = MemoryTables()
    with Client(allow_networks=["127.0.0.0/8"]) as client:
        source = WfsSource(WfsConfig(url=url, **config), client)
        assert "4 feature types" in source.check()
        report = harvest(source, Native(), [], MemoryCatalogue(), tables=tables, personal_data="none")
    assert (report.error, report.rows_rejected, report.tables_failed) == (None, 0, 0)
    return {table.rpartition("#")[2].rpartition(":")[2]: tables.rows(table) for table in tables.tables}


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0"])
@pytest.mark.parametrize("gml", [False, True], ids=["geojson", "gml"])
def test_benches_stand_where_they_stand(url: str, version: str, gml: bool) -> None:
    """Within a metre, from every reference system, whatever the axes do; numbers are numbers."""
    found = rows_of(url, version=version, gml=gml, page_size=10)
    assert set(found) == {"bancs4326", "bancs2154", "bancs2169", "bancs3857"}
    expected = {n: (x, y) for n, x, y in mapserver.benches()}
    for name, rows in found.items():
        assert {row["numero"] for row in rows} == set(expected), name
        for row in rows:
            x, y = row["geom"]["coordinates"][:2]
            assert abs(x - expected[row["numero"]][0]) < 2e-5, name
            assert abs(y - expected[row["numero"]][1]) < 2e-5, name
            assert row["hauteur"] == row["numero"] / 2
            assert row["rue"] == f"rue de l'Été n° {row['numero']}"


def test_a_box_of_the_territory(url: str) -> None:
    """Only what lies in the box is brought, in every version."""
    for version in ("2.0.0", "1.1.0", "1.0.0"):
        found = rows_of(url, version=version, bbox=(5.9, 49.48, 5.9151, 49.4901))
        assert {row["numero"] for rows in found.values() for row in rows} == {1, 2, 3, 4, 5}, version


def test_another_reference_system_is_asked_for(url: str) -> None:
    """What is stored is the same."""
    for gml in (False, True):
        for name, rows in rows_of(url, srs="EPSG:4326", gml=gml).items():
            for row in rows:
                x, y = row["geom"]["coordinates"][:2]
                assert abs(x - 5.9 - row["numero"] * 0.003) < 2e-5, (name, gml)
                assert abs(y - 49.48 - row["numero"] * 0.002) < 2e-5, (name, gml)
