"""The Celery application: `celery -A ckanext.ccphva_harvest.celery_app worker|beat`, configured by CKAN_INI.

Importing it loads no CKAN: beat stays small. A worker loads CKAN once before it forks.
Imports `ini` and `ckanext.ccphva.shared`.
"""

from __future__ import annotations

import logging.config
import os
from contextlib import ExitStack
from typing import Any

from celery import Celery, signals
from ckanext.ccphva_harvest import ini
from kombu.entity import Queue

QUEUES = ("harvest", "load", "render", "mail")
SWEEP_EVERY = 10.0
NOTICES_EVERY = 2.0

app = Celery(
    "ccphva", broker=ini.option("ccphva.celery.broker_url"), include=["ckanext.ccphva_harvest.tasks"]
)
app.conf.update(
    # A task is acknowledged when it is done: what a killed worker held is done again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={
        "visibility_timeout": int(ini.option("ccphva.celery.visibility_timeout", "43200")),
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2},
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="harvest",
    task_ignore_result=True,
    timezone="UTC",
    beat_schedule={
        "sweep": {
            "task": "ccphva_harvest.sweep",
            "schedule": SWEEP_EVERY,
            "options": {"queue": "harvest", "expires": SWEEP_EVERY},
        },
        "notices": {
            "task": "ccphva_harvest.notices",
            "schedule": NOTICES_EVERY,
            "options": {"queue": "harvest", "expires": NOTICES_EVERY},
        },
    },
)


@signals.setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    """Log as CKAN's configuration says, not as Celery would."""
    if path := os.environ.get("CKAN_INI"):
        logging.config.fileConfig(path, disable_existing_loggers=False)


@signals.worker_init.connect
def _load_catalogue(**_: Any) -> None:
    from ckanext.ccphva_harvest import application

    application.load()


@signals.beat_init.connect
def _show_beat_alive(**_: Any) -> None:
    from ckanext.ccphva.shared import Pulse

    Pulse("beat", ini.option("ckan.redis.url"), ini.option("ckan.site_id")).start()


@signals.worker_process_init.connect
def _leave_parents_connections(**_: Any) -> None:
    from ckanext.ccphva_harvest import application

    application.after_fork()


@signals.before_task_publish.connect
def _send_request_id(headers: dict[str, Any], **_: Any) -> None:
    from ckanext.ccphva.shared import request_id

    headers.setdefault("ccphva_request_id", request_id())


_bound: dict[str, ExitStack] = {}


@signals.task_prerun.connect
def _take_request_id(task_id: str, task: Any, **_: Any) -> None:
    from ckanext.ccphva.shared import bind_request_id

    stack = _bound[task_id] = ExitStack()
    stack.enter_context(bind_request_id(getattr(task.request, "ccphva_request_id", None)))


@signals.task_postrun.connect
def _drop_request_id(task_id: str, **_: Any) -> None:
    if stack := _bound.pop(task_id, None):
        stack.close()
