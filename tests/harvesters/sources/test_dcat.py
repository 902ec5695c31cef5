"""DCAT over HTTP, on servers good and bad."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from ccphva_harvesters import (
    Client,
    MemoryCatalogue,
    NotModifiedError,
    PageLoopError,
    RetriableError,
    RunReport,
    Source,
    SourceError,
    TooLargeError,
    harvest,
)
from ccphva_harvesters.formats.dcat_ap import DcatAp

from harvesters import documents
from harvesters.conftest import Site
from harvesters.contracts import SourceContract


def page(number: int, following: str | None, *datasets: str) -> str:
    """A catalogue page; ``following`` is where the next one is."""
    link = f"; hydra:next <{following}>" if following else ""
    return documents.catalog(*datasets, more=f"<#page{number}> a hydra:PartialCollectionView {link} .")


def run(url: str, client: Client, catalogue: MemoryCatalogue) -> RunReport:
    """A harvest of DCAT."""
    return harvest(documents.source(url, client), DcatAp(), [], catalogue)


class TestOneDocument(SourceContract):
    """A catalogue in one document."""

    expected_ids = frozenset({"http://x.org/d/a", "http://x.org/d/b"})

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Two datasets."""
        return documents.source(
            site.serve("/c", documents.catalog("a", "b"), "text/turtle", ETag='"1"'), client
        )


class TestPages(SourceContract):
    """A catalogue on three pages."""

    expected_ids = frozenset(f"http://x.org/d/{name}" for name in "abcd")

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Two, one and one."""
        site.serve("/1", page(1, site.url("/2"), "a", "b"), "text/turtle")
        site.serve("/2", page(2, "3", "c").replace("<3>", f"<{site.url('/3')}>"), "text/turtle")
        site.serve("/3", page(3, None, "d"), "text/turtle")
        return documents.source(site.url("/1"), client)


def test_blank_nodes_go_by_identifier_then_by_content(site: Site, client: Client) -> None:
    """A dataset without an address keeps its key from run to run."""
    more = '[] a dcat:Dataset ; dct:identifier "id-7" . [] a dcat:Dataset ; dct:title "Sans nom"@fr .'
    url = site.serve("/c", documents.catalog(more=more), "text/turtle")
    ids = sorted(record.id for record in documents.source(url, client).records())
    assert ids[0] == "id-7"
    assert ids[1].startswith("sha256:")
    assert sorted(record.id for record in documents.source(url, client).records()) == ids


def test_a_catalogue_is_no_dataset(site: Site, client: Client) -> None:
    """What is called both a catalogue and a dataset is a catalogue."""
    url = site.serve(
        "/c", documents.catalog("a", more="<http://x.org/catalog> a dcat:Dataset ."), "text/turtle"
    )
    assert [r.id for r in documents.source(url, client).records()] == ["http://x.org/d/a"]


def test_the_generation_date_is_nobodys_change(site: Site, client: Client) -> None:
    """A catalogue that only says a new date writes nothing."""
    catalogue = MemoryCatalogue()
    for day in ("01", "02"):
        more = f'<http://x.org/catalog> dct:modified "2026-11-{day}"^^xsd:date .'
        report = run(site.serve("/c", documents.catalog("a", more=more), "text/turtle"), client, catalogue)
    assert (report.writes, report.unchanged) == (0, 1)


def test_validators_are_used(site: Site, client: Client) -> None:
    """After a full read of one document its ETag is there for the next run."""
    url = site.serve("/c", documents.catalog("a"), "text/turtle", ETag='"1"')
    source = documents.source(url, client)
    list(source.records())
    assert source.etag == '"1"'
    site.serve("/c", b"", status=304)
    with pytest.raises(NotModifiedError):
        list(source.records())


def test_validators_of_pages_are_not_kept(site: Site, client: Client) -> None:
    """The first page may be unchanged while another is not."""
    site.serve("/1", page(1, site.url("/2"), "a"), "text/turtle", ETag='"1"')
    site.serve("/2", page(2, None, "b"), "text/turtle", ETag='"2"')
    source = documents.source(site.url("/1"), client)
    list(source.records())
    assert source.etag is None


def test_a_page_loop(site: Site, client: Client) -> None:
    """A next page that was already read ends the run, and nothing is withdrawn."""
    site.serve("/1", page(1, site.url("/2"), "a"), "text/turtle")
    site.serve("/2", page(2, site.url("/1"), "b"), "text/turtle")
    with pytest.raises(PageLoopError):
        list(documents.source(site.url("/1"), client).records())


def test_pages_without_end(site: Site, client: Client) -> None:
    """Pages that bring nothing new are not followed for ever; others only to the limit."""
    count = itertools.count(2)

    def endless(_: object) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "text/turtle"}, page(1, site.url(f"/{next(count)}"), "a").encode()

    site.handle("*", endless)
    with pytest.raises(TooLargeError, match="nothing new"):
        list(documents.source(site.url("/1"), client).records())
    with pytest.raises(TooLargeError, match="more than 3 pages"):
        list(documents.source(site.url("/1"), client, max_pages=3).records())


@pytest.mark.parametrize(
    ("body", "media_type", "error"),
    [
        ("<!DOCTYPE html><html>Wartung</html>", "text/html", SourceError),
        ('<?xml version="1.0"?><rdf:RDF', "application/rdf+xml", SourceError),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "application/rdf+xml", SourceError),
        ('{"@context": "http://127.0.0.2/c"}', "application/ld+json", SourceError),
        ("", "text/turtle", SourceError),
        ("# nothing\n", "text/turtle", SourceError),
    ],
    ids=["html", "truncated", "doctype", "context", "no bytes", "no triples"],
)
def test_bad_documents_withdraw_nothing(
    site: Site, client: Client, body: str, media_type: str, error: type[Exception]
) -> None:
    """Whatever is served with 200, what is in the catalogue stays."""
    catalogue = MemoryCatalogue()
    url = site.serve("/c", documents.catalog("a", "b"), "text/turtle")
    run(url, client, catalogue)
    site.serve("/c", body, media_type)
    with pytest.raises(error):
        documents.source(url, client).check()
    report = run(url, client, catalogue)
    assert report.error
    assert (report.writes, len(catalogue.entries)) == (0, 2)


def test_an_empty_but_valid_catalogue_is_held(site: Site, client: Client) -> None:
    """The fault that emptied stock portals: valid RDF with no dataset in it."""
    catalogue = MemoryCatalogue()
    run(site.serve("/c", documents.catalog("a", "b"), "text/turtle"), client, catalogue)
    report = run(site.serve("/c", documents.catalog(), "text/turtle"), client, catalogue)
    assert (report.deleted, len(report.held), len(catalogue.entries)) == (0, 2, 2)


def test_a_second_page_that_fails(site: Site, client: Client) -> None:
    """The first page's datasets arrive, the second's are not withdrawn."""
    catalogue = MemoryCatalogue()
    site.serve("/1", page(1, site.url("/2"), "a"), "text/turtle")
    site.serve("/2", page(2, None, "b"), "text/turtle")
    run(site.url("/1"), client, catalogue)
    site.serve("/2", b"", status=503)
    report = run(site.url("/1"), client, catalogue)
    assert (report.retriable, report.unchanged, report.deleted) == (True, 1, 0)
    with pytest.raises(RetriableError):
        list(documents.source(site.url("/1"), client).records())


@pytest.mark.parametrize("seed", range(5))
def test_rearranged_documents_give_the_same_records(site: Site, client: Client, seed: int) -> None:
    """Order and blank-node labels change neither keys nor fingerprints."""
    path = Path(documents.HERE / "data" / "fr-udata-bnodes.jsonld")
    first = site.serve("/a", path.read_bytes(), "application/ld+json")
    second = site.serve("/b", documents.rearranged(path, seed), "application/n-triples")
    prints = [{r.id: r.fingerprint for r in documents.source(u, client).records()} for u in (first, second)]
    assert prints[0] == prints[1]
    assert len(prints[0]) == 3


def test_a_catalogue_of_catalogues(site: Site, client: Client) -> None:
    """Catalogues that are only named are read when the source file wants it, each once, with their pages."""
    top = f"<http://x.org/catalog> dcat:catalog <{site.url('/b')}> , <{site.url('/c')}> ."
    back = f"<http://x.org/catalog> dcat:catalog <{site.url('/top')}> ."
    site.serve("/top", documents.catalog("a", more=top), "text/turtle", ETag='"1"')
    site.serve("/b", page(1, site.url("/b2"), "b").replace("x.org/catalog", "x.org/b"), "text/turtle")
    site.serve("/b2", page(2, None, "c").replace("x.org/catalog", "x.org/b"), "text/turtle")
    site.serve("/c", documents.catalog("d", more=back), "text/turtle")
    assert [r.id[-1] for r in documents.source(site.url("/top"), client).records()] == ["a"]
    found = documents.source(site.url("/top"), client, catalogs=True)
    assert sorted(r.id[-1] for r in found.records()) == ["a", "b", "c", "d"]
    assert found.etag is None


def test_a_catalogue_named_and_described_is_not_fetched(site: Site, client: Client) -> None:
    """What the document says itself is not asked for again."""
    more = (
        f"<http://x.org/catalog> dcat:catalog <{site.url('/b')}> . "
        f"<{site.url('/b')}> a dcat:Catalog ; dcat:dataset <http://x.org/d/a> ."
    )
    site.serve("/top", documents.catalog("a", more=more), "text/turtle")
    assert len(list(documents.source(site.url("/top"), client, catalogs=True).records())) == 1
    assert len(site.asked) == 1


def test_a_catalogue_of_catalogues_cannot_send_us_inside(site: Site, trap: Site) -> None:
    """A named catalogue on a private address is refused and the run withdraws nothing."""
    more = f"<http://x.org/catalog> dcat:catalog <{trap.url('/')}> ."
    site.serve("/top", documents.catalog("a", more=more), "text/turtle")
    with Client(allow_networks=["127.0.0.1/32"]) as strict:
        report = harvest(
            documents.source(site.url("/top"), strict, catalogs=True), DcatAp(), [], MemoryCatalogue()
        )
    assert (report.complete, trap.connections) == (False, 0)


@pytest.mark.parametrize(
    ("syntax", "media_type"),
    [
        ("xml", "application/rdf+xml"),
        ("turtle", "text/turtle"),
        ("nt", "application/n-triples"),
        ("n3", "text/n3"),
        ("trig", "application/trig"),
        ("nquads", "application/n-quads"),
        ("json-ld", "application/ld+json"),
    ],
)
def test_every_syntax_over_http(site: Site, client: Client, syntax: str, media_type: str) -> None:
    """The same catalogue in each RDF syntax gives the same datasets, whoever names the syntax."""
    import rdflib

    text = documents.catalog("a", "b")
    graph = rdflib.Dataset(default_union=True) if syntax in ("trig", "nquads") else rdflib.Graph()
    graph.parse(data=text, format="turtle")
    body = graph.serialize(format=syntax, encoding="utf-8")
    catalogue = MemoryCatalogue()
    run(site.serve("/first", text, "text/turtle"), client, catalogue)
    assert run(site.serve("/c", body, media_type), client, catalogue).unchanged == 2
    wrong = documents.source(site.serve("/c", body, "text/plain"), client, syntax=syntax)
    assert harvest(wrong, DcatAp(), [], catalogue).unchanged == 2
