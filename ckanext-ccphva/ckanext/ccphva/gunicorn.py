"""Gunicorn's hooks: nothing yet but the log format of the portal."""

from __future__ import annotations

accesslog = None
errorlog = "-"
