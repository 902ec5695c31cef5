"""How the sources do: which fail, which are late, and what their last runs brought.

Imports `schedule`, `settings`, `storage`, `model` and the register.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ckanext.ccphva_harvest import schedule, settings, storage
from ckanext.ccphva_harvest.model import HarvestRun, now

LAST = 10
"""Runs of a source that are shown."""
GRACE = timedelta(minutes=10)
_WORST_FIRST = ("failing", "late", "never", "ok", "paused")
_TREND = ("read", "added", "updated", "deleted", "failed")


def of(owners: Sequence[str]) -> list[dict[str, Any]]:
    """The sources of some organisations, those that need somebody first.

    :returns: of each `id`, `name`, `title`, `organization` (its title), `state`, `error` (of the last run),
        `success` (end of the last run without one; UTC), `due` (when the next one is expected; None for a
        source that is run by hand) and `runs`, the latest first: `job`, `finished`, `ok` and counts.
    """
    sources = storage.sources_of(owners)
    ids = [source.id for source, _, _ in sources]
    successes, runs = storage.last_successes(ids), storage.last_runs(ids, LAST)
    found = [
        _condition(source, name, organization, successes.get(source.id), runs.get(source.id, []))
        for source, name, organization in sources
    ]
    return sorted(found, key=lambda each: (_WORST_FIRST.index(each["state"]), each["title"]))


def _condition(
    source: Any, name: str, organization: str, success: datetime | None, runs: list[HarvestRun]
) -> dict[str, Any]:
    error = str(runs[0].report.get("error") or "") if runs else ""
    due = _due(source, success)
    return {
        "id": source.id,
        "name": name,
        "title": source.title or name,
        "organization": organization,
        "state": _state(source, success, due, error),
        "error": error,
        "success": success.isoformat() if success else None,
        "due": due.isoformat() if due else None,
        "runs": [_run(each) for each in runs],
    }


def _due(source: Any, success: datetime | None) -> datetime | None:
    """When a run is expected after the last success."""
    if success is None:
        return None
    minutes = settings.minutes_of(source.config)
    return success + timedelta(minutes=minutes) if minutes else schedule.next_run(source.frequency, success)


def _state(source: Any, success: datetime | None, due: datetime | None, error: str) -> str:
    if not source.active:
        return "paused"
    if error:
        return "failing"
    if success is None:
        return "never"
    # One missed turn may be a long run or a machine that was being updated; two are a reason to look.
    return "late" if due and now() > due + (due - success) + GRACE else "ok"


def _run(run: HarvestRun) -> dict[str, Any]:
    counts = {name: int(run.counts.get(name) or 0) for name in _TREND}
    finished = run.finished.isoformat() if run.finished else None
    return {"job": run.job_id, "finished": finished, "ok": not run.report.get("error"), **counts}
