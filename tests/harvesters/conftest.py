"""What every test of the library stands on: a real HTTP server on loopback and a client that may reach it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ccphva_harvesters import Client, Limits

LOOPBACK = "127.0.0.0/8"
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[BaseHTTPRequestHandler], Answer | None]


class Site:
    """A small site: paths with answers, and a memory of what was asked."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.routes: dict[str, Handler] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.posts: dict[str, Handler] = {}
        """Answers to POST by path, before ``routes``; a handler finds the body in ``request.content``."""
        self.posted: list[tuple[str, bytes]] = []
        site = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def process_request(self, request: Any, client_address: Any) -> None:
                site.connections += 1
                super().process_request(request, client_address)

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Clients that hang up are what these tests are about."""

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                handler = site.answer_to(self)
                answer = (404, {}, b"no such page") if handler is None else handler(self)
                if answer is None:  # the handler wrote to the socket itself
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Quiet."""

        self.server = Server((host, 0), Request)
        self.host = host
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str = "/") -> str:
        """Address of a path."""
        return f"http://{self.host}:{self.server.server_port}{path}"

    def serve(
        self, path: str, body: bytes | str, media_type: str = "", status: int = 200, **headers: str
    ) -> str:
        """Answer ``path`` with ``body``; gives its address."""
        content = body.encode() if isinstance(body, str) else body
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if media_type:
            sent["Content-Type"] = media_type
        self.routes[path] = lambda _: (status, sent, content)
        return self.url(path)

    def handle(self, path: str, handler: Handler) -> str:
        """Answer ``path`` by a function; gives its address."""
        self.routes[path] = handler
        return self.url(path)

    def answer_to(self, request: Any) -> Handler | None:
        """The handler of a request: by its address, by its path with any query (``/p?*``), or by ``*``."""
        path = request.path.partition("?")[0]
        if request.command == "POST":
            self.posted.append((request.path, request.content))
            if path in self.posts:
                return self.posts[path]
        return self.routes.get(request.path) or self.routes.get(path + "?*") or self.routes.get("*")

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site."""
    with contextlib.closing(Site()) as found:
        yield found


@pytest.fixture
def trap() -> Iterator[Site]:
    """A site nobody may reach: it listens on another loopback address and counts connections."""
    with contextlib.closing(Site("127.0.0.2")) as found:
        found.serve("/", "secret")
        yield found


@pytest.fixture
def client() -> Iterator[Client]:
    """A client that may reach loopback and does not wait between attempts."""
    with Client(allow_networks=[LOOPBACK], limits=Limits(backoff=0.0), sleep=lambda _: None) as found:
        yield found


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` rewrites the expected JSON; the difference is reviewed like code."""
    parser.addoption("--update-golden", action="store_true", default=False, help="rewrite golden files")
