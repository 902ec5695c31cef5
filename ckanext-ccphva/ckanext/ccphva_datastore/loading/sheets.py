"""XLSX, XLS and ODS by calamine. No CKAN."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ckanext.ccphva_datastore.loading.faults import Fault
from ckanext.ccphva_datastore.loading.table import Table, heading
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

LARGEST_HEADING = 10


def open_table(path: Path, wanted: str = "") -> Table:
    """The largest sheet of a workbook, or the wanted one.

    A formula's value is the one that the program which saved the file had computed. Cells that are merged
    in the heading count for all that they cover; a heading may have several rows then.

    :raises Fault: no such sheet, a password, a broken file.
    """
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
    except PasswordError as error:
        raise Fault("password") from error
    except (CalamineError, OSError, ValueError) as error:
        raise Fault("broken", reason=str(error)) from error
    if wanted and wanted not in sheets:
        raise Fault("sheet", name=wanted)
    if not sheets:
        raise Fault("empty")
    name = wanted or max(sheets, key=lambda each: sheets[each].height * sheets[each].width)
    sheet = sheets[name]
    offset = sheet.start[0] if sheet.start else 0
    sample = [[_text(cell) for cell in row] for row in _some(sheet, 200)]
    if not any(any(row) for row in sample) and not any(
        any(cell != "" for cell in r) for r in sheet.iter_rows()
    ):
        raise Fault("empty")
    names, first, width = _heading(sample, getattr(sheet, "merged_cell_ranges", None) or [], offset)
    skip = first

    def rows() -> Iterator[list[str]]:
        for number, row in enumerate(sheet.iter_rows(), offset + 1):
            if number - offset <= skip:
                continue
            cells = [_text(cell) for cell in row[:width]]
            if any(cells):
                table.line = number
                yield cells

    others = [other for other, each in sheets.items() if other != name and each.height]
    table = Table(names, rows, heading_line=offset + first, layer=name, others=others)
    return table


def _some(sheet: Any, most: int) -> list[list[Any]]:
    found = []
    for row in sheet.iter_rows():
        found.append(row)
        if len(found) >= most:
            break
    return found


def _heading(
    sample: Sequence[Sequence[str]], merged: Sequence[Any], offset: int
) -> tuple[list[str], int, int]:
    """Names of columns, the number of rows up to and with the heading, and the table's width."""
    width, first = heading(sample)
    ranges = [((r0 - offset, c0), (r1 - offset, c1)) for (r0, c0), (r1, c1) in merged]
    last = max([r1 for (r0, _), (r1, _) in ranges if r0 == first and r1 - first < LARGEST_HEADING] or [first])
    grid = [list(row) for row in sample[first : last + 1]]
    for (r0, c0), (r1, c1) in ranges:
        if first <= r0 < first + len(grid):
            for row in range(r0 - first, min(r1 - first + 1, len(grid))):
                for column in range(c0, min(c1 + 1, len(grid[row]))):
                    grid[row][column] = grid[r0 - first][c0]
    names = []
    for column in range(width):
        parts = [row[column].strip() for row in grid if column < len(row)]
        names.append(" - ".join(dict.fromkeys(part for part in parts if part)))
    return names, last + 1, width


def _text(cell: Any) -> str:
    """A cell as a person would type it."""
    if isinstance(cell, str):
        return cell.replace("\0", "")
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
