# ruff: noqa: S608 -- every name is quoted, every value a parameter
"""SQL of a load: a new table beside the old one, and the change of places in one transaction.

The new table is made in schema `loading`, where nobody looks, with the names that it will keep. Readers see
the old table until the transaction that drops it and brings the new one commits; then the new one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import md5
from typing import IO, Any

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa
from ckanext.ccphva_datastore import relations
from ckanext.ccphva_datastore.relations import Relation
from ckanext.ccphva_datastore.storage import _engine, quoted
from psycopg2 import errors

SCHEMA = "loading"
LOCK_WAIT = 3
"""Seconds for which a change of places waits for readers before it lets new ones pass and tries again."""
TRIES = 40
WORDS_BATCH = 20_000

Connection = psycopg2.extensions.connection


@dataclass(frozen=True)
class Column:
    """A column of a new table; `info` is what the data dictionary gains by the load."""

    name: str
    type: str
    info: dict[str, Any]


@dataclass(frozen=True)
class Swap:
    """What a change of places did."""

    rows: int
    closed: list[str]
    """Views that were not made again because what they need is gone."""


@contextmanager
def connected() -> Iterator[Connection]:
    """A connection of the writing role, for one load."""
    url = _engine(write=True).url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(url, application_name="ccphva load")) as connection:
        yield connection


@contextmanager
def only_one(connection: Connection, resource_id: str) -> Iterator[bool]:
    """Whether no other load of this resource is at work; a lock that ends with the connection."""
    key = f"load {resource_id}"
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [key])
        (free,) = cursor.fetchone() or (False,)
    try:
        yield bool(free)
    finally:
        if free:
            with suppress(psycopg2.Error), connection, connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [key])


def sql_type(column: Column) -> str:
    if column.type == "geometry":
        srid = int(str(column.info.get("crs") or "EPSG:4326").partition(":")[2])
        return f"public.geometry(Geometry, {srid})"
    return column.type


def fill(connection: Connection, resource_id: str, columns: Sequence[Column], rows: IO[bytes]) -> int:
    """Make the new table and copy the rows into it; the number of rows.

    :param rows: COPY's CSV; what it raises comes through.
    :raises psycopg2.Error: a row that the database refuses, its restart, a full disk.
    """
    table = f"{SCHEMA}.{quoted(resource_id)}"
    listed = ", ".join(f"{quoted(column.name)} {sql_type(column)}" for column in columns)
    names = ", ".join(quoted(column.name) for column in columns)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; DROP TABLE IF EXISTS {table}")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (_id serial, _full_text tsvector, {listed})")
        # In the transaction that made the table: rows that nobody else can see need no later freezing.
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv, FREEZE)", rows)
        count = cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (_id)")
        return count


def swap(
    connection: Connection,
    resource_id: str,
    columns: Sequence[Column],
    count: int,
    schema: str,
    wait: Callable[[float], None] = time.sleep,
) -> Swap:
    """Bring the new table in the place of the old one, with the dictionary, aliases and perimeters of that.

    :param schema: where it goes when there is no old one.
    """
    for attempt in range(TRIES):
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}s'")
                return _swap(cursor, resource_id, columns, count, schema)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if attempt == TRIES - 1:
                raise
            wait(0.5)
    raise AssertionError("unreachable")


def _swap(cursor: Any, resource_id: str, columns: Sequence[Column], count: int, schema: str) -> Swap:
    cursor.execute("SET LOCAL search_path = pg_catalog")
    old = _located(cursor, resource_id)
    schema = old.schema if old else schema
    new, table = f"{SCHEMA}.{quoted(resource_id)}", f"{quoted(schema)}.{quoted(resource_id)}"
    views: list[_View] = []
    comments: dict[str, str] = {}
    if old:
        # Views before their table, as a reader locks them: two who wait for each other would be a deadlock.
        views = _views(cursor, old)
        for view in reversed(views):
            cursor.execute(f"LOCK TABLE {view.sql} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"LOCK TABLE {old.sql} IN ACCESS EXCLUSIVE MODE")
        views = _views(cursor, old)
        comments = _comments(cursor, old)
        _keep_keys(cursor, old, new, {column.name for column in columns})
        cursor.execute(f"DROP TABLE {old.sql} CASCADE")
    cursor.execute(f"ALTER TABLE {new} SET SCHEMA {quoted(schema)}")
    cursor.execute(f"GRANT SELECT ON {table} TO {quoted(_engine().url.username or '')}")
    cursor.execute(
        f"CREATE TRIGGER zfulltext BEFORE INSERT OR UPDATE ON {table} "
        "FOR EACH ROW EXECUTE PROCEDURE public.populate_full_text_trigger()"
    )
    for column in columns:
        if comment := _comment(comments.get(column.name), column.info):
            cursor.execute(f"COMMENT ON COLUMN {table}.{quoted(column.name)} IS %s", [comment])
    closed = [view.name for view in views if not _again(cursor, view, table)]
    words = f"closed.{quoted(words_view(resource_id))}"
    cursor.execute(f"CREATE VIEW {words} AS SELECT _id, {_words(columns)} AS _full_text, "
                   f"{', '.join(quoted(c.name) for c in columns)} FROM {table}")  # fmt: skip
    cursor.execute(
        "INSERT INTO public._table_stats AS s VALUES (%s, %s) "
        "ON CONFLICT (resource_id) DO UPDATE SET stats = s.stats || excluded.stats",
        [resource_id, json.dumps({"rows": count})],
    )
    return Swap(count, closed)


def words_view(resource_id: str) -> str:
    """A view in schema `closed` that finds words in a table whose `_full_text` is not filled yet."""
    return f"_words-{resource_id}"


def searchable(relation: Relation) -> Relation:
    """What a search for words reads: the table, or, right after its load, the view of its words."""
    if relation.schema not in relations.BASE:
        return relation
    name = words_view(relation.name)
    query = sa.text("SELECT to_regclass(:name) IS NOT NULL")
    with _engine(write=True).connect() as connection:
        pending = connection.execute(query, {"name": f"closed.{quoted(name)}"}).scalar()
    return Relation("closed", name) if pending else relation


def _words(columns: Sequence[Column]) -> str:
    """The text of a row as core's trigger makes it; geometries say nothing."""
    parts = [
        quoted(c.name) if c.type in ("text", "int8", "numeric") else f"(to_json({quoted(c.name)}) #>> '{{}}')"
        for c in columns
        if c.type != "geometry"
    ]
    if not parts:
        return "CAST(NULL AS tsvector)"
    # A function takes a hundred arguments at most.
    groups = [f"concat_ws(' ', {', '.join(parts[at : at + 90])})" for at in range(0, len(parts), 90)]
    return f"to_tsvector({' || chr(32) || '.join(groups)})"


def fill_words(
    connection: Connection, resource_id: str, columns: Sequence[Column], beat: Callable[[], None]
) -> None:
    """Fill `_full_text` batch by batch, make its index, and end the view that stood in for it.

    Rows that somebody writes meanwhile have theirs from the trigger and are left alone.
    """
    old = None
    with connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = pg_catalog")
        old = _located(cursor, resource_id)
        if old is None:
            return
        cursor.execute(f"SELECT coalesce(max(_id), 0) FROM {old.sql}")
        (last,) = cursor.fetchone() or (0,)
    for first in range(1, last + 1, WORDS_BATCH):
        with connection, connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {old.sql} SET _full_text = {_words(columns)} "
                "WHERE _id BETWEEN %s AND %s AND _full_text IS NULL",
                [first, first + WORDS_BATCH - 1],
            )
        beat()
    with connection, connection.cursor() as cursor:
        name = md5(f"{resource_id}_full_text".encode(), usedforsecurity=False).hexdigest()  # as core names it
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {old.sql} USING gin (_full_text); "
            f"DROP VIEW IF EXISTS closed.{quoted(words_view(resource_id))}; ANALYZE {old.sql}"
        )


def present(resource_id: str) -> list[tuple[str, str]]:
    """Names and types of the columns of the table as it is."""
    relation = relations.locate(resource_id)
    if relation is None:
        return []
    query = sa.text(
        "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = CAST(:name AS regclass) AND a.attnum > 0 AND NOT a.attisdropped "
        "AND a.attname NOT IN ('_id', '_full_text') ORDER BY a.attnum"
    )
    with _engine(write=True).connect() as connection:
        return [(name, kind) for name, kind in connection.execute(query, {"name": relation.sql})]


def leave(connection: Connection, resource_id: str) -> None:
    """Take a half-made table away."""
    with suppress(psycopg2.Error), connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{quoted(resource_id)}")


@dataclass(frozen=True)
class _View:
    schema: str
    name: str
    definition: str
    options: str
    owner: str
    grants: list[tuple[str, str]]
    alias: bool
    """It shows the whole table as it is, and will show the whole new one."""

    @property
    def sql(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def _located(cursor: Any, resource_id: str) -> Relation | None:
    cursor.execute(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = %s AND n.nspname IN ('public', 'closed') AND c.relkind = 'r'",
        [resource_id],
    )
    row = cursor.fetchone()
    return Relation(row[0], resource_id) if row else None


_DEPENDENTS = """
WITH RECURSIVE dependents (oid, depth) AS (
    SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = %(table)s::regclass AND r.ev_class <> d.refobjid
    UNION
    SELECT r.ev_class, x.depth + 1 FROM dependents x
    JOIN pg_depend d ON d.refobjid = x.oid AND d.refclassid = 'pg_class'::regclass
    AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> d.refobjid
    WHERE x.depth < 20
)
SELECT n.nspname, c.relname, pg_get_viewdef(c.oid), coalesce(array_to_string(c.reloptions, ', '), ''),
    pg_get_userbyid(c.relowner),
    coalesce((SELECT array_agg(DISTINCT pg_get_userbyid(a.grantee) || chr(1) || a.privilege_type)
        FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner AND a.grantee <> 0), '{}'),
    (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    = (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped)
FROM (SELECT oid, max(depth) AS depth FROM dependents GROUP BY oid) x
JOIN pg_class c ON c.oid = x.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' ORDER BY x.depth, c.relname
"""


def _views(cursor: Any, table: Relation) -> list[_View]:
    """Views on a table and on such views, those nearest to the table first; without the view of its words."""
    cursor.execute(_DEPENDENTS, {"table": table.sql})
    own = words_view(table.name)
    found = []
    for schema, name, definition, options, owner, grants, same in cursor.fetchall():
        if (schema, name) == ("closed", own):
            continue
        pairs = [tuple(each.split("\x01")) for each in grants]
        alias = (
            bool(same) and schema == table.schema and " WHERE " not in definition.upper().replace("\n", " ")
        )
        found.append(_View(schema, name, definition.rstrip(" ;"), options, owner, pairs, alias))
    return found


def _again(cursor: Any, view: _View, table: str) -> bool:
    """Make a view again as it was; whether what it needs is there. One that cannot be is never widened."""
    options = f" WITH ({view.options})" if view.options else ""
    definition = f"SELECT * FROM {table}" if view.alias else view.definition
    cursor.execute("SAVEPOINT before_view")
    try:
        cursor.execute(f"CREATE VIEW {view.sql}{options} AS {definition}")
        for grantee, privilege in view.grants:
            cursor.execute(f"GRANT {privilege} ON {view.sql} TO {quoted(grantee)}")
    except (psycopg2.ProgrammingError, psycopg2.NotSupportedError, psycopg2.DataError):
        cursor.execute("ROLLBACK TO SAVEPOINT before_view")
        return False
    cursor.execute("RELEASE SAVEPOINT before_view")
    return True


def _comments(cursor: Any, table: Relation) -> dict[str, str]:
    cursor.execute(
        "SELECT a.attname, col_description(a.attrelid, a.attnum) FROM pg_attribute a "
        "WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
        [table.sql],
    )
    return {name: comment for name, comment in cursor.fetchall() if comment}


def _comment(old: str | None, info: dict[str, Any]) -> str:
    """What core keeps of a column (JSON after a blank), with what the load knows of it."""
    try:
        kept = json.loads(old) if old else {}
    except ValueError:
        kept = {}
    if info:
        kept["_info"] = (kept.get("_info") or {}) | info
    return " " + json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else ""


def _keep_keys(cursor: Any, old: Relation, new: str, names: set[str]) -> None:
    """Make the old table's other indexes on the new one, as far as their columns are there.

    A unique key that the new rows do not keep is let go: the file is right, and says that it is no key.
    """
    cursor.execute(
        "SELECT i.relname, pg_get_indexdef(x.indexrelid), x.indisunique, "
        "ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)) "  # noqa: E501
        "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE x.indrelid = %s::regclass AND NOT x.indisprimary",
        [old.sql],
    )
    for _, definition, _, columns in cursor.fetchall():
        if "_full_text" in columns or not set(columns) <= names or not columns:
            continue
        cursor.execute("SAVEPOINT before_index")
        try:
            cursor.execute(definition.replace(f" ON {_plain(old)} ", f" ON {new} ", 1))
        except (psycopg2.IntegrityError, psycopg2.ProgrammingError, errors.ProgramLimitExceeded):
            cursor.execute("ROLLBACK TO SAVEPOINT before_index")
        else:
            cursor.execute("RELEASE SAVEPOINT before_index")


def _plain(table: Relation) -> str:
    """The table as `pg_get_indexdef` writes it."""
    return f"{table.schema}.{quoted(table.name)}"
