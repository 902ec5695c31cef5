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
    unchanged: bool = False
    """True when the source knows that nothing changed since its last complete read; it then has no content,
    and a dataset that is not there yet is asked for with the source's ``fetch(id)``."""


class Problem(msgspec.Struct, frozen=True):
    """Something the format or a step could not map, kept with the dataset and never guessed away."""

    code: str
    message: str
    field: str | None = None


ColumnType = Literal["text", "integer", "number", "boolean", "date", "timestamp", "json", "geometry"]
"""``timestamp`` is an RFC 3339 text in UTC, ``date`` YYYY-MM-DD, ``geometry`` GeoJSON in longitude,
latitude."""


class Column(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column of a table and what the data dictionary says of it."""

    name: str
    type: ColumnType = "text"
    unit: str | None = None
    title: str | None = None
    definition: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A table of a dataset, described; its rows come later, from ``RowSource.rows``."""

    id: str
    """Stable key inside its source, not only inside its dataset."""
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    """Columns that together name a row; a row that comes again under its key takes the old one's place."""
    mode: Literal["append", "replace"] = "replace"
    """``append`` adds to what is there and moves on by watermarks; ``replace`` brings the whole table
    anew."""
    geometry: str | None = None
    """Column that places a row; always WGS 84 in longitude, latitude, whatever the source spoke."""
    source_crs: str | None = None
    """Reference system the source spoke, for the reader."""
    time: str | None = None
    """Column that dates a row."""

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row as the source gives it. With ``problem`` set it counts as rejected and goes no further;
    with nothing but a ``mark`` it says that everything up to there has come."""

    values: Fields
    series: str = ""
    """Which thread of time it belongs to (one sensor); watermarks are kept by series."""
    mark: str | None = None
    """Where to go on after this row: handed back by ``RowSource.rows`` once the sink has taken the row."""
    problem: str | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform told of by itself."""

    rows: tuple[tuple[Table, tuple[Row, ...]], ...] = ()
    wake: bool = False
    """There is something new that only a look at the platform brings."""


class Rejected(msgspec.Struct, frozen=True):
    """A row that was left out, and why."""

    row: str
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink did with rows; it has them safely once it gives this."""

    accepted: int = 0
    unchanged: int = 0
    rejected: tuple[Rejected, ...] = ()


class TableOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the rows of one table in one run; ``reasons`` counts rejected rows by reason."""

    table: str
    dataset: str
    accepted: int = 0
    unchanged: int = 0
    rejected: int = 0
    reasons: dict[str, int] = {}
    examples: tuple[Rejected, ...] = ()
    note: str | None = None
    error: str | None = None
    retriable: bool = False


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
    tables: tuple[Table, ...] = ()
    """Tables whose rows the source gives; the catalogue makes a resource of each."""
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
    rows_accepted: int = 0
    rows_unchanged: int = 0
    rows_rejected: int = 0
    tables_failed: int = 0
    """Tables whose rows could not all be read or kept; what was kept stays."""
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
        bad = self.failed or self.tables_failed or self.cancelled
        return self.error is None and not bad
