"""Checks rows against a contract, a column at a time. Imports nothing of CKAN.

A column whose values are all of the expected kind is checked by a few operations on the whole of it; only a
column with a fault in it is looked at value by value. What comes out are elements of PostgreSQL's array
literals (PostgreSQL 15, section 8.15.6), or None for NULL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ckanext.ccphva_datastore.feeds.contract import Column, Contract
from ckanext.ccphva_datastore.feeds.reasons import Reason

Element = str | None
Row = tuple[Element, ...]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_WHOLE = re.compile(r"[+-]?\d{1,20}")
_BOUNDS = {"integer": 2**31, "bigint": 2**63}
_BOOLEANS = {"true": "t", "false": "f", "t": "t", "f": "f", "1": "t", "0": "f"}
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


class Fault(Exception):  # noqa: N818
    """One value that its column does not take."""

    def __init__(self, rule: str, **arguments: Any) -> None:
        super().__init__(rule)
        self.reason = Reason(rule, arguments)


@dataclass(frozen=True)
class Rejection:
    """A refused row: its number, from 1, in the order in which it was sent."""

    row: int
    field: str
    reason: Reason


@dataclass
class Checked:
    """Good rows of one request that name the same columns.

    :param numbers: the rows' numbers as sent.
    :param times: the rows' event times.
    """

    names: tuple[str, ...]
    rows: list[Row]
    numbers: list[int]
    times: list[datetime]


@dataclass
class Outcome:
    parts: list[Checked] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def check(contract: Contract, rows: Sequence[tuple[int, Any]], now: datetime) -> Outcome:
    """Sort rows into good ones and refused ones.

    :param rows: numbers and rows; a row that is a `Reason` was refused by the one who read it.
    """
    outcome = Outcome()
    known = {column.id: column for column in contract.columns}
    for names, numbers, found in _alike(contract, known, rows, outcome.rejected):
        elements, bad = [], dict[int, Rejection]()
        times: list[Any] = []
        for name in names:
            values = [row[name] for row in found]
            column, required = known[name], name in contract.unique
            made = _column(column, values, required, numbers, bad)
            if column.type == "timestamptz":
                times = made if name == contract.time else times
                made = [moment.isoformat() if moment else None for moment in made]
            elements.append(made)
        _bound(contract, times, now, numbers, bad)
        outcome.rejected += bad.values()
        whole = list(zip(*elements, strict=True))
        if bad:
            keep = [i for i in range(len(whole)) if i not in bad]
            whole, times = [whole[i] for i in keep], [times[i] for i in keep]
            numbers = [numbers[i] for i in keep]
        if whole:
            outcome.parts.append(Checked(names, whole, numbers, times))
    return outcome


def _alike(
    contract: Contract,
    known: dict[str, Column],
    rows: Sequence[tuple[int, Any]],
    rejected: list[Rejection],
) -> list[tuple[tuple[str, ...], list[int], list[dict[str, Any]]]]:
    """Rows by the columns that they name, without those that name too many or too few."""
    groups: dict[Any, tuple[list[int], list[dict[str, Any]]]] = {}
    shape: Any = None
    last: tuple[list[int], list[dict[str, Any]]] = ([], [])
    for number, row in rows:
        if type(row) is not dict:
            reason = row if isinstance(row, Reason) else Reason("not_an_object")
            rejected.append(Rejection(number, "", reason))
            continue
        if shape is None or row.keys() != shape:
            shape = row.keys()
            last = groups.setdefault(frozenset(shape), ([], []))
        last[0].append(number)
        last[1].append(row)
    found = []
    for shape, (numbers, alike) in groups.items():
        unknown = sorted(str(name) for name in shape if name not in known)
        missing = [name for name in contract.unique if name not in shape]
        if unknown or missing:
            name = unknown[0] if unknown else missing[0]
            reason = Reason("unknown_column" if unknown else "missing")
            rejected += [Rejection(number, name[:80], reason) for number in numbers]
        else:
            found.append((tuple(name for name in known if name in shape), numbers, alike))
    return found


def _column(
    column: Column, values: list[Any], required: bool, numbers: list[int], bad: dict[int, Rejection]
) -> list[Any]:
    """The column's elements; faults go to `bad` by the place of their row."""
    fast = _FAST.get(column.type)
    if fast and not (required and None in values) and (made := fast(column, values)) is not None:
        return made
    parse, made = _PARSERS[column.type], []
    for place, value in enumerate(values):
        element = None
        try:
            if value is None or (value == "" and column.type != "text"):
                if required:
                    raise Fault("missing")
            else:
                element = parse(column, value)
        except Fault as fault:
            bad.setdefault(place, Rejection(numbers[place], column.id, fault.reason))
        made.append(element)
    return made


def _bound(
    contract: Contract, times: list[Any], now: datetime, numbers: list[int], bad: dict[int, Rejection]
) -> None:
    """Refuse rows of the future, and those that retention would drop at once."""
    ahead = now + timedelta(seconds=contract.future)
    oldest = now - timedelta(days=contract.retention) if contract.retention else OLDEST
    known = [moment for moment in times if moment]
    if known and oldest <= min(known) and max(known) <= ahead:
        return
    for place, moment in enumerate(times):
        if not moment or oldest <= moment <= ahead:
            continue
        late = moment < oldest
        reason = Reason("too_old") if late else Reason("future", {"seconds": contract.future})
        bad.setdefault(place, Rejection(numbers[place], contract.time, reason))


def element_of_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _in_range(column: Column, number: float) -> None:
    if column.minimum is not None and number < column.minimum:
        raise Fault("below_range", limit=f"{column.minimum:g}")
    if column.maximum is not None and number > column.maximum:
        raise Fault("above_range", limit=f"{column.maximum:g}")


def _all_in_range(column: Column, numbers: list[Any]) -> bool:
    return not numbers or (
        (column.minimum is None or min(numbers) >= column.minimum)
        and (column.maximum is None or max(numbers) <= column.maximum)
    )


def _texts(_: Column, values: list[Any]) -> list[Element] | None:
    if set(map(type, values)) != {str} or "\0" in "".join(values):
        return None
    return [element_of_text(value) for value in values]


def _text(_: Column, value: Any) -> str:
    if type(value) in (int, float):
        value = repr(value)
    elif type(value) is bool:
        value = str(value).lower()
    elif not isinstance(value, str):
        raise Fault("not_text")
    if "\0" in value:
        raise Fault("nul_byte")
    return element_of_text(value)


def _floats(column: Column, values: list[Any]) -> list[Element] | None:
    kinds = set(map(type, values))
    if not kinds <= {int, float, type(None)}:
        return None
    numbers = [value for value in values if value is not None] if type(None) in kinds else values
    try:
        good = math.isfinite(math.fsum(numbers)) and _all_in_range(column, numbers)
    except OverflowError:
        return None
    return [None if value is None else repr(value) for value in values] if good else None


def _number(column: Column, value: Any) -> tuple[str, float]:
    if type(value) in (int, float):
        text = repr(value)
    elif isinstance(value, str):
        text = value.strip()
    else:
        raise Fault("not_a_number")
    if text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        raise Fault("not_finite")
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        raise Fault("not_a_number")
    number = float(text)
    if not math.isfinite(number):
        raise Fault("not_finite")
    _in_range(column, number)
    return text, number


def _float(column: Column, value: Any) -> str:
    return repr(_number(column, value)[1])


def _numeric(column: Column, value: Any) -> str:
    return _number(column, value)[0]


def _wholes(column: Column, values: list[Any]) -> list[Element] | None:
    kinds, most = set(map(type, values)), _BOUNDS[column.type]
    if not kinds <= {int, type(None)}:
        return None
    numbers = [value for value in values if value is not None] if type(None) in kinds else values
    if numbers and not (-most <= min(numbers) and max(numbers) < most):
        return None
    if not _all_in_range(column, numbers):
        return None
    return [None if value is None else str(value) for value in values]


def _whole(column: Column, value: Any) -> str:
    if type(value) is int:
        number = value
    elif isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        number = int(value)
    elif type(value) is float and math.isinf(value):
        raise Fault("not_finite")
    elif type(value) is float and abs(value) >= 2**63:  # what a reader of JSON makes of a hundred digits
        raise Fault("out_of_type")
    else:
        raise Fault("not_an_integer")
    most = _BOUNDS[column.type]
    if not -most <= number < most:
        raise Fault("out_of_type")
    _in_range(column, number)
    return str(number)


def _boolean(_: Column, value: Any) -> str:
    text = value.strip().lower() if isinstance(value, str) else str(value).lower()
    if isinstance(value, (bool, str, int)) and text in _BOOLEANS:
        return _BOOLEANS[text]
    raise Fault("not_a_boolean")


def _date(_: Column, value: Any) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except (AttributeError, ValueError):
        raise Fault("not_a_date") from None


def _moments(_: Column, values: list[Any]) -> list[Any] | None:
    try:
        moments = list(map(datetime.fromisoformat, values))
    except (TypeError, ValueError):
        return None
    zones = {moment.tzinfo for moment in moments}
    if zones == {UTC}:
        return moments
    try:
        return None if None in zones else [moment.astimezone(UTC) for moment in moments]
    except OverflowError:
        return None


def _moment(_: Column, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise Fault("not_a_time") from None
    if moment.tzinfo is None:
        raise Fault("not_a_time" if len(value.strip()) < 11 else "no_time_zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Fault("not_a_time") from None


def _moment_element(column: Column, value: Any) -> Any:
    return _moment(column, value)


_FAST: dict[str, Callable[[Column, list[Any]], list[Any] | None]] = {
    "text": _texts,
    "double precision": _floats,
    "integer": _wholes,
    "bigint": _wholes,
    "timestamptz": _moments,
}
_PARSERS: dict[str, Callable[[Column, Any], Any]] = {
    "text": _text,
    "double precision": _float,
    "numeric": _numeric,
    "integer": _whole,
    "bigint": _whole,
    "boolean": _boolean,
    "date": _date,
    "timestamptz": _moment_element,
}
