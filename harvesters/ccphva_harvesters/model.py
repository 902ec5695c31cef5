"""The values that travel along the road: record, dataset, write, outcome, report.

All are frozen; a step that changes a dataset returns a new one (``msgspec.structs.replace``).
Imports nothing of the package.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Status = Literal["added", "updated", "unchanged", "deleted", "skipped", "failed"]
Kind = Literal["dataset", "dataset_series", "data_service"]
Fields = dict[str, Any]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as the source holds it, before any format has read it."""

    id: str
    """What the source calls it; used in outcomes and logs."""
    content: Any
    """Raw ``bytes``, or what the source had to parse anyway (DCAT: an ``rdf.Node``)."""
    url: str | None = None
    """Where a person can look at the record."""
    media_type: str | None = None
    guid: str | None = None
    """The guid its dataset will have, where the source knows it: an unreadable record then protects
    its dataset from withdrawal."""
    fingerprint: str = ""
    """Hash of the content, independent of order and blank-node labels."""


class Problem(msgspec.Struct, frozen=True):
    """Something the format or a step could not map, kept with the dataset and never guessed away."""

    code: str
    message: str
    field: str | None = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in our schema's words (ckanext-dcat's ``dcat_ap_full.yaml`` and design §6)."""

    guid: str
    """Stable key inside its source: the URI, else the identifier, else a hash of the content."""
    uri: str | None = None
    identifier: str | None = None
    kind: Kind = "dataset"
    owner: str | None = None
    """Organisation that it goes to, where a step has chosen one; else that of the source."""
    fields: Fields = {}
    resources: list[Fields] = []
    problems: tuple[Problem, ...] = ()


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset that the catalogue is asked to write, and why."""

    action: Literal["add", "update"]
    dataset: Dataset
    fingerprint: str
    record_id: str
    record_url: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one record; ``fields`` names what an update changed."""

    status: Status
    record: str
    guid: str | None = None
    reason: str | None = None
    fields: tuple[str, ...] = ()
    url: str | None = None
    problems: tuple[Problem, ...] = ()


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. ``complete`` is false when anything of the source was not read."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    skipped: int = 0
    failed: int = 0
    read: int = 0
    complete: bool = False
    not_modified: bool = False
    cancelled: bool = False
    dry_run: bool = False
    held: tuple[str, ...] = ()
    """Guids that the source no longer names and that a guard kept; see ``held_reason``."""
    held_reason: str | None = None
    error: str | None = None
    retriable: bool = False
    """True when ``error`` may pass by itself; ``retry_after`` then holds the source's wish in seconds."""
    retry_after: float | None = None
    seconds: float = 0.0

    @property
    def writes(self) -> int:
        """Number of datasets that the catalogue really changed."""
        return self.added + self.updated + self.deleted

    @property
    def ok(self) -> bool:
        """True when the run went to its end and no record failed."""
        return self.error is None and not self.failed and not self.cancelled
