"""A contract as a form has it: rows of columns, the key by ticks, the time by a choice. Needs no CKAN.

Empty rows say nothing. What was typed comes back as it was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.ccphva_datastore.feeds.contract import CHANGEABLE

Typed = dict[str, Any]
ROWS, MORE = 6, 4
OFFERED = ("text", "timestamptz", "float", "integer", "bigint", "numeric", "boolean", "date")
"""Types that the form offers, in the order of how often sensors need them."""
PARTS = ("id", "type", "unit", "min", "max")
_MOST = 200


def blank() -> Typed:
    """A form that nobody has filled."""
    columns: list[Typed] = [
        {"id": "sensor", "type": "text", "key": True},
        {"id": "at", "type": "timestamptz"},
        {"id": "value", "type": "float"},
    ]
    return {"columns": columns + [{} for _ in range(ROWS - len(columns))], "time": "1", "future": "300"}


def of(contract: Mapping[str, Any]) -> Typed:
    """The form of a contract that holds."""
    key, time = contract["key"], contract["time"]
    columns = [dict(field) | {"key": field["id"] in key} for field in contract["fields"]]
    position = next((str(n) for n, field in enumerate(contract["fields"]) if field["id"] == time), "")
    terms = {name: "" if contract[name] is None else str(contract[name]) for name in CHANGEABLE}
    return {"columns": columns, "time": position, **terms}


def typed(form: Mapping[str, str]) -> Typed:
    """What a browser sends, as the page shows it again."""
    rows = form.get("rows", "")
    count = int(rows) if rows.isascii() and rows.isdecimal() and len(rows) < 4 else ROWS
    columns = [
        {part: form.get(f"column-{n}-{part}", "").strip() for part in PARTS}
        | {"key": f"column-{n}-key" in form}
        for n in range(min(count, _MOST))
    ]
    return {
        "columns": columns,
        "time": form.get("time", ""),
        **{name: form.get(name, "").strip() for name in CHANGEABLE},
    }


def document(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The contract that a filled form means, for `contract.read`."""
    filled = [(n, column) for n, column in enumerate(shown["columns"]) if column.get("id")]
    time = next((column["id"] for n, column in filled if str(n) == shown["time"]), "")
    return {
        "fields": [{part: column.get(part, "") for part in PARTS} for _, column in filled],
        "key": [column["id"] for _, column in filled if column.get("key")],
        "time": time,
        **{name: shown.get(name, "") for name in CHANGEABLE},
    }


def longer(shown: Typed) -> Typed:
    """The form with some more empty rows."""
    return shown | {"columns": [*shown["columns"], *({} for _ in range(MORE))]}


def beside(faults: Mapping[str, list[str]], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Faults where they stand: `rows` by number of the column, `others` by field."""
    names = {column["id"]: n for n, column in enumerate(shown["columns"]) if column.get("id")}
    rows: dict[int, list[str]] = {}
    others: dict[str, list[str]] = {}
    for field, texts in faults.items():
        for text in texts:
            name, _, rest = text.partition(": ")
            if field in ("fields", "key") and rest and name in names:
                rows.setdefault(names[name], []).append(rest)
            else:
                others.setdefault(field, []).append(text)
    return {"rows": rows, "others": others}
