"""What the gateway refuses.

Refusal          a request that is not served; says why in the caller's language
"""

from __future__ import annotations

from typing import Any

import orjson
from ckanext.ccphva_datastore.feeds.reasons import Reason, preferred
from starlette.requests import Request
from starlette.responses import Response


class Refusal(Exception):  # noqa: N818
    """A request that is not served.

    :param retry: seconds after which it may be tried again.
    """

    def __init__(self, status: int, rule: str, retry: int | None = None, **arguments: Any) -> None:
        super().__init__(rule)
        self.status, self.reason = status, Reason(rule, arguments)
        self.retry = retry if retry is not None else {429: 1, 503: 5}.get(status)


def language(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


def answer(request: Request, refusal: Refusal) -> Response:
    """The answer to a refused request; the rest of its body is not read, so its connection ends."""
    headers = {"Cache-Control": "no-store", "Connection": "close"}
    if refusal.retry is not None:
        headers["Retry-After"] = str(refusal.retry)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="live"'
    error = {"rule": refusal.reason.rule, "reason": refusal.reason.to(language(request))}
    return Response(orjson.dumps({"error": error}), refusal.status, headers, media_type="application/json")
