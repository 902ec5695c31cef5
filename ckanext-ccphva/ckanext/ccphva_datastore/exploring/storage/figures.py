"""SQL that adds rows up: what columns hold, histograms, figures by time and by category, shapes for a map.

All of it on a relation that `relations.effective` gave, within its reading transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from ckanext.ccphva_datastore.exploring.query import Column
from ckanext.ccphva_datastore.exploring.storage.where import Where, degrees, ident, text
from ckanext.ccphva_datastore.relations import Relation

FUNCTIONS = {
    "count": "count({y})",
    "sum": "sum({y})",
    "avg": "avg({y})",
    "min": "min({y})",
    "max": "max({y})",
    "median": "percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST({y} AS float8))",
}
BUCKETS = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_629_746,
    "quarter": 7_889_238, "year": 31_556_952, "decade": 315_569_520, "century": 3_155_695_200,
}  # fmt: skip
"""Names for PostgreSQL's `date_trunc` with their seconds."""

SIMPLE_POINTS, SIMPLE_DEGREES, LABEL = 300, 0.0001, 80


def finite(column: Column) -> str:
    """The condition that a value can be drawn: a number within what floats hold, a moment of the calendar."""
    name = ident(column.name)
    if column.kind == "time":
        return f"isfinite({name})"
    return f"{name} > -1e300 AND {name} < 1e300" if _wide(column) else f"{name} IS NOT NULL"


def _wide(column: Column) -> bool:
    return column.type.startswith(("numeric", "real", "double"))


def summary(
    connection: sa.Connection, relation: Relation, where: Where, columns: Sequence[Column]
) -> tuple[int, dict[str, dict[str, Any]]]:
    """How many rows, and of each column: how many have a value, the least, the greatest, the mean."""
    parts = ["count(*)"]
    for column in columns:
        name = ident(column.name)
        parts.append(f"count({name})")
        ends = f"CAST(min({name}) AS text), CAST(max({name}) AS text)"
        kept = f"FILTER (WHERE {finite(column)})"
        if column.kind == "number":
            parts.append(f"min({name}) {kept}, max({name}) {kept}, avg({name}) {kept}")
        else:
            parts.append(f"{ends if column.kind == 'time' else 'NULL, NULL'}, NULL")
    statement = f"SELECT {', '.join(parts)} FROM {relation.sql} {where.sql}"  # noqa: S608
    total, *rest = connection.execute(sa.text(statement), where.values).one()
    found = {}
    for number, column in enumerate(columns):
        filled, least, most, mean = rest[4 * number : 4 * number + 4]
        found[column.name] = {
            "filled": filled,
            "empty": total - filled,
            "min": least,
            "max": most,
            "mean": mean,
        }
    return total, found


def ends(connection: sa.Connection, relation: Relation, where: Where, column: Column) -> tuple[Any, Any]:
    """The least and the greatest value that can be drawn: floats, or seconds since 1970."""
    name = ident(column.name)
    value = f"extract(epoch FROM {name})" if column.kind == "time" else name
    statement = (
        f"SELECT CAST(min({value}) AS float8), CAST(max({value}) AS float8) FROM {relation.sql} "  # noqa: S608
        f"WHERE {' AND '.join([*where.parts, finite(column)])}"
    )
    least, most = connection.execute(sa.text(statement), where.values).one()
    return least, most


def bins(
    connection: sa.Connection, relation: Relation, where: Where, column: Column, step: float
) -> dict[int, int]:
    """How many values lie in each bin: number n is from n steps on to n + 1 steps."""
    statement = (
        f"SELECT CAST(floor(CAST({ident(column.name)} AS float8) / :step) AS bigint) AS bin, count(*) "  # noqa: S608
        f"FROM {relation.sql} WHERE {' AND '.join([*where.parts, finite(column)])} GROUP BY 1 LIMIT 1000"
    )
    return {row[0]: row[1] for row in connection.execute(sa.text(statement), where.values | {"step": step})}


def groups(
    connection: sa.Connection,
    relation: Relation,
    where: Where,
    asked: Mapping[str, Any],
) -> list[tuple[Any, Any, int]]:
    """Figures by time or by category.

    :param asked: `x` and `y` (columns; `y` may be None), `function`, `bucket` (of a time column), `limit`.
    :returns: x (a moment as ISO text, a number, or a text), y, rows; a time in its order, categories by size.
    """
    x: Column = asked["x"]
    y: Column | None = asked["y"]
    parts = list(where.parts)
    order = "1 NULLS LAST"
    if x.kind == "time":
        name = ident(x.name)
        clock = (
            f"{name} AT TIME ZONE {where.bind(where.zone, 'text')}"
            if x.zoned
            else f"CAST({name} AS timestamp)"
        )
        key = f"to_char(date_trunc('{asked['bucket']}', {clock}), 'YYYY-MM-DD\"T\"HH24\\:MI\\:SS')"
        parts.append(finite(x))
    else:
        key = ident(x.name) if x.kind in ("number", "boolean") else f"left({text(x)}, 200)"
        order = order if x.kind == "number" else "2 DESC NULLS LAST, 1"
    if y is not None:
        # A condition of the figure, not of the rows: a group without values has no figure.
        value = f"CASE WHEN {finite(y)} THEN {ident(y.name)} END" if y.kind == "number" else ident(y.name)
    else:
        value = "*"
    figure = FUNCTIONS[asked["function"]].format(y=value)
    clause = f"WHERE {' AND '.join(parts)}" if parts else ""
    statement = (
        f"SELECT {key}, {figure}, count(*) FROM {relation.sql} {clause} "  # noqa: S608
        f"GROUP BY 1 ORDER BY {order} LIMIT {int(asked['limit']) + 1}"
    )
    return [tuple(row) for row in connection.execute(sa.text(statement), where.values)]


def features(
    connection: sa.Connection,
    relation: Relation,
    where: Where,
    asked: Mapping[str, Any],
) -> list[tuple[int, str, str]]:
    """Shapes for a map: `_id`, GeoJSON in WGS 84 with five digits (a metre), a label.

    :param asked: `geometry` and `label` (columns; `label` may be None), `box` (west, south, east, north, or
        None), `limit`. Long outlines are simplified to some ten metres: a download has them whole.
    """
    name = ident(asked["geometry"].name)
    shape = degrees(name)
    label = f"left({text(asked['label'])}, {LABEL})" if asked["label"] else "''"
    parts, values = [*where.parts, f"{name} IS NOT NULL"], dict(where.values)
    if asked["box"]:
        corners = dict(zip(("west", "south", "east", "north"), asked["box"], strict=True))
        values |= corners
        parts.append(f"{shape} && ST_MakeEnvelope(:west, :south, :east, :north, 4326)")
    simple = (
        f"CASE WHEN ST_NPoints(shape) > {SIMPLE_POINTS} "
        f"THEN ST_SimplifyPreserveTopology(shape, {SIMPLE_DEGREES}) ELSE shape END"
    )
    statement = (
        f"SELECT \"_id\", ST_AsGeoJSON({simple}, 5), coalesce(label, '') FROM ("  # noqa: S608
        f'SELECT "_id", {shape} AS shape, {label} AS label FROM {relation.sql} WHERE {" AND ".join(parts)} '
        f'ORDER BY "_id" LIMIT {int(asked["limit"]) + 1}) AS found'
    )
    return [tuple(row) for row in connection.execute(sa.text(statement), values)]
