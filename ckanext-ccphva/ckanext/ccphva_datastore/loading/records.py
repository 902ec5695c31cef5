"""JSON records: a list of objects, an object with one list of them, or an object a line. No CKAN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ckanext.ccphva_datastore.loading.faults import Fault
from ckanext.ccphva_datastore.loading.table import Table

MOST_NAMES = 2_000


def is_geojson(document: Any) -> bool:
    return isinstance(document, dict) and document.get("type") in (
        "FeatureCollection", "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon",
        "MultiPolygon", "GeometryCollection",
    )  # fmt: skip


def read(path: Path) -> Any:
    """The document, or the list of a file with an object a line.

    :raises Fault: no JSON, with the line.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Fault("encoding", line=data[: error.start].count(b"\n") + 1, encoding="UTF-8") from error
    try:
        return json.loads(text)
    except RecursionError as error:
        raise Fault("json", reason="it is nested too deeply") from error
    except ValueError as error:
        if getattr(error, "msg", "") == "Extra data" and text.lstrip().startswith("{"):
            return _lines(text)
        raise Fault("json", reason=str(error)) from error


def _lines(text: str) -> list[Any]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise Fault("json", reason=f"line {number}: {error}") from error
    return found


def table(document: Any) -> Table:
    """The table of a list of objects.

    :raises Fault: it is something else.
    """
    records = document
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list) and value]
        records = next((each for each in lists if all(isinstance(item, dict) for item in each)), None)
        if not records:
            raise Fault("no-rows" if not lists and not document else "json-shape")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise Fault("json-shape")
    names = list(dict.fromkeys(name for record in records for name in record))
    if not names:
        raise Fault("no-rows")
    if len(names) > MOST_NAMES:
        raise Fault("columns", count=len(names), most=MOST_NAMES)

    def rows() -> Iterator[list[str]]:
        for number, record in enumerate(records, 1):
            found.line = number
            yield [text(record.get(name)) for name in names]

    found = Table(names, rows)
    return found


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
