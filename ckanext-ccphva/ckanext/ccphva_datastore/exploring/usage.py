"""Lines to copy: how programs and people's tools take exactly the rows that a page shows. No queries."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from ckanext.ccphva_datastore.exploring.query import Query
from ckanext.ccphva_datastore.exploring.tables import Looking

FORMATS = {
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "xml": "XML",
    "parquet": "Parquet",
    "geojson": "GeoJSON",
}


def address(looked: Looking, query: Query, form: str, **others: str) -> str:
    """Where these rows are as a file: the portal's own address, without a language."""
    pairs = [(n, v) for n, v in query.arguments() if n != "sort"]
    if query.sort:
        quoted = '"' + query.sort.replace('"', '""') + '"'
        pairs.append(("sort", f"{quoted} {'desc' if query.descending else 'asc'} nulls last"))
    base = tk.url_for("datastore.dump", resource_id=looked.resource_id, locale="default", _external=True)
    return f"{base}?{urlencode([('format', form), *pairs, *others.items()])}"


def downloads(looked: Looking, query: Query) -> list[dict[str, str]]:
    geometry = any(column.kind == "geometry" for column in looked.columns)
    found = []
    for form, name in FORMATS.items():
        if form == "geojson" and not geometry:
            continue
        others = {"bom": "1"} if form in ("csv", "tsv") else {}
        found.append({"name": name, "url": address(looked, query, form, **others)})
    return found


def action(looked: Looking, query: Query, name: str, **others: Any) -> str:
    """The address of one of the explorer's actions with these rows."""
    asked: dict[str, Any] = {"resource_id": looked.resource_id} | others
    if query.search:
        asked["search"] = query.search
    if query.conditions:
        where = [[each.column, each.operator, each.value] for each in query.conditions]
        asked["where"] = json.dumps(where, ensure_ascii=False)
    base = tk.url_for("api.action", ver=3, logic_function=name, locale="default", _external=True)
    return f"{base}?{urlencode(asked)}"


def features_url(looked: Looking, query: Query) -> str:
    return action(looked, query, "ccphva_table_features")


def lines(looked: Looking, query: Query) -> list[dict[str, str]]:
    """Each way with its name, what to write, and a hint."""
    csv, geojson = address(looked, query, "csv"), address(looked, query, "geojson")
    found = [
        {"name": "curl", "text": f"curl -o table.csv {_shell(csv)}"},
        {"name": "Python", "text": f"import pandas\n\ntable = pandas.read_csv({json.dumps(csv)})"},
        {
            "name": "JavaScript",
            "text": f"const answer = await fetch({json.dumps(address(looked, query, 'json'))});\n"
            "const { fields, records } = await answer.json();",
        },
        {"name": "R", "text": f"table <- read.csv({json.dumps(csv)})"},
        {
            "name": "Excel",
            "text": address(looked, query, "csv", bom="1", safe="1"),
            "hint": tk._("Data → From text/CSV or From the web: paste this address."),
        },
    ]
    if any(column.kind == "geometry" for column in looked.columns):
        hint = tk._("Layer → Add vector layer → Protocol: paste this address.")
        found.append({"name": "QGIS", "text": geojson, "hint": hint})
    return found


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
