"""What Celery's workers do. Beat imports this module too, so CKAN is imported inside the tasks."""

from __future__ import annotations

import logging
from typing import Any

from ckanext.ccphva_harvest.celery_app import app

log = logging.getLogger(__name__)


@app.task(name="ccphva_harvest.run_job")
def run_job(job_id: str) -> str:
    """Run a job of the register; whatever happens, the task ends and the job tells of it."""
    from ckanext.ccphva_harvest import application, engine

    with application.context():
        try:
            return engine.run(job_id)
        except Exception as error:
            log.exception("Job %s", job_id)
            engine.fail(job_id, error)
            return "failed"


@app.task(name="ccphva_harvest.retire", bind=True, max_retries=8)
def retire(self: Any, source_id: str) -> int:
    """Take back what a removed source left at its platform; one that does not answer is asked for a day."""
    from ccphva_harvesters import RetriableError
    from ckanext.ccphva_harvest import application, engine

    with application.context():
        try:
            return engine.retire(source_id)
        except RetriableError as error:
            log.warning("Source %s: %s", source_id, error)
            raise self.retry(countdown=300 * 2**self.request.retries, exc=error) from error
        except Exception:  # whoever removes a source must not wait for a platform that is broken or gone
            log.exception("Source %s leaves something at its platform", source_id)
            return 0


@app.task(name="ccphva_harvest.notices")
def notices() -> None:
    """Write what platforms told by themselves since the last time."""
    from ckanext.ccphva_harvest import application
    from ckanext.ccphva_harvest import notices as told

    with application.context():
        try:
            told.drain()
        except Exception:  # the next one comes in seconds, and what waits is not lost
            log.exception("Notices")


@app.task(name="ccphva_harvest.sweep")
def sweep() -> None:
    """Start what is due, bring back what lost its worker, close what is done (`harvest_jobs_run`)."""
    import ckan.plugins.toolkit as tk
    from ckanext.ccphva_harvest import application, engine

    with application.context():
        try:
            tk.get_action("harvest_jobs_run")({"user": engine.user_name(), "ignore_auth": True}, {})
        except Exception:  # the next sweep comes in seconds
            log.exception("Sweep")
