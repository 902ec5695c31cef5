"""The one way in which rows enter a feed. Works on a cursor of psycopg 2 or 3; the caller commits.

A feed's rows are written by one transaction at a time: each begins by updating the feed's row in
`feed.contract`, and whoever comes second waits there until the first has committed. Numbers from that row
(`last_id`) are given to the rows as `_id`, anew at each change of a row, so the order of `_id` is the order
in which changes became visible: a reader who has seen all rows up to a number misses none by asking for the
next ones. A sequence would not do: it gives numbers in the order of asking, not of committing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ckanext.ccphva_datastore.feeds import contract as contracts
from ckanext.ccphva_datastore.feeds.checks import Checked, Rejection, Row
from ckanext.ccphva_datastore.feeds.contract import Contract
from ckanext.ccphva_datastore.feeds.reasons import Reason

CHANNEL = "ccphva_live"
UNIQUE_VIOLATION = "23505"


class GoneError(Exception):
    """There is no such feed (any more)."""


@dataclass(frozen=True)
class Feed:
    """A feed whose row in `feed.contract` this transaction holds."""

    resource_id: str
    schema: str
    contract: Contract
    base: int

    def sql(self, prefix: str = "") -> str:
        return f"{quoted(self.schema)}.{quoted(prefix + self.resource_id)}"


@dataclass
class Tally:
    """What became of one request's rows, in order. `replaced`: a later row of the request has its key."""

    accepted: int = 0
    unchanged: int = 0
    replaced: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    last_id: int = 0


@dataclass
class _Input:
    """Rows with the same columns, no key twice; `owners`: which request and which of its rows."""

    names: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    owners: list[tuple[int, int]] = field(default_factory=list)


def quoted(name: str) -> str:
    """An identifier as psycopg's parameters leave it alone."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def write(cursor: Any, resource_id: str, requests: Sequence[Sequence[Checked]], careful: bool) -> list[Tally]:
    """Write the good rows of some requests in this transaction; a tally for each.

    :param careful: each statement in a savepoint: rows that only the database can refuse are found by
        halving. Otherwise its error is raised, and the caller rolls back and comes again with `careful`.
    :raises GoneError: there is no such feed.
    """
    tallies = [Tally() for _ in requests]
    feed = claim(cursor, resource_id, sum(len(part.rows) for parts in requests for part in parts))
    offset = feed.base
    for wanted in _inputs(feed.contract, requests, tallies):
        if feed.contract.late is not None:
            _refuse_late(cursor, feed, wanted, tallies)
        make_partitions(cursor, feed, wanted.times)
        for place in _apply(cursor, feed, wanted, offset, careful, tallies):
            tallies[wanted.owners[place][0]].accepted += 1
        offset += len(wanted.rows)
    for tally in tallies:
        tally.last_id = offset
    return tallies


def claim(cursor: Any, resource_id: str, rows: int) -> Feed:
    """Become the feed's only writer until this transaction ends, with numbers for that many rows.

    :raises GoneError: there is no such feed.
    """
    cursor.execute(
        "UPDATE feed.contract SET last_id = last_id + %s, "
        "received = CASE WHEN %s > 0 THEN now() ELSE received END, "
        "alerted = CASE WHEN %s > 0 THEN NULL ELSE alerted END "
        "WHERE resource_id = %s RETURNING last_id - %s, contract::text, (SELECT n.nspname FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = resource_id AND c.relkind = 'p' "
        "AND n.nspname IN ('live', 'closed') LIMIT 1)",
        (rows, rows, rows, resource_id, rows),
    )
    found = cursor.fetchone()
    if found is None or found[2] is None:
        raise GoneError(resource_id)
    return Feed(resource_id, found[2], contracts.read(json.loads(found[1])), found[0])


def _inputs(
    contract: Contract, requests: Sequence[Sequence[Checked]], tallies: list[Tally]
) -> Iterable[_Input]:
    """All rows by the columns that they name, each key once: a later row takes an earlier one's place."""
    inputs: dict[tuple[str, ...], _Input] = {}
    places: dict[tuple[str, ...], dict[Row, int]] = {}
    for request, parts in enumerate(requests):
        for part in parts:
            wanted = inputs.setdefault(part.names, _Input(part.names))
            seen = places.setdefault(part.names, {})
            at = [part.names.index(name) for name in contract.unique]
            for number, row, moment in zip(part.numbers, part.rows, part.times, strict=True):
                key = tuple([row[i] for i in at])
                place = seen.setdefault(key, len(wanted.rows))
                if place == len(wanted.rows):
                    wanted.rows.append(row)
                    wanted.times.append(moment)
                    wanted.owners.append((request, number))
                elif wanted.rows[place] == row:
                    tallies[request].unchanged += 1
                else:
                    before = wanted.owners[place][0]
                    tallies[before].replaced += before == request
                    tallies[before].accepted += before != request  # it was right, and is overtaken already
                    wanted.rows[place], wanted.owners[place] = row, (request, number)
    return inputs.values()


def _refuse_late(cursor: Any, feed: Feed, wanted: _Input, tallies: list[Tally]) -> None:
    contract, key = feed.contract, [wanted.names.index(name) for name in feed.contract.key]
    columns = ", ".join(map(quoted, contract.key))
    cursor.execute(
        f"SELECT n, l.{quoted(contract.time)} FROM {unnested(feed, contract.key)} "  # noqa: S608
        f"JOIN {feed.sql('_latest_')} AS l USING ({columns})",
        arrays([tuple(row[i] for i in key) for row in wanted.rows]),
    )
    late = set()
    for place, newest in cursor.fetchall():
        if (newest - wanted.times[place - 1]).total_seconds() > (contract.late or 0):
            late.add(place - 1)
            request, number = wanted.owners[place - 1]
            reason = Reason("late", {"seconds": contract.late})
            tallies[request].rejected.append(Rejection(number, contract.time, reason))
    _drop(wanted, late)


def _drop(wanted: _Input, places: set[int]) -> None:
    if places:
        keep = [i for i in range(len(wanted.rows)) if i not in places]
        wanted.rows = [wanted.rows[i] for i in keep]
        wanted.times = [wanted.times[i] for i in keep]
        wanted.owners = [wanted.owners[i] for i in keep]


def _apply(
    cursor: Any, feed: Feed, wanted: _Input, offset: int, careful: bool, tallies: list[Tally]
) -> Iterable[int]:
    """Write, and say which places changed something; the others were as they are."""
    changed: list[int] = []
    refused: set[int] = set()
    ranges = [(0, len(wanted.rows))] if wanted.rows else []
    while ranges:
        begin, end = ranges.pop()
        part = _Input(wanted.names, wanted.rows[begin:end], wanted.times[begin:end])
        if not careful:
            changed += _put(cursor, feed, part, offset)
            continue
        cursor.execute("SAVEPOINT part")
        try:
            changed += [begin + place for place in _put(cursor, feed, part, offset + begin)]
        except Exception as error:
            if not _is_about_rows(error):
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT part")
            if end - begin == 1:
                refused.add(begin)
            else:
                middle = (begin + end) // 2
                ranges += [(begin, middle), (middle, end)]
        cursor.execute("RELEASE SAVEPOINT part")
    for place in refused:
        request, number = wanted.owners[place]
        tallies[request].rejected.append(Rejection(number, "", Reason("refused_by_database")))
    for place in set(range(len(wanted.rows))).difference(changed, refused):
        tallies[wanted.owners[place][0]].unchanged += 1
    return changed


def _is_about_rows(error: Exception) -> bool:
    """Cardinality, data or integrity (PostgreSQL 15, appendix A): an outage or a lock is neither."""
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return code[:2] in {"21", "22", "23"}


def _put(cursor: Any, feed: Feed, part: _Input, base: int) -> list[int]:
    cursor.execute(upsert_statement(feed, part.names), (*arrays(part.rows), base, base, feed.resource_id))
    return [number - 1 for number in cursor.fetchone()[0] or ()]


def upsert_statement(feed: Feed, names: Sequence[str]) -> str:
    """INSERT … ON CONFLICT of arrays, which also keeps each series' newest time and tells the readers.

    Parameters: an array a column, the number before the first row's, the same again, the resource's id.
    Its answer: places, from 1, of the rows that were new or changed.
    """
    contract, table = feed.contract, feed.sql()
    columns, unique = ", ".join(map(quoted, names)), ", ".join(map(quoted, contract.unique))
    key, time = ", ".join(map(quoted, contract.key)), quoted(contract.time)
    values = [quoted(name) for name in names if name not in contract.unique]
    action = "NOTHING"
    if values:
        sets = ", ".join(f"{value} = excluded.{value}" for value in values)
        old, new = ", ".join(f"f.{v}" for v in values), ", ".join(f"excluded.{v}" for v in values)
        action = f'UPDATE SET "_id" = excluded."_id", {sets} WHERE ROW({old}) IS DISTINCT FROM ROW({new})'
    return (
        f"WITH input AS MATERIALIZED (SELECT * FROM {unnested(feed, names)}), "  # noqa: S608
        f'written AS (INSERT INTO {table} AS f ("_id", {columns}) '
        f"SELECT %s + n, {columns} FROM input ORDER BY n ON CONFLICT ({unique}) DO {action} "
        'RETURNING "_id"), '
        f"latest AS (INSERT INTO {feed.sql('_latest_')} AS l ({unique}) "
        f"SELECT {key}, max({time}) FROM input GROUP BY {key} "
        f"ON CONFLICT ({key}) DO UPDATE SET {time} = excluded.{time} WHERE l.{time} < excluded.{time}) "
        'SELECT (SELECT array_agg("_id" - %s) FROM written), '
        f"pg_notify('{CHANNEL}', %s)"
    )


def unnested(feed: Feed, names: Sequence[str]) -> str:
    types = {column.id: column.type for column in feed.contract.columns}
    arrays = ", ".join(f"%s::{types[name]}[]" for name in names)
    return f"unnest({arrays}) WITH ORDINALITY AS input ({', '.join(map(quoted, names))}, n)"


def arrays(rows: Sequence[Row]) -> list[str]:
    """An array literal a column."""
    literals = []
    for column in zip(*rows, strict=True):
        if None in column:
            column = ["NULL" if element is None else element for element in column]
        literals.append("{" + ",".join(column) + "}")
    return literals


def make_partitions(cursor: Any, feed: Feed, times: Iterable[datetime]) -> None:
    """Make the months that rows need and that are not there yet."""
    months = sorted({(moment.year, moment.month) for moment in times})
    names = [partition(feed.resource_id, year, month) for year, month in months]
    if not names:
        return
    cursor.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT EXISTS (SELECT 1 FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = name AND n.nspname = %s)",
        ("{" + ",".join(f'"{name}"' for name in names) + "}", feed.schema),
    )
    missing = {row[0] for row in cursor.fetchall()}
    for name, (year, month) in zip(names, months, strict=True):
        if name in missing:
            make_partition(cursor, feed, name, year, month)


def make_partition(cursor: Any, feed: Feed, name: str, year: int, month: int) -> None:
    """A table made aside and then attached: reading and writing of other months go on."""
    part = f"{quoted(feed.schema)}.{quoted(name)}"
    after = (year + month // 12, month % 12 + 1)
    begin, end = (f"{y:04}-{m:02}-01T00:00:00Z" for y, m in ((year, month), after))
    cursor.execute(f"CREATE TABLE {part} (LIKE {feed.sql()} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    cursor.execute(
        f"ALTER TABLE {feed.sql()} ATTACH PARTITION {part} FOR VALUES FROM ('{begin}') TO ('{end}')"
    )


def partition(resource_id: str, year: int, month: int) -> str:
    return f"_{resource_id}_{year:04}{month:02}"
