"""Gunicorn's settings and hooks: logs as JSON, and measures that neither die with a worker nor pile up.

The access log is the portal's own (`middleware`): it knows the request's id and hides secrets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ckanext.ccphva import logs, measures

accesslog = None
errorlog = "-"
logconfig_dict = logs.CONFIGURATION | {
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False}}
}


def on_starting(_: Any) -> None:
    """Fold what processes left behind that ended while nobody looked."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        measures.fold_dead(Path(folder))


def child_exit(_: Any, worker: Any) -> None:
    """Keep the counts of a worker that ended, without its files."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        measures.fold(Path(folder), worker.pid)
