"""Which sources are due, and which jobs lost their worker. Imports `settings`, `storage`, `config`."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model as core
from ckan.types import Context
from ckanext.ccphva_harvest import settings, storage
from ckanext.ccphva_harvest.model import now
from ckanext.ccphva_harvest.register import HarvestSource
from ckanext.harvest.logic import HarvestJobExists

_PERIODS = {
    "ALWAYS": timedelta(minutes=5),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
    "BIWEEKLY": timedelta(weeks=2),
}
"""The register's own frequencies; its `ALWAYS` means whenever a cron job comes by."""


def start_due(context: Context) -> list[str]:
    """Create a job for each source whose time has come; returns the sources."""
    started: list[str] = []
    for source_id in [source.id for source in storage.active_sources() if is_due(source)]:
        try:
            tk.get_action("harvest_job_create")(context.copy(), {"source_id": source_id, "run": True})
            started.append(source_id)
        except HarvestJobExists:
            pass  # the one at work is the one that was due
        source = HarvestSource.get(source_id)
        source.next_run = next_run(source.frequency, now())
        core.Session.commit()
    return started


def is_due(source: Any) -> bool:
    """True when the source's own minutes, or else the register's frequency, ask for a run now."""
    minutes = settings.minutes_of(source.config)
    if minutes is not None:
        last = storage.last_job_created(source.id)
        return last is None or last + timedelta(minutes=minutes) <= now()
    if source.frequency == "MANUAL":
        return False
    return source.next_run is None or source.next_run <= now()


def next_run(frequency: str, after: datetime) -> datetime | None:
    """The next time that one of the register's frequencies means; None for MANUAL."""
    if frequency == "MONTHLY":
        return after + timedelta(days=calendar.monthrange(after.year, after.month)[1])
    period = _PERIODS.get(frequency)
    return after + period if period else None
