"""The explorer as a template shows it: one dictionary, everything in it in the reader's language.

An address says everything: what stands behind its question mark makes the same page for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva_datastore.exploring import figures, presentation, tables, usage
from ckanext.ccphva_datastore.exploring import query as queries
from ckanext.ccphva_datastore.exploring.query import ALONE, OPERATORS, Column, Query
from ckanext.ccphva_datastore.exploring.storage import rows
from ckanext.ccphva_datastore.exploring.tables import Looking

Data = dict[str, Any]
VIEWS = ("table", "map", "time", "chart")
CHART = ("x", "y", "function", "bucket", "from", "to")
"""Parameters of the views of figures."""


@dataclass(frozen=True)
class Place:
    """Where a resource's pages are.

    :ivar page: the resource's own; `part`: the explorer alone, for scripts that put it in place.
    """

    resource: Mapping[str, Any]
    page: str
    part: str
    api: str


class Address:
    """Links that change one thing and keep the others."""

    def __init__(self, place: Place, query: Query, asked: Mapping[str, list[str]]) -> None:
        self.place, self.query = place, query
        self.asked = {n: asked[n][-1] for n in ("view", *CHART, "about") if asked.get(n)}

    def to(self, query: Query | None = None, **changes: str) -> str:
        kept = {n: v for n, v in (self.asked | changes).items() if v and (n, v) != ("view", "table")}
        pairs = (query or self.query).arguments(**kept)
        return f"{self.place.page}{'?' if pairs else ''}{urlencode(pairs)}#explorer"

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """What a form sends along."""
        return [pair for pair in self.query.arguments(**self.asked) if pair[0] not in without]


def show(context: Context, place: Place, asked: Mapping[str, list[str]]) -> Data | None:
    """The explorer of a resource; None where this reader sees no table.

    :param asked: the address's parameters, each with all its values.
    """
    try:
        resource_id = tables.resource_of(place.resource["id"])
        tk.check_access("datastore_search", context, {"resource_id": resource_id})
        with tables.looking(context, resource_id, "ccphva_table_rows") as looked:
            return _whole(looked, place, asked)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
    except tk.ValidationError as error:
        texts = [str(text) for texts in error.error_dict.values() for text in texts]
        return {"faults": texts, "place": place, "again": f"{place.page}#explorer"}


def _whole(looked: Looking, place: Place, asked: Mapping[str, list[str]]) -> Data:
    data = queries.from_address(asked)
    if row := _row(asked):
        data["where"] = [*data["where"]]
    query = queries.parse(looked.columns, data)
    address = Address(place, query, asked)
    offered = views(looked)
    view = (asked.get("view") or ["table"])[-1]
    view = view if view in offered else "table"
    shown = [c for c in looked.columns if (c.name in query.fields if query.fields else c.name != "_id")]
    found = {
        "place": place,
        "faults": [],
        "view": view,
        "tabs": [_tab(name, name == view, address) for name in offered],
        "query": query,
        "filters": [_filter(looked, each, address) for each in query.conditions],
        "clear": address.to(Query(sort=query.sort, descending=query.descending, fields=query.fields)),
        "choices": [_choice(column, query) for column in looked.columns],
        "operators": [{"value": name, "text": word()} for name, word in presentation.OPERATOR_WORDS.items()],
        "hidden": address.hidden("search"),
        "hidden_fields": address.hidden("fields"),
        "columns": [_column(column, address) for column in shown],
        "downloads": usage.downloads(looked, query),
        "usage": usage.lines(looked, query),
        "row": _detail(looked, row, address) if row else None,
        "about": about(looked, data, address),
    }
    if view in ("time", "chart"):
        return found | {"chart": chart(looked, data, address, view)}
    if view == "map":
        found["map"] = {"features": usage.features_url(looked, query), "row": address.to(about="", row="ROW")}
    return found | _rows(looked, data, shown, address)


def views(looked: Looking) -> list[str]:
    kinds = {column.kind for column in looked.columns}
    needs = {"table": True, "map": "geometry" in kinds, "time": "time" in kinds, "chart": True}
    return [name for name in VIEWS if needs[name]]


def _tab(name: str, current: bool, address: Address) -> Data:
    texts = {"table": tk._("Table"), "map": tk._("Map"), "time": tk._("Over time"), "chart": tk._("Chart")}
    blank = dict.fromkeys((*CHART, "about"), "")
    return {"name": name, "text": texts[name], "current": current, "url": address.to(**blank, view=name)}


def _column(column: Column, address: Address) -> Data:
    query = address.query
    sorted_by = query.sort == column.name
    turned = replace(query, sort=column.name, descending=sorted_by and not query.descending)
    return {
        "name": column.name,
        "label": presentation.label(column),
        "kind": column.kind,
        "notes": str(column.info.get("notes") or ""),
        "order": ("descending" if query.descending else "ascending") if sorted_by else None,
        "sort": address.to(turned) if column.sortable else None,
        "about": address.to(about=column.name) if column.sortable else None,
    }


def _choice(column: Column, query: Query) -> Data:
    shown = column.name in query.fields if query.fields else column.name != "_id"
    return {
        "name": column.name,
        "label": presentation.label(column),
        "kind": column.kind,
        "shown": shown,
        "operators": " ".join(OPERATORS[column.kind]),
    }


def _filter(looked: Looking, condition: queries.Condition, address: Address) -> Data:
    column = looked.column(condition.column, "where")
    rest = tuple(each for each in address.query.conditions if each is not condition)
    value = condition.value
    if column.kind == "boolean":
        value = presentation.truth(value.lower() in ("true", "1", "yes"))
    words = [presentation.label(column), presentation.OPERATOR_WORDS[condition.operator]()]
    text = " ".join(words if condition.operator in ALONE else [*words, value])
    return {"text": text, "remove": address.to(replace(address.query, conditions=rest))}


def _rows(looked: Looking, data: Data, shown: list[Column], address: Address) -> Data:
    found = tables.page(looked, data | {"fields": [column.name for column in shown], "limit": tables.PAGE})
    cells = presentation.cells(shown, found["records"])
    total = found["total"]
    counted = total is not None and total <= rows.MOST_COUNTED
    return {
        "rows": [
            {"id": row, "cells": each, "url": address.to(row=str(row))}
            for row, each in zip(found["ids"], cells, strict=True)
        ],
        "total": total if counted else None,
        "total_text": presentation.number(total) if counted else presentation.number(rows.MOST_COUNTED),
        "more_than": not counted and total is not None,
        "next": address.to(after=found["next"]) if found["next"] else None,
        "previous": address.to(before=found["previous"]) if found["previous"] else None,
    }


def _row(asked: Mapping[str, list[str]]) -> int | None:
    text = (asked.get("row") or [""])[-1]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _detail(looked: Looking, row: int, address: Address) -> Data:
    """All fields of one row."""
    found = tables.page(looked, {"where": [["_id", "eq", str(row)]], "limit": 1})
    shown = list(looked.columns)
    cells = presentation.cells(shown, found["records"])
    fields = [
        {"label": presentation.label(column), "cell": cell}
        for column, cell in zip(shown, cells[0] if cells else [], strict=False)
    ]
    return {"id": row, "fields": fields, "close": address.to()}


def about(looked: Looking, data: Data, address: Address) -> Data | None:
    """What a column holds: its ends, its mean, its histogram, of the rows that the filters keep."""
    name = address.asked.get("about")
    if not name:
        return None
    column = looked.column(name, "about")
    summed = figures.summary(looked, data | {"fields": [name]})["columns"][name]
    spread = figures.histogram(looked, data | {"fields": [], "column": name}) if column.sortable else {"bins": []}
    most = max((each["count"] for each in spread["bins"]), default=0) or 1
    facts = [(tk._("Rows with a value"), presentation.number(summed["filled"]))]
    facts.append((tk._("Rows without"), presentation.number(summed["empty"])))
    write = presentation.moment if column.kind == "time" else presentation.number
    for key, text in (("min", tk._("Least")), ("max", tk._("Greatest")), ("mean", tk._("Mean"))):
        if summed[key] is not None:
            facts.append((text, write(_short(summed[key]))))
    return {
        "label": presentation.label(column),
        "facts": facts,
        "bins": [
            {
                "text": _bin(each, column, spread.get("bucket")),
                "count": presentation.number(each["count"]),
                "percent": round(100 * each["count"] / most, 2),
            }
            for each in spread["bins"]
        ],
        "truncated": spread.get("truncated"),
        "close": address.to(about=""),
    }


def _short(value: Any) -> Any:
    """A mean with as many digits as tell something."""
    return float(f"{value:.6g}") if isinstance(value, float) and abs(value) < 1e6 else value


def _bin(each: Data, column: Column, bucket: str | None) -> str:
    if "from" in each:
        return f"{presentation.number(each['from'])} – {presentation.number(each['to'])}"
    return presentation.point(each["value"], column.kind, bucket)


def chart(looked: Looking, data: Data, address: Address, view: str) -> Data:
    """Figures by time or by category, with what may be chosen."""
    columns = [c for c in looked.columns if c.sortable and c.name != "_id"]
    times = [c for c in columns if c.kind == "time"]
    offered = times if view == "time" else [c for c in columns if c.kind != "time"] or columns
    numbers = [c for c in columns if c.kind == "number"]
    asked = address.asked
    x = next((c for c in offered if c.name == asked.get("x")), None) or _first(offered, looked)
    y = next((c for c in numbers if c.name == asked.get("y")), None)
    function = asked.get("function") or ("avg" if y and view == "time" else "sum" if y else "count")
    function = function if y or function == "count" else "count"
    where = list(data["where"])
    if view == "time":
        where += [[x.name, operator, asked[key]] for key, operator in (("from", "gte"), ("to", "lte")) if asked.get(key)]
    question = {"x": x.name, "y": y.name if y else None, "function": function, "bucket": asked.get("bucket")}
    found = figures.aggregate(looked, data | {"where": where, "fields": []} | question)
    title = presentation.FUNCTION_WORDS[function]()
    groups = [
        {
            "x": each["x"],
            "text": presentation.point(each["x"], x.kind, found["bucket"]),
            "y": each["y"],
            "y_text": presentation.number(_short(each["y"])),
            "rows": presentation.number(each["rows"]),
        }
        for each in found["groups"]
    ]
    words = presentation.BUCKET_WORDS
    return {
        "groups": groups,
        "truncated": found["truncated"],
        "bucket": found["bucket"],
        "x": {"name": x.name, "label": presentation.label(x), "kind": x.kind},
        "y_label": f"{title} – {presentation.label(y)}" if y and function != "count" else title,
        "offered": [{"name": c.name, "label": presentation.label(c), "chosen": c is x} for c in offered],
        "numbers": [{"name": c.name, "label": presentation.label(c), "chosen": c is y} for c in numbers],
        "functions": [
            {"name": n, "text": word(), "chosen": n == function} for n, word in presentation.FUNCTION_WORDS.items()
        ],
        "buckets": [{"name": n, "text": w(), "chosen": n == asked.get("bucket")} for n, w in words.items()],
        "from": asked.get("from", ""),
        "to": asked.get("to", ""),
        "hidden": address.hidden(*CHART),
        "zoomed_out": address.to(**{"from": "", "to": ""}) if asked.get("from") or asked.get("to") else None,
        "drawn": {
            "kind": "line" if view == "time" else "bar",
            "label": f"{title} – {presentation.label(x)}",
            "unit": found["bucket"],
            "points": [[each["x"], each["y"], each["text"], each["y_text"]] for each in groups],
        },
    }


def _first(offered: list[Column], looked: Looking) -> Column:
    """The column that a chart begins with: a text, else whatever there is."""
    texts = [column for column in offered if column.kind in ("text", "boolean")]
    return (texts or offered or list(looked.columns))[0]
