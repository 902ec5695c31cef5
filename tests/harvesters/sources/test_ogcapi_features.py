"""OGC API Features: recorded answers, and servers whose links, counts and axes cannot be trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ccphva_harvesters import Client, MemoryCatalogue, MemoryTables, RunReport, Source, TableOutcome, harvest
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources.ogcapi_features import FeaturesConfig, FeaturesSource

from harvesters.conftest import Site
from harvesters.contracts import SourceContract

RECORDED = Path(os.environ.get("CCPHVA_SHARED") or Path(__file__).parents[4] / "shared") / "yardsticks/ogc"


def feature(number: Any, x: Any = 5.95, y: Any = 49.47) -> dict[str, Any]:
    """A bench."""
    return {
        "type": "Feature", "id": number, "properties": {"rue": "Été", "numero": number},
        "geometry": {"type": "Point", "coordinates": [x, y]},
    }  # fmt: skip


class Fake:
    """A server with one collection of ``count`` benches on pages of three."""

    size = 3

    def __init__(self, site: Site, count: int = 7, **habits: Any) -> None:
        self.site, self.habits = site, habits
        self.features = [feature(n) for n in range(count)]
        self.url = site.url("")
        self.asked: list[dict[str, list[str]]] = []
        site.handle("*", self.answer)

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        headers = {"Content-Type": "application/geo+json", **self.habits.get("headers", {})}
        if parts.path == "/collections":
            extent = {"spatial": {"bbox": [self.habits.get("extent", [5.8, 49.4, 6.1, 49.6])]}}
            one = {"id": "bancs", "title": "Bancs", "itemType": "feature", "extent": extent, "links": []}
            other = {"id": "notices", "itemType": "record", "links": []}
            return 200, headers, json.dumps({"collections": [one, other]}).encode()
        if parts.path != "/collections/bancs/items":
            return 404, {}, b""
        self.asked.append(query)
        start = int(query.get("offset", ["0"])[0])
        page: dict[str, Any] = {
            "type": "FeatureCollection", "features": self.features[start : start + self.size],
            "numberMatched": self.habits.get("matched", len(self.features)), "links": [],
        }  # fmt: skip
        if start + self.size < len(self.features) or self.habits.get("endless"):
            following = self.habits.get("next", lambda n: f"items?offset={n}")(start + self.size)
            page["links"] = [{"rel": "next", "href": following}]
        return 200, headers, json.dumps(page).encode()


def run(
    url: str, client: Client, tables: MemoryTables | None = None, **config: Any
) -> tuple[RunReport, list[TableOutcome], list[dict[str, Any]]]:
    """A harvest: report, outcomes and rows."""
    kept, told = tables or MemoryTables(), []
    source = FeaturesSource(FeaturesConfig(url=url, **config), client)
    report = harvest(
        source, Native(), [], MemoryCatalogue(), tables=kept, personal_data="none", on_table=told.append
    )
    return report, told, [row for table in kept.tables for row in kept.rows(table)]


class TestFeatures(SourceContract):
    """One collection of features; the one of records is not ours."""

    @pytest.fixture(autouse=True)
    def _expected(self, site: Site) -> None:
        self.expected_ids = frozenset({site.url("/collections/bancs")})

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Of the fake server."""
        return FeaturesSource(FeaturesConfig(url=Fake(site).url), client)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers are not at hand")
def test_recorded_answers(site: Site, client: Client) -> None:
    """Collections and items of a real French server, with its dates, numbers and odd member names."""
    items = json.loads((RECORDED / "ogcapi-items-covoiturage.json").read_text())
    items |= {"numberMatched": 10, "links": []}  # only its first page was recorded
    listed = json.loads((RECORDED / "ogcapi-collections-fr.json").read_text())
    for one in listed["collections"]:
        one["links"] = []
    site.handle(
        "*",
        lambda r: (200, {}, json.dumps(listed if r.path == "/collections" else items).encode()),
    )
    tables = MemoryTables()
    source = FeaturesSource(FeaturesConfig(url=site.url(""), collections=("aires-covoiturage",)), client)
    report = harvest(source, Native(), [], MemoryCatalogue(), tables=tables, personal_data="none")
    assert (report.error, report.tables_failed) == (None, 0)
    (table,) = tables.described.values()
    types = {column.name: column.type for column in table.columns}
    assert report.rows_accepted == 10
    assert (types["insee"], types["date_maj"], types["nom_lieu"]) == ("number", "timestamp", "text")
    row = tables.rows(table.id)[0]
    assert row["date_maj"] == "2020-08-01T00:00:00.000000Z"
    assert row["geom"]["coordinates"] == [3.13576832, 50.75494617]
    assert row["duree"] is None


def test_pages_bring_everything(site: Site, client: Client) -> None:
    """Relative next links; the box of the territory is asked for."""
    fake = Fake(site)
    report, _, rows = run(fake.url, client, bbox=(5.8, 49.4, 6.1, 49.6))
    assert [row["feature_id"] for row in rows] == [str(n) for n in range(7)]
    assert report.ok
    assert fake.asked[0]["bbox"] == ["5.8,49.4,6.1,49.6"]


@pytest.mark.parametrize(
    ("habits", "match"),
    [
        ({"next": lambda _: "items?offset=0", "endless": True}, "already read"),
        ({"endless": True}, "empty page names a next one"),
        ({"matched": 9}, "7 of the 9"),
    ],
    ids=["a loop", "pages without end", "a count that lies"],
)
def test_servers_that_cannot_be_trusted(
    site: Site, client: Client, habits: dict[str, Any], match: str
) -> None:
    """An error, and the table that was there stays."""
    tables = MemoryTables()
    fake = Fake(site)
    run(fake.url, client, tables)
    fake.habits = habits
    report, told, rows = run(fake.url, client, tables)
    assert match in str(told[0].error)
    assert (report.tables_failed, len(rows)) == (1, 7)


def test_more_pages_than_allowed(site: Site, client: Client) -> None:
    """A limit stands even when each page brings something new."""
    _, told, rows = run(Fake(site, 100).url, client, max_pages=5)
    assert "more than 5 pages" in str(told[0].error)
    assert rows == []


@pytest.mark.parametrize(
    ("headers", "extent", "coordinates"),
    [
        ({}, [5.8, 49.4, 6.1, 49.6], (5.95, 49.47)),
        ({}, [5.8, 49.4, 6.1, 49.6], (49.47, 5.95)),
        ({"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}, [5.8, 49.4, 6.1, 49.6], (49.47,
        5.95)), ({"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}, [5.8, 49.4, 6.1, 49.6],
        (5.95,
        49.47)), ({"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/3857>"}, [5.8, 49.4, 0, 6.1, 49.6,
        9],
        (662350.97, 6354991.84)), ],
)  # fmt: skip
def test_axes(site: Site, client: Client, headers: dict[str, str], extent: Any, coordinates: Any) -> None:
    """The header and the announced extent tell where a bench stands."""
    fake = Fake(site, 1, headers=headers, extent=extent)
    fake.features = [feature(1, *coordinates)]
    _, told, rows = run(fake.url, client)
    assert told[0].error is None
    assert rows[0]["geom"]["coordinates"] == pytest.approx([5.95, 49.47], abs=1e-3)


def test_one_poisoned_feature_and_twins(site: Site, client: Client) -> None:
    """A bad one and one whose identifier came before are left out, with their reasons."""
    fake = Fake(site, 1000)
    fake.size = 100
    fake.features[500] = feature(500, float("1e300"))
    fake.features[600] = feature(7)
    fake.features[700] = {"type": "Point", "coordinates": [1, 2]}
    fake.features[800]["properties"]["new"] = 1
    _, told, rows = run(fake.url, client)
    assert len(rows) == 996
    assert told[0].reasons == {
        "geom: not on the globe": 1, "its identifier came before": 1, "not a feature": 1,
        "new: no such column": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b'{"collections": 1}', b'{"collections": [', b'{"collections": [NaN]}', b"\xff"],
)
def test_answers_that_are_none(site: Site, client: Client, body: bytes) -> None:
    """A clear error, nothing withdrawn."""
    site.serve("*", body)
    report, _, _ = run(site.url(""), client)
    assert report.error
    assert not report.complete


def test_a_wrong_charset(site: Site, client: Client) -> None:
    """Latin-1 is read where the header says so, refused where nothing does."""
    body = json.dumps({"collections": []}, ensure_ascii=False).encode()[:-1] + ', "x": "é"}'.encode("latin-1")
    site.serve("*", body, "application/json; charset=ISO-8859-1")
    assert run(site.url(""), client)[0].error is None
    site.serve("*", body, "application/json")
    assert "not UTF-8" in str(run(site.url(""), client)[0].error)


def test_a_collection_that_is_not_there(site: Site, client: Client) -> None:
    """Named in the file, missing at the server: an error, not an empty catalogue."""
    report, _, _ = run(Fake(site).url, client, collections=("nichts",))
    assert "no collection 'nichts'" in str(report.error)
