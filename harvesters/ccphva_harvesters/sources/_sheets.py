"""Tables in files: CSV in the encodings that are met in France, XLSX, XLS and ODS. Pure functions on bytes.

Types are told from all values of a column, and only where every one of them agrees: a code with a leading
zero stays a text, ``1 234,5`` is a number, ``31/12/2026`` a date.

Imports only ``cells`` and ``model``.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from ccphva_harvesters import cells
from ccphva_harvesters.model import Column, ColumnType
from ccphva_harvesters.sources._features import column_name

UNFOLDED = 512 * 1024 * 1024
"""Bytes that a workbook may unfold to: it is a zip archive."""
RATIO = 200
_DELIMITERS = ";,\t|"
_SAMPLE = 100


class SheetError(ValueError):
    """The file cannot be read; says why."""


Grid = list[list[Any]]


def read(body: bytes, name: str, sheet: str | None = None, encoding: str | None = None) -> Grid:
    """Lines of a file by the ending of its name, header first.

    :raises SheetError: what is in it is not what it should be
    """
    ending = name.lower().rpartition(".")[2]
    if ending in ("xlsx", "xlsm", "xls", "ods"):
        return _workbook(body, sheet)
    if body[:4] == b"PK\x03\x04":
        raise SheetError("a workbook under the name of a text file")
    text = decoded(body, encoding)
    if re.match(r"\s*<(!doctype|html|\?xml)", text[:200], re.IGNORECASE):
        raise SheetError("a web page or XML under the name of a table")
    return _separated(text)


def decoded(body: bytes, encoding: str | None = None) -> str:
    """Text of a file: by its byte order mark, as UTF-8 where it is that, else as the Windows or Mac of an
    office.

    :raises SheetError: it is no text, or not in the encoding that was named
    """
    try:
        if encoding is not None:
            return body.decode(encoding)
        for mark, marked in (
            (b"\xef\xbb\xbf", "utf-8-sig"),
            (b"\xff\xfe", "utf-16"),
            (b"\xfe\xff", "utf-16"),
        ):
            if body.startswith(mark):
                return body.decode(marked)
    except (UnicodeDecodeError, LookupError) as exc:
        raise SheetError(f"not in its encoding: {exc}"[:200]) from None
    if b"\x00" in body[:4096]:
        raise SheetError("no text: it holds NUL bytes")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    best = max(("cp1252", "mac_roman", "cp850", "iso-8859-15"), key=lambda one: _french(body, one))
    return body.decode(best, errors="replace")


def _french(body: bytes, encoding: str) -> int:
    """How much a text in ``encoding`` looks like French or German."""
    text = body[:200_000].decode(encoding, errors="replace")
    good = sum(text.count(letter) for letter in "éèêàçùôîâëïûüöäß°€œÉÈÀÇ’«»")
    return good - 3 * sum(
        1
        for letter in text
        if ord(letter) > 127 and letter not in "éèêàçùôîâëïûüöäß°€œÉÈÀÇ’«»ÊÔÎŒ²³µ–—…“” \u00a0"
    )


def _separated(text: str) -> Grid:
    hint = re.match(r"sep=(.)\r?\n", text)  # Excel's own hint is no header
    if hint:
        text = text[hint.end() :]
    delimiter = hint[1] if hint else _delimiter(text.splitlines())
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as exc:
        raise SheetError(f"not CSV: {exc}") from None


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts most lines into equally many fields."""

    def score(sign: str) -> tuple[int, int]:
        counts = Counter(len(row) for row in csv.reader(lines[:_SAMPLE], delimiter=sign))
        fields, agreeing = counts.most_common(1)[0] if counts else (1, 0)
        return (agreeing if fields > 1 else 0), fields

    return max(_DELIMITERS, key=score)


def _workbook(body: bytes, sheet: str | None) -> Grid:
    _check_archive(body)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise SheetError(f"it has no sheet {sheet!r}")
        wanted = [sheet] if sheet is not None else names
        for name in wanted:  # without a name, the first sheet that holds anything
            grid = [list(row) for row in book.get_sheet_by_name(name).to_python()]
            grid = [row for row in grid if any(value not in ("", None) for value in row)]
            if grid:
                return grid
    except PasswordError:
        raise SheetError("it is locked by a password") from None
    except (CalamineError, ValueError, OSError) as exc:
        if isinstance(exc, SheetError):
            raise
        raise SheetError(f"no workbook: {exc}"[:200]) from None
    return []


def _check_archive(body: bytes) -> None:
    """Refuse a workbook that unfolds beyond reason, before anything of it is unfolded."""
    if body[:2] != b"PK":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            total = sum(one.file_size for one in archive.infolist())
    except (zipfile.BadZipFile, ValueError) as exc:
        raise SheetError(f"no workbook: {exc}"[:200]) from None
    if total > UNFOLDED or total > RATIO * max(len(body), 100_000):
        raise SheetError("it unfolds to more than is allowed")


def header_of(grid: Grid) -> list[str]:
    """Column names: of the header, made unique, named by place where they are empty."""
    names: list[str] = []
    for at, cell in enumerate(grid[0] if grid else [], start=1):
        name = column_name(str(cell)) if str(cell).strip() else f"colonne_{at}"
        base, number = name, 2
        while name in names:
            name, number = f"{base[:58]}_{number}", number + 1
        names.append(name)
    return names


def columns_of(names: list[str], lines: Iterable[list[Any]]) -> tuple[Column, ...]:
    """Columns with types that every value agrees with."""
    kinds: list[set[ColumnType]] = [set() for _ in names]
    for line in lines:
        for at, value in enumerate(line[: len(names)]):
            if value not in ("", None) and not (isinstance(value, str) and not value.strip()):
                kinds[at].add(_kind(value))
    return tuple(Column(name=name, type=_common(kinds[at])) for at, name in enumerate(names))


def _kind(value: Any) -> ColumnType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if float(value).is_integer() else "number"
    if isinstance(value, dt.datetime):
        return "date" if value.time() == dt.time() else "timestamp"
    if isinstance(value, dt.date):
        return "date"
    text = str(value).strip()
    if re.fullmatch(r"[+-]?(0|[1-9]\d{0,2}(?:[\s\u00a0\u202f]\d{3})+|[1-9]\d{0,17})", text):
        return "integer"
    if re.fullmatch(r"[+-]?(0|[1-9]\d{0,2}(?:[\s\u00a0\u202f]\d{3})+|[1-9]\d*)[.,]\d+", text):
        return "number"
    if re.fullmatch(r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{4}", text):
        return _if_fits(text, "date")
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", text):
        return _if_fits(text, "timestamp")
    return "text"


def _if_fits(text: str, type_: ColumnType) -> ColumnType:
    try:
        cells.cell(text, Column(name="x", type=type_))
    except cells.CellError:
        return "text"
    return type_


def _common(kinds: set[ColumnType]) -> ColumnType:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"integer", "number"}:
        return "number"
    return "timestamp" if kinds == {"date", "timestamp"} else "text"
