"""SQL of a page of rows, on a relation that `relations.effective` gave, within its reading transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from ckanext.ccphva_datastore.exploring.query import Column, Query
from ckanext.ccphva_datastore.exploring.storage.where import Where, degrees, ident
from ckanext.ccphva_datastore.relations import Relation
from sqlalchemy.exc import OperationalError

LONGEST_TEXT, SHAPE_TEXT = 1000, 120
"""Characters of a cell on a page; a download has all of them."""
MOST_COUNTED = 1_000_000
COUNT_MILLISECONDS = 2000


def cell(column: Column) -> str:
    """A column of a page: figures, moments and truth as they are, everything else as a text, cut."""
    name = ident(column.name)
    if column.kind in ("number", "boolean"):
        return name
    if column.kind == "time":
        return f"CAST({name} AS text)"
    if column.kind == "geometry":
        return f"left(ST_AsText({degrees(name)}, 5), {SHAPE_TEXT})"
    return f"left(CAST({name} AS text), {LONGEST_TEXT})"


def page(
    connection: sa.Connection,
    relation: Relation,
    query: Query,
    where: Where,
    shown: Sequence[Column],
    limit: int,
) -> list[sa.Row[Any]]:
    """One row more than asked, so that the caller knows whether there are others.

    :returns: rows of `_id`, the sorted value as text, then a value for each shown column.
    """
    backwards = query.before is not None
    name = ident(query.sort) if query.sort else ""
    parts = list(where.parts)
    if place := query.before or query.after:
        parts.append(_beyond(where, query, place, backwards))
    order = ['"_id" DESC' if backwards else '"_id"']
    falling = query.descending != backwards
    if query.sort == "_id":  # never empty: the plain order is the one that has an index
        order = [f'"_id" {"DESC" if falling else "ASC"}']
    elif name:
        order.insert(0, f"{name} {'DESC' if falling else 'ASC'} NULLS {'FIRST' if backwards else 'LAST'}")
    value = f"CAST({name} AS text)" if name else "NULL"
    cells = "".join(f", {cell(column)} AS c{n}" for n, column in enumerate(shown))
    statement = (
        f'SELECT "_id", {value} AS place{cells} FROM {relation.sql} '  # noqa: S608
        f"{'WHERE ' + ' AND '.join(parts) if parts else ''} ORDER BY {', '.join(order)} LIMIT {limit + 1}"
    )
    return list(connection.execute(sa.text(statement), where.values))


def _beyond(where: Where, query: Query, place: tuple[str | None, int], backwards: bool) -> str:
    """What stands after, or before, a row, in an order that ends with empty values."""
    value, row = place
    near = f'"_id" {"<" if backwards else ">"} {where.bind(str(row), "int8")}'
    if not query.sort:
        return near
    column = where.columns[query.sort]
    name = ident(column.name)
    if value is None:
        return f"({name} IS NOT NULL OR {near})" if backwards else f"({name} IS NULL AND {near})"
    bound = where.bind(value, column.type)
    farther = f"{name} {'<' if query.descending != backwards else '>'} {bound}"
    empty = "" if backwards else f" OR {name} IS NULL"
    return f"({farther} OR ({name} = {bound} AND {near}){empty})"


def count(connection: sa.Connection, relation: Relation, where: Where) -> int | None:
    """How many rows match; MOST_COUNTED + 1 for more than that, None where counting takes too long."""
    statement = f"SELECT count(*) FROM (SELECT 1 FROM {relation.sql} {where.sql} LIMIT {MOST_COUNTED + 1}) t"  # noqa: S608
    limit = sa.text("SELECT set_config('statement_timeout', :limit, true)")
    before = connection.execute(sa.text("SELECT current_setting('statement_timeout')")).scalar()
    try:
        with connection.begin_nested():
            connection.execute(limit, {"limit": str(COUNT_MILLISECONDS)})
            found = int(connection.execute(sa.text(statement), where.values).scalar() or 0)
            connection.execute(limit, {"limit": before})
            return found
    except OperationalError:  # and what the savepoint began with holds again
        return None
