"""Hands jobs to Celery. Imports `storage` and `tasks`."""

from __future__ import annotations

import logging
from typing import Any

from ckanext.ccphva.shared import request_id
from ckanext.ccphva_harvest import storage, tasks
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def enqueue(job_id: str, source_id: str) -> bool:
    """Put a running job on the queue of harvests; false when the queue does not answer.

    The job is then not lost: the sweeper finds it by its silence.
    """
    asked_by = storage.queue_run(job_id, source_id, request_id())
    try:
        run_job: Any = tasks.run_job
        run_job.apply_async((job_id,), queue="harvest", headers={"ccphva_request_id": asked_by})
    except OperationalError as error:
        log.warning("Job %s waits: the queue does not answer (%s)", job_id, error)
        return False
    return True


def retire(source_id: str) -> None:
    """Have a worker take back what a source left at its platform."""
    try:
        task: Any = tasks.retire
        task.apply_async((source_id,), queue="harvest", headers={"ccphva_request_id": request_id()})
    except OperationalError as error:
        log.warning("Source %s leaves what it has at its platform (%s)", source_id, error)
