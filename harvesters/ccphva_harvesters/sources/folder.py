"""A drop folder: each CSV, XLSX, XLS or ODS file becomes a dataset with one table.

A file is read when it has rested for ``stable`` seconds, and only inside the folder that the operator
opened. Beside ``bancs.csv``, ``bancs.yaml`` may say title, notes, keywords, and what its columns are.

Imports only ``errors``, ``http``, ``model`` and the modules beside it.
"""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ccphva_harvesters.errors import ConfigError, FatalError, RecordError, RetriableError, SourceError
from ccphva_harvesters.http import Client
from ccphva_harvesters.model import Column, ColumnType, Record, Row, Table
from ccphva_harvesters.sources import _described, _sheets

ROOT = "CCPHVA_DROP_ROOT"
"""Variable that names the one folder below which drop folders may lie."""
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods")
_UNFINISHED = ("*.part", "*.tmp", "*.filepart", "*.crdownload", "~$*", ".*", "*~")


class FolderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: folder``."""

    path: str
    """Folder, relative to the one that the operator opened."""
    files: str = "*"
    """Pattern of file names, as ``bancs-*.csv``."""
    name: str | None = None
    """Regular expression on the file's name without its ending; its group ``dataset`` names the dataset. Of
    several files of one dataset the last by name is read."""
    stable: float = 30.0
    """Seconds that a file must rest before it is read."""
    encoding: str | None = None
    sheet: str | None = None
    key: tuple[str, ...] = ()
    max_bytes: int = 100 * 1024 * 1024
    language: str = "fr"


class SidecarColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One column, described beside the file."""

    type: ColumnType | None = None
    unit: str | None = None
    title: str | None = None
    definition: str | None = None


class Sidecar(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``<file>.yaml`` beside the file."""

    title: str | None = None
    notes: str | None = None
    keywords: tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | None = None
    key: tuple[str, ...] | None = None
    columns: dict[str, SidecarColumn] = {}


class FolderSource:
    """The files of one folder."""

    Config = FolderConfig

    def __init__(
        self, config: FolderConfig, client: Client | None = None, *, root: Path | None = None,  # noqa: ARG002  (nothing is fetched)
        clock: Any = time.time, **_state: Any,
    ) -> None:  # fmt: skip
        self.config, self.clock = config, clock
        self.root = (root or Path(os.environ.get(ROOT) or Path.cwd())).resolve()
        try:
            self._name = re.compile(config.name or r"(?P<dataset>.+)")
        except re.error as exc:
            raise ConfigError("$.source.name", f"not a regular expression: {exc}") from None
        if "dataset" not in self._name.groupindex:
            raise ConfigError("$.source.name", "expected a group (?P<dataset>…)")
        if Path(config.path).is_absolute() or ".." in Path(config.path).parts:
            raise ConfigError(
                "$.source.path", "expected a folder below the one the operator opened, without .."
            )
        self.folder = self.root / config.path
        self._files: dict[str, Path] = {}
        self._said: dict[str, Sidecar] = {}

    def check(self) -> str:
        """Look into the folder."""
        ready, waiting = self._ready()
        return f"{len(ready)} files are ready, {waiting} are still being written"

    def records(self) -> Iterator[Record]:
        """One record a dataset. While a file is being written nothing is withdrawn for it."""
        self._files, self._said = {}, {}
        ready, waiting = self._ready()
        for name, path in sorted(ready.items()):
            yield self._record(name, path)
        if waiting:
            raise RetriableError(
                self.config.path, f"{waiting} files are still being written", self.config.stable
            )

    def _ready(self) -> tuple[dict[str, Path], int]:
        """Files that have rested, by dataset, and how many have not."""
        folder = self.folder.resolve()
        if not folder.is_relative_to(self.root):
            raise SourceError(self.config.path, "it leads out of the folder that the operator opened")
        if not folder.is_dir():
            raise SourceError(self.config.path, "there is no such folder")
        ready: dict[str, Path] = {}
        waiting = 0
        for path in sorted(folder.iterdir()):
            if not fnmatch.fnmatch(path.name, self.config.files) or path.suffix.lower() not in _ENDINGS:
                continue
            match = self._name.fullmatch(path.stem)
            if match is None or any(fnmatch.fnmatch(path.name, one) for one in _UNFINISHED):
                continue
            if not path.resolve().is_relative_to(folder) or not path.is_file():
                continue  # a link out of the folder, or a pipe
            status = path.stat()
            # A clock that runs ahead must not make a file wait for ever.
            age = self.clock() - status.st_mtime
            if 0 <= age < self.config.stable:
                waiting += 1
            else:
                ready[match["dataset"]] = path
        return ready, waiting

    def _record(self, name: str, path: Path) -> Record:
        guid = f"folder:{self.config.path}/{name}"
        try:
            said = self._sidecar(path)
            names, lines = self._grid(path, said)
        except _sheets.SheetError as exc:
            return Record(id=guid, guid=guid, content=RecordError(path.name, str(exc)))
        title = said.title or re.sub(r"[-_]+", " ", name).strip().capitalize()
        unknown = [column for column in said.columns if column not in names]
        if unknown:
            return Record(
                id=guid,
                guid=guid,
                content=RecordError(path.name, f"its description names a column {unknown[0]!r}"),
            )
        key = said.key if said.key is not None else self.config.key
        missing = [column for column in key if column not in names]
        if missing:
            return Record(
                id=guid, guid=guid, content=RecordError(path.name, f"it has no key column {missing[0]!r}")
            )
        self._files[guid], self._said[guid] = path, said
        columns = tuple(
            _with(column, said.columns.get(column.name)) for column in _sheets.columns_of(names, lines)
        )
        table = Table(id=guid, title=title, columns=columns, key=key)
        dataset = _described.dataset(
            guid, title, [table], language=self.config.language, notes=said.notes, keywords=said.keywords
        )
        return _described.record(msgspec.structs.replace(dataset, uri=None))

    def _sidecar(self, path: Path) -> Sidecar:
        beside = next((b for e in (".yaml", ".yml") if (b := path.with_suffix(e)).is_file()), None)
        if beside is None:
            return Sidecar()
        if not beside.resolve().is_relative_to(self.folder.resolve()) or beside.stat().st_size > 1_000_000:
            raise _sheets.SheetError(f"{beside.name} is not one to be read")
        try:
            return msgspec.convert(yaml.safe_load(beside.read_text(encoding="utf-8")) or {}, Sidecar)
        except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as exc:
            raise _sheets.SheetError(f"{beside.name}: {' '.join(str(exc).split())}"[:300]) from None

    def _grid(self, path: Path, said: Sidecar) -> tuple[list[str], _sheets.Grid]:
        try:
            if path.stat().st_size > self.config.max_bytes:
                raise _sheets.SheetError(f"larger than {self.config.max_bytes} bytes")
            body = path.read_bytes()
        except OSError as exc:
            raise _sheets.SheetError(f"cannot be read: {exc.strerror}") from None
        grid = _sheets.read(
            body, path.name, said.sheet or self.config.sheet, said.encoding or self.config.encoding
        )
        if not grid:
            raise _sheets.SheetError("it is empty")
        return _sheets.header_of(grid), grid[1:]

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:  # noqa: ARG002  (replaced as a whole)
        """Lines of a file; one with more fields than the header has is a bad row."""
        path = self._files.get(table.id)
        if path is None:
            raise FatalError(f"{table.id} was not described by this run")
        try:
            names, lines = self._grid(path, self._said[table.id])
        except _sheets.SheetError as exc:
            raise SourceError(path.name, str(exc)) from None
        if names != [column.name for column in table.columns]:
            raise RetriableError(path.name, "it was changed while it was read", self.config.stable)
        for line in lines:
            extra = [value for value in line[len(names) :] if value not in ("", None)]
            problem = "more fields than the header has" if extra else None
            yield Row(values=dict(zip(names, line, strict=False)), problem=problem)


def _with(column: Column, said: SidecarColumn | None) -> Column:
    """A column as it was found, and what its description says of it."""
    if said is None:
        return column
    return msgspec.structs.replace(
        column, type=said.type or column.type, unit=said.unit, title=said.title, definition=said.definition
    )
