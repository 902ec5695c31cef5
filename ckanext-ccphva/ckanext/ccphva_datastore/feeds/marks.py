"""How far the series of a table have come: texts that a harvest keeps with the rows, in their transaction.

They stand in `feed.mark` and go with their table. Works on a cursor of psycopg; the caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARKS = """
CREATE TABLE IF NOT EXISTS feed.mark (
    resource_id text NOT NULL,
    series text NOT NULL,
    mark text NOT NULL,
    PRIMARY KEY (resource_id, series)
);
"""


def of(cursor: Any, resource_id: str) -> dict[str, str]:
    """Mark by series."""
    cursor.execute("SELECT series, mark FROM feed.mark WHERE resource_id = %s", [resource_id])
    return dict(cursor.fetchall())


def keep(cursor: Any, resource_id: str, marks: Mapping[str, str]) -> None:
    """Set the marks of these series; those of others stay."""
    if marks:
        cursor.execute(
            "INSERT INTO feed.mark SELECT %s, s, m FROM unnest(%s::text[], %s::text[]) AS given (s, m) "
            "ON CONFLICT (resource_id, series) DO UPDATE SET mark = excluded.mark "
            "WHERE mark.mark <> excluded.mark",
            [resource_id, list(marks), list(marks.values())],
        )


def forget(cursor: Any, resource_id: str) -> None:
    """The table is gone: a new one of its name begins at the beginning."""
    cursor.execute("DELETE FROM feed.mark WHERE resource_id = %s", [resource_id])
