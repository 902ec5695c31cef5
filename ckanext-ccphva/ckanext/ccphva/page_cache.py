"""What may be kept of an answer, and by whom (RFC 9111, HTTP Caching).

An answer to somebody without cookie and token may be kept by the front for a minute, and is purged from
there when the catalogue changes (`PagePurge`); a browser always asks again, and gets 304 if nothing changed.
Every other answer belongs to one person: no cache may keep it, as a cached answer cannot be revoked.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ckanext.ccphva import config
from ckanext.ccphva.changelog import Change
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags

log = logging.getLogger(__name__)

PERSONAL = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_X_CKAN_API_KEY")
"""Headers that may tell who asks; the front's configuration names the same."""

PUBLIC = "public, max-age=0, s-maxage=60, must-revalidate"
PRIVATE = "private, no-store"
FOR_EVER = "public, max-age=31536000, immutable"
NAMED_BY_CONTENT = ("/webassets/", "/built/part-")
"""Files whose names change with their content."""

NOT_BY_THE_FRONT = ("/api/", "/datastore/", "/user/", "/live/")
"""Rows change without a word in the catalogue's change log; accounts are nobody's but their owner's."""

KEPT = ("text/html", "text/turtle", "text/xml", "application/rdf+xml", "application/ld+json",
        "application/atom+xml", "application/xml", "text/n3")  # fmt: skip

SLOWEST_PAGE = 5.0
"""Seconds: a page whose making began before a change may reach the cache after its purge."""

Application = Callable[..., Iterable[bytes]]


class PageCache:
    """A layer of WSGI that says of each answer who may keep it, and answers 304 where it can."""

    def __init__(self, app: Application) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        held: list[tuple[str, Headers]] = []

        def hold(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            known = Headers(headers)
            if error or not _is_for_everybody(environ, status, known):
                _keep_private(environ, known)
                return start_response(status, known.to_wsgi_list(), *error)
            held.append((status, known))
            return lambda _: None

        body = self.app(environ, hold)
        if not held:
            return body
        try:
            whole = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()  # type: ignore[attr-defined]
        status, headers = held[0]
        headers["Cache-Control"] = PUBLIC
        if environ["REQUEST_METHOD"] == "GET":
            mark = hashlib.blake2b(whole, digest_size=12).hexdigest()
            headers["ETag"] = f'W/"{mark}"'
            if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains_weak(mark):
                del headers["Content-Length"]
                status, whole = "304 Not Modified", b""
        start_response(status, headers.to_wsgi_list())
        return [whole]


def _is_for_everybody(environ: dict[str, Any], status: str, headers: Headers) -> bool:
    """A page or document, whole in memory, made for somebody of whom nothing is known."""
    return (
        environ["REQUEST_METHOD"] in {"GET", "HEAD"}
        and not any(environ.get(name) for name in PERSONAL)
        and status.startswith("200")
        and not environ.get("PATH_INFO", "").startswith(NOT_BY_THE_FRONT)
        and "Content-Length" in headers
        and "Set-Cookie" not in headers
        and "ETag" not in headers
        and "no-store" not in headers.get("Cache-Control", "")
        and headers.get("Content-Type", "").split(";")[0] in KEPT
    )


def _keep_private(environ: dict[str, Any], headers: Headers) -> None:
    if "ETag" in headers and "Set-Cookie" not in headers and headers.get("Last-Modified"):
        headers.remove("Vary")  # a file of the software: the same for everybody
        if environ.get("PATH_INFO", "").startswith(NAMED_BY_CONTENT):
            headers["Cache-Control"] = FOR_EVER
    elif any(environ.get(name) for name in PERSONAL) or "private" in headers.get("Cache-Control", ""):
        headers["Cache-Control"] = PRIVATE


class PagePurge:
    """Follows the change log: empties the front's cache of pages, as any page may show what changed.

    Twice: at once, and again when a page that was being made before has surely arrived.
    """

    name = "pages"

    def __init__(self, folder: Path | None, again_after: float = SLOWEST_PAGE) -> None:
        """:param folder: where the front keeps pages, all in one folder; None where it keeps none."""
        self.folder, self.again_after = folder, again_after

    @classmethod
    def configured(cls) -> PagePurge:
        return cls(config.page_cache_folder())

    def follow(self, changes: Sequence[Change]) -> None:  # noqa: ARG002
        self.sweep()
        timer = threading.Timer(self.again_after, self.sweep)
        timer.daemon = True
        timer.start()

    def sweep(self) -> None:
        if self.folder is None or not self.folder.is_dir():
            return
        for file in self.folder.iterdir():
            if file.is_file():
                file.unlink(missing_ok=True)
