"""SQL of feeds: their tables, their row in `feed.contract`, retention, aggregates.

Schema `feed` holds what is known of feeds; the DataStore's reading role cannot reach it. The tables stand in
`live`, or in `closed` for data that are not open: `placement` moves them, partitions and all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from ckanext.ccphva_datastore.feeds import contract as contracts
from ckanext.ccphva_datastore.feeds import marks, writer
from ckanext.ccphva_datastore.feeds.checks import Checked
from ckanext.ccphva_datastore.feeds.contract import Contract
from ckanext.ccphva_datastore.feeds.writer import Feed, quoted
from ckanext.datastore.backend import DatastoreBackend

if TYPE_CHECKING:
    from ckanext.ccphva_datastore.relations import Relation

LOCK = 4_201_119

PREPARE = """
CREATE SCHEMA IF NOT EXISTS feed;
CREATE TABLE IF NOT EXISTS feed.contract (
    resource_id text PRIMARY KEY,
    contract jsonb NOT NULL,
    last_id bigint NOT NULL DEFAULT 0,
    created timestamptz NOT NULL DEFAULT now(),
    received timestamptz,
    alerted timestamptz
) WITH (fillfactor = 50);
CREATE OR REPLACE FUNCTION feed.count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public._table_stats SET stats = stats || jsonb_build_object('rows',
        (stats ->> 'rows')::bigint + (SELECT count(*) FROM changed)) WHERE resource_id = TG_TABLE_NAME;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION feed.count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public._table_stats SET stats = stats || jsonb_build_object('rows',
        (stats ->> 'rows')::bigint - (SELECT count(*) FROM changed)) WHERE resource_id = TG_TABLE_NAME;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION feed.text_is_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW._full_text IS NOT DISTINCT FROM OLD._full_text THEN
        NEW._full_text := NULL;
    END IF;
    RETURN NEW;
END $$;
"""


@dataclass(frozen=True)
class State:
    """A feed as it stands now; times are UTC."""

    resource_id: str
    contract: Contract
    schema: str
    last_id: int
    created: datetime
    received: datetime | None
    alerted: datetime | None

    def silent_seconds(self, now: datetime) -> float:
        """For how long no row has come."""
        return (now - (self.received or self.created)).total_seconds()

    def is_silent(self, now: datetime) -> bool:
        """Whether the promise of freshness is broken."""
        return self.contract.freshness is not None and self.silent_seconds(now) > self.contract.freshness


def _engine() -> sa.Engine:
    return cast(Any, DatastoreBackend.get_active_backend())._get_write_engine()


@contextmanager
def cursor() -> Iterator[Any]:
    """A cursor of the writing role; what it did is committed when the block ends well."""
    with closing(_engine().raw_connection()) as connection:
        try:
            with closing(connection.cursor()) as found:
                yield found
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def prepare() -> None:
    """Make the schema of feeds; nothing when that is done."""
    with cursor() as run:
        run.execute(
            "SELECT to_regprocedure('feed.text_is_stale()') IS NOT NULL "
            "AND to_regclass('feed.mark') IS NOT NULL"
        )
        if not run.fetchone()[0]:
            run.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            run.execute(PREPARE + marks.MARKS)


def create(resource_id: str, contract: Contract, schema: str) -> None:
    """Make a feed's tables and note its contract."""
    feed = Feed(resource_id, schema, contract, 0)
    columns = ", ".join(f"{quoted(c.id)} {c.type}" for c in contract.columns)
    unique, key = ", ".join(map(quoted, contract.unique)), ", ".join(map(quoted, contract.key))
    latest = ", ".join(
        f"{quoted(c.id)} {c.type} NOT NULL" for c in contract.columns if c.id in contract.unique
    )
    table, time = feed.sql(), quoted(contract.time)
    statements = [
        f'CREATE TABLE {table} ("_id" bigint NOT NULL, {columns}, PRIMARY KEY ({unique})) '
        f"PARTITION BY RANGE ({time})",
        f'CREATE INDEX ON {table} ("_id")',
        f"CREATE INDEX ON {table} USING brin ({time})",
        f"CREATE TRIGGER count_added AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION feed.count_added()",
        f"CREATE TRIGGER count_removed AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION feed.count_removed()",
        f"CREATE TABLE {feed.sql('_latest_')} ({latest}, PRIMARY KEY ({key})) WITH (fillfactor = 50)",
    ]
    with cursor() as run:
        for statement in statements:
            run.execute(statement.replace("%%", "%"))
        marks.forget(run, resource_id)
        _describe(run, feed)
        run.execute(
            "INSERT INTO public._table_stats VALUES (%s, jsonb_build_object('rows', 0)) "
            "ON CONFLICT (resource_id) DO UPDATE SET stats = excluded.stats",
            [resource_id],
        )
        run.execute(
            "INSERT INTO feed.contract (resource_id, contract) VALUES (%s, %s)",
            [resource_id, json.dumps(contract.as_dict())],
        )
        now = datetime.now(UTC)
        writer.make_partitions(run, feed, [now, now + timedelta(days=31)])


def _describe(run: Any, feed: Feed) -> None:
    """The dictionary of the columns, as core keeps it: a comment with a blank before its JSON."""
    for column in feed.contract.columns:
        info = dict(column.info or {})
        if column.unit:
            info.setdefault("unit", column.unit)
        text = " " + json.dumps({"_info": info}, ensure_ascii=False)
        name = f"{feed.sql()}.{quoted(column.id)}"
        run.execute(f"COMMENT ON COLUMN {name} IS %s", [text])


def show(resource_id: str) -> State | None:
    return next(iter(states([resource_id])), None)


def states(resource_ids: Sequence[str] | None = None) -> list[State]:
    """The feeds of these resources, or all."""
    with cursor() as run:
        run.execute(
            "SELECT f.resource_id, f.contract::text, n.nspname, f.last_id, f.created, f.received, f.alerted "
            "FROM feed.contract f JOIN pg_class c ON c.relname = f.resource_id AND c.relkind = 'p' "
            "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('live', 'closed') "
            "WHERE %s::text[] IS NULL OR f.resource_id = ANY(%s::text[]) ORDER BY 1",
            [list(resource_ids) if resource_ids is not None else None] * 2,
        )
        rows = run.fetchall()
    return [State(row[0], contracts.read(json.loads(row[1])), *row[2:]) for row in rows]


def change(resource_id: str, contract: Contract) -> None:
    with cursor() as run:
        run.execute(
            "UPDATE feed.contract SET contract = %s WHERE resource_id = %s",
            [json.dumps(contract.as_dict()), resource_id],
        )


def forget(resource_id: str) -> None:
    """Drop what stands beside a feed's table, which itself is gone already."""
    with cursor() as run:
        run.execute("DELETE FROM feed.contract WHERE resource_id = %s", [resource_id])
        marks.forget(run, resource_id)
        for schema in ("live", "closed"):
            run.execute(f"DROP TABLE IF EXISTS {quoted(schema)}.{quoted('_latest_' + resource_id)}")


def renew_latest(resource_id: str) -> None:
    """Find the newest row of each series again, after rows were deleted."""
    with cursor() as run:
        feed = writer.claim(run, resource_id, 0)
        unique, key = (", ".join(map(quoted, names)) for names in (feed.contract.unique, feed.contract.key))
        run.execute(f"DELETE FROM {feed.sql('_latest_')}")  # noqa: S608
        run.execute(
            f"INSERT INTO {feed.sql('_latest_')} ({unique}) "  # noqa: S608
            f"SELECT {key}, max({quoted(feed.contract.time)}) FROM {feed.sql()} GROUP BY {key}".replace(
                "%%", "%"
            )
        )


def companions(name: str, schema: str) -> list[str]:
    """The partitions of a feed and its table of newest rows, which go where it goes."""
    with cursor() as run:
        run.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind = 'r' AND (c.relname = %s OR c.oid IN "
            "(SELECT relid FROM pg_partition_tree(%s::regclass) WHERE level > 0)) ORDER BY 1",
            [schema, f"_latest_{name}", f"{quoted(schema)}.{quoted(name)}".replace("%%", "%")],
        )
        return [row[0] for row in run.fetchall()]


def tend(state: State, now: datetime) -> int:
    """Make the coming months and drop those that retention ends; how many rows went.

    A month goes when its last moment is older than what is kept.
    """
    gone = 0
    with cursor() as run:
        run.execute("SET LOCAL lock_timeout = '5s'")
        feed = writer.claim(run, state.resource_id, 0)
        writer.make_partitions(run, feed, [now, now + timedelta(days=31)])
        if state.contract.retention is None:
            return 0
        end = now - timedelta(days=state.contract.retention)
        keep = writer.partition(state.resource_id, end.year, end.month)
        for name in companions(state.resource_id, feed.schema):
            if name.startswith(f"_{state.resource_id}_") and name < keep:
                table = f"{quoted(feed.schema)}.{quoted(name)}"
                run.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
                gone += run.fetchone()[0]
                run.execute(f"DROP TABLE {table}")
        if gone:
            time = quoted(state.contract.time)
            run.execute(
                f"DELETE FROM {feed.sql('_latest_')} WHERE {time} < %s",  # noqa: S608
                [f"{end:%Y-%m}-01T00:00:00Z"],
            )
            run.execute(
                "UPDATE public._table_stats SET stats = stats || jsonb_build_object('rows', "
                "(stats ->> 'rows')::bigint - %s) WHERE resource_id = %s",
                [gone, state.resource_id],
            )
    return gone


def note_alert(resource_id: str) -> None:
    with cursor() as run:
        run.execute("UPDATE feed.contract SET alerted = now() WHERE resource_id = %s", [resource_id])


def ensure_fresh_text(relation: Relation) -> None:
    """Let an update of an ordinary table make its full-text anew, however it is written.

    In CKAN 2.12.0 an upsert that meets an existing key keeps the old row's words: core's trigger only makes
    them where there are none. Triggers fire by name: this one before core's `zfulltext`.
    """
    lacking = (
        "SELECT bool_or(tgname = 'zfulltext') AND NOT bool_or(tgname = 'ccphva_text') "
        "FROM pg_trigger WHERE tgrelid = %s::regclass"
    )
    with cursor() as run:
        run.execute(lacking, [relation.sql])
        if not run.fetchone()[0]:
            return
        run.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        run.execute(lacking, [relation.sql])  # another may have made it meanwhile
        if run.fetchone()[0]:
            run.execute(
                f"CREATE OR REPLACE TRIGGER ccphva_text BEFORE UPDATE ON {relation.sql.replace('%', '%%')} "
                "FOR EACH ROW EXECUTE FUNCTION feed.text_is_stale()"
            )


def aggregate(
    connection: sa.Connection,
    relation: Relation,
    contract: Contract,
    column: str,
    bucket: str,
    zone: str,
    where: Sequence[tuple[str, str, Any]],
    limit: int,
) -> list[dict[str, Any]]:
    """Count, least, greatest, mean and sum of a column by time bucket and series.

    :param bucket: an argument of date_trunc.
    :param where: column, operator (`=`, `>=`, `<`) and value.
    """

    def bare(name: str) -> str:
        return quoted(name).replace("%%", "%").replace(":", r"\:")

    key = ", ".join(bare(name) for name in contract.key)
    conditions = " AND ".join(f"{bare(name)} {sign} :v{i}" for i, (name, sign, _) in enumerate(where))
    value, time = bare(column), bare(contract.time)
    query = (
        f"SELECT date_trunc(:bucket, {time}, :zone) AS bucket, {key}, count({value}) AS count, "  # noqa: S608
        f"min({value}) AS min, max({value}) AS max, avg({value}) AS avg, sum({value}) AS sum "
        f"FROM {relation.sql.replace(':', chr(92) + ':')} {'WHERE ' + conditions if where else ''} "
        f"GROUP BY 1, {key} ORDER BY 1, {key} LIMIT :limit"
    )
    values = {f"v{i}": value for i, (_, _, value) in enumerate(where)}
    values |= {"bucket": bucket, "zone": zone, "limit": limit}
    return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]


def known_rows(run: Any, state: State, parts: Sequence[Checked]) -> int:
    """How many of these rows' keys the feed has; no other writer comes between this and the end."""
    feed, known = writer.claim(run, state.resource_id, 0), 0
    unique = feed.contract.unique
    for part in parts:
        at = [part.names.index(name) for name in unique]
        keys = [tuple(row[i] for i in at) for row in part.rows]
        source, columns = writer.unnested(feed, unique), ", ".join(map(quoted, unique))
        query = f"SELECT count(*) FROM {source} JOIN {feed.sql()} AS f USING ({columns})"  # noqa: S608
        run.execute(query, writer.arrays(keys))
        known += run.fetchone()[0]
    return known
