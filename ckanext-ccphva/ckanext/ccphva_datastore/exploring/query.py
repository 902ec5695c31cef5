"""What a reader asks of a table. The page, the download and the API understand the same. No CKAN, no SQL.

In an address: `search=<words>`, for each condition `column=…&op=…&value=…`, `sort=<column>` or
`sort=<column> desc`, `fields=<column>` for each column shown, `after` or `before` for a page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_CONDITIONS, MOST_WORDS, MOST_TEXT = 20, 10, 1000

KINDS = {
    "number": (
        "int", "int2", "int4", "int8", "numeric", "float4", "float8",
        "smallint", "integer", "bigint", "real", "double precision",
    ),
    "time": ("date", "timestamp", "timestamptz", "timestamp without time zone", "timestamp with time zone"),
    "boolean": ("bool", "boolean"),
    "text": ("text", "varchar", "bpchar", "character varying", "character", "uuid"),
    "geometry": ("geometry", "geography"),
}  # fmt: skip
OPERATORS = {
    "number": ("eq", "ne", "gte", "lte", "gt", "lt", "empty", "filled"),
    "time": ("gte", "lte", "gt", "lt", "eq", "ne", "empty", "filled"),
    "boolean": ("eq", "ne", "empty", "filled"),
    "text": ("contains", "starts", "eq", "ne", "gte", "lte", "empty", "filled"),
    "geometry": ("empty", "filled"),
    "other": ("empty", "filled"),
}
ALONE = ("empty", "filled")
"""Operators that take no value."""


def N_(message: str) -> str:  # noqa: N802 -- the name that gettext's tools know
    """Mark a message for translation: who shows it calls `tk._`."""
    return message


class Wrong(ValueError):  # noqa: N818
    """A part of a query that cannot be answered.

    :ivar part: the parameter; `message`: a msgid; `names`: what stands in it.
    """

    def __init__(self, part: str, message: str, **names: str) -> None:
        super().__init__(message.format(**names))
        self.part, self.message, self.names = part, message, names


@dataclass(frozen=True)
class Column:
    """A column that the reader sees.

    :ivar type: PostgreSQL's name for it, with its modifier, such as `numeric(10,2)`.
    """

    name: str
    type: str
    info: Mapping[str, Any]

    @property
    def kind(self) -> str:
        bare = self.type.split("(")[0].strip()
        if self.type.startswith("timestamp"):
            bare = "timestamp"
        return next((kind for kind, types in KINDS.items() if bare in types), "other")

    @property
    def zoned(self) -> bool:
        """Whether its moments stand on the one time line."""
        return "with time zone" in self.type or self.type == "timestamptz"

    @property
    def sortable(self) -> bool:
        return self.kind not in ("geometry", "other")


@dataclass(frozen=True)
class Condition:
    column: str
    operator: str
    value: str = ""


@dataclass(frozen=True)
class Query:
    """Which rows, which columns, in which order, from where on."""

    search: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: str = ""
    descending: bool = False
    fields: tuple[str, ...] = ()
    after: tuple[str | None, int] | None = None
    before: tuple[str | None, int] | None = None

    def arguments(self, others: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
        """What an address says after its question mark; without the place in the pages."""
        found = [("search", self.search)] if self.search else []
        for each in self.conditions:
            found += [("column", each.column), ("op", each.operator), ("value", each.value)]
        if self.sort:
            found.append(("sort", self.order))
        found += [("fields", name) for name in self.fields]
        return found + [(name, value) for name, value in (others or {}).items() if value]

    @property
    def order(self) -> str:
        return f"{self.sort} desc" if self.descending else self.sort

    def narrowed(self, *conditions: Condition) -> Query:
        return replace(self, conditions=(*self.conditions, *conditions))


def parse(columns: Sequence[Column], data: Mapping[str, Any]) -> Query:
    """The query in an action's payload.

    :param data: `search`, `where` (list of `[column, operator, value]`), `sort`, `fields` (list), `after`,
        `before`; all may lack.
    :raises Wrong: a column that this reader does not see, an operator that does not fit, a broken cursor.
    """
    known = {column.name: column for column in columns}
    search = _text("search", data.get("search"))
    if len(search.split()) > MOST_WORDS:
        raise Wrong("search", N_("At most {most} words"), most=str(MOST_WORDS))
    sort, descending = _order(known, _text("sort", data.get("sort")))
    fields = tuple(dict.fromkeys(str(name) for name in data.get("fields") or ()))
    for name in fields:
        seen(known, name, "fields")
    return Query(
        search,
        tuple(_conditions(known, data.get("where") or ())),
        sort,
        descending,
        fields,
        cursor("after", data.get("after")),
        cursor("before", data.get("before")),
    )


def seen(known: Mapping[str, Column], name: str, part: str) -> Column:
    """The column of that name; a hidden one and one that does not exist are the same."""
    if name not in known:
        raise Wrong(part, N_('There is no field "{field}"'), field=name)
    return known[name]


def _order(known: Mapping[str, Column], text: str) -> tuple[str, bool]:
    if not text:
        return "", False
    name, descending = text, False
    if name not in known:
        for ending in (" desc", " asc"):
            if text.lower().endswith(ending):
                name, descending = text[: -len(ending)], ending == " desc"
    if not seen(known, name, "sort").sortable:
        raise Wrong("sort", N_('The field "{field}" has no order'), field=name)
    return name, descending


def _conditions(known: Mapping[str, Column], listed: Any) -> Iterable[Condition]:
    if not isinstance(listed, list | tuple) or len(listed) > MOST_CONDITIONS:
        raise Wrong("where", N_("At most {most} conditions"), most=str(MOST_CONDITIONS))
    for each in listed:
        if not isinstance(each, list | tuple) or len(each) not in (2, 3):
            raise Wrong("where", N_("A condition is a column, an operator and a value"))
        name, operator = str(each[0]), str(each[1])
        column = seen(known, name, "where")
        if operator not in OPERATORS[column.kind]:
            raise Wrong("where", N_('The operator "{operator}" does not fit this field'), operator=operator)
        value = _text("where", each[2] if len(each) == 3 else "")
        if operator in ALONE:
            yield Condition(name, operator)
        elif value:
            yield Condition(name, operator, value)


def _text(part: str, value: Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > MOST_TEXT or "\0" in text:
        raise Wrong(part, N_("This text is too long or holds signs that no text has"))
    return text.strip()


def cursor(part: str, text: Any) -> tuple[str | None, int] | None:
    """A place between two rows: the text of the sorted value, and the row's `_id`."""
    if not text:
        return None
    try:
        padded = str(text) + "=" * (-len(str(text)) % 4)
        value, row = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if not (value is None or isinstance(value, str)) or isinstance(row, bool) or not isinstance(row, int):
            raise ValueError(text)
        if abs(row) >= 1 << 63 or "\0" in (value or ""):
            raise ValueError(text)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise Wrong(part, N_("This page does not exist")) from error
    return value, row


def place(value: str | None, row: int) -> str:
    """The cursor that `cursor` reads."""
    return base64.urlsafe_b64encode(json.dumps([value, row]).encode()).decode().rstrip("=")


def from_address(pairs: Mapping[str, list[str]]) -> dict[str, Any]:
    """The payload of an action from an address's parameters, each with all its values."""
    names, operators, values = (pairs.get(name, []) for name in ("column", "op", "value"))
    whole = zip(names, operators, values + [""] * len(names), strict=False)
    found: dict[str, Any] = {"where": [list(each) for each in whole if each[0]]}
    for name in ("search", "sort", "after", "before"):
        found[name] = (pairs.get(name) or [""])[-1]
    found["fields"] = pairs.get("fields", [])
    return found
