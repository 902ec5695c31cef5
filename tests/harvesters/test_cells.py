"""Every cell fits its column or costs its row, never more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ccphva_harvesters import Column, Table
from ccphva_harvesters.cells import CellError, cell, fitter
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("number", "1 234,5", 1234.5), ("number", "1\u202f234", 1234), ("number", "-3.2e1", -32.0),
        ("number", 7, 7),
        ("integer", "42", 42), ("integer", 42.0, 42), ("boolean", "Oui", True), ("boolean", 0, False),
        ("date", "31/12/2026", "2026-12-31"), ("date", "2026-12-31T10:00", "2026-12-31"),
        ("timestamp", "20261123T183906,670621", "2026-11-23T18:39:06.670621Z"),
        ("timestamp", "2026-11-23T18:39:06+02:00", "2026-11-23T16:39:06.000000Z"),
        ("timestamp", "2020-08-01 02:00:00+02:00", "2020-08-01T00:00:00.000000Z"),
        ("text", {"a": 1}, '{"a": 1}'), ("text", True, "true"), ("json", [1, None], [1, None]),
        ("geometry", {"type": "Point", "coordinates": [6, 49], "more": 1}, {"type": "Point",
        "coordinates": [6, 49]}),
        ("number", "", None), ("text", None, None),
    ],
)  # fmt: skip
def test_what_fits(type_: Any, value: Any, expected: Any) -> None:
    """As people and machines here write it."""
    assert cell(value, Column(name="x", type=type_)) == expected


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("number", float("nan")), ("number", float("inf")), ("number", 10**400), ("number", "NaN"),
        ("number", "12h"),
        ("number", True), ("number", "9" * 500), ("integer", 2**63), ("integer", "1.5"), ("boolean",
        "peut-être"),
        ("date", "31/02/2026"), ("timestamp", "2026-02-30T00:00"), ("timestamp", 1764000000), ("timestamp",
        "99999"),
        ("timestamp", "0001-01-01T00:00:00+14:00"), ("text", "a\x00"), ("text", "\ud800"), ("text",
        "x" * 1_000_001),
        ("json", float("nan")), ("json", {"a": "\x00"}), ("geometry", "POINT(6 49)"),
        ("geometry", {"type": "Point", "coordinates": [900000, 6900000]}), ("geometry", {"type": "Point",
        "coordinates": []}),
        ("geometry", {"type": "Point", "coordinates": [float("nan"), 1]}), ("geometry", {"type": "Circle"}),
    ],
)  # fmt: skip
def test_what_does_not(type_: Any, value: Any) -> None:
    """Refused with the column's name and without the value."""
    with pytest.raises(CellError, match=r"^x: "):
        cell(value, Column(name="x", type=type_))


TABLE = Table(
    id="t", title="T", key=("k",), mode="append", time="at",
    columns=(Column(name="k"), Column(name="at", type="timestamp"), Column(name="v", type="number")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"k": "", "v": 1}, "k: empty"),
        ({"k": "a", "w": 1}, "w: no such column"),
        ({"k": "a", "at": "2026-11-25T04:00:00Z"}, "at: lies in the future"),
    ],
)
def test_rows_that_cannot_be_kept(row: dict[str, Any], reason: str) -> None:
    """A row without its key, with a column that nobody announced, from tomorrow."""
    with pytest.raises(CellError, match=reason):
        fitter(TABLE, lambda: dt.datetime(2026, 11, 25, 2, tzinfo=dt.UTC))(row)


def test_a_clock_may_drift() -> None:
    """Up to an hour ahead is taken; what is left out is empty."""
    fit = fitter(TABLE, lambda: dt.datetime(2026, 11, 25, 2, tzinfo=dt.UTC))
    assert fit({"k": "a", "at": "2026-11-25T02:59:00Z"})["v"] is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["text", "integer", "number", "boolean", "date", "timestamp", "json", "geometry"]),
)
def test_no_value_breaks_a_reader(value: Any, type_: Any) -> None:
    """Any value is read or refused; what was read reads the same again."""
    column = Column(name="x", type=type_)
    try:
        read = cell(value, column)
    except CellError:
        return
    assert cell(read, column) == read
