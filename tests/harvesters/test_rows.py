"""Rows after the outcome of their dataset: counted, marked when safe, never taking others down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ccphva_harvesters import (
    Column,
    Dataset,
    FatalError,
    MemoryCatalogue,
    MemoryTables,
    Record,
    RetriableError,
    Row,
    RunReport,
    Table,
    TableOutcome,
    harvest,
    peek,
    push,
)
from ccphva_harvesters.formats.native import Native

COLUMNS = (Column(name="k"), Column(name="v", type="number"))


class Counted:
    """A source of tables; an exception among the rows is raised when its turn comes."""

    def __init__(self, mode: Any = "append", **tables: list[Any]) -> None:
        self.tables, self.mode, self.marks = tables, mode, {}

    def check(self) -> str:
        """Always there."""
        return "tables"

    def records(self) -> Iterator[Record]:
        """A dataset a table."""
        for name in self.tables:
            table = Table(id=name, title=name, columns=COLUMNS, key=("k",), mode=self.mode)
            dataset = Dataset(guid=name, fields={"title_translated": {"fr": name}}, tables=(table,))
            yield Record(id=name, guid=name, content=dataset)

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:
        """What was given at the start."""
        self.marks = dict(marks)
        for number in self.tables[table.id]:
            if isinstance(number, Exception):
                raise number
            yield Row(values={"k": str(number), "v": number}, series="s", mark=str(number))


def run(source: Any, tables: Any, **more: Any) -> tuple[RunReport, dict[str, TableOutcome]]:
    """A harvest with its tables' outcomes."""
    told: dict[str, TableOutcome] = {}
    report = harvest(
        source, Native(), [], more.pop("catalogue", MemoryCatalogue()), tables=tables,
        on_table=lambda o: told.update({o.table: o}), **{"personal_data": "none", **more},
    )  # fmt: skip
    return report, told


def test_rows_follow_their_dataset() -> None:
    """Also when the dataset did not change; the report counts them."""
    tables, catalogue = MemoryTables(), MemoryCatalogue()
    source = Counted(a=[1, 2], b=[3])
    first, _ = run(source, tables, catalogue=catalogue)
    assert (first.added, first.rows_accepted, first.ok) == (2, 3, True)
    again, _ = run(source, tables, catalogue=catalogue)
    assert (again.unchanged, again.writes, again.rows_accepted, again.rows_unchanged) == (2, 0, 0, 3)
    assert source.marks == {"s": "3"}


def test_a_dataset_that_failed_gives_no_rows() -> None:
    """There is no resource to hold them."""

    class Refusing(MemoryCatalogue):
        def apply(self, batch: Any) -> Any:
            raise RuntimeError("no")

    tables = MemoryTables()
    report, told = run(Counted(a=[1]), tables, catalogue=Refusing())
    assert (report.failed, told, tables.calls) == (1, {}, 0)


def test_a_bad_row_costs_itself() -> None:
    """999 of 1,000 are kept; the reason is counted and one example kept."""
    rows = [*range(500), float("nan"), *range(501, 1000)]
    report, told = run(Counted(a=rows), MemoryTables())
    assert (report.rows_accepted, report.rows_rejected, report.tables_failed) == (999, 1, 0)
    assert told["a"].reasons == {"v: not a finite number": 1}
    assert "nan" in told["a"].examples[0].row


def test_what_came_before_a_fault_is_kept() -> None:
    """The mark stands at the last row that came; the other table is read, the run is not well."""
    tables = MemoryTables()
    report, told = run(Counted(a=[1, 2, RetriableError("x", "gone")], b=[5]), tables)
    assert (report.rows_accepted, report.tables_failed, report.error, report.ok) == (3, 1, None, False)
    assert dict(tables.marks("a")) == {"s": "2"}
    assert told["a"].retriable


@pytest.mark.parametrize("fault", [FatalError("x"), ZeroDivisionError("poison")])
def test_a_replaced_table_stays_when_its_source_breaks(fault: Exception) -> None:
    """Nothing is half replaced, nothing emptied."""
    tables = MemoryTables()
    run(Counted("replace", a=[1, 2, 3]), tables)
    report, _ = run(Counted("replace", a=[9, fault]), tables)
    assert report.tables_failed == 1
    assert [row["v"] for row in tables.rows("a")] == [1, 2, 3]


def test_an_empty_answer_empties_nothing() -> None:
    """Most often it is a fault of the source."""
    tables = MemoryTables()
    run(Counted("replace", a=[1]), tables)
    report, told = run(Counted("replace", a=[]), tables)
    assert report.ok
    assert told["a"].note
    assert len(tables.rows("a")) == 1


def test_a_run_that_is_stopped_replaces_nothing() -> None:
    """Half of a table is not the table."""
    tables = MemoryTables()
    run(Counted("replace", a=[1]), tables)
    calls = iter([False] * 3 + [True] * 50)
    report, _ = run(Counted("replace", a=list(range(5000))), tables, cancelled=lambda: next(calls))
    assert report.cancelled
    assert len(tables.rows("a")) == 1


@pytest.mark.parametrize("declared", ["possible", "yes", None])
def test_rows_of_persons_are_refused(declared: str | None) -> None:
    """Only a source that says there are none gives rows."""
    tables = MemoryTables()
    report, told = run(Counted(a=[1]), tables, personal_data=declared)
    assert (report.added, tables.calls, report.ok) == (1, 0, False)
    assert "personal_data" in str(told["a"].error)


def test_a_dry_run_reads_no_rows() -> None:
    """A preview asks for a few, and writes none."""
    tables, source = MemoryTables(), Counted(a=[1, 2, 3, 4])
    report, told = run(source, tables, dry_run=True)
    assert (report.rows_accepted, told, tables.calls) == (0, {}, 0)
    (record,) = source.records()
    rows, outcome = peek(source, record.content.tables[0], "a", 2)
    assert ([row["v"] for row in rows], outcome.error) == ([1, 2], None)


def test_pushed_rows_never_move_a_mark() -> None:
    """And never replace a table."""
    tables = MemoryTables()
    table = Table(id="a", title="a", columns=COLUMNS, key=("k",), mode="append")
    row = Row(values={"k": "1", "v": 1}, series="s", mark="1")
    assert push([row, row], table, "a", tables).accepted == 1
    assert dict(tables.marks("a")) == {}
    whole = Table(id="b", title="b", columns=COLUMNS, key=("k",), mode="replace")
    assert push([row], whole, "b", tables).error


def test_a_killed_sink_is_made_whole_by_the_next_run() -> None:
    """Death at each of many points leaves neither hole nor double."""

    class Dying(MemoryTables):
        left = 0

        def apply(self, table: Any, rows: Any, marks: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                super().apply(table, list(rows)[: len(list(rows)) // 2], {})  # half a batch got through
                raise RuntimeError("killed")
            return super().apply(table, rows, marks)

    tables = Dying()
    source = Counted(a=list(range(5500)))
    for tables.left in (1, 3, 5, 2, 100):
        run(source, tables)
    assert sorted(row["v"] for row in tables.rows("a")) == list(range(5500))
