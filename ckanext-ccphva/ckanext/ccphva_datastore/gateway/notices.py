"""`POST /notify/<source id>/<secret>`: what platforms of harvested sources tell (oneM2M, TS-0009).

Answers fast: who calls is checked, a handshake is answered, the rest is queued; a worker writes it by the
actions of tables. The secret in the address names the caller, and never stands in a log.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import orjson
import redis
from ckanext.ccphva.shared import Notices, is_secret, within
from ckanext.ccphva_datastore.gateway import bodies
from ckanext.ccphva_datastore.gateway.errors import Refusal
from ckanext.ccphva_datastore.gateway.settings import Settings
from starlette.requests import Request
from starlette.responses import Response

_OK, _BAD, _NO_RIGHT, _NOT_FOUND, _TOO_LARGE, _BUSY = "2000", "4000", "4103", "4004", "4000", "5103"
"""Response status codes (TS-0004, section 6.6)."""
_CODES = {404: _NOT_FOUND, 403: _NO_RIGHT, 413: _TOO_LARGE, 429: _BUSY, 503: _BUSY}


class Door:
    """Takes notifications for the sources that listen."""

    def __init__(self, settings: Settings, waiting: bodies.Waiting) -> None:
        self._settings = dataclasses.replace(settings, body=Notices.LONGEST)
        self._waiting = waiting
        self._notices = Notices(settings.redis_url, settings.site_id)

    async def notify(self, request: Request) -> Response:
        try:
            status = await self._take(request)
        except Refusal as refusal:
            status = refusal.status
        except redis.RedisError:
            status = 503
        code = _OK if status == 200 else _CODES.get(status, _BAD)
        headers = {"X-M2M-RSC": code, "X-M2M-RI": _echo(request), "Cache-Control": "no-store"}
        if status != 200:
            headers["Connection"] = "close"  # the rest of the body is not read
        return Response(b"", status, headers)

    async def _take(self, request: Request) -> int:
        source_id, given = request.path_params["source_id"], request.path_params["secret"]
        # One answer for a wrong secret and for a source that does not listen: neither can be looked for.
        if not self._settings.secret or not is_secret(given, self._settings.secret, source_id):
            return 404
        networks = await asyncio.to_thread(self._notices.networks, source_id)
        if networks is None:
            return 404
        peer = request.headers.get("x-real-ip") or (request.client.host if request.client else "")
        if not within(peer, networks):
            return 403
        body, taken = await bodies.read(request, self._settings, self._waiting)
        try:
            signs = _signs(body)
            if not signs:
                await asyncio.to_thread(self._notices.count, source_id, "unreadable")
                return 400
            if all(sign.get("vrq") for sign in signs):
                return 200
            answer = await asyncio.to_thread(self._notices.put, source_id, body)
        finally:
            self._waiting.bytes -= taken
        return {"taken": 200, "full": 503, "unknown": 404}[answer]


def _signs(body: bytes) -> list[dict[str, Any]]:
    """The notifications in a body, one or many (`m2m:agn`); none when it is something else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(value, dict):
        return []
    many = value.get("m2m:agn")
    signs: Any = many.get("m2m:sgn") if isinstance(many, dict) else [value.get("m2m:sgn")]
    if not isinstance(signs, list) or not all(isinstance(sign, dict) for sign in signs):
        return []
    return signs


def _echo(request: Request) -> str:
    given = request.headers.get("x-m2m-ri", "")[:100]
    return given if given.isascii() and given.isprintable() else ""
