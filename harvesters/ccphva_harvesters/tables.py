"""Tables without a portal: in memory, and in a folder of JSON Lines, for the command line and the tests.

Imports only ``errors``, ``model``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from .errors import FatalError
from .model import Receipt, Table

Values = dict[str, Any]


class MemoryTables:
    """Keeps rows by table and key; ``calls`` counts how often rows came."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Values]] = {}
        self.described: dict[str, Table] = {}
        self.calls = 0
        self._marks: dict[str, dict[str, str]] = {}

    def rows(self, table: str) -> list[Values]:
        """Rows of a table, in the order in which they came."""
        return list(self.tables.get(table, {}).values())

    def marks(self, table: str) -> Mapping[str, str]:
        return dict(self._marks.get(table, {}))

    def apply(self, table: Table, rows: Iterable[Mapping[str, Any]], marks: Mapping[str, str]) -> Receipt:
        self.calls += 1
        old = self.tables.get(table.id, {})
        kept: dict[str, Values] = {}
        if table.mode == "append":
            rows, kept = list(rows), old
        start, accepted, unchanged = len(kept), 0, 0
        for at, row in enumerate(rows):
            key = key_of(table, row, start + at)
            values = dict(row)
            if old.get(key) == values:
                unchanged += 1
            else:
                accepted += 1
            kept[key] = values
        self.tables[table.id], self.described[table.id] = kept, table
        self._marks.setdefault(table.id, {}).update(marks)
        return Receipt(accepted=accepted, unchanged=unchanged)


def key_of(table: Table, row: Mapping[str, Any], at: int) -> str:
    """The row's key as a text; without key columns its place."""
    return msgspec.json.encode([row.get(n) for n in table.key]).decode() if table.key else str(at)


class JsonlTables(MemoryTables):
    """The same, kept in a folder: one file a table. A line is a row, or the watermarks after it.

    Lines are added and forced to the disk before ``apply`` gives its receipt; a line that was cut by a
    crash is overlooked. A replaced table is written beside the old one and moved in its place.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.glob("*.jsonl")):
            self._load(path)

    def apply(self, table: Table, rows: Iterable[Mapping[str, Any]], marks: Mapping[str, str]) -> Receipt:
        path = self.path(table)
        if table.mode == "replace":
            receipt = super().apply(table, rows, marks)
            scratch = path.with_suffix(".new")
            self._write(scratch, "wb", [{"table": table}, *self._lines(table)])
            scratch.replace(path)
            return receipt
        taken = [dict(row) for row in rows]
        head = [] if path.exists() else [{"table": table}]
        self._write(path, "ab", [*head, *({"row": row} for row in taken), {"marks": dict(marks)}])
        return super().apply(table, taken, marks)

    def path(self, table: Table) -> Path:
        """File of a table, in a name that any file system takes."""
        plain = re.sub(r"[^a-z0-9]+", "-", table.id.lower()).strip("-")[-60:]
        return self.folder / f"{plain}-{hashlib.sha256(table.id.encode()).hexdigest()[:8]}.jsonl"

    def _lines(self, table: Table) -> list[Values]:
        return [{"row": row} for row in self.tables[table.id].values()]

    def _write(self, path: Path, mode: str, lines: Iterable[Values]) -> None:
        encode = msgspec.json.encode
        try:
            with path.open(mode) as file:
                if mode == "ab" and file.tell():
                    file.write(b"\n")  # ends a line that a crash cut
                file.writelines(encode(line) + b"\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise FatalError(f"{path} cannot be written: {exc}") from exc

    def _load(self, path: Path) -> None:
        table: Table | None = None
        rows: list[Values] = []
        marks: dict[str, str] = {}
        for line in path.read_bytes().splitlines():
            try:
                entry = msgspec.json.decode(line)
                table = msgspec.convert(entry["table"], Table) if "table" in entry else table
            except (msgspec.DecodeError, msgspec.ValidationError, TypeError):
                continue
            if "row" in entry:
                rows.append(entry["row"])
            marks.update(entry.get("marks") or {})
        if table is not None:
            super().apply(msgspec.structs.replace(table, mode="append"), rows, marks)
            self.described[table.id] = table
        self.calls = 0
