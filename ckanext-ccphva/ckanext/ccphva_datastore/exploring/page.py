"""The explorer as a template shows it: one dictionary, everything in it in the reader's language.

An address says everything: what stands behind its question mark makes the same page for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva_datastore.exploring import panels, presentation, tables, usage
from ckanext.ccphva_datastore.exploring import query as queries
from ckanext.ccphva_datastore.exploring.addresses import CHART, Address, Place
from ckanext.ccphva_datastore.exploring.query import ALONE, OPERATORS, Column, Query
from ckanext.ccphva_datastore.exploring.storage import rows
from ckanext.ccphva_datastore.exploring.tables import Looking
from ckanext.ccphva_datastore.feeds import storage as feeds

Data = dict[str, Any]
VIEWS = ("table", "map", "time", "chart")


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
        faults: dict[str, Any] = error.error_dict
        texts = [str(text) for listed in faults.values() for text in listed]
        return {"faults": texts, "place": place, "again": f"{place.page}#explorer"}


def _whole(looked: Looking, place: Place, asked: Mapping[str, list[str]]) -> Data:
    data = _newest_first(looked, queries.from_address(asked))
    row = _row(asked)
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
        "about": panels.about(looked, data, address),
    }
    if view in ("time", "chart"):
        return found | {"chart": panels.chart(looked, data, address, view)}
    if view == "map":
        found["map"] = {"features": usage.features_url(looked, query), "row": address.to(about="", row="ROW")}
    return found | _rows(looked, data, shown, address)


def _newest_first(looked: Looking, data: Data) -> Data:
    """A feed begins with the rows that came last where the reader asks for no order."""
    if any(data.get(name) for name in ("sort", "after", "before")) or feeds.show(looked.resource_id) is None:
        return data
    return data | {"sort": "_id desc"}


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
