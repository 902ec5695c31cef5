"""What every reader gives: a heading and rows of text. No CKAN."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ckanext.ccphva_datastore.loading.faults import Fault

MOST_COLUMNS = 1_000
LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL."""
HEADING_WITHIN = 40
"""Rows in which a heading is looked for, below titles and notes."""


@dataclass
class Table:
    """A table that was found in a file.

    :param names: cells of the heading, as they stand there.
    :param rows: gives the rows as texts, the empty one for nothing; may be called more than once.
    :param types: of sources that know their types, in the order of `names`; empty where texts are to be
        judged.
    :param crs: `EPSG:…` of the geometries, where there are some.
    :param others: sheets or layers of the same file that were not taken.
    """

    names: Sequence[str]
    rows: Callable[[], Iterator[list[str]]]
    encoding: str = ""
    separator: str = ""
    heading_line: int = 1
    types: list[str] = field(default_factory=list)
    crs: str = ""
    layer: str = ""
    others: list[str] = field(default_factory=list)
    line: int = 0
    """The line or record at which the rows stand now."""

    def columns(self) -> list[str]:
        """Names for PostgreSQL and CKAN: no two alike, none empty, none too long, none that CKAN refuses."""
        if len(self.names) > MOST_COLUMNS:
            raise Fault("columns", count=len(self.names), most=MOST_COLUMNS)
        return unique([cleaned(name, number) for number, name in enumerate(self.names, 1)])


def cleaned(name: str, number: int) -> str:
    """A heading's cell as a column's name; `colonne_3` where it is empty."""
    name = unicodedata.normalize("NFC", "".join(c for c in name if c not in '"\0'))
    # A colon before a letter is taken for a parameter by CKAN's SQL, a leading underscore for a field of
    # its own.
    name = " ".join(re.sub(r"(?<!\w):(?=\w)", " ", name).split()).lstrip("_ ")
    return _cut(name, LONGEST_NAME) or f"colonne_{number}"


def unique(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    taken = {name.lower() for name in names}
    seen: Counter[str] = Counter()
    for name in names:
        key = name.lower()
        seen[key] += 1
        if seen[key] > 1:
            suffix = seen[key]
            while f"{key}_{suffix}" in taken:
                suffix += 1
            taken.add(f"{key}_{suffix}")
            name = f"{_cut(name, LONGEST_NAME - 6)}_{suffix}"
        found.append(name)
    return found


def _cut(name: str, most: int) -> str:
    return name.encode()[:most].decode(errors="ignore").strip()


def heading(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Width of the table, and the number of the row that is its heading.

    The width is that of most rows; the heading is the first row of that width at least half of whose cells
    say something: titles and notes above it fill one or two.

    :raises Fault: no row says anything.
    """
    widths = Counter(len(_trimmed(row)) for row in rows if any(cell.strip() for cell in row))
    if not widths:
        raise Fault("empty")
    full = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    usual = full.most_common(1)[0][0]
    for number, row in enumerate(rows[:HEADING_WITHIN]):
        said = sum(1 for cell in row if cell.strip())
        if len(row) == usual and said and said * 2 >= min(usual, max(widths)):
            # A separator at the end of every line is not a column.
            beyond = any(len(_trimmed(other)) == usual for other in rows)
            return (usual if beyond else max(len(_trimmed(r)) for r in rows if len(r) == usual)), number
    first = next(number for number, row in enumerate(rows) if any(cell.strip() for cell in row))
    return len(rows[first]), first


def _trimmed(row: Sequence[str]) -> Sequence[str]:
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]
