"""What a feed promises and demands: its contract. Imports nothing of CKAN.

    {"fields": [{"id": "sensor", "type": "text"},
                {"id": "at", "type": "timestamptz"},
                {"id": "level", "type": "float", "unit": "m", "min": 0, "max": 20}],
     "key": ["sensor"], "time": "at",
     "freshness": 900, "retention": 365, "late": null, "future": 300}

*key* names a series; key and time name a row. *freshness*: seconds within which a new row is promised (null:
no promise). *retention*: days (null: for ever). *late*: seconds that a row may lie behind the newest of its
series (null: any order). *future*: seconds that a row may lie ahead of the clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

TYPES = {
    "text": "text",
    "int": "integer",
    "integer": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "numeric": "numeric",
    "float": "double precision",
    "float8": "double precision",
    "double precision": "double precision",
    "bool": "boolean",
    "boolean": "boolean",
    "timestamp": "timestamptz",
    "timestamptz": "timestamptz",
    "date": "date",
}
"""Names of types that a contract may use, and PostgreSQL's."""

NUMBERS = frozenset({"integer", "bigint", "numeric", "double precision"})
KEYS = frozenset({"text", "integer", "bigint", "boolean", "date"})
"""Types whose values have one way of being written: two equal keys are the same bytes."""

DAY = 86_400
CHANGEABLE = ("freshness", "retention", "late", "future")
_MOST_COLUMNS = 200
_LONGEST_NAME = 63
_PARAMETER = re.compile(r"(?<!\w):\w")


def N_(message: str) -> str:  # noqa: N802 -- the name that gettext's tools know
    """Marks a message for translation where nothing translates yet."""
    return message


class Fault(NamedTuple):
    """One thing that is wrong: an English message, what stands in its braces, and the column it is about."""

    message: str
    values: dict[str, Any]
    column: str = ""

    def told(self, translate: Callable[[str], str]) -> str:
        text = translate(self.message).format(**self.values)
        return f"{self.column}: {text}" if self.column else text


class ContractError(Exception):
    """What is wrong with a contract, by field."""

    def __init__(self, found: dict[str, list[Fault]]) -> None:
        super().__init__(str(found))
        self.found = found

    @property
    def faults(self) -> dict[str, list[str]]:
        """In English."""
        return self.told(str)

    def told(self, translate: Callable[[str], str]) -> dict[str, list[str]]:
        """In the language of a translator such as gettext's."""
        return {name: [each.told(translate) for each in faults] for name, faults in self.found.items()}


@dataclass(frozen=True)
class Column:
    """A column of a feed: `type` is PostgreSQL's; `unit` is a text such as °C."""

    id: str
    type: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    info: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Contract:
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str
    freshness: int | None = None
    retention: int | None = None
    late: int | None = None
    future: int = 300

    @property
    def unique(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return (*self.key, self.time)

    def as_dict(self) -> dict[str, Any]:
        fields = []
        for column in self.columns:
            field: dict[str, Any] = {"id": column.id, "type": column.type}
            told = {"unit": column.unit or None, "min": column.minimum, "max": column.maximum}
            fields.append(field | {name: value for name, value in told.items() if value is not None})
        return {
            "fields": fields,
            "key": list(self.key),
            "time": self.time,
            "freshness": self.freshness,
            "retention": self.retention,
            "late": self.late,
            "future": self.future,
        }


def read(document: Mapping[str, Any]) -> Contract:
    """The contract of a document.

    :raises ContractError: with every fault that it has.
    """
    reader = _Reader(document)
    columns = reader.columns()
    types = {column.id: column.type for column in columns}
    key, time = reader.key(types), reader.time(types)
    contract = Contract(
        columns,
        key,
        time,
        reader.whole("freshness", 1, 366 * DAY),
        reader.whole("retention", 1, 36_600),
        reader.whole("late", 0, 36_600 * DAY),
        reader.whole("future", 0, 366 * DAY, 300) or 0,
    )
    if time in key:
        reader.fault("key", N_("the time column is part of every row's key already: leave it out"))
    if reader.faults:
        raise ContractError(reader.faults)
    return contract


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document, self.faults = document, dict[str, list[Fault]]()

    def fault(self, name: str, message: str, column: str = "", **values: Any) -> None:
        self.faults.setdefault(name, []).append(Fault(message, values, column))

    def columns(self) -> tuple[Column, ...]:
        given = self.document.get("fields")
        if not isinstance(given, list) or not given or len(given) > _MOST_COLUMNS:
            self.fault("fields", N_("a list of 1 to 200 columns is needed"))
            return ()
        columns: list[Column] = []
        for field in given:
            column = self._column(field if isinstance(field, dict) else {})
            if column is None:
                continue
            if column.id in {known.id for known in columns}:
                self.fault("fields", N_("the column is named twice"), column.id)
            columns.append(column)
        return tuple(columns)

    def _column(self, field: Mapping[str, Any]) -> Column | None:
        name = field.get("id")
        if not isinstance(name, str) or not _good_name(name):
            self.fault("fields", N_("not a valid column name"), str(name)[:80])
            return None
        kind = TYPES.get(str(field.get("type", "")).strip().lower())
        if kind is None:
            self.fault("fields", N_("unknown type; known are {known}"), name, known=", ".join(TYPES))
            return None
        low, high = self._limit(name, field.get("min")), self._limit(name, field.get("max"))
        if (low is not None or high is not None) and kind not in NUMBERS:
            self.fault("fields", N_("only numbers have a range"), name)
        if low is not None and high is not None and low > high:
            self.fault("fields", N_("min is above max"), name)
        unit = field.get("unit") or ""
        if not isinstance(unit, str) or len(unit) > 40 or "\0" in unit:
            self.fault("fields", N_("the unit is not a short text"), name)
            unit = ""
        info = field.get("info")
        return Column(name, kind, unit, low, high, info if isinstance(info, dict) else None)

    def _limit(self, name: str, value: Any) -> float | None:
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            self.fault("fields", N_("the range is not made of numbers"), name)
            return None
        return number

    def key(self, types: Mapping[str, str]) -> tuple[str, ...]:
        given = self.document.get("key")
        names = [part.strip() for part in given.split(",")] if isinstance(given, str) else given
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            self.fault("key", N_("name the columns that tell one series from another"))
            return ()
        for name in names:
            if name not in types:
                self.fault("key", N_("there is no such column"), name)
            elif types[name] not in KEYS and name != self.document.get("time"):
                self.fault("key", N_("a key is text, a whole number, a boolean or a date"), name)
        if len(set(names)) < len(names):
            self.fault("key", N_("a column is named twice"))
        return tuple(names)

    def time(self, types: Mapping[str, str]) -> str:
        name = self.document.get("time")
        if not isinstance(name, str) or types.get(name) != "timestamptz":
            self.fault("time", N_("name a column of type timestamptz"))
            return ""
        return name

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int | None:
        value = self.document.get(name)
        if value is None or value == "":
            return default
        text = str(value)
        if isinstance(value, bool) or not text.isascii() or not text.isdecimal() or len(text) > 12:
            number = -1
        else:
            number = int(text)
        if not least <= number <= most:
            self.fault(name, N_("a whole number from {least} to {most} is needed"), least=least, most=most)
            return default
        return number


def _good_name(name: str) -> bool:
    """As core's `is_valid_field_name`, and no name that SQLAlchemy would take for a parameter."""
    return (
        bool(name.strip())
        and name == name.strip()
        and not name.startswith("_")
        and '"' not in name
        and name.isprintable()
        and len(name.encode()) <= _LONGEST_NAME
        and not _PARAMETER.search(name)
    )
