"""What of ckanext-harvest's actions this plugin changes, and nothing else (a test lists them).

The register stays theirs: sources, jobs, pages, mails. Running a job is ours, on Celery.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva_harvest import catalogue, config, dispatch, harvesters, schedule, storage
from ckanext.ccphva_harvest.logic import corrections, preview, report
from ckanext.ccphva_harvest.logic.corrections import *  # noqa: F403 -- the blanket looks for actions here
from ckanext.ccphva_harvest.logic.preview import *  # noqa: F403
from ckanext.ccphva_harvest.logic.report import *  # noqa: F403
from ckanext.ccphva_harvest.register import HarvestJob

__all__ = [
    "harvest_job_abort",
    "harvest_job_list",
    "harvest_job_show",
    "harvest_jobs_run",
    "harvest_send_job_to_gather_queue",
    "harvest_source_clear",
    "harvest_source_show_status",
]
__all__ += corrections.__all__
__all__ += preview.__all__
__all__ += report.__all__

Data = dict[str, Any]


@tk.chained_action
def harvest_send_job_to_gather_queue(_original: Any, context: Context, data_dict: Data) -> Data:
    """Hand a job to the Celery workers; the stock gather queue is never used.

    :param id: the id of the harvest job
    :raises ValidationError: the source is not active
    :returns: the job
    """
    job = tk.get_action("harvest_job_show")(context, {"id": tk.get_or_bust(data_dict, "id")})
    tk.check_access("harvest_send_job_to_gather_queue", context, job)
    if not tk.get_action("harvest_source_show")(context, {"id": job["source_id"]})["active"]:
        raise tk.ValidationError({"source_id": ["Source is not active"]})
    entry = HarvestJob.get(job["id"])
    entry.status = "Running"
    entry.save()
    dispatch.enqueue(job["id"], job["source_id"])
    return tk.get_action("harvest_job_show")(context, {"id": job["id"]})


@tk.chained_action
def harvest_jobs_run(original: Any, context: Context, data_dict: Data) -> list[Any]:
    """Start what is due, bring back jobs whose worker is gone, close those that are done.

    Stock would do the first from its closed list of frequencies only and the second from its own queues.

    :param source_id: only close finished jobs of this source (optional)
    :returns: an empty list, as stock
    """
    tk.check_access("harvest_jobs_run", context, data_dict)
    source_id = data_dict.get("source_id")
    if source_id is None:
        schedule.start_due(context)
        for job_id, owner in storage.silent_jobs(config.silence()):
            dispatch.enqueue(job_id, owner)
    for source in [source_id] if source_id else storage.gathered_sources():
        original(context.copy(), {"source_id": source})
        catalogue.index_source(source)
    return []


@tk.chained_action
def harvest_job_abort(original: Any, context: Context, data_dict: Data) -> Data:
    """Abort a job: its worker stops at its next sign of life, within seconds, and withdraws nothing.

    :param id: the job, or the id or name of the source whose last job is meant
    :param source_id: the id or name of the source (instead of `id`)
    :returns: the job, with the times that stock leaves empty
    """
    if not (data_dict.get("id") or data_dict.get("source_id")):
        raise tk.ValidationError({"id": ["Missing value"]})
    job = original(context, data_dict)
    storage.close_job(job["id"])
    return tk.get_action("harvest_job_show")(context, {"id": job["id"]})


@tk.chained_action
@tk.side_effect_free
def harvest_job_show(original: Any, context: Context, data_dict: Data) -> Data:
    """A job, with the count of unchanged records and its run.

    :param id: the job
    :returns: as stock; `stats["not modified"]` is true, and `run` holds attempts, signs of life and counts
    """
    return _with_runs([original(context, data_dict)])[0]


@tk.chained_action
@tk.side_effect_free
def harvest_job_list(original: Any, context: Context, data_dict: Data) -> list[Data]:
    """Jobs, each as `harvest_job_show` gives it.

    :param status: New, Running or Finished (optional)
    :param source_id: a source (optional)
    """
    return _with_runs(original(context, data_dict))


@tk.chained_action
@tk.side_effect_free
def harvest_source_show_status(original: Any, context: Context, data_dict: Data) -> Data:
    """The state of a source; its `last_job` is as `harvest_job_show` gives it.

    :param id: the source
    """
    status = original(context, data_dict)
    if status.get("last_job"):
        _with_runs([status["last_job"]])
    return status


@tk.chained_action
def harvest_source_clear(original: Any, context: Context, data_dict: Data) -> Data:
    """Delete all datasets, jobs and records of a source, also those that stock forgets or stumbles over.

    :param id: the source
    :raises ValidationError: a job of the source runs
    """
    tk.check_access("harvest_source_clear", context, data_dict)
    source_id = tk.get_or_bust(data_dict, "id")
    if storage.has_running_job(source_id):
        raise tk.ValidationError({"id": ["A job of this source is running: abort it first"]})
    harvesters.retire(source_id)
    storage.loosen_datasets(source_id)
    cleared = original(context, data_dict)
    catalogue.purge(storage.forget_source(source_id), user=context.get("user", ""))
    catalogue.index_source(source_id)
    return cleared


def _with_runs(jobs: list[Data]) -> list[Data]:
    found = storage.runs([job["id"] for job in jobs])
    for job in jobs:
        run = found.get(job["id"])
        if run is None:
            continue
        job["run"] = run.as_dict()
        if "stats" in job:
            unchanged = int(run.counts.get("unchanged", 0))
            job["stats"]["not modified"] = job["stats"].get("not modified", 0) + unchanged
    return jobs
