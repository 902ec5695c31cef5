"""CSV and its cousins: encoding, separator, heading, rows with their line numbers. No CKAN."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ckanext.ccphva_datastore.loading.faults import Fault
from ckanext.ccphva_datastore.loading.table import Table, heading

LONGEST_LINE = 1_000_000
SEPARATORS = ";,\t|"
SAMPLE = 1 << 18
NOTES = 100
"""Most lines of notes below a table."""
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
WINDOWS_HOLES = b"\x81\x8d\x8f\x90\x9d"
"""Bytes that mean nothing in windows-1252."""


def encoding_of(path: Path) -> str:
    """`utf-8-sig`, `utf-16`, `utf-8` or `cp1252`, which contains latin-1 as French programs write it.

    csv-detective asks charset_normalizer, which takes short windows-1252 files for Greek or Central European
    ones: in France and Luxembourg what is not UTF-8 is windows-1252.

    :raises Fault: a UTF-8 file with broken bytes: reading it as windows-1252 would garble all of it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, wide, holes = 1, False, False
    with path.open("rb") as file:
        start = file.read(4)
        for mark, name in BOMS:
            if start.startswith(mark):
                return name
        if start[1:4:2] == b"\0\0":
            return "utf-16-le"
        file.seek(0)
        broken = None
        while piece := file.read(1 << 20):
            if broken is None:
                try:
                    text = decoder.decode(piece)
                    wide = wide or not text.isascii()
                    line += text.count("\n")
                except UnicodeDecodeError as error:
                    with suppress(UnicodeDecodeError):
                        wide = wide or not error.object[: error.start].decode().isascii()
                    broken = line + error.object[: error.start].count(b"\n")
            holes = holes or any(hole in piece for hole in WINDOWS_HOLES)
    if broken is None:
        return "utf-8"
    if wide or holes:
        raise Fault("encoding", line=broken, encoding="UTF-8")
    return "cp1252"


def open_table(path: Path) -> Table:
    """The table of a text file.

    :raises Fault: with the line, where there is one.
    """
    encoding = encoding_of(path)
    lines = _Lines(path, encoding)
    sample = _sample(lines)
    separator = separator_of(sample)
    parsed = list(_parsed(iter(sample), separator))
    width, first = heading([cells for _, cells in parsed])
    names, body_line = parsed[first][1][:width], parsed[first][0]
    repeated = 0
    while first + repeated + 1 < len(parsed) and parsed[first + repeated + 1][1][:width] == names:
        repeated += 1
    skip = first + repeated + 1

    def rows() -> Iterator[list[str]]:
        lines.rewind()
        reader = csv.reader(iter(lines), delimiter=separator)
        for _ in range(skip):
            next(reader)
        return _whole(reader, lines, table, width)

    table = Table(names, rows, encoding=encoding, separator=separator, heading_line=body_line)
    return table


def _sample(lines: _Lines) -> list[str]:
    """The first lines, as many as SAMPLE characters hold."""
    found, size = [], 0
    for line in lines:
        found.append(line)
        size += len(line)
        if size > SAMPLE:
            break
    lines.rewind()
    if not any(line.strip() for line in found):
        raise Fault("empty")
    return found


def separator_of(sample: list[str]) -> str:
    """The separator with which most lines have the same number of cells, more than one."""

    def steadiness(separator: str) -> tuple[float, int]:
        widths = Counter(len(cells) for _, cells in _parsed(iter(sample[:200]), separator) if any(cells))
        if not widths:
            return 0.0, 0
        width, times = widths.most_common(1)[0]
        return (times / widths.total() if width > 1 else 0.0), width

    return max(SEPARATORS, key=lambda separator: (*steadiness(separator), separator == ","))


def _parsed(lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator)
    with suppress(csv.Error):  # the sample ends in the middle of a cell
        for cells in reader:
            yield reader.line_num, cells


def _whole(  # noqa: C901
    reader: Any, lines: _Lines, table: Table, width: int
) -> Iterator[list[str]]:
    """Rows of the heading's width; blank ones left out."""
    csv.field_size_limit(LONGEST_LINE)
    while True:
        begun = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Fault("quotes", line=begun) from error
        if cells is None:
            return
        table.line = begun
        if len(cells) != width:
            if not any(cells):
                continue
            if len(cells) < width:
                if lines.number > begun and not _note(cells, width):
                    raise Fault("quotes", line=begun)
                if lines.cut() and lines.at_end():
                    raise Fault("interrupted")
                if _notes(cells, reader, width):
                    return
            if len(cells) < width or any(cells[width:]):
                raise Fault("width", line=begun, found=len(cells), expected=width)
            del cells[width:]
        elif not any(cells):
            continue
        yield cells


def _note(cells: list[str], width: int) -> bool:
    return width > 2 and len(cells) < width and sum(1 for cell in cells if cell.strip()) <= 2


def _notes(cells: list[str], reader: Iterator[list[str]], width: int) -> bool:
    """Whether nothing but notes follows, which stand below a table as titles stand above it."""
    if not _note(cells, width):
        return False
    rest = list(itertools.islice(reader, NOTES + 1))
    return len(rest) <= NOTES and all(_note(row, width) or not any(row) for row in rest)


class _Lines:
    """Lines of a text with their number; each is decoded by itself, so that a fault knows its line."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.encoding = encoding
        self.file = path.open("rb")
        self.size = path.stat().st_size
        head = self.file.read(SAMPLE)
        # A mark of byte order or line ends that are no line feed: decoded as a stream.
        self.streamed = encoding.startswith("utf-16") or (b"\n" not in head and b"\r" in head)
        self.rewind()

    def rewind(self) -> None:
        self.file.seek(0)
        self.number, self.last = 0, ""

    def __iter__(self) -> Iterator[str]:
        source = self._stream() if self.streamed else self._lines()
        for line in source:
            self.number += 1
            if len(line) > LONGEST_LINE:
                raise Fault("line-long", line=self.number, most=LONGEST_LINE)
            if "\0" in line:
                raise Fault("nul", line=self.number)
            self.last = line
            yield line

    def at_end(self) -> bool:
        return self.streamed or self.file.tell() >= self.size

    def cut(self) -> bool:
        """Whether the last line has no end, so that the file may have ended too early."""
        return not self.last.endswith(("\n", "\r"))

    def _lines(self) -> Iterator[str]:
        encoding = self.encoding
        first = True
        line = b""
        for line in iter(lambda: self.file.readline(4 * LONGEST_LINE), b""):
            if len(line) >= 4 * LONGEST_LINE:
                raise Fault("line-long", line=self.number + 1, most=LONGEST_LINE)
            try:
                yield line.decode(encoding if first else encoding.removesuffix("-sig"))
            except UnicodeDecodeError as error:
                raise Fault("encoding", line=self.number + 1, encoding=encoding) from error
            first = False

    def _stream(self) -> Iterator[str]:
        text = io.TextIOWrapper(self.file, self.encoding, newline=None)
        try:
            while line := text.readline(LONGEST_LINE + 1):
                yield line
        except UnicodeDecodeError as error:
            raise Fault("encoding", line=self.number + 1, encoding=self.encoding) from error
        finally:
            text.detach()
