"""Harvesters of other extensions, run stage by stage on our workers instead of ckanext-harvest's consumers.

Imports nothing of the plugin; of `ccphva` its public face.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ccphva_harvesters import RunReport
from ckan import model as core
from ckanext.ccphva.shared import harvesting
from ckanext.ccphva_harvest.register import HarvestJob, HarvestObject, HarvestObjectError
from ckanext.harvest import queue

log = logging.getLogger(__name__)


def run(harvester: Any, job_id: str, cancelled: Callable[[], bool]) -> RunReport:
    """Gather, then fetch and import each object.

    :param cancelled: asked before each object.
    """
    waiting = _waiting(job_id)
    if not waiting:
        try:
            waiting = queue.gather_stage(harvester, HarvestJob.get(job_id)) or []
        except Exception as error:  # foreign code: whatever it raises is its job's end, not ours
            core.Session.rollback()
            _reopen(job_id)
            return RunReport(error=f"unexpected {type(error).__name__}: {error}")
        _reopen(job_id)
    done = 0
    for id_ in waiting:
        if cancelled():
            return RunReport(read=done, cancelled=True)
        _one(harvester, id_)
        done += 1
    return RunReport(read=done, complete=True)


def _waiting(job_id: str) -> list[str]:
    """Objects that a killed attempt left open."""
    query = core.Session.query(HarvestObject.id).filter_by(harvest_job_id=job_id)
    return [row[0] for row in query.filter(HarvestObject.state.notin_(["COMPLETE", "ERROR"]))]


def _reopen(job_id: str) -> None:
    """Stock calls a job gathered before its objects are imported; for the register it is not over yet."""
    job = HarvestJob.get(job_id)
    job.gather_finished = None
    job.save()


def _one(harvester: Any, object_id: str) -> None:
    entry = HarvestObject.get(object_id)
    try:
        with harvesting():
            queue.fetch_and_import_stages(harvester, entry)
    except Exception as error:  # one object of foreign code must not take the others down
        core.Session.rollback()
        log.exception("Object %s", object_id)
        entry = HarvestObject.get(object_id)
        entry.state, entry.report_status = "ERROR", "errored"
        core.Session.add(
            HarvestObjectError(
                message=f"unexpected {type(error).__name__}: {error}", stage="Import", object=entry
            )
        )
        core.Session.commit()
