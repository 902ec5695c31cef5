"""The worker of CKAN's own queues (RQ), which survives a job that begins while the database is away.

CKAN loads its environment in the forked child, before RQ's own guard. Where that fails, the child goes up the
parent's stack and signs the worker off in Redis: the worker lives on, and nobody knows of it for minutes.
"""

from __future__ import annotations

import logging
import os
from typing import Any, NoReturn

from ckan.lib import jobs

log = logging.getLogger(__name__)


class Worker(jobs.Worker):
    def main_work_horse(self, job: Any, queue: Any) -> NoReturn:
        """The child's whole life: it ends here, whatever happens, and RQ calls the job failed."""
        try:
            super().main_work_horse(job, queue)
        except Exception:
            log.exception("A job could not begin", extra={"job": getattr(job, "id", "")})
        os._exit(1)
