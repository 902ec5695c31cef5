"""CSW on servers good and bad: a small catalogue service that can lie in each way that real ones do."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ccphva_harvesters import (
    Client,
    MemoryCatalogue,
    ParseError,
    RetriableError,
    RunReport,
    Source,
    SourceError,
    TooLargeError,
    harvest,
)
from ccphva_harvesters.formats.dcat_ap import DcatAp
from ccphva_harvesters.formats.iso19139 import Iso19139
from ccphva_harvesters.sources.csw import CswConfig, CswSource

from harvesters import iso
from harvesters.conftest import Answer, Site
from harvesters.contracts import SourceContract

GMD = 'xmlns:gmd="http://www.isotc211.org/2005/gmd" xmlns:gco="http://www.isotc211.org/2005/gco"'
XML = {"Content-Type": "application/xml"}


def metadata(name: str, title: str = "Jeu") -> str:
    """A small record."""
    return (
        f"<gmd:MD_Metadata {GMD}><gmd:fileIdentifier><gco:CharacterString>{name}</gco:CharacterString>"
        "</gmd:fileIdentifier><gmd:identificationInfo><gmd:MD_DataIdentification><gmd:citation>"
        f"<gmd:CI_Citation><gmd:title><gco:CharacterString>{title} {name}</gco:CharacterString></gmd:title>"
        "</gmd:CI_Citation></gmd:citation></gmd:MD_DataIdentification></gmd:identificationInfo>"
        "</gmd:MD_Metadata>"
    )


def response(records: str, **told: Any) -> bytes:
    """A GetRecordsResponse with what the server tells of it."""
    attributes = " ".join(f'{name}="{value}"' for name, value in told.items() if value is not None)
    return (
        '<csw:GetRecordsResponse xmlns:csw="http://www.opengis.net/cat/csw/2.0.2">'
        f"<csw:SearchResults {attributes}>{records}</csw:SearchResults></csw:GetRecordsResponse>"
    ).encode()


def position(request: Any) -> int:
    """Where the posted request begins."""
    return int(re.search(r'startPosition="(\d+)"', request.content.decode())[1])  # type: ignore[index]


EXCEPTION = (
    b'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows">'
    b'<ows:Exception exceptionCode="NoApplicableCode" locator="x"><ows:ExceptionText>Java heap space'
    b"</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"
)
CAPABILITIES = (
    b'<csw:Capabilities xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:ows="http://www.opengis.net/ows">'
    b"<ows:ServiceIdentification><ows:Title>Catalogue d'essai</ows:Title></ows:ServiceIdentification>"
    b"</csw:Capabilities>"
)


class Catalogue:
    """A CSW that holds records and answers GET and POST."""

    def __init__(self, site: Site, *names: str, cap: int = 1000, post: bool = True) -> None:
        self.names, self.cap = list(names), cap
        self.asked: list[tuple[str, int, int]] = []
        self.told: Callable[[int, int], dict[str, Any]] = self.honest
        self.fails: Callable[[int, int], Answer | None] = lambda _start, _size: None
        site.handle("/csw?*", self.get)
        site.posts["/csw"] = self.post if post else lambda _: (405, {}, b"")
        self.url = site.url("/csw")

    def honest(self, start: int, given: int) -> dict[str, Any]:
        """What a good server tells of a page."""
        after = start + given
        return {
            "numberOfRecordsMatched": len(self.names),
            "numberOfRecordsReturned": given,
            "nextRecord": after if after <= len(self.names) else 0,
        }

    def get(self, request: BaseHTTPRequestHandler) -> Answer:
        """KVP."""
        asked = {key.lower(): value[0] for key, value in parse_qs(urlsplit(request.path).query).items()}
        if asked["request"] == "GetCapabilities":
            return 200, XML, CAPABILITIES
        return self.page("get", int(asked["startposition"]), int(asked["maxrecords"]))

    def post(self, request: BaseHTTPRequestHandler) -> Answer:
        """XML."""
        body = request.content.decode()  # type: ignore[attr-defined]
        numbers = [int(re.search(rf'{name}="(\d+)"', body)[1]) for name in ("startPosition", "maxRecords")]  # type: ignore[index]
        return self.page("post", *numbers)

    def page(self, how: str, start: int, size: int) -> Answer:
        """A page of at most what the server allows."""
        self.asked.append((how, start, size))
        failed = self.fails(start, size)
        if failed is not None:
            return failed
        names = self.names[start - 1 : start - 1 + min(size, self.cap)]
        return 200, XML, response("".join(metadata(name) for name in names), **self.told(start, len(names)))


def source(url: str, client: Client, **config: Any) -> CswSource:
    """A CSW source."""
    return CswSource(CswConfig(url=url, **config), client)


def run(url: str, client: Client, catalogue: MemoryCatalogue, **config: Any) -> RunReport:
    """A harvest of ISO 19139."""
    return harvest(source(url, client, **config), Iso19139(), [], catalogue)


def ids(found: Source) -> list[str]:
    """Identifiers as they come."""
    return [record.id for record in found.records()]


class TestPost(SourceContract):
    """Three pages by POST."""

    expected_ids = frozenset("abcde")

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Five records, two at a time."""
        return source(Catalogue(site, *"abcde").url, client, page_size=2)


class TestGet(SourceContract):
    """A server that refuses POST."""

    expected_ids = frozenset("abcde")

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Five records, two at a time."""
        return source(Catalogue(site, *"abcde", post=False).url + "?lang=fr", client, page_size=2)


def test_post_is_given_up_once(site: Site, client: Client) -> None:
    """A server that refuses POST is asked by GET from then on, and the parameters of its address stay."""
    catalogue = Catalogue(site, *"abcde", post=False)
    assert ids(source(catalogue.url + "?lang=fr", client, page_size=2)) == list("abcde")
    assert len(site.posted) == 1
    assert all("lang=fr" in path for path, _ in site.asked)


def test_a_server_gives_fewer_than_asked(site: Site, client: Client) -> None:
    """Pages are walked by what the server allows."""
    catalogue = Catalogue(site, *"abcdefg", cap=3)
    assert ids(source(catalogue.url, client, page_size=100)) == list("abcdefg")
    assert [start for _, start, _ in catalogue.asked] == [1, 4, 7]


LIES: dict[str, Callable[[Catalogue, int, int], dict[str, Any]]] = {
    "no nextRecord": lambda c, s, n: {"numberOfRecordsMatched": len(c.names)},
    "nextRecord always 0": lambda c, s, n: {"numberOfRecordsMatched": len(c.names), "nextRecord": 0},
    "nextRecord stands still": lambda c, s, n: {"numberOfRecordsMatched": len(c.names), "nextRecord": s},
    "nextRecord leads back": lambda c, s, n: {"numberOfRecordsMatched": len(c.names), "nextRecord": 1},
    "nextRecord leaps": lambda c, s, n: {"numberOfRecordsMatched": len(c.names), "nextRecord": s + 900},
    "nextRecord past the end": lambda c, s, n: {"numberOfRecordsMatched": len(c.names), "nextRecord": s + n},
    "returned lies": lambda c, s, n: {**c.honest(s, n), "numberOfRecordsReturned": 99},
    "counts are words": lambda c, s, n: {"numberOfRecordsMatched": "many", "nextRecord": s + n if n else 0},
    "nothing told": lambda c, s, n: {},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_server_tells_may_be_wrong(site: Site, client: Client, lie: str) -> None:
    """Every record is read once whatever the counts and pointers say."""
    catalogue = Catalogue(site, *"abcde")
    catalogue.told = lambda start, given: LIES[lie](catalogue, start, given)
    assert ids(source(catalogue.url, client, page_size=2)) == list("abcde")


def test_a_count_that_is_too_high_withdraws_nothing(site: Site, client: Client) -> None:
    """A server that promises more than it gives was not read to its end; `exact: false` says that it lies."""
    known = MemoryCatalogue()
    catalogue = Catalogue(site, *"abcdef")
    run(catalogue.url, client, known)
    catalogue.names.remove("f")
    catalogue.told = lambda start, given: {"numberOfRecordsMatched": 9}
    report = run(catalogue.url, client, known)
    assert "counts 9 records and gave 5" in str(report.error)
    assert (report.deleted, len(known.entries)) == (0, 6)
    report = run(catalogue.url, client, known, exact=False)
    assert (report.error, report.deleted) == (None, 1)


def test_a_page_that_is_too_big_is_asked_in_parts(site: Site, client: Client) -> None:
    """A server that fails on big pages is asked for smaller ones from the same place."""
    catalogue = Catalogue(site, *(f"n{i:02}" for i in range(30)))
    catalogue.fails = lambda start, size: (500, {}, b"heap") if size > 5 else None
    found = source(catalogue.url, client, page_size=20)
    assert ids(found) == [f"n{i:02}" for i in range(30)]
    assert [size for _, _, size in catalogue.asked][-1] == 5


def test_a_page_that_fails_at_the_end_keeps_what_was_read(site: Site, client: Client) -> None:
    """A place where the server always fails ends the run; earlier pages arrive and nothing is withdrawn."""
    known = MemoryCatalogue()
    catalogue = Catalogue(site, *"abcdef")
    run(catalogue.url, client, known)
    catalogue.fails = lambda start, size: (503, {"Retry-After": "0"}, b"") if start > 2 else None
    report = run(catalogue.url, client, known, page_size=2)
    assert (report.retriable, report.unchanged, report.deleted, len(known.entries)) == (True, 2, 0, 6)


def test_the_same_page_for_ever(site: Site, client: Client) -> None:
    """A server that ignores startPosition does not hold the worker."""
    site.posts["/csw"] = lambda _: (
        200,
        XML,
        response(metadata("a"), numberOfRecordsMatched=1000, nextRecord=2),
    )
    with pytest.raises(TooLargeError, match="nothing new"):
        ids(source(site.url("/csw"), client, page_size=1))


def test_an_order_that_changes_gives_each_once(site: Site, client: Client) -> None:
    """Records that come again on a later page are not given twice, and the read is told to be incomplete."""
    pages = {1: "ab", 3: "bc", 5: "d"}
    catalogue = Catalogue(site, *"abcde")
    site.posts["/csw"] = lambda r: (
        200,
        XML,
        response("".join(map(metadata, pages[position(r)])), numberOfRecordsMatched=5),
    )
    found: list[str] = []
    with pytest.raises(SourceError, match="counts 5 records and gave 4"):
        found.extend(record.id for record in source(catalogue.url, client, page_size=2).records())
    report = run(catalogue.url, client, MemoryCatalogue(), page_size=2)
    assert (report.added, report.complete) == (4, False)


@pytest.mark.parametrize(
    ("body", "error", "reason"),
    [
        (EXCEPTION, SourceError, "NoApplicableCode x Java heap space"),
        (b"<html><body>Maintenance</body></html>", ParseError, "HTML"),
        (b"<!DOCTYPE html><html/>", ParseError, "HTML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', ParseError, "DOCTYPE"),
        (response(metadata("a"))[:200], ParseError, "not well formed"),
        (b"", ParseError, "empty"),
        (b"<a/>", ParseError, "it answers 'a'"),
        (b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', SourceError, "SOAP"),
        (response("<csw:Record/>", numberOfRecordsMatched=1), SourceError, "Record, not the schema"),
        (b'{"a": 1}', ParseError, "JSON"),
    ],
    ids=["exception", "html", "html5", "doctype", "truncated", "empty", "other", "soap", "schema", "json"],
)
def test_bad_answers_withdraw_nothing(
    site: Site, client: Client, body: bytes, error: type[Exception], reason: str
) -> None:
    """Whatever is served with 200, the reason is told and what is in the catalogue stays."""
    known = MemoryCatalogue()
    run(Catalogue(site, *"ab").url, client, known)
    site.serve("/csw?*", body, "application/xml")
    site.posts["/csw"] = lambda _: (200, XML, body)
    with pytest.raises(error, match=reason):
        ids(source(site.url("/csw"), client))
    with pytest.raises((SourceError, RetriableError)):
        source(site.url("/csw"), client).check()
    report = run(site.url("/csw"), client, known)
    assert report.error
    assert (report.writes, len(known.entries)) == (0, 2)


def test_an_empty_catalogue_is_held(site: Site, client: Client) -> None:
    """A catalogue that answers well and is empty empties nothing here."""
    known = MemoryCatalogue()
    catalogue = Catalogue(site, *"ab")
    run(catalogue.url, client, known)
    catalogue.names.clear()
    report = run(catalogue.url, client, known)
    assert (report.error, report.deleted, len(report.held)) == (None, 0, 2)


def test_ids_that_were_swapped(site: Site, client: Client) -> None:
    """Two records that exchange their identifiers are two updates, no double and no loss."""
    known = MemoryCatalogue()
    site.posts["/csw"] = lambda _: (200, XML, response(metadata("a", "Un") + metadata("b", "Deux")))
    run(site.url("/csw"), client, known)
    site.posts["/csw"] = lambda _: (200, XML, response(metadata("b", "Un") + metadata("a", "Deux")))
    report = run(site.url("/csw"), client, known)
    assert (report.updated, report.deleted, len(known.entries)) == (2, 0, 2)


def test_a_poisoned_record_among_a_thousand(site: Site, client: Client) -> None:
    """999 arrive and one is reported with its reason; the dataset it may have been is kept."""
    names = [f"n{i:04}" for i in range(1000)]
    bad = f"<gmd:MD_Metadata {GMD}><gmd:fileIdentifier><gco:CharacterString>n0500</gco:CharacterString></gmd:fileIdentifier></gmd:MD_Metadata>"  # noqa: E501
    records = "".join(bad if name == "n0500" else metadata(name) for name in names)
    site.posts["/csw"] = lambda _: (200, XML, response(records, numberOfRecordsMatched=1000))
    outcomes: list[Any] = []
    report = harvest(
        source(site.url("/csw"), client, page_size=1000),
        Iso19139(),
        [],
        MemoryCatalogue(),
        on_outcome=outcomes.append,
    )
    assert (report.added, report.failed, report.error) == (999, 1, None)
    (failed,) = [o for o in outcomes if o.status == "failed"]
    assert failed.guid == "n0500"
    assert "identificationInfo" in failed.reason


def test_capabilities_cannot_send_us_elsewhere(site: Site, trap: Site, client: Client) -> None:
    """Addresses that the capabilities name are not followed (a real one names localhost)."""
    site.serve(
        "/csw?*", CAPABILITIES.replace(b"</csw:", f"<a>{trap.url('/')}</a></csw:".encode()), "text/xml"
    )
    with pytest.raises((SourceError, RetriableError)):
        source(site.url("/csw"), client).check()
    assert trap.connections == 0


def test_filter_and_order_are_sent_escaped(site: Site, client: Client) -> None:
    """A CQL filter cannot break out of the document."""
    catalogue = Catalogue(site, "a")
    ids(source(catalogue.url, client, cql="AnyText like '%<b>&%'", sort_by="dc:identifier"))
    body = site.posted[0][1].decode()
    assert "<csw:CqlText>AnyText like '%&lt;b&gt;&amp;%'</csw:CqlText>" in body
    assert "<ogc:PropertyName>dc:identifier</ogc:PropertyName>" in body


PAGES = ("csw-fr-geonetwork-iso-page-1.xml", "csw-fr-geonetwork-iso-page-3.xml")


@pytest.mark.skipif(not (iso.yardsticks() / PAGES[0]).exists(), reason="needs ../shared/yardsticks")
def test_real_pages_of_iso(site: Site, client: Client) -> None:
    """Two recorded pages of one answer: four records, and the two that the recording lacks are told."""

    def page(request: Any) -> Answer:
        name = {1: PAGES[0], 3: PAGES[1]}.get(position(request))
        return (
            200,
            XML,
            (iso.yardsticks() / name).read_bytes() if name else response("", numberOfRecordsMatched=6),
        )

    site.posts["/csw"] = page
    known = MemoryCatalogue()
    report = run(site.url("/csw"), client, known, page_size=2)
    assert (report.added, report.complete) == (4, False)
    assert "counts 6 records and gave 4" in str(report.error)
    report = run(site.url("/csw"), client, known, page_size=2, exact=False)
    assert (report.writes, report.unchanged, report.complete) == (0, 4, True)


@pytest.mark.skipif(not (iso.yardsticks() / PAGES[0]).exists(), reason="needs ../shared/yardsticks")
@pytest.mark.parametrize(
    "name", ["csw-fr-geonetwork-dcat-page-1.xml", "csw-fr-geonetwork-geodcatap-page-1.xml"]
)
def test_real_pages_of_dcat(site: Site, client: Client, name: str) -> None:
    """RDF in a CSW answer is read as DCAT, one record a dataset."""
    body = (iso.yardsticks() / name).read_bytes()
    empty = response("", numberOfRecordsMatched=6)
    site.posts["/csw"] = lambda r: (200, XML, body if b'startPosition="1"' in r.content else empty)
    found = source(site.url("/csw"), client, schema="dcat", page_size=2, exact=False)
    report = harvest(found, DcatAp(), [], known := MemoryCatalogue())
    assert (report.error, report.failed) == (None, 0)
    assert report.added == 2
    assert all(entry.dataset.fields["title_translated"] for entry in known.entries.values())
