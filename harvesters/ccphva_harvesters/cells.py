"""Cells that fit their columns: one strict reading of numbers, times, texts and geometries for all sources.

What JSON cannot carry or PostgreSQL cannot keep is refused by row, with a reason without the value in it, so
that reasons can be counted: NaN and infinity, integers beyond 64 bits, NUL in texts, dates of the year 12026.

Imports only ``model``.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from .model import Column, Table

FUTURE = dt.timedelta(hours=1)
"""How far ahead of our clock the time column may be: clocks drift, observations do not come from tomorrow."""
LONGEST = 1_000_000
"""Longest text or JSON of a cell, in characters."""
_TIME = re.compile(
    r"^(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$"
)
_TRUE = frozenset({"true", "1", "oui", "yes", "vrai", "ja", "jo"})
_FALSE = frozenset({"false", "0", "non", "no", "faux", "nein", "neen"})


class CellError(ValueError):
    """A cell does not fit; says the column and why."""


def fitter(
    table: Table, now: Callable[[], dt.datetime] | None = None
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function that makes a row fit ``table`` or raises ``CellError``.

    Names that are not columns are refused: a column that appears at the source must be seen, not lost.
    """
    columns = {column.name: column for column in table.columns}
    clock = now or _now

    def fit(values: Mapping[str, Any]) -> dict[str, Any]:
        unknown = [name for name in values if name not in columns]
        if unknown:
            raise CellError(f"{str(unknown[0])[:80]}: no such column")
        fitted = {name: cell(values.get(name), column) for name, column in columns.items()}
        for name in table.key:
            if fitted[name] is None:
                raise CellError(f"{name}: empty, and it names the row")
        when = fitted.get(table.time) if table.time and table.mode == "append" else None
        if isinstance(when, str) and when > text_of(clock() + FUTURE):
            raise CellError(f"{table.time}: lies in the future")
        return fitted

    return fit


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def cell(value: Any, column: Column) -> Any:
    """``value`` as ``column`` holds it, None for empty."""
    if value is None or value == "":
        return None
    try:
        return _READERS[column.type](value)
    except CellError as exc:
        raise CellError(f"{column.name}: {exc}") from None
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise CellError(f"{column.name}: cannot be read as {column.type}") from None


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    elif isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, dt.datetime):
        value = text_of(value)
    text = str(value)
    if len(text) > LONGEST:
        raise CellError(f"longer than {LONGEST} characters")
    if "\x00" in text:
        raise CellError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CellError("holds half a character") from None
    return text


def _number(value: Any) -> float | int:
    if isinstance(value, bool):
        raise CellError("a truth value where a number belongs")
    if isinstance(value, str):
        value = number_of(value)
    if not isinstance(value, (int, float)):
        raise CellError("not a number")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise CellError("not a finite number")
    return value


def number_of(text: str) -> float | int:
    """A number as people here write it: ``1 234,5``, ``-3.2``, ``1e6``."""
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    if len(plain) > 400 or not re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?", plain):
        raise CellError("not a number")
    return int(plain) if re.fullmatch(r"[+-]?\d+", plain) else float(plain.replace(",", "."))


def _integer(value: Any) -> int:
    number = _number(value)
    if isinstance(number, float) and not number.is_integer():
        raise CellError("not a whole number")
    whole = int(number)
    if not -(2**63) <= whole < 2**63:
        raise CellError("larger than 64 bits")
    return whole


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise CellError("not a truth value")


def _timestamp(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return text_of(value)
    if isinstance(value, dt.date):
        return text_of(dt.datetime.combine(value, dt.time()))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise CellError("a bare number: seconds or milliseconds are not told apart")
    return text_of(time_of(str(value)))


def time_of(text: str) -> dt.datetime:
    """A time in ISO 8601, extended or basic (as oneM2M writes it); without a zone it is UTC."""
    match = _TIME.match(text.strip())
    if not match:
        raise CellError("not a time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        when = dt.datetime(year, month, day, hour, minute, min(second, 59), micro, _zone(match[8]))
        return when.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise CellError("not a time") from None


def _zone(text: str | None) -> dt.tzinfo:
    if text is None or text == "Z":
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-offset if text[0] == "-" else offset)


def text_of(when: dt.datetime) -> str:
    """RFC 3339 in UTC, always with microseconds: texts then sort as times do."""
    utc = when.replace(tzinfo=dt.UTC) if when.tzinfo is None else when.astimezone(dt.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if utc.year > 999 else _refuse("not a time")


def _refuse(reason: str) -> Any:
    raise CellError(reason)


def _date(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value).strip()
    french = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text)
    try:
        if french:
            return dt.date(int(french[3]), int(french[2]), int(french[1])).isoformat()
        return dt.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise CellError("not a date") from None


def _json(value: Any) -> Any:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise CellError("not JSON (NaN, infinity or too deep)") from None
    if len(text) > LONGEST:
        raise CellError(f"longer than {LONGEST} characters")
    if "\\u0000" in text:
        raise CellError("holds a NUL character")
    return value


def _geometry(value: Any) -> dict[str, Any]:
    """GeoJSON in longitude, latitude (RFC 7946 §4)."""
    if not isinstance(value, dict):
        raise CellError("not a GeoJSON geometry")
    shape = cast("dict[str, Any]", value)
    if shape.get("type") == "GeometryCollection":
        return {
            "type": "GeometryCollection",
            "geometries": [_geometry(g) for g in shape.get("geometries") or ()],
        }
    if shape.get("type") not in _SHAPES:
        raise CellError("not a GeoJSON geometry")
    if not _on_globe(shape.get("coordinates"), 0):
        raise CellError("not on the globe")
    return {"type": shape["type"], "coordinates": shape["coordinates"]}


_SHAPES = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})


def _on_globe(value: Any, depth: int) -> bool:
    if not isinstance(value, (list, tuple)) or not value or depth > 4:
        return False
    members = cast("list[Any]", value)
    if isinstance(members[0], (list, tuple)):
        return all(_on_globe(member, depth + 1) for member in members)
    if len(members) < 2 or not all(isinstance(n, (int, float)) and math.isfinite(n) for n in members[:3]):
        return False
    return abs(members[0]) <= 180 and abs(members[1]) <= 90


_READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "json": _json,
    "geometry": _geometry,
}
