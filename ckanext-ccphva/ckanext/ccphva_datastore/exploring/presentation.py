"""Values in the reader's words: numbers, dates, truth, names of columns and buckets. No queries."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_decimal
from ckanext.ccphva_datastore import config
from ckanext.ccphva_datastore.exploring.query import Column

GROUPED_FROM = 10_000
"""A year is written without a separator; from five digits on it helps."""
LINK = re.compile(r"https?://[^\s\"'<>\\]+\Z")
OPERATOR_WORDS = {
    "eq": lambda: tk._("is"),
    "ne": lambda: tk._("is not"),
    "gt": lambda: tk._("more than"),
    "gte": lambda: tk._("from"),
    "lt": lambda: tk._("less than"),
    "lte": lambda: tk._("up to"),
    "contains": lambda: tk._("contains"),
    "starts": lambda: tk._("begins with"),
    "empty": lambda: tk._("is empty"),
    "filled": lambda: tk._("is not empty"),
}
FUNCTION_WORDS = {
    "count": lambda: tk._("Number of rows"),
    "sum": lambda: tk._("Sum"),
    "avg": lambda: tk._("Mean"),
    "median": lambda: tk._("Median"),
    "min": lambda: tk._("Least"),
    "max": lambda: tk._("Greatest"),
}
BUCKET_WORDS = {
    "minute": lambda: tk._("minute"),
    "hour": lambda: tk._("hour"),
    "day": lambda: tk._("day"),
    "week": lambda: tk._("week"),
    "month": lambda: tk._("month"),
    "quarter": lambda: tk._("quarter"),
    "year": lambda: tk._("year"),
}


def locale() -> Locale:
    """The reader's, as Babel knows it."""
    try:
        return Locale.parse(str(tk.h.lang()), sep="_")
    except (UnknownLocaleError, ValueError):
        return Locale("fr")


def label(column: Column) -> str:
    """The column's name in the reader's language, as the dictionary has it, else its own."""
    translated = column.info.get("label_translated") or {}
    own = translated.get(str(tk.h.lang())) if isinstance(translated, dict) else None
    return str(own or column.info.get("label") or column.name)


def number(value: Any) -> str:
    """A number with the decimal sign of the reader; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return str(value)
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(exact, Decimal) and abs(exact.adjusted()) > 20:
        return str(exact)
    return format_decimal(
        exact, locale=locale(), decimal_quantization=False, group_separator=abs(exact) >= GROUPED_FROM
    )


def moment(text: str, days: bool = False) -> str:
    """A date or moment of PostgreSQL's, by the reader's clock; what the calendar does not know as it is.

    :param days: only the day.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) <= len("2026-01-31"):
        return format_date(found.date(), "medium", locale=locale())
    if found.tzinfo:
        found = found.astimezone(ZoneInfo(config.time_zone()))
    if days:
        return format_date(found.date(), "medium", locale=locale())
    # Babel takes a moment without a zone for UTC, and is told the same zone to leave it alone.
    return format_datetime(found, "medium", tzinfo=found.tzinfo, locale=locale())


def bucket(text: Any, name: str | None) -> str:
    """The name of a bucket of time: `2026`, `janv. 2026`, a day, a moment."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    if name in ("year", "decade", "century"):
        return str(found.year)
    if name == "quarter":
        return f"{found.year} / {(found.month + 2) // 3}"
    if name == "month":
        return format_skeleton("yMMM", found, locale=locale())
    return moment(str(text), days=name in ("day", "week"))


def truth(value: bool) -> str:
    return tk._("Yes") if value else tk._("No")


def cells(columns: Sequence[Column], records: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """What each cell shows: `text`, `value` (for machines, where it differs), `kind`, `link`."""
    days = {c.name for c in columns if c.kind == "time" and all(_midnight(r[c.name]) for r in records)}
    return [
        [cell(column, record[column.name], column.name in days) for column in columns] for record in records
    ]


def _midnight(text: str | None) -> bool:
    return text is None or len(text) <= len("2026-01-31") or text.endswith(" 00:00:00")


def cell(column: Column, value: Any, days: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": column.kind, "text": "", "value": None, "link": None}
    if value is None:
        return found
    if column.kind == "number":
        return found | {"text": number(value), "value": str(value)}
    if column.kind == "time":
        return found | {"text": moment(value, days), "value": value.replace(" ", "T")}
    if column.kind == "boolean":
        return found | {"text": truth(value), "value": str(value).lower()}
    text = str(value)
    return found | {"text": text, "link": text if LINK.match(text) else None}


def point(value: Any, kind: str, bucket_name: str | None) -> str:
    """The x of a figure in words."""
    if value is None or value == "":
        return tk._("(empty)")
    if kind == "time":
        return bucket(value, bucket_name)
    if kind == "boolean":
        return truth(value)
    return number(value) if kind == "number" else str(value)


def day(value: date | None) -> str:
    return value.isoformat() if value else ""
