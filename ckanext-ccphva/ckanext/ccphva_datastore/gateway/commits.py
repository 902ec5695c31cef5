"""Rows of many requests in one commit: what arrives while a feed's last commit is at work shares the next.

Each feed has one task here that commits for it. A row is acknowledged after the commit that holds it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from ckanext.ccphva_datastore.feeds import writer
from ckanext.ccphva_datastore.feeds.checks import Checked
from ckanext.ccphva_datastore.feeds.writer import Tally
from ckanext.ccphva_datastore.gateway.database import Pool
from ckanext.ccphva_datastore.gateway.errors import Refusal

log = logging.getLogger(__name__)

MOST_ROWS = 20_000
SMALL = 100
_IDLE = 60.0


@dataclass
class Request:
    """Good rows of one request, and where its tally goes."""

    parts: Sequence[Checked]
    done: asyncio.Future[Tally] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def rows(self) -> int:
        return sum(len(part.rows) for part in self.parts)


class Committer:
    """Commits for all feeds.

    :param gather: seconds that few rows wait for others.
    """

    def __init__(self, pool: Pool, gather: float) -> None:
        self._pool, self._gather = pool, gather
        self._queues: dict[str, list[Request]] = {}
        self._wake: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def commit(self, resource_id: str, parts: Sequence[Checked]) -> Tally:
        """Write rows and return when they are durable.

        :raises Refusal: 404, the feed is gone; 503, the database is away: nobody knows whether the rows are
            there, and the same rows may be sent again.
        """
        request = Request(parts)
        self._queues.setdefault(resource_id, []).append(request)
        self._wake.setdefault(resource_id, asyncio.Event()).set()
        if resource_id not in self._tasks:
            self._tasks[resource_id] = asyncio.create_task(self._serve(resource_id))
        return await request.done

    async def _serve(self, resource_id: str) -> None:
        queue, wake = self._queues[resource_id], self._wake[resource_id]
        while True:
            try:
                async with asyncio.timeout(_IDLE):
                    await wake.wait()
            except TimeoutError:
                break
            if sum(request.rows for request in queue) < SMALL:
                await asyncio.sleep(self._gather)
            group, rows = list[Request](), 0
            while queue and (not group or rows + queue[0].rows <= MOST_ROWS):
                rows += queue[0].rows
                group.append(queue.pop(0))
            if not queue:
                wake.clear()
            if group:
                await self._commit(resource_id, group)
        # No await since the last look: nobody has queued between.
        for known in (self._queues, self._wake, self._tasks):
            known.pop(resource_id, None)

    async def _commit(self, resource_id: str, group: list[Request]) -> None:
        try:
            tallies = await self._write(resource_id, group)
        # The outermost line: whatever happens, every request of the group is answered.
        except Exception as error:
            refusal = _refusal(error)
            if refusal.status == 503 and not isinstance(error, psycopg.OperationalError):
                log.exception("A commit failed")
            for request in group:
                if not request.done.done():
                    request.done.set_exception(refusal)
            return
        for request, tally in zip(group, tallies, strict=True):
            if not request.done.done():  # its sender has gone away
                request.done.set_result(tally)

    async def _write(self, resource_id: str, group: list[Request]) -> list[Tally]:
        parts = [request.parts for request in group]

        def work(careful: bool) -> Any:
            return lambda connection: writer.write(connection.cursor(), resource_id, parts, careful)

        try:
            return await self._pool.run(work(careful=False))
        except (
            psycopg.DataError,
            psycopg.IntegrityError,
            psycopg.ProgrammingError,
            psycopg.NotSupportedError,
        ):
            return await self._pool.run(work(careful=True))


def _refusal(error: Exception) -> Refusal:
    return Refusal(404, "no_feed") if isinstance(error, writer.GoneError) else Refusal(503, "away")
