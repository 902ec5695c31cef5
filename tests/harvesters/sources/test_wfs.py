"""WFS: recorded capabilities, and servers that count, page and fail in ways of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ccphva_harvesters import (
    Client,
    ConfigError,
    MemoryCatalogue,
    MemoryTables,
    RunReport,
    Source,
    SourceError,
    TableOutcome,
    harvest,
)
from ccphva_harvesters import xml as our_xml
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources.wfs import WfsConfig, WfsSource, capabilities

from harvesters.conftest import Site
from harvesters.contracts import SourceContract

RECORDED = Path(os.environ.get("CCPHVA_SHARED") or Path(__file__).parents[4] / "shared") / "yardsticks/ogc"
recorded_only = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers are not at hand")
OWS = "http://www.opengis.net/ows/1.1"


def described(version: str = "2.0.0", formats: tuple[str, ...] = ("application/json",)) -> str:
    """Capabilities of a service with benches."""
    values = "".join(f"<ows:Value>{name}</ows:Value>" for name in formats)
    return f"""<WFS_Capabilities version="{version}" xmlns="http://www.opengis.net/wfs/2.0" xmlns:ows="{OWS}">
    <ows:ServiceIdentification><ows:Title>Bancs</ows:Title></ows:ServiceIdentification>
    <ows:OperationsMetadata><ows:Operation name="GetFeature"><ows:Parameter name="outputFormat">
    <ows:AllowedValues>
    {values}</ows:AllowedValues></ows:Parameter></ows:Operation></ows:OperationsMetadata>
    <FeatureTypeList><FeatureType><Name>t:bancs</Name><Title>Bancs publics</Title>
    <DefaultCRS>urn:ogc:def:crs:EPSG::2154</DefaultCRS>
    <ows:WGS84BoundingBox><ows:LowerCorner>5.8 49.4</ows:LowerCorner><ows:UpperCorner>6.1
    49.6</ows:UpperCorner> </ows:WGS84BoundingBox></FeatureType></FeatureTypeList></WFS_Capabilities>"""


def bench(number: Any) -> dict[str, Any]:
    """A bench at the town hall."""
    return {
        "type": "Feature",
        "id": f"bancs.{number}",
        "properties": {"numero": number},
        "geometry": {"type": "Point", "coordinates": [5.95, 49.47]},
    }


class Fake:
    """A WFS with ``count`` benches; its habits are switches."""

    def __init__(self, site: Site, count: int = 7, **habits: Any) -> None:
        self.features = [bench(n) for n in range(count)]
        self.habits = habits
        self.url = site.url("/wfs")
        site.handle("*", self.answer)
        self.asked: list[dict[str, str]] = []

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        query = {name.lower(): value[0] for name, value in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        if query["version"] not in self.habits.get("versions", ("2.0.0", "1.1.0", "1.0.0")):
            return 200, {}, exception("version not spoken")
        if query["request"] == "GetCapabilities":
            return 200, {}, described(query["version"]).encode()
        if query["request"] != "GetFeature":
            return 200, {}, exception("not here")
        if query.get("resulttype") == "hits":
            said = self.habits.get("hits", len(self.features))
            return 200, {}, f'<w:FeatureCollection xmlns:w="w" numberMatched="{said}"/>'.encode()
        start = 0 if self.habits.get("ignores_start") else int(query.get("startindex", 0))
        size = min(
            int(query.get("count") or query.get("maxfeatures") or 10**6), self.habits.get("most", 10**6)
        )
        page = {"type": "FeatureCollection", "features": self.features[start : start + size]}
        return 200, {}, json.dumps(page).encode()


def exception(text: str) -> bytes:
    """An OWS exception."""
    return (
        f'<e:ExceptionReport xmlns:e="{OWS}"><e:Exception exceptionCode="X">'
        f"<e:ExceptionText>{text}</e:ExceptionText>"
        f"</e:Exception></e:ExceptionReport>"
    ).encode()


def run(
    url: str, client: Client, tables: MemoryTables | None = None, **config: Any
) -> tuple[RunReport, list[TableOutcome], list[dict[str, Any]]]:
    """A harvest: report, outcomes and rows."""
    kept, told = tables or MemoryTables(), []
    source = WfsSource(WfsConfig(url=url, **config), client)
    report = harvest(
        source, Native(), [], MemoryCatalogue(), tables=kept, personal_data="none", on_table=told.append
    )
    return report, told, [row for table in kept.tables for row in kept.rows(table)]


class TestWfs(SourceContract):
    """One feature type."""

    @pytest.fixture(autouse=True)
    def _expected(self, site: Site) -> None:
        self.expected_ids = frozenset({site.url("/wfs#t:bancs")})

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Of the fake service."""
        return WfsSource(WfsConfig(url=Fake(site).url), client)


@recorded_only
@pytest.mark.parametrize(
    ("file", "version", "types", "crs"),
    [
        ("wfs-insee.xml", "2.0.0", None, None),
        ("wfs-geo2france-200.xml", "2.0.0", "cr_hdf:arel", "urn:ogc:def:crs:EPSG::2154"),
        ("wfs-pigma-100.xml", "1.0.0", None, None),
    ],
)
def test_recorded_capabilities(file: str, version: str, types: str | None, crs: str | None) -> None:
    """Every feature type of real services, with title, reference system and extent."""
    body = (RECORDED / file).read_bytes()
    service = capabilities(our_xml.parse(body, file), file)
    assert service.version == version
    assert len(service.types) == body.count(b"<FeatureType") - body.count(b"<FeatureTypeList")
    assert all(one.title and one.crs for one in service.types.values())
    assert all(one.extent for one in service.types.values())
    if types:
        assert service.types[types].crs == crs
        assert service.json


@recorded_only
def test_a_recorded_exception(site: Site, client: Client) -> None:
    """An exception with status 200 is an error with its words."""
    site.serve("*", (RECORDED / "wfs-exception-200.xml").read_bytes())
    with pytest.raises(SourceError, match="InvalidParameterValue: msWFSDispatch"):
        WfsSource(WfsConfig(url=site.url("/wfs")), client).check()


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0"])
@pytest.mark.parametrize("size", [2, 3, 7, 100])
@pytest.mark.parametrize(
    "habits",
    [{}, {"hits": "unknown"}, {"ignores_start": True}, {"most": 3}],
    ids=["good", "no count", "no start", "a cap of its own"],
)
def test_paging(site: Site, client: Client, version: str, size: int, habits: dict[str, Any]) -> None:
    """All benches come, once, whatever the server makes of paging; where it cannot be, an error says how
    many lack."""
    if version == "1.0.0" and habits == {"most": 3}:
        pytest.skip("1.0.0 has neither pages nor counts: nobody can tell")
    fake = Fake(site, versions=(version,), **habits)
    report, told, rows = run(fake.url, client, page_size=size)
    assert report.error is None
    if told[0].error:
        assert habits == {"most": 3}
        assert "of the 7 features" in told[0].error
    else:
        assert sorted(row["numero"] for row in rows) == list(range(7))


def test_the_newest_version_that_is_spoken(site: Site, client: Client) -> None:
    """2.0.0, then 1.1.0, then 1.0.0."""
    fake = Fake(site, versions=("1.0.0",))
    assert "WFS 1.0.0" in WfsSource(WfsConfig(url=fake.url), client).check()
    assert [query["version"] for query in fake.asked] == ["2.0.0", "1.1.0", "1.0.0"]


def test_reference_systems_are_named_as_the_version_wants(site: Site, client: Client) -> None:
    """The URN since 1.1, the short name in 1.0."""
    for version, name in (("2.0.0", "urn:ogc:def:crs:EPSG::3857"), ("1.0.0", "EPSG:3857")):
        fake = Fake(site, versions=(version,))
        run(fake.url, client, srs="EPSG:3857")
        assert name in {query.get("srsname") for query in fake.asked}
    with pytest.raises(ConfigError, match=r"source\.srs"):
        WfsSource(WfsConfig(url="http://x", srs="Lambert"), client)


def test_a_poisoned_feature_among_a_thousand(site: Site, client: Client) -> None:
    """999 rows and one reason."""
    fake = Fake(site, 1000)
    fake.features[500]["geometry"]["coordinates"] = ["x", "y"]
    report, told, rows = run(fake.url, client)
    assert (len(rows), report.rows_rejected) == (999, 1)
    assert list(told[0].reasons) == ["geom: not a geometry of this reference system"]


def test_fewer_than_counted_replaces_nothing(site: Site, client: Client) -> None:
    """A server that lost half of its answers does not take half of our table along."""
    tables = MemoryTables()
    fake = Fake(site)
    run(fake.url, client, tables)
    fake.features, fake.habits = fake.features[:3], {"hits": 7}
    report, told, rows = run(fake.url, client, tables)
    assert (report.tables_failed, len(rows)) == (1, 7)
    assert "3 of the 7" in str(told[0].error)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (b"<html>Wartung</html>", "HTML page"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><WFS_Capabilities/>", "DOCTYPE"),
        ("<!DOCTYPE x []><WFS_Capabilities/>".encode("utf-16"), "DOCTYPE"),
        (b"<WFS_Capabilities", "XML is not well formed"),
        (b"", "empty"),
        (b"<other/>", "no WFS capabilities"),
        (b"<a>" * 100_000, "nested deeper than 100"),
        (exception("closed"), "closed"),
        (b'{"features": []}', "JSON, not XML"),
    ],
)
def test_answers_that_are_no_wfs(site: Site, client: Client, body: bytes, match: str) -> None:
    """Each is a clear error."""
    site.serve("*", body)
    report, _, _ = run(site.url("/wfs"), client)
    assert match in str(report.error)


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>x</html>",
        b'{"features": [',
        b"{}",
        b'{"features": [{"properties": {"n": NaN}}]}',
        exception("busy"),
        b"\xff\xfe\x00",
    ],
)
def test_features_that_cannot_be_read_replace_nothing(site: Site, client: Client, answer: bytes) -> None:
    """The table stays as it was."""
    tables = MemoryTables()
    fake = Fake(site)
    run(fake.url, client, tables)
    whole: Callable[[Any], Any] = fake.answer

    def broken(request: Any) -> Any:
        return (
            (200, {}, answer) if "GetFeature" in request.path and "count" in request.path else whole(request)
        )

    site.handle("*", broken)
    report, _, rows = run(fake.url, client, tables)
    assert report.error or report.tables_failed
    assert len(rows) == 7


GML = """<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0"
 xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:t="t"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="t {trap}"> <wfs:member><t:bancs
gml:id="bancs.1"><t:geom> <gml:Point srsName="urn:ogc:def:crs:EPSG::4326">
<gml:pos>49.47 5.95</gml:pos></gml:Point></t:geom>
<t:rue>rue de l’Été</t:rue></t:bancs></wfs:member></wfs:FeatureCollection>"""


def test_gml_is_read_without_a_look_elsewhere(site: Site, trap: Site, client: Client) -> None:
    """Latitude first is turned; the schema that a document names is never fetched."""

    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        if "GetCapabilities" in request.path:
            return 200, {}, described(formats=("application/gml+xml",)).encode()
        if "GetFeature" in request.path and "hits" not in request.path:
            return 200, {}, GML.replace("{trap}", trap.url("/x.xsd")).encode()
        return 200, {}, exception("not here")

    site.handle("*", answer)
    _, told, rows = run(site.url("/wfs"), client)
    assert told[0].error is None
    assert rows[0]["geom"] == {"type": "Point", "coordinates": [5.95, 49.47]}
    assert (rows[0]["feature_id"], rows[0]["rue"]) == ("bancs.1", "rue de l’Été")
    assert trap.connections == 0
