"""Whole tables as files: from PostgreSQL's COPY to the socket, in flat memory, through the seam.

CSV, TSV, JSON and XML have the shape of CKAN's own dump; JSON Lines (one object a line) and GeoJSON
(RFC 7946, a feature a row) are ours, and so is Parquet (`parquet.py`).
"""

from __future__ import annotations

import csv
import io
import json
import queue
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import msgspec
from ckan.types import Context
from ckanext.ccphva_datastore import config, parquet, relations, storage
from ckanext.ccphva_datastore.backend import refuse_unknown, safe_texts
from ckanext.ccphva_datastore.exploring import tables
from ckanext.ccphva_datastore.exploring.storage.where import Where
from ckanext.ccphva_datastore.loading import storage as loads
from ckanext.ccphva_datastore.relations import Relation
from ckanext.datastore import interfaces
from ckanext.datastore.backend import postgres
from ckanext.datastore.helpers import get_list
from ckanext.datastore.writer import xml_writer

CHUNK = 1 << 17
WAITING = 8
"""Pieces that may wait for a slow reader; with CHUNK, the memory of one dump: a megabyte."""
XML_BATCH = 1000

OWN = ("format", "safe", "bom", "gzip", "search", "where")
"""Parameters that core's query builder does not know."""

Fields = list[dict[str, Any]]
Shape = Callable[[Iterable[bytes], Fields], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    """A way of writing a table.

    :param select: style of the columns in the terms of core's query builder.
    :param rows: how COPY writes a row; see `storage.copy_statement`.
    """

    extension: str
    media: str
    select: str
    rows: str
    shape: Shape


@dataclass(frozen=True)
class Dump:
    """A dump that may start: everything has been checked."""

    form: Format
    fields: Fields
    relation: Relation
    statement: str

    def pieces(self) -> Iterator[bytes]:
        """The file, piece by piece; raises in the middle when the database does, so that no reader takes
        half a file for a whole one.

        :raises Busy: before the first piece.
        :raises psycopg2.Error: the database refuses the statement, before the first piece.
        """
        pipe = _Pipe(self.relation, self.statement)
        try:
            rows = iter(pipe)
            begun = chain([next(rows, b"")], rows)
            yield from self.form.shape(begun, self.fields)
        finally:
            pipe.closed.set()


class Busy(Exception):  # noqa: N818
    """As many dumps as this process writes at a time are under way."""


def prepare(context: Context, data_dict: dict[str, Any]) -> Dump:
    """Check a request and build its statement.

    :param data_dict: `resource_id`, `format`, and `filters`, `q`, `plain`, `language`, `distinct`, `fields`,
        `sort`, `limit`, `offset` as in `datastore_search`; `search` and `where` as in `ccphva_table_rows`;
        `safe`: no cell may begin a formula.
    :raises ckan.logic.NotFound: no such table, for this reader.
    :raises ckan.logic.ValidationError: an unknown field, an impossible filter, a format that does not fit.
    """
    form = FORMATS[data_dict["format"]]
    relation = relations.effective(context, data_dict["resource_id"], "datastore_dump")
    if data_dict.get("q") or data_dict.get("search"):
        relation = loads.searchable(relation)
    query = {key: value for key, value in data_dict.items() if key not in OWN}
    query |= {"resource_id": relation.name, "records_format": form.select}
    with storage.reading(relation, postgres._TIMEOUT) as connection:
        context["connection"] = connection
        refuse_unknown(connection, query)
        query = safe_texts(query)
        types = postgres._get_fields_types(connection, relation.name)
        postgres.validate(context, query)
        known = set(types)  # searches add their ranks to the types
        parts = _parts(context, query, types)
        if data_dict.get("search") or data_dict.get("where"):
            columns, full_text = tables.visible(connection, relation, data_dict["resource_id"])
            _narrow(parts, tables.narrowed(columns, full_text, data_dict))
        parts["spaced"] = any(kind.lstrip("_") in ("nested", "json") for kind in types.values())
        info = postgres._get_field_info(connection, data_dict["resource_id"])
        fields = postgres._result_fields(types, info, get_list(query.get("fields")) or None)
        postgres._unrename_json_field({"fields": fields})
        cells = _cells(connection, relation, fields) if form is FORMATS["parquet"] else []
    if form is FORMATS["parquet"]:
        form = replace(form, shape=lambda rows, _: parquet.write(rows, cells))
        select = ", ".join(
            storage.for_parquet(postgres.identifier(cell.name), cell.kind, cell.srid)
            if cell.name in known
            else column
            for cell, column in zip(cells, parts["select"], strict=True)
        )
        return Dump(form, fields, relation, storage.copy_statement(relation, form.rows, select, parts))
    if form is FORMATS["geojson"]:
        select = _feature(types, [field["id"] for field in fields])
    else:
        safe, distinct = bool(data_dict.get("safe")), bool(parts.get("distinct"))
        select = _columns(form, parts["select"], fields, safe, distinct)
    return Dump(form, fields, relation, storage.copy_statement(relation, form.rows, select, parts))


def _parts(context: Context, query: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    parts: dict[str, Any] = {"select": [], "sort": [], "where": []}
    for plugin in p.PluginImplementations(interfaces.IDatastore):
        parts = plugin.datastore_search(context, query, types, parts)
    where, chunks = postgres._where(parts["where"])
    values = {key: value for chunk in chunks for key, value in chunk.items()}
    return parts | {"where": where, "values": values, "limit": query.get("limit")}


def _narrow(parts: dict[str, Any], more: Where) -> None:
    """What the explorer's conditions add to those of core's."""
    if more.sql:
        both = f"{parts['where']} AND {more.sql.removeprefix('WHERE ')}" if parts["where"] else more.sql
        parts |= {"where": both, "values": parts["values"] | more.values}


def _columns(form: Format, select: list[str], fields: Fields, safe: bool, distinct: bool) -> str:
    cells = [
        _fast(column, postgres.identifier(field["id"]), field["type"], form)
        for column, field in zip(select, fields, strict=True)
    ]
    if form.select == "lists":
        if distinct:  # asks for equality, which JSON has not
            cells = [f"CAST({cell} AS text)" for cell in cells]
        # Under names that no column has: ORDER BY would mean these texts otherwise.
        return ", ".join(f'{cell} AS "_{number}"' for number, cell in enumerate(cells))
    if safe:
        texts = {postgres.identifier(f["id"]) for f in fields if f["type"] in ("text", "varchar", "bpchar")}
        cells = [storage.without_formula(column) if column in texts else column for column in cells]
    return ", ".join(cells)


def _fast(column: str, name: str, kind: str, form: Format) -> str:
    """Core's expression of a column, or one that says the same and costs the database less."""
    for fraction in (".MS", ""):
        plain = f"to_char({name}, 'YYYY-MM-DD\"T\"HH24:MI:SS{fraction}')"
        fast = storage.moment(name, plain, milliseconds=bool(fraction))
        if column == f"coalesce(to_json({plain}), 'null')":
            return f"""'"' || {fast} || '"'"""
        if form.select != "lists" and plain in column:
            return column.replace(plain, fast)
    if form.select != "lists":
        return column
    if kind.lstrip("_") in ("nested", "json"):
        return storage.one_line(column)
    own = storage.json_text(name, kind)
    # Core names the rank of a search as if it stood in a list of columns; white space in JSON is no matter.
    return (
        own if own and column == f"coalesce(to_json({name}),'null')" else column.removesuffix(f" as {name}")
    )


def _cells(connection: Any, relation: Relation, fields: Fields) -> list[parquet.Cell]:
    """How Parquet writes each column."""
    native = {name: each["native_type"] for name, each in storage.columns(connection, relation).items()}
    numbers = [field["id"] for field in fields if field["type"] == "numeric"]
    scales = storage.scales(connection, relation, numbers)
    found = []
    for field in fields:
        name, own = field["id"], native.get(field["id"], "")
        kind = own if own == "nested" else field["type"]  # core's type for JSON, which it calls json
        found.append(parquet.Cell(name, kind, scales.get(name), parquet.srid(own)))
    return found


def _feature(types: dict[str, str], wanted: list[str]) -> str:
    geometry = next((name for name in wanted if types.get(name) in ("geometry", "geography")), None)
    if geometry is None:
        raise tk.ValidationError({"format": [tk._("This table has no geometry")]})
    identify = postgres.identifier
    return storage.feature(
        identify(geometry), [(n, identify(n)) for n in wanted if n not in (geometry, "_id")]
    )


class _Pipe:
    """Between COPY, which writes each row from a thread, and a reader, who takes pieces of CHUNK bytes.

    The thread holds one of the process's places and gives it back when it ends: at the end of the table, when
    the database fails, or soon after the reader went away.
    """

    _places: threading.BoundedSemaphore | None = None

    def __init__(self, relation: Relation, statement: str) -> None:
        self.closed = threading.Event()
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(WAITING)
        self._rows = bytearray()
        if _Pipe._places is None:
            _Pipe._places = threading.BoundedSemaphore(config.concurrent_dumps())
        if not _Pipe._places.acquire(blocking=False):
            raise Busy
        thread = threading.Thread(
            target=self._fill,
            args=(_Pipe._places, relation, statement, config.dump_seconds()),
            name="dump",
            daemon=True,
        )
        thread.start()

    def _fill(
        self, places: threading.BoundedSemaphore, relation: Relation, statement: str, seconds: int
    ) -> None:
        try:
            storage.copy_out(relation, statement, self, seconds)
            self._put(bytes(self._rows))
            self._put(None)
        except BaseException as error:  # whatever it is, it is the reader's to know
            with suppress(BrokenPipeError):
                self._put(error)
        finally:
            places.release()

    def write(self, row: bytes) -> int:
        """What COPY calls for each row."""
        self._rows += row
        if len(self._rows) >= CHUNK:
            self._put(bytes(self._rows))
            self._rows.clear()
        return len(row)

    def _put(self, piece: bytes | BaseException | None) -> None:
        while not self.closed.is_set():
            try:
                return self._queue.put(piece, timeout=0.5)
            except queue.Full:
                continue
        raise BrokenPipeError("the reader went away")

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._queue.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same as one gzip file."""
    packer = zlib.compressobj(5, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def with_bom(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same after a byte order mark, for programs that take UTF-8 for something else."""
    yield b"\xef\xbb\xbf"
    yield from pieces


def _text(delimiter: str) -> Shape:
    def shape(rows: Iterable[bytes], fields: Fields) -> Iterator[bytes]:
        head = io.StringIO()
        csv.writer(head, delimiter=delimiter).writerow(field["id"] for field in fields)
        yield head.getvalue().encode()
        yield from rows

    return shape


def _joined(rows: Iterable[bytes], between: bytes) -> Iterator[bytes]:
    """Lines with something between them in place of each line's end, and nothing after the last."""
    held = b""
    for piece in rows:
        if not piece:
            continue
        body = (held + piece).replace(b"\n", between)
        # The end of what came so far is only put out when something follows it.
        if piece.endswith(b"\n"):
            held, body = b"\n", body[: -len(between)]
        else:
            held = b""
        yield body


def _json(rows: Iterable[bytes], fields: Fields) -> Iterator[bytes]:
    listed = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    yield f'{{\n  "fields": {listed},\n  "records": ['.encode()
    first = True
    for piece in _joined(rows, b"],\n    ["):
        cells = piece.replace(b"\x01", b"")  # see storage.JSON_CELLS
        yield b"\n    [" + cells if first else cells
        first = False
    yield b"\n]}\n" if first else b"]\n]}\n"


def _json_lines(rows: Iterable[bytes], fields: Fields) -> Iterator[bytes]:  # noqa: ARG001
    yield from rows


def _geojson(rows: Iterable[bytes], fields: Fields) -> Iterator[bytes]:  # noqa: ARG001
    yield b'{"type":"FeatureCollection","features":[\n'
    yield from _joined(rows, b",\n")
    yield b"\n]}\n"


def _xml(rows: Iterable[bytes], fields: Fields) -> Iterator[bytes]:
    """By core's own writer, so that each element has the name it always had."""
    batch: list[Any] = []
    with xml_writer(fields) as writer:
        for line in _lines(rows):
            batch.append(msgspec.json.decode(line))
            if len(batch) == XML_BATCH:
                yield writer.write_records(batch)
                batch = []
        yield writer.write_records(batch)
        yield writer.end_file()


def _lines(rows: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in rows:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


# Parquet's shape depends on the columns: `prepare` puts it in.
FORMATS = {
    "csv": Format("csv", "text/csv; charset=utf-8", "csv", "csv", _text(",")),
    "tsv": Format("tsv", "text/tab-separated-values; charset=utf-8", "tsv", "tsv", _text("\t")),
    "json": Format("json", "application/json; charset=utf-8", "lists", "cells", _json),
    "jsonl": Format("jsonl", "application/x-ndjson; charset=utf-8", "objects", "object", _json_lines),
    "xml": Format("xml", "text/xml; charset=utf-8", "objects", "object", _xml),
    "parquet": Format("parquet", "application/vnd.apache.parquet", "csv", "parquet", _text(",")),
    "geojson": Format("geojson", "application/geo+json; charset=utf-8", "objects", "line", _geojson),
}
