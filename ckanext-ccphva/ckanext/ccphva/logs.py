"""Structured logs: one JSON object a line."""

from __future__ import annotations

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter


class JsonFormatter(_JsonFormatter):
    """The formatter that `ckan.ini` names."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__("{asctime}{levelname}{name}{message}", style="{", rename_fields={"asctime": "time", "levelname": "level", "name": "logger"})
