"""Rows on their way from a source to a table: checked one by one, handed over in batches, marked when safe.

The watermark of a series moves only with rows that the sink has acknowledged, in the same call. A run that is
killed at any point begins again at the old mark: rows come twice and fall together under the table's key.

Imports only ``cells``, ``errors``, ``model`` and ``protocols``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from . import cells
from .errors import FatalError, HarvestError, RetriableError
from .model import Receipt, Rejected, Row, Table, TableOutcome
from .protocols import RowSource, Tables

log = logging.getLogger(__name__)
BATCH = 1000
_EXAMPLES = 20
Values = dict[str, Any]


def carry(
    source: RowSource,
    table: Table,
    dataset: str,
    sink: Tables,
    *,
    batch: int = BATCH,
    cancelled: Callable[[], bool] = lambda: False,
) -> TableOutcome:
    """Bring the rows of ``table`` from ``source`` to ``sink``; never raises."""
    count = _Count(table, dataset)
    try:
        given = source.rows(table, sink.marks(table.id) if table.mode == "append" else {})
        good = _checked(given, table, count, cancelled)
        if table.mode == "replace":
            good = ((values, row) for values, row in good if values)
            first = next(good, None)
            if first is None:  # most often a fault of the source: nobody empties a table by accident here
                count.note = "no row came; what was there is kept"
            else:
                count.add(sink.apply(table, (values for values, _ in chain([first], good)), {}))
        else:
            _append(good, table, sink, batch, count)
    except _CancelledError:
        count.error = "the run was stopped"
    except HarvestError as exc:
        count.error, count.retriable = str(exc), isinstance(exc, RetriableError)
    except Exception as exc:  # outermost line of a table: its fault must not cost the other tables
        log.exception("Rows of %s failed in a way they should not", table.id)
        count.error = f"unexpected {type(exc).__name__}: {exc}"
    return count.outcome()


def peek(source: RowSource, table: Table, dataset: str, limit: int) -> tuple[list[Values], TableOutcome]:
    """The first rows as a run would keep them, for a preview; writes nothing."""
    count = _Count(table, dataset)
    rows: list[Values] = []
    if limit < 1:
        return rows, count.outcome()
    try:
        for values, _ in _checked(source.rows(table, {}), table, count, lambda: False):
            if values:
                rows.append(values)
            if len(rows) >= limit:
                break
    except HarvestError as exc:
        count.error, count.retriable = str(exc), isinstance(exc, RetriableError)
    except Exception as exc:  # as in ``carry``
        log.exception("Rows of %s failed in a way they should not", table.id)
        count.error = f"unexpected {type(exc).__name__}: {exc}"
    return rows, count.outcome()


def push(given: Iterable[Row], table: Table, dataset: str, sink: Tables) -> TableOutcome:
    """Bring rows that came by themselves (a notification) to ``sink``; never raises, moves no watermark.

    Only for mode ``append``: the rows are never the whole table.
    """
    count = _Count(table, dataset)
    try:
        good = [values for values, _ in _checked(iter(given), table, count, lambda: False)]
        if table.mode != "append":
            raise FatalError("rows of a table that is replaced as a whole cannot be pushed")
        if good:
            count.add(sink.apply(table, good, {}))
    except HarvestError as exc:
        count.error, count.retriable = str(exc), isinstance(exc, RetriableError)
    return count.outcome()


class _CancelledError(Exception):
    """The run is to stop; a replacement that is under way must not be taken for whole."""


class _Count:
    """What happened to the rows of a table so far."""

    def __init__(self, table: Table, dataset: str) -> None:
        self.table, self.dataset = table.id, dataset
        self.accepted = self.unchanged = 0
        self.reasons: Counter[str] = Counter()
        self.examples: list[Rejected] = []
        self.note: str | None = None
        self.error: str | None = None
        self.retriable = False

    def add(self, receipt: Receipt) -> None:
        self.accepted += receipt.accepted
        self.unchanged += receipt.unchanged
        for rejected in receipt.rejected:
            self.reject(rejected)

    def reject(self, rejected: Rejected) -> None:
        self.reasons[rejected.reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(rejected)

    def outcome(self) -> TableOutcome:
        return TableOutcome(
            table=self.table,
            dataset=self.dataset,
            accepted=self.accepted,
            unchanged=self.unchanged,
            rejected=self.reasons.total(),
            reasons=dict(self.reasons.most_common(50)),
            examples=tuple(self.examples),
            note=self.note,
            error=self.error,
            retriable=self.retriable,
        )


def _checked(
    given: Iterator[Row], table: Table, count: _Count, cancelled: Callable[[], bool]
) -> Iterator[tuple[Values, Row]]:
    """Rows with cells that fit their columns; the others are counted and left out.

    A rejected row still carries its mark on with the next good one: it must not stop its series for ever.
    """
    fit = cells.fitter(table)
    for at, row in enumerate(given, start=1):
        if at % 100 == 1 and cancelled():
            raise _CancelledError
        if not row.values and row.problem is None and row.mark is not None:
            yield {}, row  # a mark alone: everything up to it has come
            continue
        try:
            if row.problem is not None:
                raise cells.CellError(row.problem)
            values = fit(row.values)
        except cells.CellError as exc:
            count.reject(Rejected(_name(row, table, at), str(exc)))
            continue
        yield values, row


def _name(row: Row, table: Table, at: int) -> str:
    """How a person finds the row again."""
    key = " ".join(str(row.values.get(name, "?"))[:80] for name in table.key)
    return f"row {at}" + (f" ({key})" if key else "") + (f" of {row.series}" if row.series else "")


def _append(
    good: Iterator[tuple[Values, Row]], table: Table, sink: Tables, batch: int, count: _Count
) -> None:
    rows: list[Values] = []
    marks: dict[str, str] = {}

    def hand_over() -> None:
        if rows or marks:
            count.add(sink.apply(table, list(rows), dict(marks)))
            rows.clear()
            marks.clear()

    try:
        for values, row in good:
            if values:
                rows.append(values)
            if row.mark is not None:
                marks[row.series] = row.mark
            if len(rows) >= batch:
                hand_over()
    except (HarvestError, _CancelledError):
        hand_over()  # what came before the fault is good, and its marks are true
        raise
    hand_over()
