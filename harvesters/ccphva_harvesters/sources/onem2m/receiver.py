"""A small receiver of notifications on loopback, for the command line and the tests.

The portal's own door does the same by ``parse_notification``: answer fast, queue, write later. A full queue
answers 503: the CSE tries again, and what it gives up on comes by backfill.

Imports only ``notify``.
"""

from __future__ import annotations

import hmac
import queue
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .notify import LONGEST, Notice, NotificationError

Parse = Callable[[bytes], list[Notice]]
_OK, _REFUSED, _BAD, _BUSY = "2000", "4103", "4000", "5103"
"""Response status codes (TS-0004 §6.6)."""


class Receiver:
    """Listens at ``url``; the last part of it is a secret. A context manager."""

    def __init__(self, parse: Parse, *, port: int = 0, waiting: int = 10_000) -> None:
        self.parse = parse
        self.notices: queue.Queue[Notice] = queue.Queue(waiting)
        self.secret = secrets.token_urlsafe(24)
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/{self.secret}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> list[Notice]:
        """All notices that wait, without waiting."""
        found: list[Notice] = []
        while True:
            try:
                found.append(self.notices.get_nowait())
            except queue.Empty:
                return found

    def answer(self, path: str, body: bytes) -> tuple[int, str]:
        """HTTP and oneM2M status for a request."""
        if not hmac.compare_digest(path.strip("/").encode(), self.secret.encode()):
            self.refused += 1
            return 404, "4004"
        try:
            notices = self.parse(body)
        except NotificationError as exc:
            self.refused += 1
            return (403, _REFUSED) if "somebody else" in str(exc) or "ours" in str(exc) else (400, _BAD)
        try:
            for notice in notices:
                self.notices.put_nowait(notice)
        except queue.Full:
            return 503, _BUSY
        return 200, _OK


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > LONGEST:
                self.close_connection = True
                self._say(413 if length.isdigit() else 411, _BAD)
                return
            self._say(*receiver.answer(self.path, self.rfile.read(int(length))))

        def _say(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-M2M-RSC", code)
            self.send_header("X-M2M-RI", self.headers.get("X-M2M-RI", "")[:100])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet: the path is a secret."""

    return Request
