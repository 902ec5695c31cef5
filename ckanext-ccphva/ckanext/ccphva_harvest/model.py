"""Own tables: one run a job of ckanext-harvest, one record a dataset of a source, one layer a correction.

Imports nothing of the plugin. No foreign keys into the tables of CKAN and ckanext-harvest: they must stay
free to delete their rows.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

_RECORDS = uuid.UUID("6f0a8c1e-54a3-5d0b-9a53-6d6f2f1f7a10")


def now() -> datetime:
    """The time as CKAN's tables keep it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def record_id(source_id: str, guid: str) -> str:
    """Id of a source's record and of its dataset: the same record never makes two datasets."""
    return str(uuid.uuid5(_RECORDS, f"{source_id}\n{guid}"))


class HarvestRun(tk.BaseModel):
    """What ckanext-harvest's job does not hold: signs of life, attempts, counts of unchanged records.

    :param heartbeat: last sign of life of the worker, or the time of queuing.
    :param not_before: time of the next attempt, when the source did not answer.
    :param counts: outcomes of the run so far, by status.
    :param validators: ETag and Last-Modified of a clean full read, for the next run.
    """

    __tablename__ = "ccphva_harvest_run"

    job_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.Text, nullable=False, index=True)
    attempt: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    queued: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=now)
    started: Mapped[datetime | None] = mapped_column(sa.DateTime)
    heartbeat: Mapped[datetime | None] = mapped_column(sa.DateTime)
    not_before: Mapped[datetime | None] = mapped_column(sa.DateTime)
    finished: Mapped[datetime | None] = mapped_column(sa.DateTime)
    request_id: Mapped[str] = mapped_column(sa.Text, nullable=False, default="")
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)
    validators: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, default=dict)

    def as_dict(self) -> dict[str, Any]:
        """What the actions show of a run."""
        times = {
            name: moment.isoformat() if (moment := getattr(self, name)) else None
            for name in ("queued", "started", "heartbeat", "not_before", "finished")
        }
        return {"attempt": self.attempt, **times, "counts": dict(self.counts), "report": dict(self.report)}


class HarvestRecord(tk.BaseModel):
    """A dataset that a source brought.

    :param state: `active`, or `withdrawn` when the source no longer names it.
    :param indexed: false between the commit of a dataset and its way into the search index.
    """

    __tablename__ = "ccphva_harvest_record"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.Text, nullable=False, index=True)
    guid: Mapped[str] = mapped_column(sa.Text, nullable=False)
    dataset_id: Mapped[str] = mapped_column(sa.Text, nullable=False, index=True)
    fingerprint: Mapped[str] = mapped_column(sa.Text, nullable=False)
    state: Mapped[str] = mapped_column(sa.Text, nullable=False, default="active")
    indexed: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    last_seen: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=now)


class HarvestLayer(tk.BaseModel):
    """One place where a person corrected what a source says.

    :param path: the place, as `layers` writes it.
    :param ours: what the catalogue says there; null for nothing.
    :param source: what the source says there; null for nothing.
    :param conflict: the source has changed its word since.
    """

    __tablename__ = "ccphva_harvest_layer"

    dataset_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    path: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    ours: Mapped[Any] = mapped_column(JSONB(none_as_null=False), nullable=False)
    source: Mapped[Any] = mapped_column(JSONB(none_as_null=False), nullable=False)
    user_id: Mapped[str] = mapped_column(sa.Text, nullable=False, default="")
    since: Mapped[datetime] = mapped_column(sa.DateTime, nullable=False, default=now)
    conflict: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
