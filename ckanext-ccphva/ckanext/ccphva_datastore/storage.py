"""SQL on the DataStore's own database: where tables stand, what is known of them, moving one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import psycopg2
import sqlalchemy as sa
from ckanext.ccphva_datastore.feeds import storage as feeds
from ckanext.datastore.backend import DatastoreBackend

if TYPE_CHECKING:
    from ckanext.ccphva_datastore.relations import Relation

LOCK = 4_201_118

PREPARE = """
CREATE SCHEMA IF NOT EXISTS live;
CREATE SCHEMA IF NOT EXISTS closed;
CREATE SCHEMA IF NOT EXISTS perimeter;
GRANT USAGE ON SCHEMA live, perimeter TO {reader};
ALTER DEFAULT PRIVILEGES IN SCHEMA live, perimeter GRANT SELECT ON TABLES TO {reader};
ALTER ROLE {writer} IN DATABASE {database} SET search_path = public, live, closed;
"""


def _engine(write: bool = False) -> sa.Engine:
    backend = cast(Any, DatastoreBackend.get_active_backend())
    return backend._get_write_engine() if write else backend._get_read_engine()


@contextmanager
def reading(relation: Relation, milliseconds: int) -> Iterator[sa.Connection]:
    """A read-only transaction in which the relation's bare name means that relation.

    The reading role sees no closed table; for a reader whom CKAN let through, the writing role reads it.
    """
    with _engine(write=relation.schema == "closed").connect() as connection:
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        path = f"{quoted(relation.schema)}, public"
        connection.execute(sa.text("SELECT set_config('search_path', :path, true)"), {"path": path})
        connection.execute(
            sa.text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": str(milliseconds)}
        )
        yield connection


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def prepare() -> None:
    """Make the schemas and let the writing role look through them; nothing when that is done."""
    with _engine(write=True).begin() as connection:
        ready = (
            "SELECT current_setting('search_path') = 'public, live, closed' "
            "AND to_regnamespace('perimeter') IS NOT NULL"
        )
        if connection.execute(sa.text(ready)).scalar():
            return
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        names = connection.execute(sa.text("SELECT current_user, current_database()")).one()
        reader = _engine().url.username or ""
        connection.execute(
            sa.text(PREPARE.format(reader=quoted(reader), writer=quoted(names[0]), database=quoted(names[1])))
        )
    _engine(write=True).dispose()  # connections made before know the old path


def schema_of(name: str, schemas: Sequence[str]) -> str | None:
    """The first of the schemas that holds a table of that name, plain or partitioned."""
    query = sa.text(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = :name AND n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') "
        "ORDER BY array_position(CAST(:schemas AS text[]), CAST(n.nspname AS text)) LIMIT 1"
    )
    with _engine().connect() as connection:
        return connection.execute(query, {"name": name, "schemas": list(schemas)}).scalar()


_ALIASES = (
    "SELECT DISTINCT v.relname, vn.nspname, t.relname FROM pg_class v "
    "JOIN pg_namespace vn ON vn.oid = v.relnamespace AND vn.nspname = ANY(:schemas) "
    "JOIN pg_rewrite r ON r.ev_class = v.oid "
    "JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass "
    "AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid "
    "JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p') "
    "WHERE v.relkind = 'v' AND NOT starts_with(v.relname, '_') "
)


def alias_target(alias: str, schemas: Sequence[str]) -> str | None:
    """The table behind an alias, or None."""
    query = sa.text(_ALIASES + "AND v.relname = :alias LIMIT 1")
    with _engine().connect() as connection:
        row = connection.execute(query, {"alias": alias, "schemas": list(schemas)}).first()
    return row[2] if row else None


def aliases(table: str, schemas: Sequence[str]) -> list[str]:
    query = sa.text(_ALIASES + "AND t.relname = :table ORDER BY 1")
    with _engine().connect() as connection:
        return [row[0] for row in connection.execute(query, {"table": table, "schemas": list(schemas)})]


def tables(schemas: Sequence[str]) -> list[str]:
    """Every table of a resource: no partition, and nothing that an extension such as PostGIS owns."""
    query = sa.text(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND NOT starts_with(c.relname, '_') AND NOT EXISTS (SELECT 1 FROM pg_depend d "
        "WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1"
    )
    with _engine().connect() as connection:
        return list(connection.execute(query, {"schemas": list(schemas)}).scalars())


def count(relation: Relation) -> int:
    """Rows of a resource's own table, from the statistics when they are kept."""
    kept = sa.text("SELECT (stats ->> 'rows')::bigint FROM public._table_stats WHERE resource_id = :name")
    with _engine(write=True).connect() as connection:
        rows = connection.execute(kept, {"name": relation.name}).scalar()
    return rows if rows is not None else keep_count(relation)


def keep_count(relation: Relation) -> int:
    """Count a resource's own table, and keep the number until the next write.

    A feed's number is changed by its writers: they end first or come after, so that none of them is lost.
    """
    keep = sa.text(
        "INSERT INTO public._table_stats AS s "  # noqa: S608
        f"SELECT :name, jsonb_build_object('rows', count(*)) FROM {relation.sql} "
        "ON CONFLICT (resource_id) DO UPDATE SET stats = s.stats || excluded.stats "
        "RETURNING (stats ->> 'rows')::bigint"
    )
    with _engine(write=True).begin() as connection:
        connection.execute(sa.text(f"ANALYZE {relation.sql}"))
        # In the order in which writers and retention take them.
        for known in ("feed.contract", "public._table_stats"):
            held = sa.text(f"SELECT 1 FROM {known} WHERE resource_id = :name FOR UPDATE")  # noqa: S608
            connection.execute(held, {"name": relation.name})
        return int(connection.execute(keep, {"name": relation.name}).scalar() or 0)


def matching(connection: sa.Connection, select: str, source: str, values: dict[str, Any]) -> int:
    """How many rows a query gives, whose parts core's query builder made."""
    query = sa.text(f"SELECT count(*) FROM (SELECT {select} FROM {source}) t")  # noqa: S608
    return int(connection.execute(query, values).scalar() or 0)


def measures(connection: sa.Connection, relation: Relation) -> dict[str, Any]:
    """What kind of relation it is, and its bytes; partitions are added up."""
    query = sa.text(
        "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' "
        "WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'BASE TABLE' END AS table_type, "
        "coalesce((SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(c.oid) t), "
        "pg_relation_size(c.oid), 0)::bigint AS size, "
        "coalesce((SELECT sum(pg_indexes_size(t.relid)) FROM pg_partition_tree(c.oid) t), "
        "pg_indexes_size(c.oid), 0)::bigint AS idx_size, "
        "pg_database_size(current_database()) AS db_size "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = :schema AND c.relname = :name"
    )
    return dict(
        connection.execute(query, {"schema": relation.schema, "name": relation.name}).mappings().one()
    )


def counted(connection: sa.Connection, relation: Relation) -> int:
    """Rows that a relation gives now, each one looked at."""
    rows = connection.execute(sa.text(f"SELECT count(*) FROM {relation.sql}"))  # noqa: S608
    return int(rows.scalar() or 0)


def columns(connection: sa.Connection, relation: Relation) -> dict[str, dict[str, Any]]:
    """Native type, index and constraints of each column, whatever kind of relation it is."""
    query = sa.text(
        "SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS native_type, "
        "a.attnotnull AS notnull, "
        "(SELECT min(i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE x.indrelid = a.attrelid AND a.attnum = ANY(x.indkey)) AS index_name, "
        "EXISTS (SELECT 1 FROM pg_constraint p WHERE p.conrelid = a.attrelid "
        "AND p.contype IN ('u', 'p') AND a.attnum = ANY(p.conkey)) AS uniquekey "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = :schema AND c.relname = :name AND a.attnum > 0 AND NOT a.attisdropped"
    )
    rows = connection.execute(query, {"schema": relation.schema, "name": relation.name}).mappings()
    return {
        row["name"]: {key: row[key] for key in ("native_type", "notnull", "index_name", "uniquekey")}
        | {"is_index": row["index_name"] is not None}
        for row in rows
    }


def move(relation: Relation, schema: str) -> None:
    """Put a resource's table, its aliases and a feed's partitions into another schema, in one transaction."""
    parts = sa.text(_ALIASES + "AND t.relname = :table")
    here = {"table": relation.name, "schemas": [relation.schema]}
    reader = quoted(_engine().url.username or "")
    with _engine(write=True).begin() as connection:
        # A feed's writer knows the schema from this row on: let it end first.
        own = sa.text("SELECT 1 FROM feed.contract WHERE resource_id = :table FOR UPDATE")
        feed = connection.execute(own, {"table": relation.name}).scalar()
        names = list(feeds.companions(relation.name, relation.schema)) if feed else []
        aliases = [alias for alias, _, _ in connection.execute(parts, here).all()]
        moved = [*(("TABLE", name) for name in names), *(("VIEW", name) for name in aliases)]
        for kind, name in [*moved, ("TABLE", relation.name)]:
            at = f"{quoted(relation.schema)}.{quoted(name)}"
            connection.execute(sa.text(f"ALTER {kind} {at} SET SCHEMA {quoted(schema)}"))
            if schema != "closed":  # what was made closed has no grant from its new schema's defaults
                there = f"{quoted(schema)}.{quoted(name)}"
                connection.execute(sa.text(f"GRANT SELECT ON {there} TO {reader}"))


JSON_ROW = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
"""A JSON text holds no control character, so COPY writes it as it is."""

JSON_CELLS = "FORMAT csv, QUOTE E'\\x01', DELIMITER ',', NULL 'null'"
"""JSON texts side by side: COPY puts QUOTE around those with a comma, which whoever reads them takes away."""

COPY_OPTIONS = {
    "cells": JSON_CELLS,
    "csv": "FORMAT csv",
    "tsv": "FORMAT csv, DELIMITER E'\\t'",
    "parquet": "FORMAT csv",
    "line": JSON_ROW,
    "object": JSON_ROW,
}


def copy_statement(relation: Relation, rows: str, select: str, parts: dict[str, Any]) -> str:
    """COPY of a query whose parts core's query builder made, its values written into it.

    :param rows: `csv`, `tsv`; `cells`: each column is a JSON text; `line`: the column
        `line` is a row's text; `object`: a row is a JSON object.
    :param parts: `sort`, `where` with `values`, `ts_query`, `distinct`, `limit`, `offset`;
        `spaced`: a column holds JSON as it was written.
    """
    distinct = "DISTINCT " if parts.get("distinct") else ""
    order = f"ORDER BY {', '.join(parts['sort'])}" if parts["sort"] else ""
    query = f"SELECT {distinct}{select} FROM {relation.sql} {parts['ts_query']} {parts['where']} {order}"  # noqa: S608
    if parts["limit"] is not None:
        query += f" LIMIT {int(parts['limit'])}"
    query += f" OFFSET {int(parts.get('offset') or 0)}"
    if rows in ("line", "object"):
        line = "r.line" if rows == "line" else "row_to_json(r)"
        text = one_line(line) if parts.get("spaced") else line
        query = f"SELECT {text} FROM ({query}) AS r"  # noqa: S608
    clause = sa.text(query).bindparams(**parts["values"]).compile(compile_kwargs={"literal_binds": True})
    return f"COPY ({clause}) TO STDOUT ({COPY_OPTIONS[rows]})"


def one_line(text: str) -> str:
    """A JSON text without the line ends that white space between its parts may hold."""
    return f"replace(CAST({text} AS text), E'\\n', ' ')"


def moment(column: str, plain: str, milliseconds: bool) -> str:
    """A timestamp as core's dump writes it, in half the time: ISO 8601 without zone.

    :param plain: core's own expression, `to_char`, for years that have not four digits, for infinity, and,
        with milliseconds, for moments between two seconds.
    """
    fast, second = f"{column} >= '0001-01-01' AND {column} < '10000-01-01'", f"date_trunc('second', {column})"
    text = f"replace(CAST({second} AS text), ' ', 'T')"
    if milliseconds:
        fast, text = f"{fast} AND {column} = {second}", f"{text} || '.000'"
    return f"CASE WHEN {fast} THEN {text} ELSE {plain} END"


def json_text(column: str, kind: str) -> str | None:
    """A value as JSON text without `to_json`, which looks its type up at each call; None for other types.

    `NaN` and infinity are no numbers of JSON (RFC 8259, section 6): `to_json` quotes them.
    """
    if kind in ("int", "int2", "int4", "int8"):
        return column
    if kind in ("text", "varchar", "bpchar"):
        return f"to_json({column})"  # whose characters must be escaped
    if kind == "bool":
        return f"CAST({column} AS text)"
    if kind in ("numeric", "float4", "float8"):
        finite = f"{column} > '-Infinity' AND {column} < 'Infinity'"
        return f"CASE WHEN {finite} THEN CAST({column} AS text) ELSE CAST(to_json({column}) AS text) END"
    if kind in ("date", "uuid"):
        return f"""'"' || CAST({column} AS text) || '"'"""
    return None


def scales(connection: sa.Connection, relation: Relation, names: Sequence[str]) -> dict[str, int | None]:
    """Most digits after the point in each `numeric` column; None where a value has no place in 19 digits
    before the point and 19 after it: NaN, infinity, longer ones."""
    if not names:
        return {}
    parts = [
        f"coalesce(max(scale({column})), 0), bool_and(abs({column}) < 1e19 AND scale({column}) <= 19)"
        for column in (quoted(name).replace(":", r"\:") for name in names)
    ]
    row = connection.execute(sa.text(f"SELECT {', '.join(parts)} FROM {relation.sql}")).one()  # noqa: S608
    return {name: row[2 * n] if row[2 * n + 1] is not False else None for n, name in enumerate(names)}


def for_parquet(column: str, kind: str, srid: int | None) -> str:
    """A column as pyarrow reads it: geometries in hexadecimal WKB, of mixed systems in WGS 84."""
    if kind in ("geometry", "geography"):
        shape = f"CAST({column} AS geometry)"
        if srid is None:
            shape = f"CASE WHEN ST_SRID({shape}) = 0 THEN {shape} ELSE ST_Transform({shape}, 4326) END"
        return f"encode(ST_AsBinary({shape}, 'NDR'), 'hex')"
    if kind in ("date", "timestamp", "timestamptz"):
        text = f"CAST({column} AT TIME ZONE 'UTC' AS text) || 'Z'" if kind == "timestamptz" else column
        return f"CASE WHEN {column} >= '0001-01-01' AND {column} < '10000-01-01' THEN {text} END"
    if kind == "nested":
        return f"({column}).json"
    if kind.startswith("_"):
        return f"array_to_json({column})"
    return column


def without_formula(column: str) -> str:
    """A text column with an apostrophe before what a spreadsheet would take for a formula.

    OWASP, CSV Injection: a cell that begins with one of = + - @, a tab or a carriage return.
    """
    return f"CASE WHEN {column} ~ E'^[=+@\\t\\r-]' THEN chr(39) || {column} ELSE {column} END"


def feature(geometry: str, properties: Sequence[tuple[str, str]]) -> str:
    """A row as a feature of GeoJSON (RFC 7946, sections 3.2 and 4: WGS 84).

    :param geometry: the quoted column.
    :param properties: names with quoted columns; put in one by one, as a function takes a hundred arguments.
    """
    pairs = [f"jsonb_build_object({_literal(name)}, to_jsonb({column}))" for name, column in properties]
    return (
        "json_build_object('type', 'Feature', 'id', \"_id\", 'geometry', "
        f"CAST(ST_AsGeoJSON(ST_Transform(CAST({geometry} AS geometry), 4326)) AS json), "
        f"'properties', {' || '.join(pairs) or _literal('{}')}) AS line"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace(":", r"\:") + "'"


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


def copy_out(relation: Relation, statement: str, sink: Sink, seconds: int) -> None:
    """Write what a COPY … TO STDOUT gives into the sink, row by row, on a connection of its own."""
    url = _engine(write=relation.schema == "closed").url.set(drivername="postgresql")
    options = (
        f"-c default_transaction_read_only=on -c statement_timeout={seconds * 1000} "
        "-c datestyle=ISO -c extra_float_digits=1"
    )
    with closing(psycopg2.connect(url.render_as_string(hide_password=False), options=options)) as connection:
        connection.cursor().copy_expert(statement, cast(Any, sink))
