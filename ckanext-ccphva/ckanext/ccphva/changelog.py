"""The change log: what changed in the catalogue, in an order that loses nothing.

Sequence numbers are given when a row is written, not when its transaction commits: a reader that
remembers the highest number it saw never sees the rows of a slower transaction with lower ones. So a row
also carries its transaction's id, and a reader takes only rows of transactions older than every running
one, ordered by (xid, seq): nothing can appear behind its cursor any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from ckan import model
from ckanext.ccphva.model import Follower
from sqlalchemy.dialects.postgresql import insert

# Two expressions of PostgreSQL that stand in the queries below; nothing else is put into SQL text.
XMIN = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
XMAX = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True)
class Change:
    """One row of the log.

    :param kind: dataset, resource, tag, group, organization or member.
    :param operation: insert, update or delete.
    :param dataset_id: the dataset that it concerns, if any.
    :param owner_id: the organisation or group that it concerns, if any.
    """

    seq: int
    xid: int
    at: datetime
    kind: str
    operation: str
    entity_id: str
    dataset_id: str | None
    owner_id: str | None


@dataclass(frozen=True)
class Lag:
    """What a follower has not read yet: rows, and seconds since the oldest of them was written."""

    follower: str
    rows: int
    seconds: float


@contextmanager
def transaction() -> Iterator[sa.Connection]:
    """A short transaction of its own, apart from the session of whoever calls."""
    with model.ensure_engine().begin() as connection:
        yield connection


def register(follower: str) -> None:
    """Give the follower a cursor at the beginning of the log if it has none."""
    with transaction() as connection:
        connection.execute(insert(Follower).values(name=follower).on_conflict_do_nothing())


def read(follower: str, limit: int = 500) -> list[Change]:
    """The next changes after the follower's cursor, of transactions that nothing can overtake any more."""
    query = sa.text(
        "SELECT c.seq, c.xid, c.at, c.kind, c.operation, c.entity_id, c.dataset_id, c.owner_id "  # noqa: S608
        "FROM ccphva_change c JOIN ccphva_follower f ON f.name = :name "
        f"WHERE (c.xid, c.seq) > (f.xid, f.seq) AND c.xid < {XMIN} "
        "ORDER BY c.xid, c.seq LIMIT :limit"
    )
    with transaction() as connection:
        return [Change(*row) for row in connection.execute(query, {"name": follower, "limit": limit})]


def advance(follower: str, last: Change) -> None:
    """Move the follower's cursor behind a change that it has dealt with."""
    with transaction() as connection:
        moved = {"xid": last.xid, "seq": last.seq, "moved_at": sa.func.now()}
        connection.execute(sa.update(Follower).where(Follower.name == follower).values(moved))


def due_for_sweep(follower: str, seconds: float) -> bool:
    """Whether the follower's last full check is older than that, or never was."""
    query = sa.text(
        "SELECT swept_at IS NULL OR swept_at < now() - make_interval(secs => :seconds) "
        "FROM ccphva_follower WHERE name = :name"
    )
    with transaction() as connection:
        return bool(connection.execute(query, {"name": follower, "seconds": seconds}).scalar())


def note_sweep(follower: str) -> None:
    with transaction() as connection:
        swept = sa.update(Follower).where(Follower.name == follower)
        connection.execute(swept.values(swept_at=sa.func.now()))


def lags() -> list[Lag]:
    """How far each follower is behind, rows of running transactions included."""
    query = sa.text(
        "SELECT f.name, count(c.seq), coalesce(extract(epoch FROM now() - min(c.at)), 0) "
        "FROM ccphva_follower f LEFT JOIN ccphva_change c ON (c.xid, c.seq) > (f.xid, f.seq) "
        "GROUP BY f.name ORDER BY f.name"
    )
    with transaction() as connection:
        return [Lag(name, int(rows), float(seconds)) for name, rows, seconds in connection.execute(query)]


def prune(days: float) -> int:
    """Remove rows that are older than that and that every follower has read; return how many."""
    query = sa.text(
        "DELETE FROM ccphva_change c WHERE c.at < now() - make_interval(secs => :seconds) "
        "AND NOT EXISTS (SELECT 1 FROM ccphva_follower f WHERE (c.xid, c.seq) > (f.xid, f.seq)) "
        "AND EXISTS (SELECT 1 FROM ccphva_follower)"
    )
    with transaction() as connection:
        return connection.execute(query, {"seconds": days * 86400}).rowcount


def forget(follower: str) -> bool:
    """Drop the cursor of a follower that no longer exists, so that it holds the log no more."""
    with transaction() as connection:
        done = connection.execute(
            sa.text("DELETE FROM ccphva_follower WHERE name = :name"), {"name": follower}
        )
        return bool(done.rowcount)


def mend_after_restore() -> int:
    """Make the log readable in a cluster that counts its transactions anew; return how many rows that took.

    A dump restored elsewhere brings transaction ids that the new cluster has not reached: its rows would
    never be read, and its cursors would skip every new row. Such rows become the oldest, and every
    follower begins again.
    """
    with transaction() as connection:
        unread = sa.text(f"UPDATE ccphva_change SET xid = 0 WHERE xid >= {XMAX}")  # noqa: S608
        ahead = sa.text(f"SELECT EXISTS (SELECT 1 FROM ccphva_follower WHERE xid >= {XMAX})")  # noqa: S608
        rows = connection.execute(unread).rowcount
        if rows or connection.execute(ahead).scalar():
            connection.execute(sa.text("UPDATE ccphva_follower SET xid = 0, seq = 0, swept_at = NULL"))
            return max(rows, 1)
    return 0
