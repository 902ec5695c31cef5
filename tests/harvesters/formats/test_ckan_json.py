"""CKAN package dicts: new and old portals, with and without the usual extensions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ccphva_harvesters import Dataset, Format, Record, RecordError
from ccphva_harvesters.formats.ckan_json import DATASET_FIELDS, RESOURCE_FIELDS, CkanJson, CkanJsonConfig
from ccphva_harvesters.steps.licence import Licence

from harvesters.contracts import FormatContract

SQUARE = '{"type":"Polygon","coordinates":[[[6,49],[7,49],[7,50],[6,49]]]}'
OLD: dict[str, Any] = {  # API 2 of CKAN 1.8: names instead of mappings, extras as a mapping
    "id": "1", "name": "eau", "title": "Eau", "notes": "Qualité", "tags": ["eau", "qualité"],
    "license_id": "odc-odbl",
    "author": "Ville", "author_email": "a@ville.fr",
    "extras": {"spatial-text": "Esch", "temporal_start": "2020"},
    "resources": [{"url": "http://x.fr/a.csv", "name": "CSV", "format": "csv", "size": "1200", "hash": ""}],
}  # fmt: skip
DCAT: dict[str, Any] = {  # CKAN 2.10 with ckanext-dcat 1 and ckanext-spatial: everything in extras
    "id": "2", "name": "air", "title": "Air", "tags": [{"name": "air", "display_name": "Air"}],
    "license_title": "Licence Ouverte version 2.0", "organization": {"name": "dreal", "title": "DREAL"},
    "extras": [
        {"key": "uri", "value": "http://x.fr/id/air"}, {"key": "spatial", "value": SQUARE},
        {"key": "language", "value": '["fr", "de"]'}, {"key": "theme", "value": '["http://x/ENVI"]'},
        {"key": "contact_name", "value": "Anna"}, {"key": "contact_email", "value": "a@x.fr"},
        {"key": "issued", "value": "2020-01-01"}, {"key": "secret_sauce", "value": "x"},
    ],
    "resources": [],
}  # fmt: skip
SCHEMING: dict[str, Any] = {  # CKAN 2.12 with ckanext-scheming and -fluent
    "id": "3", "name": "bus", "title_translated": {"fr": "Bus", "de": "Busse", "en-t-fr-t0-mtec": "Coaches"},
    "notes_translated": '{"fr": "Arrêts"}', "tags_translated": {"fr": ["arrêt"], "it": ["fermata"]},
    "contact": [{"name": "Anna", "email": "a@x.fr", "uri": ""}], "theme": ["http://x/TRAN"],
    "spatial_coverage": [{"bbox": SQUARE}], "license_id": "cc-by-4.0", "type": "dataset",
    "resources": [{"id": "r", "url": "http://x.fr/gtfs.zip", "name_translated": {"fr": "GTFS"}, "size": 10}],
}  # fmt: skip


def read(package: dict[str, Any], **config: Any) -> Dataset:
    """The dataset of a package."""
    record = Record(id="r", content=json.dumps(package).encode())
    (dataset,) = CkanJson(CkanJsonConfig(**config)).datasets(record)
    return dataset


class TestContract(FormatContract):
    """Three generations of CKAN through the contract."""

    dataset_fields = DATASET_FIELDS
    resource_fields = RESOURCE_FIELDS

    @pytest.fixture
    def format_(self) -> Format:
        """As configured by default."""
        return CkanJson()

    @pytest.fixture
    def records(self) -> list[Record]:
        """One package each."""
        return [Record(id=p["id"], content=json.dumps(p).encode()) for p in (OLD, DCAT, SCHEMING)]


def test_an_old_portal() -> None:
    """Tags as texts, extras as a mapping, sizes as texts."""
    found = Licence()(read(OLD))
    assert found.fields["keywords_translated"] == {"fr": ["eau", "qualité"]}
    assert found.fields["contact"] == [{"name": "Ville", "email": "a@ville.fr"}]
    assert found.fields["temporal_coverage"] == [{"start": "2020"}]
    assert found.resources[0]["size"] == 1200
    assert "hash" not in found.resources[0]
    assert (found.fields["license_id"], found.resources[0]["license_id"]) == ("odc-odbl", "odc-odbl")
    assert "spatial-text" in {p.message for p in found.problems if p.code == "unmapped"}


def test_extras_of_dcat_and_spatial() -> None:
    """Extras become fields, JSON in them is read, and what is unknown is told."""
    found = Licence()(read(DCAT))
    assert (found.uri, found.fields["issued"]) == ("http://x.fr/id/air", "2020-01-01")
    assert found.fields["language"] == ["fr", "de"]
    assert found.fields["spatial"] == SQUARE
    assert found.fields["publisher"] == [{"name": "DREAL"}]
    assert found.fields["contact"] == [{"name": "Anna", "email": "a@x.fr"}]
    assert found.fields["license_id"] == "etalab-2.0"
    assert [p.message for p in found.problems if p.code == "unmapped"] == ["secret_sauce"]


def test_fields_of_scheming_and_fluent() -> None:
    """Texts by language stay so, but a machine's translation; described things stay whole."""
    found = read(SCHEMING)
    assert found.fields["title_translated"] == {"fr": "Bus", "de": "Busse"}
    assert found.fields["keywords_translated"] == {"fr": ["arrêt"]}
    assert found.fields["contact"] == [{"name": "Anna", "email": "a@x.fr"}]
    assert found.fields["spatial"] == SQUARE
    assert "machine-translation" in {p.code for p in found.problems}


@pytest.mark.parametrize("value", ["notspecified", "", "License not specified"])
def test_no_licence_is_no_licence(value: str) -> None:
    """CKAN's word for none is none."""
    found = Licence()(read({"id": "1", "license_id": value, "resources": [{"url": "http://x/a"}]}))
    assert "license" not in found.fields
    assert "licence-missing" in {p.code for p in found.problems}


@pytest.mark.parametrize("value", ["{broken", '{"type": "Polygon", "coordinates": [[[500, 49]]]}', "[" * 500])
def test_geometries_that_are_none(value: str) -> None:
    """A geometry that cannot be read is told and not stored."""
    found = read({"id": "1", "extras": [{"key": "spatial", "value": value}]})
    assert "spatial" not in found.fields
    assert "geometry" in {p.code for p in found.problems}


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b"<html>", b"", b'{"id": "1"', 42, b'{"a":' * 300 + b"1" + b"}" * 300],
    ids=["list", "nobody", "html", "empty", "truncated", "number", "deep"],
)
def test_what_is_no_package_costs_one_record(content: Any) -> None:
    """Each is refused as a record."""
    with pytest.raises(RecordError):
        list(CkanJson().datasets(Record(id="x", content=content)))


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, [None], [[1]], {"a": None}, True])
@pytest.mark.parametrize(
    "key",
    [*("title", "notes", "tags", "extras", "resources"), *("organization", "contact", "spatial", "theme")],
)
def test_odd_values_break_nothing(key: str, odd: Any) -> None:
    """A field of a wrong type is left out, and the dataset comes all the same."""
    found = read({"id": "1", "name": "a", key: odd})
    assert found.guid == "1"
    assert found.fields["title_translated"]
