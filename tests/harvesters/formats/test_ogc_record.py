"""OGC API Records: what each part of a GeoJSON record becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ccphva_harvesters import Dataset, Format, Record, RecordError
from ccphva_harvesters.formats.ogc_record import DATASET_FIELDS, RESOURCE_FIELDS, OgcRecord, OgcRecordConfig

from harvesters.contracts import FormatContract

FULL: dict[str, Any] = {
    "type": "Feature",
    "id": "urn:x:1",
    "conformsTo": ["http://www.opengis.net/spec/ogcapi-records-1/1.0/req/record-core"],
    "geometry": {"type": "Polygon", "coordinates": [[[6, 49], [7, 49], [7, 50], [6, 49]]]},
    "time": {"interval": ["2020-01-01", ".."], "resolution": "P1D"},
    "properties": {
        "type": "dataset", "title": "Eau", "description": "Qualité", "language": {"code": "fr"},
        "keywords": ["rivière"], "created": "2020-01-01", "updated": "2021-01-01", "license": "cc-by-4.0",
        "externalIds": [{"value": "http://x.fr/id/1"}], "formats": [{"name": "CSV"}],
        "themes": [
            {"scheme": "https://inspire.ec.europa.eu/theme", "concepts": [{"id": "hydrographie"}]},
            {"scheme": "x", "concepts": [{"id": "http://data.europa.eu/bna/c_dd313021"}]},
            {"scheme": "x", "concepts": [{"id": "b", "url": "http://x/b"}]},
        ],
        "contacts": [
            {"name": "Anna", "organization": "Ville", "emails": [{"value": "a@x.fr"}]},
            {"organization": "Ville", "roles": ["publisher", "owner"]},
        ],
        "recordUpdated": "2022-01-01", "mystery": 1,
    },
    "links": [
        {"rel": "self", "href": "http://x/self"}, {"rel": "license", "href": "http://x/licence"},
        {"rel": "describedby", "href": "http://x/doc"}, {"rel": "preview", "href": "http://x/p.png"},
        {"rel": "enclosure", "href": "http://x/a.csv", "type": "text/csv", "title": "CSV", "length": 12},
        {"rel": "item", "href": "http://x/ows?service=WMS", "title": "WMS"},
    ],
}  # fmt: skip


def read(feature: dict[str, Any], **config: Any) -> Dataset:
    """The dataset of a record."""
    record = Record(id="r", content=json.dumps(feature).encode())
    (dataset,) = OgcRecord(OgcRecordConfig(**config)).datasets(record)
    return dataset


class TestContract(FormatContract):
    """A full and a bare record through the contract."""

    dataset_fields = DATASET_FIELDS
    resource_fields = RESOURCE_FIELDS

    @pytest.fixture
    def format_(self) -> Format:
        """As configured by default."""
        return OgcRecord()

    @pytest.fixture
    def records(self) -> list[Record]:
        """Both."""
        bare = {"type": "Feature", "id": "b", "geometry": None, "properties": {}}
        return [Record(id=str(f["id"]), content=json.dumps(f).encode()) for f in (FULL, bare)]


def test_a_full_record() -> None:
    """Every part of record core has its field."""
    found = read(FULL)
    fields = found.fields
    assert (found.identifier, found.uri) == ("urn:x:1", "http://x.fr/id/1")
    assert fields["title_translated"] == {"fr": "Eau"}
    assert fields["inspire_theme"] == ["http://inspire.ec.europa.eu/theme/hy"]
    assert fields["hvd_category"] == ["http://data.europa.eu/bna/c_dd313021"]
    assert fields["theme"] == ["http://x/b"]
    assert fields["contact"] == [{"name": "Anna", "organization": "Ville", "email": "a@x.fr"}]
    assert fields["publisher"] == [{"name": "Ville"}]
    assert fields["qualified_attribution"][0]["role"].endswith("/owner")
    assert fields["temporal_coverage"] == [{"start": "2020-01-01"}]
    assert (fields["license"], fields["thumbnail"]) == ("cc-by-4.0", "http://x/p.png")
    assert fields["documentation"] == ["http://x/doc"]
    assert [r["url"] for r in found.resources] == ["http://x/a.csv", "http://x/ows?service=WMS"]
    assert [r["format"] for r in found.resources] == ["CSV", "WMS"]
    assert found.resources[0]["download_url"] == "http://x/a.csv"
    assert [p.message for p in found.problems if p.code == "unmapped"] == ["mystery"]


def test_the_licence_of_a_link() -> None:
    """``other`` only says that a link holds the licence."""
    feature = {**FULL, "properties": {"title": "Eau", "license": "other"}}
    assert read(feature).fields["license"] == "http://x/licence"


@pytest.mark.parametrize(
    ("code", "language"), [("de", "de"), ("fr-t-en-t0-mtec", "fr"), (None, "fr"), (7, "fr")]
)
def test_the_language_of_texts(code: Any, language: str) -> None:
    """The record's own language, but never a machine's translation."""
    feature = {"type": "Feature", "id": "1", "properties": {"title": "X", "language": code}}
    assert read(feature).fields["title_translated"] == {language: "X"}


@pytest.mark.parametrize(
    "shape", [{"type": "Polygon", "coordinates": [[[500, 1]]]}, {"type": "Nonsense"}, [1], "x", {"a": {}}]
)
def test_geometries_that_are_none(shape: Any) -> None:
    """A geometry that cannot be read is told and not stored."""
    found = read({"type": "Feature", "id": "1", "geometry": shape, "properties": {"title": "X"}})
    assert "spatial" not in found.fields
    assert "geometry" in {p.code for p in found.problems}


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, [None], [[1]], {"a": None}, True])
@pytest.mark.parametrize(
    "key",
    ["title", "keywords", "themes", "contacts", "language", "formats", "externalIds", "license", "type"],
)
def test_odd_values_break_nothing(key: str, odd: Any) -> None:
    """A property of a wrong type is left out, and the dataset comes all the same."""
    found = read(
        {"type": "Feature", "id": "1", "time": odd, "links": odd, "properties": {"title": "X", key: odd}}
    )
    assert found.guid == "1"
    assert found.fields["title_translated"]


@pytest.mark.parametrize("content", [b"[]", b"{}", b"<a/>", b"", b'{"type": "Feature"}', 42])
def test_what_is_no_record_costs_itself(content: Any) -> None:
    """Each is refused as a record."""
    with pytest.raises(RecordError):
        list(OgcRecord().datasets(Record(id="x", content=content)))
