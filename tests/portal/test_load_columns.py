"""csv-detective is asked about some rows of a long column; what the others say counts, too. No CKAN."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from ckanext.ccphva_datastore.loading import columns

ROWS = columns.SAMPLE_ROWS
CHOSEN = random.Random(0).sample(range(ROWS), columns.ASKED_ROWS)
UNSEEN = next(n for n in range(ROWS) if n not in CHOSEN)
"""A row that csv-detective is not asked about at first."""


def proposed(cells: Iterable[str], name: str = "valeur", odd: str | None = None) -> columns.Proposal:
    """The proposal for a column of distinct cells, one of which is odd."""
    column = list(cells)
    assert len(set(column)) > columns.ASKED_ROWS
    if odd is not None:
        column[UNSEEN] = odd
    return columns.propose([name], [[cell] for cell in column], ",")[0]


def days(form: str) -> list[str]:
    """Days that may be read day first or month first: none is after the twelfth."""
    return [
        form.format(year=1700 + n // 144, month=n // 12 % 12 + 1, day=n % 12 + 1, hour=n % 24)
        for n in range(ROWS)
    ]


NUMBERS = [str(n * 3 + 1) for n in range(ROWS)]
ISO, FRENCH = "{year}-{month:02}-{day:02}", "{day:02}/{month:02}/{year}"
MOMENTS = days(ISO + "T{hour:02}:30:00")


@pytest.mark.parametrize(
    ("cells", "odd", "kind", "date_format"),
    [
        (NUMBERS, None, "int", None),
        (NUMBERS, "007", "text", None),
        (NUMBERS, "1.5", "numeric", None),
        (NUMBERS, "inconnu", "text", None),
        (days(ISO), None, "date", "%Y-%m-%d"),
        (days(ISO), "1999-02-30", "text", None),
        (days(ISO), "inconnu", "text", None),
        (days(FRENCH), None, "date", "%d/%m/%Y"),
        (days(FRENCH), "12/25/1999", "date", "%m/%d/%Y"),
        (days(FRENCH), "25-12-1999", "text", None),
        (MOMENTS, None, "timestamp", "%Y-%m-%dT%H:%M:%S"),
        (MOMENTS, "1999-12-25T10:30:00+02:00", "text", None),
        (MOMENTS, "1999-12-25T25:30:00", "text", None),
    ],
    ids=lambda value: "cells" if isinstance(value, list) else str(value),
)
def test_one_cell_among_the_others(
    cells: list[str], odd: str | None, kind: str, date_format: str | None
) -> None:
    """Leading zeros, a month first, a zone, a day that no month has: one row in five thousand decides."""
    found = proposed(cells, odd=odd)
    assert (found["type"], found.get("date_format")) == (kind, date_format)


def test_what_is_taken_by_the_part_that_fits() -> None:
    """Rows keep their weight: many equal wrong ones are more than one distinct value."""
    mostly = [f"Rue de la Mine {n}" for n in range(ROWS)]
    assert proposed(mostly)["format"] == "adresse"
    assert proposed([*mostly[: ROWS // 4], *["inconnu"] * (ROWS - ROWS // 4)])["format"] == "string"


def test_blanks_and_empty_columns() -> None:
    """Neither counts as a value, and columns of any length stand side by side."""
    rows = [[str(n), "", "  ", "oui" if n % 2 else "non"] for n in range(ROWS)]
    found = columns.propose(["a", "b", "c", "d"], rows, ",")
    assert [each["type"] for each in found] == ["int", "text", "text", "bool"]
