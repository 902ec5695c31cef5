"""REST/JSON of business applications: answers mapped by JMESPath to datasets and rows.

One file says where records are in an answer, how pages follow each other, and what each column is. Secrets
are named, never written; they go to the one host that they are for.

Imports only ``cells``, ``errors``, ``http``, ``model``, ``secrets`` and the modules beside it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import jmespath
import msgspec

from ccphva_harvesters import cells
from ccphva_harvesters.errors import (
    ConfigError,
    FatalError,
    PageLoopError,
    ParseError,
    RecordError,
    SourceError,
    TooLargeError,
)
from ccphva_harvesters.http import Client, Response
from ccphva_harvesters.model import Column, ColumnType, Record, Row, Table
from ccphva_harvesters.secrets import Secrets, environment
from ccphva_harvesters.sources import _described
from ccphva_harvesters.sources._described import json_of, listing

_FIELDS = ("title", "notes", "keywords", "url")


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How pages follow each other."""

    type: Literal["none", "page", "offset", "cursor", "next", "link"] = "none"
    """``page`` counts pages, ``offset`` records; ``cursor`` sends back what the answer gave, ``next``
    follows an address in the answer, ``link`` one in the ``Link`` header (RFC 8288)."""
    parameter: str | None = None
    """Name of the query parameter (``page``, ``offset``, ``cursor``)."""
    start: int | None = None
    """First number; else 1 for pages and 0 for offsets."""
    size: int = 100
    size_parameter: str | None = None
    """Query parameter that says how many a page has."""
    path: str | None = None
    """JMESPath of the cursor, or of the next address."""
    total: str | None = None
    """JMESPath of the number of all records, to be held against what came."""


class RestColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One column."""

    path: str | None = None
    """JMESPath in a record; without it the column's own name."""
    type: ColumnType = "text"
    unit: str | None = None
    title: str | None = None
    definition: str | None = None


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the rows of a dataset are and what they hold."""

    url: str | None = None
    """Address; ``{id}`` is the dataset's identifier. Without it the source's own."""
    records: str = "@"
    """JMESPath of the list of rows in an answer."""
    columns: dict[str, RestColumn]
    key: tuple[str, ...] = ()
    mode: Literal["append", "replace"] = "replace"
    time: str | None = None
    """Column that dates a row."""
    since: str | None = None
    """Query parameter that takes the watermark, with ``mode: append`` and ``time``."""
    paging: Paging = Paging()


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The one dataset that a source holds."""

    id: str
    title: str
    notes: str | None = None
    keywords: tuple[str, ...] = ()


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A list of datasets and where their fields are, as JMESPath."""

    records: str = "@"
    id: str = "id"
    title: str = "title"
    notes: str | None = None
    keywords: str | None = None
    url: str | None = None
    paging: Paging = Paging()


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key that is sent along."""

    name: str
    """Name under which it is kept."""
    header: str | None = None
    """Header that takes it; ``prefix`` stands before it."""
    prefix: str = ""
    query: str | None = None
    """Query parameter that takes it."""


class RestConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: rest``."""

    url: str
    dataset: Described | None = None
    """The one dataset, or …"""
    catalogue: Catalogue | None = None
    """… a list of them."""
    rows: Rows | None = None
    secret: Secret | None = None
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    """Parameters of every request."""
    max_pages: int = 10_000
    language: str = "fr"


class RestSource:
    """Datasets and rows of one application."""

    Config = RestConfig

    def __init__(
        self, config: RestConfig, client: Client, *, secrets: Secrets = environment, **_state: Any
    ) -> None:
        _check(config)
        self.config, self.client = config, client
        self._headers, self._query = dict(config.headers), dict(config.query)
        if config.secret is not None:
            value = secrets(config.secret.name)
            client.hide(value)
            if config.secret.header:
                self._headers[config.secret.header] = config.secret.prefix + value
            if config.secret.query:
                self._query[config.secret.query] = value
        self._known: dict[str, str] = {}

    def check(self) -> str:
        """Read the first page and count its records."""
        if self.config.catalogue is not None:
            found = next(
                self._pages(self.config.url, self.config.catalogue.records, self.config.catalogue.paging)
            )
            return f"{len(found)} datasets on the first page"
        rows = self.config.rows
        if rows is None or self.config.dataset is None:
            return f"it answers with {len(self._get(self.config.url).body)} bytes"
        found = next(self._pages(self._address(rows, self.config.dataset.id), rows.records, rows.paging))
        return f"{len(found)} rows on the first page"

    def records(self) -> Iterator[Record]:
        """The one dataset, or one record an entry of the list."""
        self._known = {}
        one, list_ = self.config.dataset, self.config.catalogue
        if one is not None:
            yield self._record(one.id, one.title, one.notes, one.keywords, None)
        if list_ is None:
            return
        paths = {name: _compiled(path) for name in ("id", *_FIELDS) if (path := getattr(list_, name))}
        seen: set[str] = set()
        for page in self._pages(self.config.url, list_.records, list_.paging):
            for at, entry in enumerate(page, start=len(seen) + 1):
                found = {name: path.search(entry) for name, path in paths.items()}
                id_ = found["id"]
                if isinstance(id_, bool) or not isinstance(id_, (str, int)) or id_ == "":
                    # The format refuses it: one bad entry is one failed record, and nothing is withdrawn
                    # for it.
                    yield Record(id=f"entry {at}", content=RecordError(f"entry {at}", "it has no identifier"))
                    continue
                seen.add(str(id_))
                words = [str(word) for word in listing(found.get("keywords"))]
                notes, url = found.get("notes"), found.get("url")
                yield self._record(
                    str(id_), str(found.get("title") or id_), None if notes is None else str(notes), words,
                    url if isinstance(url, str) and url.startswith("http") else None,
                )  # fmt: skip

    def _record(self, id_: str, title: str, notes: str | None, words: Any, url: str | None) -> Record:
        guid = f"{self.config.url.partition('?')[0]}#{id_}"
        tables: list[Table] = []
        if self.config.rows is not None:
            self._known[guid] = id_
            tables.append(_table(self.config.rows, guid, title))
        dataset = _described.dataset(
            guid, title, tables, language=self.config.language, notes=notes, keywords=words, url=url
        )
        return _described.record(msgspec.structs.replace(dataset, uri=None), url)

    # -- rows ------------------------------------------------------------------------------------------------

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:
        """Rows of a dataset; with ``since``, those at or after the watermark."""
        wanted = self.config.rows
        if wanted is None or table.id not in self._known:
            raise FatalError(f"{table.id} was not described by this run")
        address = self._address(wanted, self._known[table.id])
        if wanted.since and "" in marks:
            address = _with(address, {wanted.since: marks[""]})
        paths = {name: _compiled(one.path or f'"{name}"') for name, one in wanted.columns.items()}
        mark, newest = marks.get(""), _moment(marks.get(""))
        for page in self._pages(address, wanted.records, wanted.paging):
            for entry in page:
                if not isinstance(entry, dict):
                    yield Row(values={}, problem="not an object")
                    continue
                values = {name: path.search(entry) for name, path in paths.items()}
                told = values.get(wanted.time) if wanted.time else None
                moment = _moment(told)
                if moment is not None and (newest is None or moment > newest):
                    mark, newest = str(told), moment
                yield Row(values=values)
        # The application's order is not ours to trust: the mark moves when all has come.
        if wanted.since and mark is not None and mark != marks.get(""):
            yield Row(values={}, mark=mark)

    def _address(self, rows: Rows, id_: str) -> str:
        return (rows.url or self.config.url).replace("{id}", quote(id_, safe=""))

    # -- pages -----------------------------------------------------------------------------------------------

    def _pages(self, url: str, records: str, paging: Paging) -> Iterator[list[Any]]:
        """Lists of records, page by page."""
        path, cursor = _compiled(records), _compiled(paging.path or "@")
        total = None if paging.total is None else _compiled(paging.total)
        size = {paging.size_parameter: str(paging.size)} if paging.size_parameter else {}
        number = paging.start if paging.start is not None else int(paging.type == "page")
        counted: dict[str, str] = {}
        if paging.type in ("page", "offset"):
            counted = {str(paging.parameter): str(number)}
        following: str | None = _with(url, size | counted)
        asked: set[str] = set()
        came, before = 0, b""
        while following is not None:
            if len(asked) >= self.config.max_pages:
                raise TooLargeError(self._shown(url), f"it has more than {self.config.max_pages} pages")
            asked.add(following)
            response = self._get(following)
            answer = json_of(response)
            page = path.search(answer)
            if not isinstance(page, list):
                raise ParseError(self._shown(response.url), f"no list of records at {records!r}")
            found = cast("list[Any]", page)
            if paging.type in ("page", "offset") and found and response.body == before:
                raise TooLargeError(
                    self._shown(following), f"it ignores {paging.parameter!r}: the same page came again"
                )
            before = response.body
            came += len(found)
            yield found
            number += 1 if paging.type == "page" else len(found)
            following = self._following(url, size, number, found, answer, response, paging, cursor)
            if following is not None and following in asked:
                raise PageLoopError(self._shown(response.url), self._shown(following))
            said = None if total is None else total.search(answer)
            if following is None and isinstance(said, int) and came < said:
                raise SourceError(self._shown(url), f"it gave {came} of the {said} records it counts")

    def _following(
        self, url: str, size: dict[str, str], number: int, found: list[Any], answer: Any, response: Response,
        paging: Paging, cursor: Any,
    ) -> str | None:  # fmt: skip
        """Address of the page after this one, or None."""
        if paging.type in ("page", "offset"):
            short = len(found) < paging.size if paging.size_parameter else not found
            return None if short else _with(url, size | {str(paging.parameter): str(number)})
        if paging.type == "cursor":
            token = cursor.search(answer)
            return (
                None if token in (None, "", False) else _with(url, size | {str(paging.parameter): str(token)})
            )
        if paging.type == "next":
            given = cursor.search(answer)
        elif paging.type == "link":
            given = _link_next(response.headers.get("link", ""))
        else:
            return None
        if not isinstance(given, str) or not given:
            return None
        following = urljoin(response.url, given)
        if _host(following) != _host(self.config.url) and _host(following) != _host(url):
            raise SourceError(self._shown(response.url), "its next page is on another host")
        return following

    def _get(self, url: str) -> Response:
        return self.client.get(_with(url, self._query), accept="application/json", headers=self._headers)

    def _shown(self, url: str) -> str:
        """``url`` without the secret that an application may echo in its links."""
        return self.client.veiled(url)


def _moment(told: Any) -> dt.datetime | None:
    """The time of a row that may move the mark: not one that is no time, nor one that lies ahead of us, whose
    rows are refused and would otherwise hide all that come before it."""
    if not isinstance(told, str):
        return None
    try:
        moment = cells.time_of(told)
    except cells.CellError:
        return None
    return moment if moment <= dt.datetime.now(dt.UTC) + cells.FUTURE else None


def _check(config: RestConfig) -> None:
    """What a struct cannot say."""
    if (config.dataset is None) == (config.catalogue is None):
        raise ConfigError("$.source", "expected one of dataset and catalogue")
    if config.secret is not None and not (config.secret.header or config.secret.query):
        raise ConfigError("$.source.secret", "expected header or query")
    if config.catalogue is not None:
        _check_paging(config.catalogue.paging, "$.source.catalogue.paging")
        for name in ("records", "id", *_FIELDS):
            if path := getattr(config.catalogue, name):
                _compiled(path, f"$.source.catalogue.{name}")
    if config.rows is not None:
        _check_rows(config, config.rows)


def _check_rows(config: RestConfig, rows: Rows) -> None:
    if config.catalogue is not None and "{id}" not in (rows.url or ""):
        raise ConfigError("$.source.rows.url", "expected {id} in it: each dataset has its own rows")
    if config.secret is not None and rows.url and _host(rows.url) != _host(config.url):
        raise ConfigError(
            "$.source.rows.url", "another host than $.source.url, and the secret is for that one"
        )
    _check_paging(rows.paging, "$.source.rows.paging")
    _compiled(rows.records, "$.source.rows.records")
    for name, column in rows.columns.items():
        _compiled(column.path or f'"{name}"', f"$.source.rows.columns.{name}.path")
    missing = [name for name in (*rows.key, rows.time) if name and name not in rows.columns]
    if missing:
        raise ConfigError("$.source.rows", f"{missing[0]!r} is no column")
    if rows.mode == "append" and not rows.key:
        raise ConfigError("$.source.rows.key", "needed with mode: append, so that nothing comes twice")
    if rows.since and (rows.mode != "append" or not rows.time):
        raise ConfigError("$.source.rows.since", "needs mode: append and time")


def _check_paging(paging: Paging, path: str) -> None:
    if paging.type in ("page", "offset", "cursor") and not paging.parameter:
        raise ConfigError(f"{path}.parameter", f"needed with type: {paging.type}")
    if paging.type in ("cursor", "next") and not paging.path:
        raise ConfigError(f"{path}.path", f"needed with type: {paging.type}")
    for name in ("path", "total"):
        if getattr(paging, name):
            _compiled(getattr(paging, name), f"{path}.{name}")


def _compiled(path: str, where: str = "$.source") -> Any:
    try:
        return jmespath.compile(path)  # type: ignore[reportUnknownMemberType]
    except ValueError as exc:
        raise ConfigError(where, f"not a JMESPath: {' '.join(str(exc).split())[:200]}") from None


def _table(rows: Rows, guid: str, title: str) -> Table:
    return Table(
        id=guid,
        title=title,
        columns=tuple(
            Column(name=name, type=one.type, unit=one.unit, title=one.title, definition=one.definition)
            for name, one in rows.columns.items()
        ),
        key=rows.key,
        mode=rows.mode,
        geometry=next((name for name, one in rows.columns.items() if one.type == "geometry"), None),
        time=rows.time,
    )


def _with(url: str, query: Mapping[str, str]) -> str:
    """``url`` with these parameters in place of its own of the same names."""
    parts = urlsplit(url)
    kept = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in query
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *query.items()])))


def _host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _link_next(header: str) -> str | None:
    """The target with relation ``next`` in a Link header (RFC 8288 §3)."""
    for target, rest in re.findall(r"<([^>]*)>([^<]*)", header):
        if re.search(r';\s*rel\s*=\s*"?[^";]*\bnext\b', rest, re.IGNORECASE):
            return str(target)
    return None
