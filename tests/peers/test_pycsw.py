"""A real CSW that holds the real ISO records: all arrive, and again nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ccphva_harvesters import Client, MemoryCatalogue, RunReport, harvest
from ccphva_harvesters.formats.iso19139 import Iso19139
from ccphva_harvesters.sources.csw import CswConfig, CswSource

from harvesters import iso

from . import catalogues

pytestmark = pytest.mark.slow
FACTS = [
    fact for fact in iso.facts() if fact.root == "MD_Metadata" and fact.records == 1 and fact.identifiers
]
HELD = {fact.identifiers[0]: fact for fact in FACTS if fact.path.name != "dup-same-dataset-source2.xml"}
"""By identifier: the real catalogue holds one of each."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests of this file."""
    with catalogues.pycsw(tmp_path_factory.mktemp("pycsw"), [fact.path for fact in HELD.values()]) as found:
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
    for name, fact in HELD.items():
        (expected,) = Iso19139().datasets(iso.record(fact.path))
        assert (
            catalogue.entries[name].dataset.fields["title_translated"] == expected.fields["title_translated"]
        )
        assert len(catalogue.entries[name].dataset.resources) == len(expected.resources)
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
