"""Catalogues without a portal: in memory, and in a JSON Lines file, for the command line and the tests.

Imports only ``errors``, ``fingerprint`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from .errors import FatalError
from .fingerprint import changed_fields
from .model import Dataset, Outcome, Write


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One stored dataset with the fingerprint it was stored under."""

    fingerprint: str
    dataset: Dataset


class MemoryCatalogue:
    """Keeps datasets in a mapping; ``writes`` counts every dataset that was changed."""

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self.entries: dict[str, Entry] = dict(entries or {})
        self.writes = 0

    def known(self) -> Mapping[str, str]:
        return {guid: entry.fingerprint for guid, entry in self.entries.items()}

    def apply(self, batch: Sequence[Write]) -> Iterator[Outcome]:
        for write in batch:
            guid = write.dataset.guid
            old = self.entries.get(guid)
            self.entries[guid] = Entry(fingerprint=write.fingerprint, dataset=write.dataset)
            self.writes += 1
            yield Outcome(
                status="added" if old is None else "updated",
                record=write.record_id,
                guid=guid,
                fields=() if old is None else changed_fields(old.dataset, write.dataset),
                url=write.record_url,
                problems=write.dataset.problems,
            )

    def withdraw(self, guids: Sequence[str]) -> Iterator[Outcome]:
        for guid in guids:
            if self.entries.pop(guid, None) is not None:
                self.writes += 1
                yield Outcome(status="deleted", record=guid, guid=guid)


class JsonlCatalogue(MemoryCatalogue):
    """The same, read from a JSON Lines file; ``save`` writes it back in one move."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        super().__init__(_load(self.path))

    def save(self) -> None:
        """Replace the file by what is held now."""
        encode = msgspec.json.Encoder(order="sorted").encode
        lines = b"".join(encode(self.entries[guid]) + b"\n" for guid in sorted(self.entries))
        scratch = self.path.with_name(self.path.name + ".new")
        scratch.write_bytes(lines)
        scratch.replace(self.path)


def _load(path: Path) -> dict[str, Entry]:
    if not path.exists():
        return {}
    try:
        entries = msgspec.json.Decoder(Entry).decode_lines(path.read_bytes())
    except (OSError, msgspec.DecodeError) as exc:
        raise FatalError(f"{path} is not a catalogue file: {exc}") from exc
    return {entry.dataset.guid: entry for entry in entries}
