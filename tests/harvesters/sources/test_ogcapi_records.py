"""OGC API Records on servers good and bad."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from ccphva_harvesters import (
    Client,
    MemoryCatalogue,
    PageLoopError,
    ParseError,
    RunReport,
    Source,
    SourceError,
    TooLargeError,
    harvest,
)
from ccphva_harvesters.formats.ogc_record import OgcRecord
from ccphva_harvesters.sources.ogcapi_records import OgcApiRecordsConfig, OgcApiRecordsSource

from harvesters.conftest import Site
from harvesters.contracts import SourceContract

JSON = "application/geo+json"


def feature(name: str, **more: Any) -> dict[str, Any]:
    """A record."""
    return {"type": "Feature", "id": name, "geometry": None, "properties": {"title": f"Jeu {name}", **more}}


def page(*names: str, matched: int | None = None, following: str | None = None) -> str:
    """A page of items."""
    links = [{"rel": "self", "href": "x"}] + ([{"rel": "next", "href": following}] if following else [])
    told = {} if matched is None else {"numberMatched": matched}
    features = [feature(name) for name in names]
    return json.dumps({"type": "FeatureCollection", "features": features, "links": links, **told})


def serve(site: Site, *pages: tuple[str, ...], matched: int | None = None) -> str:
    """A catalogue with one collection of records and one of features."""
    site.serve(
        "/conformance",
        json.dumps({"conformsTo": ["http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core"]}),
        JSON,
    )
    collections = [{"id": "cat", "itemType": "record"}, {"id": "roads", "itemType": "feature"}]
    site.serve("/collections", json.dumps({"collections": collections}), JSON)
    for number, names in enumerate(pages):
        following = f"/collections/cat/items?page={number + 1}" if number + 1 < len(pages) else None
        path = "/collections/cat/items?*" if number == 0 else f"/collections/cat/items?page={number}"
        site.serve(path, page(*names, matched=matched, following=following), JSON)
    return site.url("/")


def source(url: str, client: Client, **config: Any) -> OgcApiRecordsSource:
    """A source of records."""
    return OgcApiRecordsSource(OgcApiRecordsConfig(url=url, **config), client)


def run(url: str, client: Client, catalogue: MemoryCatalogue, **config: Any) -> RunReport:
    """A harvest of records."""
    return harvest(source(url, client, **config), OgcRecord(), [], catalogue)


def ids(found: Source) -> list[str]:
    """Ids as they come."""
    return [record.id for record in found.records()]


class TestPages(SourceContract):
    """Three pages."""

    expected_ids = frozenset("abcde")

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Two, two and one."""
        return source(serve(site, ("a", "b"), ("c", "d"), ("e",), matched=5), client)


def test_a_collection_may_be_named(site: Site, client: Client) -> None:
    """A named collection is read without asking for the list, whatever its item type."""
    url = serve(site, ("a",))
    site.routes.pop("/collections")
    assert ids(source(url, client, collections=("cat",))) == ["a"]


def test_no_collection_of_records(site: Site, client: Client) -> None:
    """A server of features only says so."""
    serve(site, ("a",))
    site.serve("/collections", json.dumps({"collections": [{"id": "roads", "itemType": "feature"}]}), JSON)
    with pytest.raises(SourceError, match="none of its collections holds records"):
        ids(source(site.url("/"), client))


def test_a_page_loop(site: Site, client: Client) -> None:
    """A next link that was already followed ends the run."""
    serve(site, ("a",), ("b",))
    back = page("b", following="/collections/cat/items?page=1")
    site.serve("/collections/cat/items?page=1", back, JSON)
    with pytest.raises(PageLoopError):
        ids(source(site.url("/"), client))


def test_pages_without_end(site: Site, client: Client) -> None:
    """Pages that bring nothing new are not followed for ever; others only to the limit."""
    serve(site, ("a",))
    count = itertools.count(1)
    site.handle(
        "/collections/cat/items?*",
        lambda _: (200, {}, page("a", following=f"/collections/cat/items?n={next(count)}").encode()),
    )
    with pytest.raises(TooLargeError, match="nothing new"):
        ids(source(site.url("/"), client))
    with pytest.raises(TooLargeError, match="more than 2 pages"):
        ids(source(site.url("/"), client, max_pages=2))


def test_a_count_that_is_too_high_withdraws_nothing(site: Site, client: Client) -> None:
    """Fewer records than counted is an incomplete read; ``exact: false`` says that the count lies."""
    known = MemoryCatalogue()
    run(serve(site, tuple("abcdef")), client, known)
    url = serve(site, tuple("abcde"), matched=9)
    report = run(url, client, known)
    assert "counts 9 records and gave 5" in str(report.error)
    assert report.deleted == 0
    assert run(url, client, known, exact=False).deleted == 1


def test_a_link_elsewhere_gets_no_secret(site: Site, trap: Site, client: Client) -> None:
    """A next link to another server is followed without the headers of the source file."""
    serve(site, ("a",))
    site.serve("/collections/cat/items?*", page("a", following=trap.url("/more")), JSON)
    trap.serve("/more", page("b"), JSON)
    assert ids(source(site.url("/"), client, headers={"X-Key": "secret"})) == ["a", "b"]
    assert all(asked["x-key"] == "secret" for _, asked in site.asked)
    assert "x-key" not in trap.asked[0][1]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Login</html>", "HTML"),
        (b"<a/>", "XML"),
        (b"", "empty"),
        (b'{"type": "FeatureCollection", "fea', "not well formed"),
        (b'{"code": "NoApplicableCode"}', "no GeoJSON"),
        (b"[]", "no object"),
    ],
    ids=["html", "xml", "empty", "truncated", "exception", "list"],
)
def test_bad_answers_withdraw_nothing(site: Site, client: Client, body: bytes, reason: str) -> None:
    """Whatever is served with 200, the reason is told and what is in the catalogue stays."""
    known = MemoryCatalogue()
    url = serve(site, ("a", "b"))
    run(url, client, known)
    site.serve("/collections/cat/items?*", body, JSON)
    with pytest.raises(ParseError, match=reason):
        ids(source(url, client))
    report = run(url, client, known)
    assert report.error
    assert (report.writes, len(known.entries)) == (0, 2)


def test_an_empty_catalogue_is_held(site: Site, client: Client) -> None:
    """A catalogue that answers well and is empty empties nothing here."""
    known = MemoryCatalogue()
    run(serve(site, ("a", "b")), client, known)
    report = run(serve(site, ()), client, known)
    assert (report.error, report.deleted, len(report.held)) == (None, 0, 2)


def test_a_poisoned_record_costs_itself(site: Site, client: Client) -> None:
    """What is no record among records is one failure."""
    url = serve(site, ("a", "b"))
    bad = {"type": "Feature", "id": "x", "properties": "none"}
    body = json.dumps({"type": "FeatureCollection", "features": [feature("a"), bad, feature("b")]})
    site.serve("/collections/cat/items?*", body, JSON)
    report = run(url, client, MemoryCatalogue())
    assert (report.added, report.failed, report.error) == (2, 1, None)
