"""ISO 19139 documents for the tests: the yardsticks with what FACTS.tsv says of them."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import NamedTuple

from ccphva_harvesters import Record

HERE = Path(__file__).parent
STRANGE = {"be-metawal-service-iso19115-3.xml": 1, "ch-gm03-che-gewaesserschutz.xml": 1}
"""Records of other schemas, which FACTS.tsv does not count and our reader understands all the same."""


class Fact(NamedTuple):
    """One line of FACTS.tsv, which was computed with lxml, not with our code."""

    path: Path
    root: str
    records: int
    identifiers: tuple[str, ...]
    levels: tuple[str, ...]
    languages: tuple[str, ...]
    stamps: tuple[str, ...]
    boxes: int
    parents: tuple[str, ...]
    titles: tuple[str, ...]
    matched: str

    @property
    def datasets(self) -> int:
        """Datasets that must come out of the document."""
        return self.records or STRANGE.get(self.path.name, 0)


def yardsticks() -> Path:
    """The folder of the full set where it is at hand, else the small one kept with the tests."""
    shared = os.environ.get("CCPHVA_SHARED") or HERE.parents[2] / "shared"
    full = Path(shared) / "yardsticks" / "iso19139"
    return full if (full / "FACTS.tsv").exists() else HERE / "data" / "iso19139"


def facts() -> list[Fact]:
    """Facts of each yardstick."""
    folder = yardsticks()
    with (folder / "FACTS.tsv").open(encoding="utf-8") as lines:
        return [_fact(folder, row) for row in csv.DictReader(lines, delimiter="\t")]


def _fact(folder: Path, row: dict[str, str | None]) -> Fact:
    def several(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in (row.get(name) or "").split("|") if part.strip())

    return Fact(
        folder / str(row["file"]),
        str(row["root"]),
        int(row.get("records") or 0),
        several("fileIdentifier"),
        several("hierarchyLevel"),
        several("language"),
        several("dateStamp"),
        int(row.get("bboxes") or 0),
        several("parentIdentifier"),
        several("title"),
        row.get("matched/returned/next") or "",
    )


def record(path: Path) -> Record:
    """A yardstick as a record."""
    return Record(id=path.name, content=path.read_bytes(), media_type="application/xml")
