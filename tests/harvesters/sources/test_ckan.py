"""CKAN on servers good and bad: a small portal whose search works as CKAN's does."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ccphva_harvesters import (
    Client,
    MemoryCatalogue,
    ParseError,
    RunReport,
    Source,
    SourceError,
    TooLargeError,
    harvest,
)
from ccphva_harvesters.formats.ckan_json import CkanJson
from ccphva_harvesters.sources.ckan import CkanConfig, CkanSource

from harvesters.conftest import Answer, Site
from harvesters.contracts import SourceContract


def package(name: str, day: int = 1, **more: Any) -> dict[str, Any]:
    """A package that changed on a day of January 2026."""
    stamp = f"2026-01-{day:02}T10:00:00.123456"
    return {"id": name, "name": name, "title": f"Jeu {name}", "metadata_modified": stamp, **more}


class Portal:
    """``package_search`` and ``package_show`` over a few packages."""

    def __init__(self, site: Site, *packages: dict[str, Any], cap: int = 1000) -> None:
        self.packages = {p["id"]: p for p in packages}
        self.cap = cap
        self.asked: list[dict[str, str]] = []
        self.during: Any = None
        site.handle("/api/3/action/package_search?*", self.search)
        site.handle("/api/3/action/package_show?*", self.show)
        self.url = site.url("/")

    def search(self, request: BaseHTTPRequestHandler) -> Answer:
        """Sorted, filtered by date or id, from ``start``, at most ``cap``."""
        asked = {key: value[0] for key, value in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(asked)
        found = list(self.packages.values())
        filter_ = asked.get("fq", "")
        date, name = (
            re.search(r"metadata_modified:[\[{](\S+)Z TO", filter_),
            re.search(r'id:\{"(.*?)" TO', filter_),
        )
        if date and name:  # both: what comes after a package
            found = [p for p in found if (p["metadata_modified"][:23], p["id"]) > (date[1], name[1])]
        elif date:
            found = [p for p in found if p["metadata_modified"][:23] >= date[1]]
        elif name:
            found = [p for p in found if p["id"] > name[1]]
        found.sort(
            key=lambda p: p["id"] if asked["sort"] == "id asc" else (p["metadata_modified"][:23], p["id"])
        )
        start, rows = int(asked["start"]) if "start" in asked else 0, min(int(asked["rows"]), self.cap)
        answer = self.answer({"count": len(found), "results": found[start : start + rows]})
        if self.during is not None:
            self.during()
        return answer

    def show(self, request: BaseHTTPRequestHandler) -> Answer:
        """One package."""
        name = parse_qs(urlsplit(request.path).query)["id"][0]
        return self.answer(self.packages[name]) if name in self.packages else (404, {}, b"{}")

    @staticmethod
    def answer(result: Any) -> Answer:
        """An answer of the API."""
        return (
            200,
            {"Content-Type": "application/json"},
            json.dumps({"success": True, "result": result}).encode(),
        )


def source(url: str, client: Client, last_modified: str | None = None, **config: Any) -> CkanSource:
    """A CKAN source."""
    return CkanSource(CkanConfig(url=url, **config), client, last_modified=last_modified)


def run(found: CkanSource, catalogue: MemoryCatalogue, **more: Any) -> RunReport:
    """A harvest of package dicts."""
    return harvest(found, CkanJson(), [], catalogue, **more)


def ids(found: Source) -> list[str]:
    """Ids as they come."""
    return [record.id for record in found.records()]


class TestPages(SourceContract):
    """Five packages of different days, two at a time."""

    expected_ids = frozenset("abcde")

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """A portal."""
        return source(
            Portal(site, *(package(n, i + 1) for i, n in enumerate("abcde"))).url, client, page_size=2
        )


@pytest.mark.parametrize("suffix", ["", "api/3", "api/"])
def test_addresses_of_the_api_are_understood(site: Site, client: Client, suffix: str) -> None:
    """The portal's address or its API's."""
    portal = Portal(site, package("a"))
    assert ids(source(portal.url + suffix, client)) == ["a"]


def test_a_bulk_of_one_moment_larger_than_a_page(site: Site, client: Client) -> None:
    """Datasets imported in one second, more than a page holds, are all read."""
    portal = Portal(site, *(package(f"n{i:02}") for i in range(25)), package("z", 2))
    assert len(ids(source(portal.url, client, page_size=10))) == 26


def test_a_portal_gives_fewer_than_asked(site: Site, client: Client) -> None:
    """``ckan.search.rows_max`` below the page size ends nothing early."""
    portal = Portal(site, *(package(f"n{i:02}", i % 28 + 1) for i in range(50)), cap=7)
    assert len(ids(source(portal.url, client, page_size=100))) == 50


def test_changes_during_the_read_lose_nothing(site: Site, client: Client) -> None:
    """A dataset that changes while pages are read moves to the end and pushes none out of sight."""
    portal = Portal(site, *(package(f"n{i:02}", 1 + i // 3) for i in range(20)))
    moved = iter(f"n{i:02}" for i in range(20))

    def touch() -> None:
        if name := next(moved, None):
            portal.packages[name] = package(name, 25)

    portal.during = touch
    assert set(ids(source(portal.url, client, page_size=3))) == {f"n{i:02}" for i in range(20)}


def test_only_changes_are_fetched(site: Site, client: Client) -> None:
    """After a complete run only what changed is fetched in full; what is gone is withdrawn all the same."""
    portal = Portal(site, *(package(f"n{i:02}", 1 + i) for i in range(20)))
    known = MemoryCatalogue()
    first = source(portal.url, client)
    assert run(first, known).added == 20
    assert first.last_modified == "2026-01-20T10:00:00.123456"
    portal.packages["n03"] = package("n03", 25, title="Neuf")
    portal.packages["new"] = package("new", 26)
    del portal.packages["n07"]
    portal.asked.clear()
    second = source(portal.url, client, first.last_modified)
    report = run(second, known)
    assert (report.added, report.updated, report.deleted, report.unchanged) == (1, 1, 1, 18)
    assert second.last_modified == "2026-01-26T10:00:00.123456"
    assert [asked.get("fl") for asked in portal.asked] == [None, "id"]


def test_what_a_former_run_could_not_write_is_fetched_again(site: Site, client: Client) -> None:
    """An unchanged dataset that the catalogue has not is asked for by name."""
    portal = Portal(site, package("a"), package("b", 2))
    known = MemoryCatalogue()
    first = source(portal.url, client)
    run(first, known)
    del known.entries["a"]
    report = run(source(portal.url, client, first.last_modified), known)
    assert (report.added, report.unchanged, report.failed) == (1, 1, 0)


def test_ids_on_several_pages(site: Site, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of ids is walked by the last id."""
    portal = Portal(site, *(package(f"n{i:02}") for i in range(20)), cap=6)
    found = source(portal.url, client, last_modified="2026-02-01T00:00:00", exact=False)
    assert sorted(ids(found)) == [f"n{i:02}" for i in range(20)]


@pytest.mark.parametrize("hidden", [{"private": True}, {"state": "draft"}, {"state": "deleted"}])
def test_what_is_private_there_does_not_come(site: Site, client: Client, hidden: dict[str, Any]) -> None:
    """A key that sees more than the public passes nothing of it on."""
    portal = Portal(site, package("a"), package("b", 2, **hidden))
    assert ids(source(portal.url, client)) == ["a"]


def test_a_count_that_is_too_high(site: Site, client: Client) -> None:
    """Fewer datasets than counted is an incomplete read."""
    answer = Portal.answer({"count": 9, "results": []})
    site.handle("/api/3/action/package_search?*", lambda _: answer)
    with pytest.raises(SourceError, match="counts 9 datasets and gave 0"):
        ids(source(site.url("/"), client))
    assert ids(source(site.url("/"), client, exact=False)) == []


def test_the_same_page_for_ever(site: Site, client: Client) -> None:
    """A portal that ignores ``start`` and filters does not hold the worker."""
    answer = Portal.answer({"count": 900, "results": [package("a")]})
    site.handle("/api/3/action/package_search?*", lambda _: answer)
    with pytest.raises(TooLargeError, match="leads nowhere"):
        ids(source(site.url("/"), client))


@pytest.mark.parametrize(
    ("body", "error", "reason"),
    [
        (b"<html><body>Login</body></html>", ParseError, "HTML"),
        (b"", ParseError, "empty"),
        (b'{"success": true, "result": {"count": 1, "resu', ParseError, "not well formed"),
        (
            b'{"success": false, "error": {"message": "Search error", "__type": "x"}}',
            SourceError,
            "Search error",
        ),
        (b'{"success": true}', ParseError, "no result"),
        (b'{"success": true, "result": {"count": 1}}', ParseError, "no list"),
        (b'{"success": true, "result": {"count": 1, "results": [{"name": "a"}]}}', ParseError, "without id"),
        (b"[1]", ParseError, "no object"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, TooLargeError, "nested"),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, TooLargeError, "nested"),
        ('{"success": "é"}'.encode("latin-1"), ParseError, "cannot be read"),
    ],
    ids=[
        "html",
        "empty",
        "truncated",
        "error",
        "no result",
        "no list",
        "no id",
        "list",
        "deep",
        "bomb",
        "charset",
    ],
)
def test_bad_answers_withdraw_nothing(
    site: Site, client: Client, body: bytes, error: type[Exception], reason: str
) -> None:
    """Whatever is served with 200, the reason is told and what is in the catalogue stays."""
    known = MemoryCatalogue()
    run(source(Portal(site, package("a"), package("b")).url, client), known)
    site.serve("/api/3/action/package_search?*", body, "application/json")
    with pytest.raises(error, match=reason):
        source(site.url("/"), client).check()
    report = run(source(site.url("/"), client), known)
    assert report.error
    assert (report.writes, len(known.entries)) == (0, 2)


def test_an_empty_portal_is_held(site: Site, client: Client) -> None:
    """A portal that lost its index empties nothing here."""
    known = MemoryCatalogue()
    portal = Portal(site, package("a"), package("b"))
    run(source(portal.url, client), known)
    portal.packages.clear()
    report = run(source(portal.url, client), known)
    assert (report.error, report.deleted, len(report.held)) == (None, 0, 2)


def test_a_key_is_sent_to_its_portal_only(site: Site, trap: Site, client: Client) -> None:
    """A secret header does not follow a redirect to another server."""
    site.serve("/api/3/action/package_search?*", b"", status=302, Location=trap.url("/"))
    with pytest.raises(ParseError):
        source(site.url("/"), client, headers={"X-CKAN-API-Key": "secret"}).check()
    assert site.asked[0][1]["x-ckan-api-key"] == "secret"
    assert "x-ckan-api-key" not in trap.asked[0][1]
