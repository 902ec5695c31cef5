"""What the explorer's actions do: read a table through the seam, in bounded time; faults are told in words.

`figures` adds up; `looking` opens the relation that this reader sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan.types import Context
from ckanext.ccphva_datastore import config, relations, storage
from ckanext.ccphva_datastore.backend import CANCELED, UNDEFINED_TABLE, Backend
from ckanext.ccphva_datastore.exploring import query as queries
from ckanext.ccphva_datastore.exploring.query import Column, Query, Wrong
from ckanext.ccphva_datastore.exploring.storage import rows
from ckanext.ccphva_datastore.exploring.storage.where import FULL_TEXT, Where
from ckanext.ccphva_datastore.loading import storage as loads
from ckanext.ccphva_datastore.relations import Relation
from ckanext.datastore.backend import DatastoreBackend, postgres
from sqlalchemy.exc import StatementError

Data = dict[str, Any]
PAGE, MOST_ROWS = 25, 500


@dataclass(frozen=True)
class Looking:
    """A table as this reader sees it, in a transaction that only reads."""

    resource_id: str
    relation: Relation
    connection: sa.Connection
    columns: tuple[Column, ...]
    full_text: bool

    def column(self, name: str, part: str) -> Column:
        return queries.seen({column.name: column for column in self.columns}, name, part)

    def where(self, query: Query) -> Where:
        return clause(self.columns, self.full_text).add(query)


def clause(columns: tuple[Column, ...], full_text: bool) -> Where:
    language = str(tk.config["ckan.datastore.default_fts_lang"])
    return Where(columns, language, config.time_zone(), full_text)


def narrowed(columns: tuple[Column, ...], full_text: bool, data: Data) -> Where:
    """The `search` and `where` of a request as SQL, for whoever reads rows in another way.

    :raises ckan.logic.ValidationError: a part that cannot be answered.
    """
    try:
        asked = queries.parse(columns, {name: data.get(name) for name in ("search", "where")})
        return clause(columns, full_text).add(asked)
    except Wrong as wrong:
        raise told(wrong) from wrong


def told(wrong: Wrong) -> tk.ValidationError:
    """What is wrong, in the reader's language."""
    return tk.ValidationError({wrong.part: [tk._(wrong.message).format(**wrong.names)]})


def resource_of(name: str) -> str:
    """The resource's id behind an id or alias.

    :raises ckan.logic.NotFound: there is no such table.
    """
    backend = cast(Backend, DatastoreBackend.get_active_backend())
    exists, target = backend.resource_id_from_alias(name)
    if not exists or name.startswith("_"):
        raise relations.not_found(name)
    return target or name


@contextmanager
def looking(context: Context, resource_id: str, action: str) -> Iterator[Looking]:
    """Open a table for a reader whom CKAN let through.

    :raises ckan.logic.NotFound: this reader sees nothing of it.
    :raises ckan.logic.ValidationError: a question that cannot be answered, or not in time. No text holds SQL.
    """
    relation = loads.searchable(relations.effective(context, resource_id, action))
    try:
        with storage.reading(relation, config.explore_seconds() * 1000) as connection:
            columns, full_text = visible(connection, relation, resource_id)
            yield Looking(resource_id, relation, connection, columns, full_text)
    except Wrong as wrong:
        raise told(wrong) from wrong
    except StatementError as error:
        code = postgres._get_pgcode(error)
        if code == UNDEFINED_TABLE:
            raise relations.not_found(resource_id) from error
        late = code == CANCELED
        sentence = tk._("The search took too long") if late else tk._("The query is not valid")
        raise tk.ValidationError({"query": [sentence]}) from error


def visible(
    connection: sa.Connection, relation: Relation, resource_id: str
) -> tuple[tuple[Column, ...], bool]:
    """The columns of the relation with what the dictionary says of them; whether it has a full-text one."""
    native = storage.columns(connection, relation)
    info = postgres._get_field_info(connection, resource_id)
    shown = [name for name in native if name == "_id" or not name.startswith("_")]
    columns = [Column(name, native[name]["native_type"], info.get(name) or {}) for name in shown]
    return tuple(columns), FULL_TEXT in native


def page(looked: Looking, data: Data) -> Data:
    """A page of rows; see the action `ccphva_table_rows`."""
    query = queries.parse(looked.columns, data)
    limit = int(data.get("limit") or PAGE)
    shown = [column for column in looked.columns if not query.fields or column.name in query.fields]
    where = looked.where(query)
    found = rows.page(looked.connection, looked.relation, query, where, shown, limit)
    more = len(found) > limit
    found = found[:limit]
    backwards = query.before is not None
    if backwards:
        found.reverse()
    first, last = [queries.place(row[1], row[0]) for row in (found[0], found[-1])] if found else ("", "")
    return {
        "fields": [describe(column) for column in shown],
        "records": [dict(zip((c.name for c in shown), row[2:], strict=True)) for row in found],
        "ids": [row[0] for row in found],
        "total": total(looked, query),
        "next": last if found and (more or backwards) else "",
        "previous": first if found and (query.after is not None or (backwards and more)) else "",
    }


def total(looked: Looking, query: Query) -> int | None:
    """Rows that match: the kept number of a resource's whole table, else counted as far as time allows."""
    if not query.conditions and not query.search and looked.relation.schema in relations.BASE:
        return storage.count(looked.relation)
    where = looked.where(Query(query.search, query.conditions))
    return rows.count(looked.connection, looked.relation, where)


def describe(column: Column) -> Data:
    return {"id": column.name, "type": column.type, "kind": column.kind, "info": dict(column.info)}
