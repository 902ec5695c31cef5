"""REST/JSON: mappings, every way of paging, secrets that stay secret."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from ccphva_harvesters import (
    Client,
    ConfigError,
    MemoryCatalogue,
    MemoryTables,
    RunReport,
    Source,
    TableOutcome,
    harvest,
    load_text,
)
from ccphva_harvesters.config import convert
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources.rest import RestConfig, RestSource

from harvesters.conftest import Site
from harvesters.contracts import SourceContract

SECRET = "s3cr3t/k+y"
COLUMNS = {
    "n": {"path": "id", "type": "integer"},
    "level": {"path": "measure.level", "type": "number", "unit": "%"},
    "at": {"type": "timestamp"},
}


def entry(n: int) -> dict[str, Any]:
    """A record of the application."""
    return {"id": n, "measure": {"level": f"{n},5"}, "at": f"2026-11-01T00:00:{n % 60:02}Z"}


def made(client: Client, url: str, **config: Any) -> RestSource:
    """A source from what a file would say."""
    described = {
        "dataset": {"id": "bacs", "title": "Bacs"},
        "rows": {"columns": COLUMNS, "records": "data", "key": ["n"]},
    }
    return RestSource(
        convert({"url": url, **described, **config}, RestConfig, "$.source"), client, secrets=lambda _: SECRET
    )


def run(
    source: RestSource, tables: MemoryTables | None = None
) -> tuple[RunReport, list[TableOutcome], list[dict[str, Any]]]:
    """A harvest: report, outcomes and rows."""
    kept, told = tables or MemoryTables(), []
    report = harvest(
        source, Native(), [], MemoryCatalogue(), tables=kept, personal_data="none", on_table=told.append
    )
    return report, told, [row for table in kept.tables for row in kept.rows(table)]


class Api:
    """An application with ``count`` records and every way of paging."""

    def __init__(self, site: Site, count: int = 23, **habits: Any) -> None:
        self.site, self.habits = site, habits
        self.entries = [entry(n) for n in range(count)]
        self.url = site.url("/api")
        self.asked: list[dict[str, list[str]]] = []
        site.handle("*", self.answer)

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        query = parse_qs(urlsplit(request.path).query)
        self.asked.append(query)
        size = int(query.get("size", ["10"])[0])
        start = int(query.get("offset", query.get("cursor", ["0"]))[0])
        if "page" in query:
            start = (int(query["page"][0]) - 1) * size
        if self.habits.get("ignores"):
            start = 0
        if since := query.get("since"):
            found = [one for one in self.entries if one["at"] >= since[0]]
        else:
            found = self.entries
        more = start + size < len(found)
        following = self.habits.get("next", self.site.url(f"/api?offset={start + size}"))
        body = {
            "data": found[start : start + size], "total": self.habits.get("total", len(found)),
            "cursor": str(start + size) if more or self.habits.get("loop") else None,
            "next": following if more else None,
        }  # fmt: skip
        if self.habits.get("loop"):
            body["cursor"] = "0"
        headers = {"Link": f'<{following}>; rel="next", </>; rel="first"'} if more else {}
        return 200, headers, json.dumps(body).encode()


class TestRest(SourceContract):
    """One dataset."""

    @pytest.fixture(autouse=True)
    def _expected(self, site: Site) -> None:
        self.expected_ids = frozenset({site.url("/api#bacs")})

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """Of the application."""
        return made(client, Api(site).url)


PAGINGS = [
    {"type": "page", "parameter": "page", "size_parameter": "size", "size": 10},
    {"type": "page", "parameter": "page"},
    {"type": "offset", "parameter": "offset", "size_parameter": "size", "size": 7, "total": "total"},
    {"type": "cursor", "parameter": "cursor", "path": "cursor"},
    {"type": "next", "path": "next"},
    {"type": "link"},
]


@pytest.mark.parametrize("paging", PAGINGS, ids=lambda p: p["type"])
def test_every_way_of_paging(site: Site, client: Client, paging: dict[str, Any]) -> None:
    """All rows come, once, with the types of their columns."""
    rows = {"columns": COLUMNS, "records": "data", "key": ["n"], "paging": paging}
    report, told, found = run(made(client, Api(site).url, rows=rows))
    assert told[0].error is None
    assert [row["n"] for row in found] == list(range(23))
    assert found[3]["level"] == 3.5
    assert report.ok


@pytest.mark.parametrize(
    ("habits", "paging", "match"),
    [
        ({"ignores": True}, PAGINGS[0], "ignores 'page'"),
        ({"loop": True}, PAGINGS[3], "already read"),
        ({"total": 99}, PAGINGS[2], "23 of the 99"),
        ({"next": "http://127.0.0.2:1/steal"}, PAGINGS[4], "another host"),
        ({"next": "http://127.0.0.2:1/steal"}, PAGINGS[5], "another host"),
    ],
)
def test_applications_that_cannot_be_trusted(
    site: Site, client: Client, habits: dict[str, Any], paging: dict[str, Any], match: str
) -> None:
    """An error, and the rows that were there stay."""
    tables = MemoryTables()
    rows = {"columns": COLUMNS, "records": "data", "key": ["n"], "paging": paging}
    api = Api(site)
    run(made(client, api.url, rows=rows), tables)
    api.habits = habits
    _, told, found = run(made(client, api.url, rows=rows), tables)
    assert match in str(told[0].error)
    assert len(found) == 23


def test_append_goes_on_where_it_stopped(site: Site, client: Client) -> None:
    """The watermark is sent; a run that broke in the middle asks for the same again."""
    rows = {
        "columns": COLUMNS,
        "records": "data",
        "key": ["n"],
        "mode": "append",
        "time": "at",
        "since": "since",
    }
    paged = {**rows, "paging": {"type": "offset", "parameter": "offset"}}
    api, tables = Api(site), MemoryTables()
    whole = api.answer
    site.handle("*", lambda r: (500, {}, b"") if "offset=20" in r.path else whole(r))
    report, _, found = run(made(client, api.url, rows=paged), tables)
    assert (report.tables_failed, len(found)) == (1, 20)
    assert dict(tables.marks(site.url("/api#bacs"))) == {}
    site.handle("*", whole)
    report, told, found = run(made(client, api.url, rows=paged), tables)
    assert (report.rows_accepted, report.rows_unchanged, len(found)) == (3, 20, 23)
    assert (told[0].error, report.rows_rejected) == (None, 0)
    api.entries.append(entry(30))
    report, _, found = run(made(client, api.url, rows=paged), tables)
    assert (report.rows_accepted, report.rows_unchanged) == (1, 1)
    assert api.asked[-1]["since"] == ["2026-11-01T00:00:22Z"]


@pytest.mark.parametrize("wrong", ["yesterday", "9999-01-01T00:00:00Z", ""])
def test_a_wrong_time_does_not_move_the_mark(site: Site, client: Client, wrong: str) -> None:
    """A row that is refused for its time must not hide those that come after it."""
    rows = {"columns": COLUMNS, "records": "data", "key": ["n"], "mode": "append", "time": "at", "since": "s"}
    api, tables = Api(site, count=3), MemoryTables()
    api.entries[1]["at"] = wrong
    run(made(client, api.url, rows=rows), tables)
    assert dict(tables.marks(site.url("/api#bacs"))) == {"": "2026-11-01T00:00:02Z"}


def test_a_catalogue_with_rows_of_each_dataset(site: Site, client: Client) -> None:
    """A list of datasets, each with its own rows; an entry without identifier costs itself."""
    listed = [
        {"slug": "a b", "names": {"fr": "Air"}, "tags": ["air"]},
        {"names": {}},
        {"slug": "eau"},
        "junk",
    ]
    site.serve("/api", json.dumps(listed))
    site.serve("/api/a%20b/rows", json.dumps({"data": [entry(1)]}))
    site.serve("/api/eau/rows", json.dumps({"data": [entry(2), "junk", {"id": "x"}]}))
    rows = {"url": site.url("/api/{id}/rows"), "columns": COLUMNS, "records": "data", "key": ["n"]}
    catalogue = {"id": "slug", "title": "names.fr", "keywords": "tags"}
    source = made(client, site.url("/api"), dataset=None, catalogue=catalogue, rows=rows)
    report, told, found = run(source)
    assert (report.added, report.failed) == (2, 2)
    assert [row["n"] for row in found] == [1, 2]
    assert told[1].reasons == {"not an object": 1, "n: not a number": 1}


@pytest.mark.parametrize(
    ("secret", "where"),
    [
        ({"name": "k", "header": "X-Api-Key"}, "x-api-key"),
        ({"name": "k", "header": "Authorization", "prefix": "Bearer "}, "authorization"),
        ({"name": "k", "query": "key"}, "query"),
    ],
)
def test_secrets_are_sent_and_never_shown(
    site: Site, trap: Site, client: Client, secret: dict[str, str], where: str
) -> None:
    """They reach their host, no error names them, and a redirect elsewhere does not carry them along."""
    api = Api(site)
    run(made(client, api.url, secret=secret))
    path, headers = site.asked[-1]
    sent = parse_qs(urlsplit(path).query).get("key", [""])[0] if where == "query" else headers[where]
    assert sent.endswith(SECRET)
    for status, answer in ((404, b""), (500, b""), (200, b"<html>"), (200, b"{"), (200, b"[]")):
        site.handle("*", lambda _, s=status, a=answer: (s, {}, a))
        source = made(client, api.url, secret=secret)
        report, told, _ = run(source)
        text = f"{report.error}{[o.error for o in told]}"
        assert "s3cr3t" not in text
        with pytest.raises(Exception, match=r".") as raised:
            source.check()
        assert "s3cr3t" not in str(raised.value)
    with Client(allow_networks=["127.0.0.0/8"]) as wide:
        site.handle("*", lambda _: (302, {"Location": trap.url("/")}, b""))
        run(made(wide, api.url, secret=secret))
    assert all(SECRET not in str(asked) for asked in trap.asked)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"dataset": None}, "$.source"),
        ({"secret": {"name": "k"}}, "$.source.secret"),
        ({"rows": {"columns": {"a": {"path": "a["}}}}, "$.source.rows.columns.a.path"),
        ({"rows": {"columns": COLUMNS, "key": ["x"]}}, "$.source.rows"),
        ({"rows": {"columns": COLUMNS, "mode": "append"}}, "$.source.rows.key"),
        ({"rows": {"columns": COLUMNS, "since": "s"}}, "$.source.rows.since"),
        ({"rows": {"columns": COLUMNS, "paging": {"type": "cursor"}}}, "$.source.rows.paging.parameter"),
        ({"rows": {"columns": COLUMNS, "paging": {"typ": "cursor"}}}, "$.source.rows.paging.typ"),
        ({"rows": {"columns": COLUMNS, "url": "http://other.org"}, "secret": {"name": "k", "query": "q"}},
        "$.source.rows.url"),
        ({"dataset": None, "catalogue": {}}, "$.source.rows.url"),
    ],
)  # fmt: skip
def test_configuration_that_cannot_work(client: Client, change: dict[str, Any], path: str) -> None:
    """An error with the path of the key, before anything is asked."""
    with pytest.raises(ConfigError) as raised:
        made(client, "http://x.org/api", **change)
    assert raised.value.path == path


def test_a_secret_that_is_not_there(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    """Its name and where to put it are said."""
    file = load_text(
        yaml.safe_dump(
            {
                "source": {"type": "rest", "url": "http://x.org", "dataset": {"id": "a", "title": "A"},
                "secret": {"name": "ma-cle", "query": "k"}},
                "format": {"type": "native"}, "personal_data": "none",
            }
        )
    )  # fmt: skip
    with pytest.raises(ConfigError, match="CCPHVA_SECRET_MA_CLE"):
        file.build_source(client)
    monkeypatch.setenv("CCPHVA_SECRET_MA_CLE", "a\nb")
    with pytest.raises(ConfigError, match="control characters"):
        file.build_source(client)
