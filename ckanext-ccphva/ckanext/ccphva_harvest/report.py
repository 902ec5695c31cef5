"""What a run did: the errors by their cause, and each dataset that it wrote with what changed of it.

Imports `storage`, `model` and the register; asks the action `ccphva_dataset_changes_show` for differences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import msgspec
from ccphva_harvesters import Outcome
from ckan.types import Context
from ckanext.ccphva_harvest import storage
from ckanext.ccphva_harvest.register import HarvestJob

A_PAGE = 20
"""Datasets of which the changes are shown at once."""
MOST_RECORDS = 10
"""Records that are named beside a cause; the others are counted."""
_PARTICULAR = re.compile(r"https?://[^\s,;]+|'[^']*'|\"[^\"]*\"|\d+")
"""What differs between two errors of the same cause: addresses, quoted words, numbers."""

Values = dict[str, Any]


def causes(job_id: str) -> list[Values]:
    """Errors of a job by their cause, the most frequent first.

    :returns: of each cause `message` (of its first error), `count`, and `records`: `name`, `url` (the
        record's own address at the source, or empty) and `object` (its entry in the register).
    """
    found: dict[str, Values] = {}
    for message in storage.job_errors(job_id):
        found.setdefault(message, {"message": message, "count": 0, "records": []})["count"] += 1
    for message, entry in storage.record_errors(job_id):
        cause = _PARTICULAR.sub("…", message)
        group = found.setdefault(cause, {"message": message, "count": 0, "records": []})
        group["count"] += 1
        if len(group["records"]) < MOST_RECORDS:
            group["records"].append({"name": entry.guid, "url": _address(entry), "object": entry.id})
    return sorted(found.values(), key=lambda each: -each["count"])


def _address(entry: Any) -> str:
    """Where a person finds the record at its source: only an address that a browser may follow."""
    try:
        told = msgspec.json.decode(entry.content or "", type=Outcome).url
    except msgspec.DecodeError:
        told = None
    return next((str(each) for each in (told, entry.guid) if re.match(r"https?://", each or "")), "")


def changes(context: Context, job_id: str, offset: int) -> tuple[list[Values], int]:
    """Datasets that a job wrote, from the offset on, and how many there are in all.

    :returns: of each dataset `name`, `title`, `record`, `status` (`added`, `updated` or `deleted`), and of an
        updated one `fields` and `resources` as `ccphva_dataset_changes_show` gives them. What the caller may
        not see is named by its record only.
    """
    job = HarvestJob.get(job_id)
    run = storage.runs([job_id]).get(job_id)
    begin = (run.started if run else None) or job.created
    entries, number = storage.written_entries(job_id, offset, A_PAGE)
    return [_change(context, entry, begin.isoformat()) for entry in entries], number


def _change(context: Context, entry: Any, begin: str) -> Values:
    shown: Values = {
        "record": entry.guid, "status": entry.report_status, "name": "", "title": entry.guid,
        "fields": [], "resources": [],
    }  # fmt: skip
    try:
        dataset = tk.get_action("package_show")(context.copy(), {"id": entry.package_id})
        shown |= {"name": dataset["name"], "title": tk.h.dataset_display_name(dataset)}
        if entry.report_status == "updated":
            shown |= _difference(context, entry, begin)
    except (tk.NotAuthorized, tk.ObjectNotFound):
        pass  # it is another organisation's, or gone for good
    return shown


def _difference(context: Context, entry: Any, begin: str) -> Values:
    wanted = {"id": entry.package_id, "at": entry.import_finished.isoformat()}
    found = tk.get_action("ccphva_dataset_changes_show")(context.copy(), wanted)
    if _moment(found["versions"], found["after"]) < begin:
        return {}  # the newest version of then is another run's: this one changed nothing that is shown
    return {name: found[name] for name in ("fields", "resources")}


def _moment(versions: Iterable[Values], wanted: str | None) -> str:
    return next((str(each["at"]) for each in versions if each["id"] == wanted), "")
