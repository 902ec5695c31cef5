"""What stands beside the rows: what a column holds, and figures with their choices, in the reader's words."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva_datastore.exploring import figures, presentation
from ckanext.ccphva_datastore.exploring.addresses import CHART, Address
from ckanext.ccphva_datastore.exploring.query import Column
from ckanext.ccphva_datastore.exploring.tables import Looking

Data = dict[str, Any]


def about(looked: Looking, data: Data, address: Address) -> Data | None:
    """What a column holds: its ends, its mean, its histogram, of the rows that the filters keep."""
    name = address.asked.get("about")
    if not name:
        return None
    column = looked.column(name, "about")
    summed = figures.summary(looked, data | {"fields": [name]})["columns"][name]
    spread = figures.histogram(looked, data | {"fields": [], "column": name})
    most = max((each["count"] for each in spread["bins"]), default=0) or 1
    facts = [(tk._("Rows with a value"), presentation.number(summed["filled"]))]
    facts.append((tk._("Rows without"), presentation.number(summed["empty"])))
    bucket = spread.get("bucket")
    write = presentation.moment if column.kind == "time" else presentation.number
    for key, text in (("min", tk._("Least")), ("max", tk._("Greatest")), ("mean", tk._("Mean"))):
        if summed[key] is not None:
            facts.append((text, write(_short(summed[key]))))
    return {
        "label": presentation.label(column),
        "facts": facts,
        "bins": [
            {
                "text": _bin(each, column, bucket),
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
    if function != "count" and y is None:
        y = next(iter(numbers), None)
        function = function if y else "count"
    where = list(data["where"])
    if view == "time":
        where += [
            [x.name, operator, asked[key]]
            for key, operator in (("from", "gte"), ("to", "lte"))
            if asked.get(key)
        ]
    question = {"x": x.name, "y": y.name if y else None, "function": function, "bucket": asked.get("bucket")}
    found = figures.aggregate(looked, data | {"where": where, "fields": []} | question)
    title = presentation.FUNCTION_WORDS[function]()
    y_label = f"{title} – {presentation.label(y)}" if y and function != "count" else title
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
        "y_label": y_label,
        "counted": function == "count",
        "offered": [{"name": c.name, "label": presentation.label(c), "chosen": c is x} for c in offered],
        "numbers": [{"name": c.name, "label": presentation.label(c), "chosen": c is y} for c in numbers],
        "functions": [
            {"name": n, "text": word(), "chosen": n == function}
            for n, word in presentation.FUNCTION_WORDS.items()
        ],
        "buckets": [{"name": n, "text": w(), "chosen": n == asked.get("bucket")} for n, w in words.items()],
        "from": asked.get("from", ""),
        "to": asked.get("to", ""),
        "hidden": address.hidden(*CHART),
        "zoomed_out": address.without("from", "to") if asked.get("from") or asked.get("to") else None,
        "drawn": {
            "kind": "line" if view == "time" else "bar",
            "label": f"{y_label} – {presentation.label(x)}",
            "unit": found["bucket"],
            "points": [[each["x"], each["y"], each["text"], each["y_text"]] for each in groups],
        },
    }


def _first(offered: list[Column], looked: Looking) -> Column:
    """The column that a chart begins with: a text, else whatever there is."""
    texts = [column for column in offered if column.kind in ("text", "boolean")]
    return (texts or offered or list(looked.columns))[0]
