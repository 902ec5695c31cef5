"""Rows added up: what a column holds, its histogram, figures by time and by category, shapes for a map."""

from __future__ import annotations

import json
import math
from typing import Any

from ckanext.ccphva_datastore.exploring import query as queries
from ckanext.ccphva_datastore.exploring.query import N_, Column, Query, Wrong
from ckanext.ccphva_datastore.exploring.storage import figures as sql
from ckanext.ccphva_datastore.exploring.tables import Looking

Data = dict[str, Any]
BINS, CATEGORIES, MOMENTS, MOST_GROUPS = 20, 30, 400, 2000
MOST_SHAPES = 5000


def summary(looked: Looking, data: Data) -> Data:
    """See the action `ccphva_table_summary`."""
    query = queries.parse(looked.columns, data)
    chosen = [column for column in looked.columns if not query.fields or column.name in query.fields]
    total, found = sql.summary(looked.connection, looked.relation, looked.where(query), chosen)
    return {"total": total, "columns": {name: _plain(each) for name, each in found.items()}}


def histogram(looked: Looking, data: Data) -> Data:
    """See the action `ccphva_table_histogram`."""
    column = looked.column(str(data["column"]), "column")
    if column.kind != "number":
        asked = {"x": column.name, "function": "count", "limit": BINS if column.kind != "time" else MOMENTS}
        found = aggregate(looked, data | asked | {"points": BINS})
        bins = [{"value": each["x"], "count": each["y"]} for each in found["groups"]]
        return {
            "column": column.name,
            "bins": bins,
            "bucket": found["bucket"],
            "truncated": found["truncated"],
        }
    query = queries.parse(looked.columns, data)
    where = looked.where(query)
    least, most = sql.ends(looked.connection, looked.relation, where, column)
    if least is None:
        return {"column": column.name, "bins": [], "bucket": None, "truncated": False}
    step = nice_step(least, most, whole=not column.type.startswith(("numeric", "real", "double")))
    counts = sql.bins(looked.connection, looked.relation, where, column, step)
    numbers = (
        range(min(counts, default=0), max(counts, default=0) + 1) if len(counts) < 1000 else sorted(counts)
    )
    numbers = list(numbers)[: 4 * BINS]
    bins = [{"from": _times(n, step), "to": _times(n + 1, step), "count": counts.get(n, 0)} for n in numbers]
    return {"column": column.name, "bins": bins, "bucket": None, "truncated": False}


def nice_step(least: float, most: float, whole: bool) -> float:
    """The width of bins: 1, 2 or 5 times a power of ten, so that there are at most some BINS of them."""
    span = most - least
    if span <= 0:
        return 1.0 if whole or not least else 10.0 ** math.floor(math.log10(abs(least)))
    rough = span / BINS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999999)
    return max(step, 1.0) if whole else step


def _times(number: int, step: float) -> float | int:
    value = float(f"{number * step:.12g}")
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def aggregate(looked: Looking, data: Data) -> Data:
    """See the action `ccphva_table_aggregate`."""
    x = looked.column(str(data["x"]), "x")
    if not x.sortable:
        raise Wrong("x", N_('The field "{field}" has no order'), field=x.name)
    y, function = _figure(looked, data)
    where = looked.where(queries.parse(looked.columns, data))
    bucket = _bucket(looked, where, x, data) if x.kind == "time" else None
    default = MOST_GROUPS if x.kind in ("time", "number") else CATEGORIES
    limit = min(int(data.get("limit") or default), MOST_GROUPS)
    asked = {"x": x, "y": y, "function": function, "bucket": bucket, "limit": limit}
    found = sql.groups(looked.connection, looked.relation, where, asked)
    groups = [{"x": plain(a), "y": plain(b), "rows": rows} for a, b, rows in found[:limit]]
    return {
        "x": x.name,
        "y": y.name if y else None,
        "function": function,
        "bucket": bucket,
        "groups": groups,
        "truncated": len(found) > limit,
    }


def _figure(looked: Looking, data: Data) -> tuple[Column | None, str]:
    y = looked.column(str(data["y"]), "y") if data.get("y") else None
    function = str(data.get("function") or ("sum" if y else "count"))
    if function not in sql.FUNCTIONS:
        raise Wrong("function", N_("Choose of: {choices}"), choices=", ".join(sql.FUNCTIONS))
    if function != "count" and (y is None or y.kind != "number"):
        raise Wrong("y", N_("This figure needs a field of numbers"))
    return y, function


def _bucket(looked: Looking, where: Any, x: Column, data: Data) -> str:
    """The bucket asked for, or the smallest that gives at most `points` of them."""
    asked = str(data.get("bucket") or "")
    if asked:
        if asked not in sql.BUCKETS:
            raise Wrong("bucket", N_("Choose of: {choices}"), choices=", ".join(sql.BUCKETS))
        return asked
    least, most = sql.ends(looked.connection, looked.relation, where, x)
    least, most = least or 0, most or 0
    span = most - least
    most_points = int(data.get("points") or MOMENTS)
    if x.type == "date" or (span and span % 86_400 == 0 and least % 86_400 == 0):
        span = max(span, 3601 * most_points)  # days have no hours
    return next((name for name, length in sql.BUCKETS.items() if span / length <= most_points), "century")


def features(looked: Looking, data: Data) -> Data:
    """See the action `ccphva_table_features`."""
    geometry = _geometry(looked, str(data.get("geometry") or ""))
    query: Query = queries.parse(looked.columns, data)
    label = next((c for c in looked.columns if c.kind == "text"), None)
    limit = min(int(data.get("limit") or MOST_SHAPES), MOST_SHAPES)
    asked = {"geometry": geometry, "label": label, "box": data.get("box"), "limit": limit}
    found = sql.features(looked.connection, looked.relation, looked.where(query), asked)
    return {
        "type": "FeatureCollection",
        "truncated": len(found) > limit,
        "features": [
            {"type": "Feature", "id": row, "geometry": json.loads(shape), "properties": {"label": text}}
            for row, shape, text in found[:limit]
        ],
    }


def _geometry(looked: Looking, name: str) -> Column:
    if name:
        column = looked.column(name, "geometry")
        if column.kind == "geometry":
            return column
    elif found := next((c for c in looked.columns if c.kind == "geometry"), None):
        return found
    raise Wrong("geometry", N_("This table has no geometry"))


def _plain(values: Data) -> Data:
    return {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    """A value of PostgreSQL as JSON has it: what is no number of JSON is null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number
