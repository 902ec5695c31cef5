"""The addresses of the gateway: parse, ask the gate, do, answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from ckanext.ccphva_datastore.feeds.checks import Outcome, check
from ckanext.ccphva_datastore.feeds.writer import Tally
from ckanext.ccphva_datastore.gateway import bodies, errors, measures
from ckanext.ccphva_datastore.gateway.commits import Committer
from ckanext.ccphva_datastore.gateway.database import Pool, notices
from ckanext.ccphva_datastore.gateway.errors import Refusal
from ckanext.ccphva_datastore.gateway.gate import Gate, Pass
from ckanext.ccphva_datastore.gateway.notices import Door
from ckanext.ccphva_datastore.gateway.settings import Settings
from ckanext.ccphva_datastore.gateway.streams import Source, Streams
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

LARGE = 65_536
"""Bodies of more bytes are read in a thread, so that nobody else waits for them."""
DRAINED = 50_000_000
TOLD = 1_000
"""How many refused rows an answer names; all are counted."""


class Gateway:
    """The parts that requests share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.gate = Gate(settings.portal, settings.trust)
        self.waiting = bodies.Waiting(settings.waiting)
        self.committer = Committer(Pool("write", settings.write_url, 4, ""), settings.gather)
        only = "-c default_transaction_read_only=on -c statement_timeout=30s"
        self.source = Source(
            Pool("read", settings.read_url, 4, only), Pool("closed", settings.write_url, 2, only)
        )
        self.streams = Streams(self.source, self.gate, settings.heartbeat)
        self.door = Door(settings, self.waiting)

    async def listen(self) -> None:
        async for resource_id in notices(self.settings.write_url):
            self.streams.tell(resource_id)

    async def reading(self, request: Request) -> Pass:
        """The caller's pass, if he may read.

        :raises Refusal: 401, 404.
        """
        found = await self.gate.ask(request.path_params["resource_id"], token(request))
        if found is None or not found.reads:
            raise Refusal(404, "no_feed")
        return found

    async def writing(self, request: Request) -> Pass:
        """The caller's pass, if he may write.

        :raises Refusal: 401, 403, 404.
        """
        found = await self.gate.ask(request.path_params["resource_id"], token(request))
        if not token(request):
            raise Refusal(401, "no_token")
        if found is None:
            raise Refusal(404, "no_feed")
        if not found.writes:
            raise Refusal(403, "not_allowed")
        if found.personal_data:
            raise Refusal(403, "personal_data")
        return found

    async def push(self, request: Request) -> Response:
        """`POST /live/<id>`: rows in; every row whose number is not among the refused is durable."""
        found = await self.writing(request)
        read_rows = bodies.reader(request.headers.get("content-type", ""))
        body, taken = await bodies.read(request, self.settings, self.waiting)
        began = time.perf_counter()
        try:
            found = await self.writing(request)  # a slow body may outlive its token
            outcome = await self._check(found, read_rows, body)
            del body
            tally = Tally()
            if outcome.parts:
                try:
                    tally = await self.committer.commit(request.path_params["resource_id"], outcome.parts)
                except Refusal as refusal:
                    if refusal.status == 404:
                        self.gate.forget(request.path_params["resource_id"])
                    raise
        finally:
            self.waiting.bytes -= taken
        tally.rejected += outcome.rejected
        measures.seconds.observe(time.perf_counter() - began)
        return _answer(request, tally)

    async def _check(self, found: Pass, read_rows: Any, body: bytes) -> Outcome:
        def work() -> Outcome:
            rows = read_rows(body, self.settings)
            if not rows:
                raise Refusal(400, "empty")
            return check(found.contract, rows, datetime.now(UTC))

        return await asyncio.to_thread(work) if len(body) > LARGE else work()

    async def latest(self, request: Request) -> Response:
        """`GET /live/<id>/latest`: the newest row of each series."""
        found = await self.reading(request)
        if not set(found.contract.unique) <= set(found.columns):
            raise Refusal(404, "not_seen")
        try:
            records = await self.source.latest(found, request.path_params["resource_id"])
        except psycopg.OperationalError:
            raise Refusal(503, "away") from None
        except psycopg.Error:
            self.gate.forget(request.path_params["resource_id"])
            raise Refusal(503, "away", retry=1) from None
        return Response(
            b'{"records": ' + records + b"}", headers=_cache(found), media_type="application/json"
        )

    async def events(self, request: Request) -> Response:
        """`GET /live/<id>/events`: changes from now on, or after Last-Event-ID or `?since=`."""
        found = await self.reading(request)
        wanted = request.headers.get("last-event-id") or request.query_params.get("since") or None
        if wanted is not None and not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 19):
            raise Refusal(400, "event_id")
        resource_id = request.path_params["resource_id"]
        try:
            last = await self.source.last(resource_id)
        except psycopg.Error:
            raise Refusal(503, "away") from None
        since = int(wanted) if wanted else last
        text = self.streams.events(resource_id, token(request), found, since, last)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(text, headers=headers, media_type="text/event-stream")


def token(request: Request) -> str:
    """CKAN's API token, bare as CKAN takes it or as a bearer (RFC 6750, section 2.1)."""
    return request.headers.get("authorization", "").removeprefix("Bearer ").strip()


def _cache(found: Pass) -> dict[str, str]:
    return {"Cache-Control": "no-store" if not found.open else "public, max-age=0, must-revalidate"}


def _answer(request: Request, tally: Tally) -> Response:
    language = errors.language(request)
    rejected = sorted(tally.rejected, key=lambda rejection: rejection.row)
    told = [
        {"row": r.row, "field": r.field, "rule": r.reason.rule, "reason": r.reason.to(language)}
        for r in rejected[:TOLD]
    ]
    counts = {
        "accepted": tally.accepted,
        "unchanged": tally.unchanged,
        "replaced": tally.replaced,
        "rejected": len(rejected),
    }
    for outcome, number in counts.items():
        measures.rows.labels(outcome).inc(number)
    status = 422 if rejected and len(rejected) == sum(counts.values()) else 200
    headers = {"Cache-Control": "no-store", "Content-Language": language}
    return Response(orjson.dumps(counts | {"errors": told}), status, headers, media_type="application/json")


async def _drain(request: Request, refusal: Refusal) -> None:
    """Take what is left of a refused body, for a moment: a sender whose connection ends while he still sends
    does not read why."""
    left = DRAINED
    with suppress(TimeoutError):
        async with asyncio.timeout(3):
            while request.method == "POST" and refusal.status != 408 and left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return


def build(settings: Settings) -> Starlette:
    """The application."""
    gateway = Gateway(settings)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        listening = asyncio.create_task(gateway.listen())
        yield
        listening.cancel()

    def counted(kind: str, handle: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                response = await handle(request)
            except Refusal as refusal:
                await _drain(request, refusal)
                response = errors.answer(request, refusal)
            measures.requests.labels(kind, str(response.status_code)).inc()
            return response

        return endpoint

    async def unknown(request: Request) -> Response:  # noqa: ARG001
        raise Refusal(404, "no_feed")

    return Starlette(
        routes=[
            Route("/live/{resource_id}", counted("push", gateway.push), methods=["POST"]),
            Route("/live/{resource_id}/latest", counted("latest", gateway.latest)),
            Route("/live/{resource_id}/events", counted("events", gateway.events)),
            Route("/notify/{source_id}/{secret}", counted("notify", gateway.door.notify), methods=["POST"]),
            Route("/{path:path}", counted("unknown", unknown)),
        ],
        lifespan=life,
    )
