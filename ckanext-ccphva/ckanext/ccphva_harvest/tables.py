"""The library's `Tables` on CKAN: rows go through actions of the DataStore, which alone write them.

A table whose key holds its time becomes a feed, another one that grows becomes a table with a key, and one
that is brought whole takes the old one's place. How far a series has come is kept in the transaction of its
rows, so a run that is killed leaves neither a hole nor a mark without its rows.

Imports `model` and, of the plugin, nothing else.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ckan.plugins.toolkit as tk
import psycopg2
from ccphva_harvesters import Column, FatalError, Receipt, Rejected, RetriableError, Table
from ckan import model as core
from sqlalchemy import exc

Values = dict[str, Any]
_TABLES = uuid.UUID("0d0a3a60-57a5-5f0e-9d5c-2c3ba5d8a4c1")
FUTURE = 3600
"""Seconds that a row may lie ahead of the clock: as much as the library lets pass."""
_LONGEST_NAME = 63
_FEED = {
    "text": "text", "integer": "bigint", "number": "float", "boolean": "bool", "date": "date",
    "timestamp": "timestamptz", "json": "text", "geometry": "text",
}  # fmt: skip
_TABLE = {
    "text": "text", "integer": "int", "number": "numeric", "boolean": "bool", "date": "date",
    "timestamp": "timestamptz", "json": "json", "geometry": "geometry",
}  # fmt: skip
_CORE = _TABLE | {"integer": "int8", "json": "jsonb"}
_SERIES = frozenset({"text", "integer", "boolean", "date"})
"""Types that may name a series of a feed."""


def resource_id(source_id: str, table: str) -> str:
    """Id of the resource that holds a table of a source: the same in every run."""
    return str(uuid.uuid5(_TABLES, f"{source_id}\n{table}"))


def is_feed(table: Table) -> bool:
    """Whether a table is one of series in time, as observations are."""
    time = table.column(table.time or "")
    series = [table.column(name) for name in table.key if name != table.time]
    return (
        table.mode == "append"
        and time is not None
        and time.type == "timestamp"
        and time.name in table.key
        and bool(series)
        and all(column is not None and column.type in _SERIES for column in series)
    )


class CkanTables:
    """Rows of one source's tables in the DataStore.

    :param act: calls an action with the rights of who brings the rows: ``act(name, **data)``.
    :param retention: days for which rows of feeds are kept; None leaves a feed that is there as it is.
    """

    def __init__(self, source_id: str, act: Callable[..., Any], retention: int | None = None) -> None:
        self.source_id, self._act, self._retention = source_id, act, retention
        self._ready: set[str] = set()

    def marks(self, table: str) -> Mapping[str, str]:
        with _told():
            try:
                return self._act("ccphva_rows_marks", resource_id=resource_id(self.source_id, table))
            except tk.ObjectNotFound:
                return {}

    def apply(self, table: Table, rows: Iterable[Mapping[str, Any]], marks: Mapping[str, str]) -> Receipt:
        shape = _Shape(table)
        id_ = resource_id(self.source_id, table.id)
        try:
            with _told():
                if table.mode == "replace":
                    done = self._replace(id_, table, shape, rows)
                    return Receipt(accepted=done["accepted"], unchanged=done["unchanged"])
                if id_ not in self._ready:
                    self._prepare(id_, table, shape)
                    self._ready.add(id_)
                told = self._act(
                    "ccphva_rows_push",
                    resource_id=id_,
                    records=[shape.row(row) for row in rows],
                    marks=dict(marks),
                )
        finally:
            core.Session.remove()
        refused = [Rejected(f"row {one['row']}", shape.reason(one)) for one in told["rejected"]]
        return Receipt(accepted=told["accepted"], unchanged=told["unchanged"], rejected=tuple(refused))

    def _replace(
        self, id_: str, table: Table, shape: _Shape, rows: Iterable[Mapping[str, Any]]
    ) -> dict[str, int]:
        return self._act(
            "ccphva_rows_replace",
            resource_id=id_,
            fields=shape.fields(_TABLE),
            key=[shape.names[name] for name in table.key],
            records=(shape.row(row) for row in rows),
        )

    def _prepare(self, id_: str, table: Table, shape: _Shape) -> None:
        """Make the table or feed; a column that is new at the source is added to a table."""
        try:
            there = {field["id"] for field in self._act("datastore_info", id=id_)["fields"]}
        except tk.ObjectNotFound:
            there = None
        key = [shape.names[name] for name in table.key]
        if there is None and is_feed(table):
            time = shape.names[str(table.time)]
            self._act(
                "ccphva_feed_create",
                resource_id=id_,
                fields=shape.fields(_FEED, unit=True),
                key=[name for name in key if name != time],
                time=time,
                future=FUTURE,
                retention=self._retention,
            )
            return
        if there is not None and is_feed(table) and self._retention is not None:
            kept = self._act("ccphva_feed_show", resource_id=id_)["contract"]["retention"]
            if kept != self._retention:
                self._act("ccphva_feed_update", resource_id=id_, retention=self._retention)
        if there is None:
            if not key:
                raise FatalError("a table that grows needs a key, so that nothing comes twice")
            self._act("datastore_create", resource_id=id_, fields=shape.fields(_CORE), primary_key=key)
        elif fresh := [field for field in shape.fields(_CORE) if field["id"] not in there]:
            if is_feed(table):
                named = ", ".join(field["id"] for field in fresh)
                raise FatalError(f"columns that are not in the feed's contract: {named}")
            known = [{"id": name} for name in shape.names.values() if name in there]
            self._act("datastore_create", resource_id=id_, fields=[*known, *fresh])


class _Shape:
    """A table's columns under names that the DataStore takes, and its rows as it takes them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names: dict[str, str] = {}
        for number, column in enumerate(table.columns, 1):
            name = plain = _plain(column.name) or f"colonne_{number}"
            while name in self.names.values():
                name = f"{plain[: _LONGEST_NAME - 8]}_{number}"
            self.names[column.name] = name
        packed = ("json", "geometry")
        self._texts = {column.name for column in table.columns if column.type in packed and is_feed(table)}

    def fields(self, types: Mapping[str, str], unit: bool = False) -> list[Values]:
        """Columns as the actions take them, with what the data dictionary says of them."""
        return [self._field(column, types, unit) for column in self.table.columns]

    def _field(self, column: Column, types: Mapping[str, str], unit: bool) -> Values:
        said = {"label": column.title, "notes": column.definition, "unit": column.unit}
        if column.name == self.table.geometry and self.table.source_crs:
            said["notes"] = "\n".join(filter(None, [column.definition, f"Source: {self.table.source_crs}"]))
        field: Values = {"id": self.names[column.name], "type": types[column.type]}
        field["info"] = {name: text for name, text in said.items() if text}
        if unit and column.unit and len(column.unit) <= 40:
            field["unit"] = column.unit
        return field

    def row(self, row: Mapping[str, Any]) -> Values:
        values = {self.names[name]: value for name, value in row.items()}
        for name in self._texts:
            if row.get(name) is not None:
                values[self.names[name]] = json.dumps(row[name], ensure_ascii=False, sort_keys=True)
        return values

    @staticmethod
    def reason(refused: Mapping[str, Any]) -> str:
        """Without the row's number or values, so that reasons can be counted."""
        return f"{refused['field']}: {refused['reason']}" if refused["field"] else str(refused["reason"])


def _plain(name: str) -> str:
    """A name without what the DataStore refuses: quotes, parameters, a leading underscore, 64 bytes."""
    plain = "".join(c for c in name.replace('"', "") if c.isprintable())
    plain = " ".join(re.sub(r"(?<!\w):(?=\w)", " ", plain).split()).lstrip("_ ")
    return plain.encode()[:_LONGEST_NAME].decode(errors="ignore").strip()


@contextmanager
def _told() -> Iterator[None]:
    """Faults of the DataStore as the library names them.

    A missing resource is one that somebody deleted: its rows wait until the dataset is there again.
    """
    try:
        yield
    except tk.ObjectNotFound as error:
        raise FatalError("its resource is not there: the dataset was deleted, or the resource") from error
    except tk.ValidationError as error:
        raise FatalError(f"the DataStore refuses the table: {error.error_summary or error}") from error
    except (psycopg2.OperationalError, exc.OperationalError, exc.InterfaceError) as error:
        raise RetriableError("datastore", "it does not answer") from error
    except exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg2.errors.InsufficientPrivilege):
            raise
        # A dataset that was opened or closed just now: its table is on the way to its new place.
        raise RetriableError("datastore", "the table is being moved") from error
