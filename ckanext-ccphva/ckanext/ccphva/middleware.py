"""What surrounds every request: its id, its line in the log, its measure, and the mends of core's answers."""

from __future__ import annotations

import json
import logging
import logging.handlers
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from ckan.types import CKANApp
from ckanext.ccphva import answers, content_policy, csrf, health, metrics
from ckanext.ccphva.logs import RedactingFormatter, WithoutTimings, bind_request_id
from ckanext.ccphva.page_cache import PageCache
from flask import Flask, request, request_started
from prometheus_client import CONTENT_TYPE_LATEST

access = logging.getLogger("ckanext.ccphva.access")

StartResponse = Callable[..., Any]


def install(app: CKANApp) -> CKANApp:
    """Put the layers around CKAN's application; called once a process by IMiddleware."""
    csrf.mend(app)
    answers.install(app)
    content_policy.install(app)
    request_started.connect(_note_endpoint, app)
    _mend_logs(app)
    app.wsgi_app = Envelope(PageCache(app.wsgi_app))
    return app


def _note_endpoint(_: Flask, **__: Any) -> None:
    request.environ["ccphva.endpoint"] = request.endpoint or "none"


def _mend_logs(app: Flask) -> None:
    """One line a request, ours; and no header of a visitor in the mails about errors."""
    if not any(isinstance(f, WithoutTimings) for f in app.logger.filters):
        app.logger.addFilter(WithoutTimings())
    for handler in app.logger.handlers:
        if isinstance(handler, logging.handlers.SMTPHandler):
            handler.setFormatter(RedactingFormatter(handler.formatter))


class Envelope:
    """The outermost layer of WSGI. `/health` and `/metrics` end here: they must answer when CKAN cannot."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        call = Call(environ, start_response)
        path = environ.get("PATH_INFO", "")
        own = path in {"/health", "/health/live", "/health/ready", "/metrics"}
        try:
            call.body = monitor(path, environ, call.start) if own else self.app(environ, call.start)
        except BaseException:
            call.status = 500
            call.close()
            raise
        return call


class Call:
    """One request on its way: adds its id to the answer, and notes the end when the last byte is out."""

    def __init__(self, environ: dict[str, Any], start_response: StartResponse) -> None:
        self.environ, self._start_response = environ, start_response
        self.body: Iterable[bytes] = ()
        self.status = 0
        self._began = time.perf_counter()
        self._stack = ExitStack()
        self.request_id = self._stack.enter_context(bind_request_id(environ.get("HTTP_X_REQUEST_ID")))

    def start(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        self.status = int(status.split(" ", 1)[0])
        return self._start_response(status, [*headers, ("X-Request-Id", self.request_id)], *more)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        try:
            if hasattr(self.body, "close"):
                self.body.close()  # type: ignore[attr-defined]
        finally:
            self._note()
            self._stack.close()

    def _note(self) -> None:
        seconds = time.perf_counter() - self._began
        method, path = self.environ.get("REQUEST_METHOD", ""), self.environ.get("PATH_INFO", "")
        endpoint = self.environ.get("ccphva.endpoint", path if self.environ.get("ccphva.own") else "none")
        metrics.observe(endpoint, method, self.status, seconds)
        line = {"method": method, "path": path, "status": self.status, "ms": round(seconds * 1000, 1)}
        access.info("%s %s", method, self.status, extra=line | {"endpoint": endpoint})


def monitor(path: str, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer `/health…` and `/metrics`."""
    environ["ccphva.own"] = True
    if environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
        start_response("405 Method Not Allowed", [("Allow", "GET, HEAD"), ("Content-Length", "0")])
        return [b""]
    if path == "/metrics":
        if not metrics.allowed(environ):
            start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        status, kind, body = 200, CONTENT_TYPE_LATEST, metrics.text()
    else:
        status, answer = health.answer(path)
        kind, body = "application/json", json.dumps(answer, indent=1).encode()
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if status == 503:
        headers.append(("Retry-After", "5"))
    start_response("200 OK" if status == 200 else "503 Service Unavailable", headers)
    return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else body]
