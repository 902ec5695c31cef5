"""OpenAPI 3.1 of one table: its real columns and types, and an example that the portal really gives.

Everything in it is what the reader who asks may see: it passes the same gate as the rows.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva_datastore.exploring import presentation, tables, usage
from ckanext.ccphva_datastore.exploring.query import OPERATORS, Column
from ckanext.ccphva_datastore.exploring.storage.figures import BUCKETS, FUNCTIONS
from ckanext.ccphva_datastore.exploring.tables import Looking

Data = dict[str, Any]
MEDIA = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "xml": "text/xml",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}


def document(context: Context, found: tuple[Data, Data]) -> Data | None:
    """The description of the table of a resource; None where this reader sees none.

    :param found: the dataset and the resource, as `package_show` gives them to this reader.
    """
    dataset, resource = found
    try:
        resource_id = tables.resource_of(resource["id"])
        tk.check_access("datastore_search", context, {"resource_id": resource_id})
        with tables.looking(context, resource_id, "ccphva_table_rows") as looked:
            columns = looked.columns
            answer = _description(looked, dataset, resource)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
    asked = {"resource_id": resource_id, "limit": 1}
    example = tk.get_action("datastore_search")(Context(user=context.get("user", "")), asked)
    _give_examples(answer, columns, example)
    return answer


def _description(looked: Looking, dataset: Data, resource: Data) -> Data:
    geometry = any(column.kind == "geometry" for column in looked.columns)
    forms = [form for form in usage.FORMATS if geometry or form != "geojson"]
    site = str(tk.config["ckan.site_url"]).rstrip("/")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{dataset.get('title') or dataset['name']} – {resource.get('name') or resource['id']}",
            "version": str(resource.get("last_modified") or resource.get("created") or "1"),
            "description": tk._("Rows of one table of the portal: as pages, as figures, as files."),
        },
        "servers": [{"url": site + str(tk.config.get("ckan.root_path") or "").replace("/{{LANG}}", "")}],
        "paths": {
            **_actions(looked, geometry),
            f"/datastore/dump/{looked.resource_id}": {"get": _dump(forms)},
        },
        "components": {
            "schemas": {
                "Row": {
                    "type": "object",
                    "properties": {column.name: _property(column) for column in looked.columns},
                },
                "Column": {"type": "string", "enum": [column.name for column in looked.columns]},
                "Fault": {
                    "type": "object",
                    "required": ["success", "error"],
                    "properties": {"success": {"const": False}, "error": {"type": "object"}},
                },
            }
        },
    }


def _actions(looked: Looking, geometry: bool) -> Data:
    column = {"$ref": "#/components/schemas/Column"}
    text, whole = {"type": "string"}, {"type": "integer", "minimum": 1}
    where = _parameter("where", text, tk._("JSON: a list of [column, operator, value]"))
    rows = [_parameter("search", text, tk._("Words that a row must hold")), where]
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
    searched = {
        "type": "object",
        "required": ["records", "fields", "total"],
        "properties": {"records": listed, "fields": {"type": "array"}, "total": {"type": "integer"}},
    }
    paths = {
        "datastore_search": (
            tk._("Rows, as CKAN gives them"),
            [
                _parameter("q", text, tk._("Words that a row must hold")),
                _parameter("filters", text, tk._("JSON: {column: value}")),
                _parameter("limit", whole | {"default": 100}, tk._("Rows of a page")),
                _parameter("offset", {"type": "integer", "minimum": 0}, tk._("Rows to pass over")),
            ],
            searched,
        ),
        "ccphva_table_rows": (
            tk._("A page of rows, in any order"),
            [
                *rows,
                _parameter("sort", text, tk._("A column, or a column and “desc”")),
                _parameter("after", text, tk._("“next” of another answer")),
                _parameter("limit", whole | {"maximum": tables.MOST_ROWS}, tk._("Rows of a page")),
            ],
            {"type": "object", "required": ["records", "next", "previous"]},
        ),
        "ccphva_table_summary": (
            tk._("What columns hold"),
            rows,
            {"type": "object", "required": ["total", "columns"]},
        ),
        "ccphva_table_histogram": (
            tk._("How the values of a column are spread"),
            [*rows, _parameter("column", column, tk._("Column"), required=True)],
            {"type": "object", "required": ["column", "bins"]},
        ),
        "ccphva_table_aggregate": (
            tk._("Figures by time or by category"),
            [
                *rows,
                _parameter("x", column, tk._("Column"), required=True),
                _parameter("y", column, tk._("Column of numbers")),
                _parameter("function", {"type": "string", "enum": list(FUNCTIONS)}, tk._("Figure")),
                _parameter("bucket", {"type": "string", "enum": list(BUCKETS)}, tk._("Of a column of times")),
            ],
            {"type": "object", "required": ["x", "function", "groups"]},
        ),
    }
    if geometry:
        shapes = {"type": "object", "required": ["type", "features"]}
        paths["ccphva_table_features"] = (tk._("Shapes of rows for a map"), rows, shapes)
    table = _parameter("resource_id", {"const": looked.resource_id}, tk._("This table"), required=True)
    return {
        f"/api/3/action/{name}": {"get": _operation(name, summary, [table, *parameters], result)}
        for name, (summary, parameters, result) in paths.items()
    }


def _operation(name: str, summary: str, parameters: list[Data], result: Data) -> Data:
    envelope = {
        "type": "object",
        "required": ["success", "result"],
        "properties": {"success": {"const": True}, "result": result},
    }
    fault = {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": tk._("The answer"), "content": {"application/json": {"schema": envelope}}},
            "404": {"description": tk._("There is no such table"), "content": fault},
            "409": {"description": tk._("A parameter is wrong; the answer says which"), "content": fault},
        },
    }


def _dump(forms: list[str]) -> Data:
    column = {"$ref": "#/components/schemas/Column"}
    operators = sorted({name for kind in OPERATORS.values() for name in kind})
    several = {"style": "form", "explode": True}
    listed = {"type": "array", "items": column}
    return {
        "operationId": "dump",
        "summary": tk._("The whole table, or the rows that match, as a file"),
        "parameters": [
            _parameter("format", {"type": "string", "enum": forms, "default": "csv"}, tk._("Format")),
            _parameter("search", {"type": "string"}, tk._("Words that a row must hold")),
            _parameter("column", listed, tk._("Columns of the conditions, with as many op and value"))
            | several,
            _parameter("op", {"type": "array", "items": {"enum": operators}}, tk._("Their operators"))
            | several,
            _parameter("value", {"type": "array", "items": {"type": "string"}}, tk._("Their values"))
            | several,
            _parameter("fields", listed, tk._("Columns of the file")) | several,
            _parameter("limit", {"type": "integer", "minimum": 0}, tk._("Most rows")),
        ],
        "responses": {
            "200": {
                "description": tk._("The file"),
                "content": {MEDIA[form]: {"schema": {"type": "string"}} for form in forms},
            },
            "400": {"description": tk._("A parameter is wrong; the answer says which")},
            "404": {"description": tk._("There is no such table")},
            "503": {"description": tk._("Many tables are being downloaded: come back in a minute")},
        },
    }


def _parameter(name: str, schema: Data, description: str, required: bool = False) -> Data:
    found = {"name": name, "in": "query", "schema": schema, "description": description}
    return found | {"required": True} if required else found


def _property(column: Column) -> Data:
    """The JSON of a column in CKAN's answers; any of them may be empty."""
    kinds: dict[str, list[str]] = {
        "number": ["integer", "null"],
        "boolean": ["boolean", "null"],
        "text": ["string", "null"],
        "time": ["string", "null"],
        "geometry": ["object", "null"],
    }
    found: Data = {"title": presentation.label(column), "x-postgresql-type": column.type}
    if column.type.startswith(("numeric", "real", "double")):
        kinds["number"] = ["number", "string", "null"]  # NaN and Infinity are texts
    if column.kind in kinds:
        found["type"] = kinds[column.kind]
    if column.type == "date":
        found["format"] = "date"
    if notes := column.info.get("notes"):
        found["description"] = str(notes)
    return found


def _give_examples(answer: Data, columns: tuple[Column, ...], searched: Data) -> None:
    """The first row, as the portal gives it, where an answer has rows."""
    records = searched["records"]
    if not records:
        return
    seen = {column.name for column in columns}
    row = {name: value for name, value in records[0].items() if name in seen}
    answer["components"]["schemas"]["Row"]["examples"] = [row]
    result = {"fields": searched["fields"], "records": [row], "total": searched.get("total", len(records))}
    content = answer["paths"]["/api/3/action/datastore_search"]["get"]["responses"]["200"]["content"]
    content["application/json"]["example"] = {"success": True, "result": result}
