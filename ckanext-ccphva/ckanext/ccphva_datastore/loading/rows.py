# ruff: noqa: S608 -- every name is quoted, every value a parameter
"""Rows that a program brings, not a file: a whole table anew, or some more under the table's key.

Both go into a table aside first, by COPY, as a load's do; what is the same already is not written again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from ckanext.ccphva_datastore import relations
from ckanext.ccphva_datastore.feeds import marks as kept_marks
from ckanext.ccphva_datastore.loading import storage
from ckanext.ccphva_datastore.loading.storage import Column, Connection
from ckanext.ccphva_datastore.relations import Relation
from ckanext.ccphva_datastore.storage import quoted

IN_MEMORY = 8_000_000
"""Bytes of rows up to which they wait in memory, before COPY, and not on the disk."""


@dataclass(frozen=True)
class Tally:
    """How many rows are new or changed, and how many were there already, the same."""

    accepted: int = 0
    unchanged: int = 0


def key_of(resource_id: str) -> tuple[str, ...]:
    """The columns that name a row of a table: those of its unique index."""
    relation = relations.locate(resource_id)
    if relation is None:
        return ()
    with storage.connected() as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (n, i) "
            "JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.n ORDER BY i) FROM pg_index x "
            "WHERE x.indrelid = %s::regclass AND x.indisunique AND NOT x.indisprimary LIMIT 1",
            [relation.sql],
        )
        row = cursor.fetchone()
    return tuple(row[0]) if row else ()


def columns_of(resource_id: str) -> list[Column]:
    """The columns of a table as it is."""
    return [Column(name, kind, {}) for name, kind in storage.present(resource_id)]


def replace(
    resource_id: str, columns: Sequence[Column], key: Sequence[str], rows: Iterable[Mapping[str, Any]],
    schema: str,
) -> Tally:  # fmt: skip
    """Put these rows in the place of all rows of a table, in one transaction; nothing when they are the same.

    What `rows` raises comes through, and the old rows stay.

    :param key: columns that name a row; of two rows with one key the later one is taken.
    :param schema: where the table goes when there is none yet.
    :raises psycopg2.Error: the database refuses them.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as lines:
        _spool(lines, columns, rows)
        with storage.connected() as connection:
            try:
                count = storage.fill(connection, resource_id, columns, lines)  # type: ignore[arg-type]
                count -= _name_rows(connection, resource_id, key)
                accepted = _differing(connection, resource_id, columns, count)
                if accepted is None:
                    storage.leave(connection, resource_id)
                    return Tally(0, count)
                storage.swap(connection, resource_id, columns, count, schema)
                storage.fill_words(connection, resource_id, columns, lambda: None)
            except psycopg2.Error:
                storage.leave(connection, resource_id)
                raise
    return Tally(accepted, count - accepted)


def merge(
    relation: Relation, columns: Sequence[Column], key: Sequence[str], rows: Iterable[Mapping[str, Any]],
    marks: Mapping[str, str],
) -> Tally:  # fmt: skip
    """Add rows to a table, or let them take the place of those under their key, and keep the marks with them.

    :raises psycopg2.Error: the database refuses them; nothing is written, and no mark.
    """
    names = ", ".join(quoted(column.name) for column in columns)
    values = [quoted(column.name) for column in columns if column.name not in key]
    action = "NOTHING"
    if values:
        old, new = ", ".join(f"t.{v}" for v in values), ", ".join(f"excluded.{v}" for v in values)
        sets = ", ".join(f"{value} = excluded.{value}" for value in values)
        action = f"UPDATE SET {sets} WHERE ROW({old}) IS DISTINCT FROM ROW({new})"
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as lines, storage.connected() as connection:
        given = _spool(lines, columns, rows)
        try:
            if given:
                storage.fill(connection, relation.name, columns, lines)  # type: ignore[arg-type]
                given -= _name_rows(connection, relation.name, key)
            with connection, connection.cursor() as cursor:
                fresh: list[bool] = []
                if given:
                    cursor.execute(
                        f"INSERT INTO {relation.sql} AS t ({names}) SELECT {names} FROM "
                        f"{storage.SCHEMA}.{quoted(relation.name)} ORDER BY _id "
                        f"ON CONFLICT ({', '.join(map(quoted, key))}) DO {action} RETURNING xmax = 0"
                    )
                    fresh = [row[0] for row in cursor.fetchall()]
                    cursor.execute(
                        "UPDATE public._table_stats SET stats = stats || jsonb_build_object('rows', "
                        "(stats ->> 'rows')::bigint + %s) WHERE resource_id = %s",
                        [sum(fresh), relation.name],
                    )
                kept_marks.keep(cursor, relation.name, marks)
        finally:
            storage.leave(connection, relation.name)
    return Tally(len(fresh), given - len(fresh))


def _spool(lines: Any, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as COPY reads them; how many there were. No connection is open while they come."""
    count = 0
    for row in rows:
        cells = [_cell(row.get(column.name)) for column in columns]
        lines.write((",".join(cells) + "\n").encode())
        count += 1
    lines.seek(0)
    return count


def _cell(value: Any) -> str:
    """A value in COPY's CSV, where an empty cell without quotes is NULL. PostGIS reads GeoJSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (int, float)):
        return repr(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return '"' + text.replace('"', '""') + '"'


def _name_rows(connection: Connection, resource_id: str, key: Sequence[str]) -> int:
    """Give the table aside its unique key; how many rows went because a later one has theirs."""
    if not key:
        return 0
    table, names = f"{storage.SCHEMA}.{quoted(resource_id)}", ", ".join(map(quoted, key))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE _id IN (SELECT _id FROM (SELECT _id, row_number() OVER "
            f"(PARTITION BY {names} ORDER BY _id DESC) AS place FROM {table}) AS places WHERE place > 1)"
        )
        gone = cursor.rowcount
        cursor.execute(f"CREATE UNIQUE INDEX ON {table} ({names})")
    return gone


def _differing(connection: Connection, resource_id: str, columns: Sequence[Column], count: int) -> int | None:
    """How many rows of the table aside the table does not have; None when both are the same."""
    old = relations.locate(resource_id)
    if old is None or storage.present(resource_id) != [(c.name, c.type) for c in columns]:
        return count
    row = f"ROW({', '.join(quoted(column.name) for column in columns)})::text"
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {old.sql}")
        (before,) = cursor.fetchone() or (0,)
        cursor.execute(
            f"SELECT count(*) FROM (SELECT {row} FROM {storage.SCHEMA}.{quoted(resource_id)} "
            f"EXCEPT ALL SELECT {row} FROM {old.sql}) AS fresh"
        )
        (fresh,) = cursor.fetchone() or (0,)
    return None if before == count and not fresh else int(fresh)
