"""A real CSW that holds the real ISO records: all arrive, and again nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ccphva_harvesters import (
    Client,
    Dataset,
    MemoryCatalogue,
    Record,
    RunReport,
    fingerprint,
    harvest,
    xmldoc,
)
from ccphva_harvesters.formats.iso19139 import Iso19139
from ccphva_harvesters.sources.csw import CswConfig, CswSource

from harvesters import iso

from . import catalogues

pytestmark = pytest.mark.slow
UNREAD = {
    "FR-{uuid}",
    "9e1ea778-d0ce-4b49-90b7-37bc0e448300",
    "97d343c5-d026-4f07-8a6c-79f9329b6c21",
    "8dad9c98-0512-4845-a2bf-3ace1c93df6f",
}
"""Records that pycsw cannot load: it needs a code in each reference system and a corner in each polygon."""


def real_records() -> dict[str, tuple[bytes, Dataset]]:
    """Every record of the yardsticks by identifier, with the dataset that its file becomes; one of each."""
    found: dict[str, tuple[bytes, Dataset]] = {}
    for fact in iso.facts():
        if not fact.records:
            continue
        root = xmldoc.parse(fact.path.read_bytes(), fact.path.name)
        elements = [root] if xmldoc.name(root) == "MD_Metadata" else xmldoc.descendants(root, "MD_Metadata")
        for element in elements:
            (dataset,) = Iso19139().datasets(Record(id="x", content=element))
            if dataset.identifier and dataset.identifier not in UNREAD:
                found.setdefault(dataset.identifier, (xmldoc.written(element), dataset))
    return found


HELD = real_records()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests of this file."""
    with catalogues.pycsw(tmp_path_factory.mktemp("pycsw"), [body for body, _ in HELD.values()]) as found:
        yield found


@pytest.fixture
def client() -> Iterator[Client]:
    """A client that may reach loopback."""
    with Client(allow_networks=["127.0.0.0/8"]) as found:
        yield found


def run(url: str, client: Client, catalogue: MemoryCatalogue, **config: Any) -> RunReport:
    """One harvest."""
    return harvest(CswSource(CswConfig(url=url, **config), client), Iso19139(), [], catalogue)


@pytest.mark.parametrize("method", ["post", "get"])
def test_every_record_arrives(url: str, client: Client, method: str) -> None:
    """More is asked for than the server allows a page; each record becomes what its file becomes."""
    catalogue = MemoryCatalogue()
    report = run(url, client, catalogue, method=method, page_size=50)
    assert (report.error, report.failed, report.complete) == (None, 0, True)
    assert set(catalogue.entries) == set(HELD)
    for name, (_, expected) in HELD.items():
        assert fingerprint(catalogue.entries[name].dataset) == fingerprint(expected), name
    again = run(url, client, catalogue, method=method, page_size=3)
    assert (again.writes, again.unchanged) == (0, len(HELD))


def test_a_filter(url: str, client: Client) -> None:
    """Only what the filter wants."""
    catalogue = MemoryCatalogue()
    report = run(url, client, catalogue, cql="csw:AnyText like '%cadastre%'")
    assert report.error is None
    assert 0 < len(catalogue.entries) < len(HELD)


def test_a_schema_that_it_has_not(url: str, client: Client) -> None:
    """An exception of the service is told in its own words."""
    report = run(url, client, MemoryCatalogue(), schema="dcat")
    assert "outputSchema" in str(report.error) or "outputschema" in str(report.error)


def test_check_names_it(url: str, client: Client) -> None:
    """Title and number of records."""
    said = CswSource(CswConfig(url=url), client).check()
    assert said == f"Catalogue de la commune: {len(HELD)} records"
