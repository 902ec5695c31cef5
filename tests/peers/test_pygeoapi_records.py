"""A real OGC API Records server: all records arrive over its pages, and again nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ccphva_harvesters import Client, MemoryCatalogue, RunReport, harvest
from ccphva_harvesters.formats.ogc_record import OgcRecord
from ccphva_harvesters.sources.ogcapi_records import OgcApiRecordsConfig, OgcApiRecordsSource

from . import catalogues

pytestmark = pytest.mark.slow
RECORDS = [
    {
        "id": f"jeu-{number}",
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [5.9 + number / 100, 49.5]},
        "properties": {
            "externalId": f"jeu-{number}",
            "recordCreated": "2026-01-01T00:00:00Z",
            "recordUpdated": "2026-01-02T00:00:00Z",
            "type": "dataset",
            "title": f"Jeu {number}",
            "description": "Essai",
            "language": "fr",
            "keywords": ["eau"],
            "_metadata-anytext": f"Jeu {number}",
        },
        "links": [
            {"rel": "enclosure", "href": f"http://x.fr/{number}.csv", "type": "text/csv", "title": "CSV"}
        ],
    }
    for number in range(8)
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests of this file."""
    with catalogues.pygeoapi(tmp_path_factory.mktemp("records"), RECORDS) as found:
        yield found


def run(url: str, catalogue: MemoryCatalogue, **config: Any) -> RunReport:
    """One harvest."""
    with Client(allow_networks=["127.0.0.0/8"]) as client:
        return harvest(
            OgcApiRecordsSource(OgcApiRecordsConfig(url=url, **config), client), OgcRecord(), [], catalogue
        )


def test_every_record_arrives(url: str) -> None:
    """Three pages of three: each record with its title, place and link."""
    catalogue = MemoryCatalogue()
    report = run(url, catalogue)
    assert (report.error, report.failed, report.complete) == (None, 0, True)
    assert set(catalogue.entries) == {record["id"] for record in RECORDS}
    dataset = catalogue.entries["jeu-3"].dataset
    assert dataset.fields["title_translated"] == {"fr": "Jeu 3"}
    assert "5.93" in dataset.fields["spatial"]
    assert [r["url"] for r in dataset.resources] == ["http://x.fr/3.csv"]
    again = run(url, catalogue, page_size=2)
    assert (again.writes, again.unchanged) == (0, len(RECORDS))


def test_a_box(url: str) -> None:
    """Only what lies in it."""
    catalogue = MemoryCatalogue()
    assert run(url, catalogue, bbox=(5.915, 49.4, 5.945, 49.6)).error is None
    assert set(catalogue.entries) == {"jeu-2", "jeu-3", "jeu-4"}


def test_check_names_it(url: str) -> None:
    """Conformance and number of records."""
    with Client(allow_networks=["127.0.0.0/8"]) as client:
        said = OgcApiRecordsSource(OgcApiRecordsConfig(url=url), client).check()
    assert said == "OGC API Records: catalogue (8)"
