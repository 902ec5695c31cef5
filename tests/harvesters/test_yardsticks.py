"""Every third-party DCAT document, served over HTTP, gives what FACTS.tsv says; again, it writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ccphva_harvesters import Client, MemoryCatalogue, RunReport, SourceError, harvest, languages
from ccphva_harvesters.formats.dcat_ap import DcatAp, DcatApConfig

from . import documents
from .conftest import Site

ALL = documents.facts()
GOOD = [f for f in ALL if f.parse == "ok"]
BAD = [f for f in ALL if f.parse != "ok"]
BOTH = {"fr-udata-series.rdf": 1}
"""Series that are also typed dcat:Dataset: FACTS.tsv counts them twice, a catalogue has them once."""
PAGED = {"fr-udata-hydra-paged-1.jsonld": "fr-udata-hydra-paged-2.jsonld"}
FORMAT = DcatAp(DcatApConfig(languages=None))


def names(fact: documents.Fact) -> str:
    """Test ids."""
    return fact.path.name


def run(url: str, client: Client, catalogue: MemoryCatalogue) -> RunReport:
    """One harvest that keeps all languages."""
    return harvest(documents.source(url, client), FORMAT, [], catalogue)


@pytest.mark.parametrize("fact", [f for f in GOOD if f.path.name not in PAGED], ids=names)
def test_facts_and_second_runs(fact: documents.Fact, site: Site, client: Client) -> None:
    """Counts are right; served again, or rearranged, nothing is written."""
    url = site.serve("/doc", fact.path.read_bytes(), fact.media_type)
    catalogue = MemoryCatalogue()
    report = run(url, client, catalogue)
    kinds = [entry.dataset.kind for entry in catalogue.entries.values()]
    assert (report.error, report.failed, report.skipped, report.complete) == (None, 0, 0, True)
    assert kinds.count("dataset_series") == fact.series
    assert kinds.count("dataset") == fact.datasets - BOTH.get(fact.path.name, 0)
    assert sum(len(e.dataset.resources) for e in catalogue.entries.values()) == fact.distributions

    for body, media_type in (
        (fact.path.read_bytes(), fact.media_type),
        (documents.rearranged(fact.path, seed=1), "application/n-triples"),
    ):
        again = run(site.serve("/again", body, media_type), client, catalogue)
        assert (again.error, again.writes, again.unchanged) == (None, 0, len(kinds))


@pytest.mark.parametrize("fact", GOOD, ids=names)
def test_language_tags(fact: documents.Fact) -> None:
    """The graph holds the document's tags, and no text is filed under a machine's or an unfolded one."""
    graph = documents.graph(fact.path)
    assert graph.size == fact.triples
    found = graph.language_tags()
    stated = {tag for tag in fact.languages if tag != "…"}
    assert found == stated or ("…" in fact.languages and stated <= found)
    allowed = {languages.fold(tag) for tag in found} - {None} | {"fr", "de", "en", "lb"}
    for record in documents.records(graph):
        for dataset in FORMAT.datasets(record):
            for name in ("title_translated", "notes_translated", "keywords_translated"):
                assert dataset.fields.get(name, {}).keys() <= allowed


@pytest.mark.parametrize("fact", BAD, ids=names)
def test_broken_documents_are_refused_clearly(fact: documents.Fact, site: Site, client: Client) -> None:
    """A broken document is one error that names line or cause, and nothing is withdrawn."""
    url = site.serve("/doc", fact.path.read_bytes(), fact.media_type)
    source = documents.source(url, client)
    with pytest.raises(SourceError, match=r"line \d+: the Turtle is wrong|@context is remote"):
        source.check()
    catalogue = MemoryCatalogue()
    run(site.serve("/good", documents.catalog("a"), "text/turtle"), client, catalogue)
    report = run(url, client, catalogue)
    assert report.error is not None
    assert (report.complete, report.writes, len(catalogue.entries)) == (False, 0, 1)


@pytest.mark.skipif(
    not (documents.yardsticks() / next(iter(PAGED))).exists(), reason="needs ../shared/yardsticks"
)
def test_hydra_pages(site: Site, client: Client) -> None:
    """Both pages of a Hydra collection are read: four datasets, four distributions, and nothing again."""
    for number, name in enumerate(("fr-udata-hydra-paged-1.jsonld", "fr-udata-hydra-paged-2.jsonld"), 1):
        body = (
            (documents.yardsticks() / name)
            .read_text()
            .replace("http://data.test.org/catalog.jsonld", site.url("/p"))
        )
        site.serve(f"/p?page={number}", body, "application/ld+json")
    catalogue = MemoryCatalogue()
    assert run(site.url("/p?page=1"), client, catalogue).added == 4
    assert sum(len(e.dataset.resources) for e in catalogue.entries.values()) == 4
    assert run(site.url("/p?page=1"), client, catalogue).writes == 0


def test_the_same_catalogue_in_two_syntaxes(site: Site, client: Client) -> None:
    """RDF/XML and JSON-LD of one graph are the same datasets."""
    folder = documents.yardsticks()
    if not (folder / "de-refimp-advanced.rdf").exists():
        pytest.skip("needs ../shared/yardsticks")
    catalogue = MemoryCatalogue()
    run(
        site.serve("/a", (folder / "de-refimp-advanced.rdf").read_bytes(), "application/rdf+xml"),
        client,
        catalogue,
    )
    body = (folder / "de-refimp-advanced.jsonld").read_bytes()
    assert run(site.serve("/b", body, "application/ld+json"), client, catalogue).writes == 0


@pytest.mark.skipif(len(ALL) < 20, reason="a share over all documents needs ../shared/yardsticks")
def test_most_of_what_is_said_is_mapped() -> None:
    """At least 95 of 100 triples that describe a dataset are mapped, over all documents."""
    said = lost = 0
    for fact in GOOD:
        for record in documents.records(documents.graph(fact.path)):
            said += FORMAT.said(record)
            lost += len(FORMAT.losses(record))
    assert lost / said <= 0.05


def test_every_loss_is_named() -> None:
    """What is not mapped of the documents is named in `losses.yaml`, with its reason."""
    groups = yaml.safe_load((Path(__file__).parent / "losses.yaml").read_text()).values()
    assert all(group["reason"] for group in groups)
    named = {predicate for group in groups for predicate in group.get("predicates", ())}
    prefixes = tuple(prefix for group in groups for prefix in group.get("prefixes", ()))
    found = {
        predicate
        for fact in GOOD
        for record in documents.records(documents.graph(fact.path))
        for _, predicate, _ in FORMAT.losses(record)
    }
    assert {p for p in found - named if not p.startswith(prefixes)} == set()
