"""Structured logs: one JSON object a line, with the id of the request it belongs to and without secrets.

Imports nothing of CKAN: gunicorn's master and the tests of the formatter need it before CKAN is loaded.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
HIDDEN = "***"

_SECRETS = (
    # A JSON Web Token, wherever it stands; CKAN's API tokens are such.
    (re.compile(r"\beyJ[\w-]{4,}(?:\.[\w-]+){0,2}"), HIDDEN),
    # The password in an address: postgresql://user:password@host, redis://:password@host.
    (
        re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE),
        rf"\g<head>:{HIDDEN}@",
    ),
    # Headers, in logs of requests and in dictionaries of headers.
    (
        re.compile(
            r"(?P<head>\b(?:proxy-)?(?:authorization|x-ckan-api-key|x-api-key|x-csrf-?token|set-cookie|cookie)"
            r"['\"]?\s*[:=,]\s*['\"]?)(?:(?:Basic|Bearer|Digest)\s+)?[^'\"\r\n,)]+",
            re.IGNORECASE,
        ),
        rf"\g<head>{HIDDEN}",
    ),
    # name=value in queries and forms, 'name': 'value' in dictionaries and JSON.
    (
        re.compile(
            r"(?P<head>\b[\w.-]*(?:password\d?|passwd|secret(?:_?key)?|token|api_?key|signature|credential)s?"
            r"['\"]?\s*[:=]\s*['\"]?)(?!\*\*\*)[^\s'\"&,;})]+",
            re.IGNORECASE,
        ),
        rf"\g<head>{HIDDEN}",
    ),
)

_request_id: ContextVar[str] = ContextVar("ccphva_request_id", default="")


def request_id() -> str:
    """The id of the request or job at work, empty outside of both."""
    return _request_id.get()


def valid_request_id(value: str | None) -> str:
    """The value when it is fit to be a request id, else a new one."""
    return value if value and REQUEST_ID.fullmatch(value) else uuid.uuid4().hex


@contextmanager
def bind_request_id(value: str | None) -> Iterator[str]:
    """Carry a request id through a block: a request, a Celery task, a job of RQ.

    :param value: the id that came with the work; anything unfit is replaced by a new one.
    """
    token = _request_id.set(valid_request_id(value))
    try:
        yield _request_id.get()
    finally:
        _request_id.reset(token)


def redact(text: str) -> str:
    """The text without tokens, passwords, cookies and keys."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonFormatter(_JsonFormatter):
    """The formatter that `ckan.ini` and gunicorn name."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={
                "asctime": "time",
                "levelname": "level",
                "name": "logger",
                "exc_info": "exception",
                "stack_info": "stack",
            },
            json_ensure_ascii=False,
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        log_data.pop("taskName", None)
        if not log_data.get("request_id"):
            if current := request_id():
                log_data["request_id"] = current
            else:
                log_data.pop("request_id", None)
        return {key: _without_secrets(key, value) for key, value in log_data.items()}


def _without_secrets(key: str, value: Any) -> Any:
    if isinstance(value, str):
        # The key counts too: extra={"password": …} is a secret without looking like one.
        head = f"{key}="
        hidden = redact(head + value) if " " not in value else head + redact(value)
        return hidden.removeprefix(head)
    if isinstance(value, int | float | bool) or value is None:
        return value
    return redact(str(value))


class RedactingFormatter(logging.Formatter):
    """Another formatter's text without secrets: for the mails that CKAN sends about errors."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record))


class WithoutTimings(logging.Filter):
    """Drops core's line about each request: the portal writes a better one."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "render time" not in str(record.msg)


CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ckanext.ccphva.logs.JsonFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "json"}
    },
    "root": {"level": "WARNING", "handlers": ["console"]},
}
