"""Changes of feeds as server-sent events (HTML Living Standard, section 9.2).

An event's id is the row's `_id`, which grows in the order in which changes became visible: a reader who comes
back with the last one that he saw misses none and gets none twice. A row that changed several times before a
reader saw it is one event: its state now.

For each relation that somebody reads there is one ring of the latest events. Readers hold nothing but their
place in it; one who has fallen out of it reads on from the database.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
from ckanext.ccphva_datastore.feeds.writer import quoted
from ckanext.ccphva_datastore.gateway import measures
from ckanext.ccphva_datastore.gateway.database import Pool
from ckanext.ccphva_datastore.gateway.errors import Refusal
from ckanext.ccphva_datastore.gateway.gate import Gate, Pass

Event = tuple[int, bytes]
PAGE = 1_000
SENT = 200
"""Most events that one reader is sent at once."""
MOST_EVENTS = 5_000
MOST_BYTES = 4_000_000
POLL = 2.0
"""Seconds after which a ring looks for rows although nobody told it of any."""


class Source:
    """Reads rows of relations: open feeds by the reading role, others by the writing role, read-only."""

    def __init__(self, reading: Pool, closed: Pool) -> None:
        self._reading, self._closed = reading, closed

    def _pool(self, relation: tuple[str, str]) -> Pool:
        return self._closed if relation[0] == "closed" else self._reading

    async def after(self, seen: Pass, number: int) -> list[Event]:
        """The next page of events after a number."""
        table, columns = ".".join(map(quoted, seen.relation)), ", ".join(map(quoted, seen.columns))
        query = (
            f'SELECT "_id", row_to_json(r)::text FROM (SELECT "_id", {columns} FROM {table} '  # noqa: S608
            f'WHERE "_id" > %s ORDER BY "_id" LIMIT {PAGE}) AS r'
        )

        def work(connection: psycopg.Connection[Any]) -> list[Event]:
            rows = connection.execute(query.encode(), (number,)).fetchall()
            return [(row[0], f"id: {row[0]}\ndata: {row[1]}\n\n".encode()) for row in rows]

        return await self._pool(seen.relation).run(work)

    async def last(self, resource_id: str) -> int:
        """The number of the feed's last change."""
        query = "SELECT last_id FROM feed.contract WHERE resource_id = %s"
        found = await self._closed.run(lambda c: c.execute(query, (resource_id,)).fetchone())
        if found is None:
            raise Refusal(404, "no_feed")
        return found[0]

    async def latest(self, seen: Pass, resource_id: str) -> bytes:
        """The newest row of each series, as a JSON array."""
        schema, name = seen.relation
        home = "live" if schema != "closed" and seen.open else None
        unique = ", ".join(map(quoted, seen.contract.unique))
        columns = ", ".join(map(quoted, ("_id", *seen.columns)))
        own = (schema, name) if name == resource_id else None

        def work(connection: psycopg.Connection[Any]) -> bytes:
            where = home
            if where is None:
                found = connection.execute(
                    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE c.relname = %s AND n.nspname IN ('live', 'closed')",
                    (f"_latest_{resource_id}",),
                ).fetchone()
                if found is None:
                    raise Refusal(404, "no_feed")
                where = found[0]
            newest = f"{quoted(where)}.{quoted('_latest_' + resource_id)}"
            table = ".".join(map(quoted, own or seen.relation))
            query = (
                "SELECT coalesce(json_agg(row_to_json(r)), '[]')::text FROM "  # noqa: S608
                f"(SELECT {columns} FROM {newest} JOIN {table} AS f USING ({unique}) ORDER BY {unique}) AS r"
            )
            found = connection.execute(query.encode(), ()).fetchone()
            return found[0].encode() if found else b"[]"

        return await (self._reading if home else self._closed).run(work)


class Ring:
    """The latest events of one relation, and who waits for more."""

    def __init__(self, source: Source, seen: Pass, number: int) -> None:
        self._source, self.seen = source, seen
        self.first = self.last = number
        """Events after `first` and up to `last` are here."""
        self._events: deque[Event] = deque()
        self._bytes = 0
        self.readers = 0
        self.failed = False
        self._told = asyncio.Event()
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._follow())

    def tell(self) -> None:
        """Something may have changed."""
        self._told.set()

    def end(self) -> None:
        self._task.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                found = await self._source.after(self.seen, self.last)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await asyncio.sleep(1)  # the database is away: readers wait
                continue
            except psycopg.Error:
                self.failed = True  # the feed is gone or moved: readers come back and ask anew
                self._wake()
                return
            if found:
                self._add(found)
                self._wake()
            if len(found) < PAGE:
                try:
                    async with asyncio.timeout(POLL):
                        await self._told.wait()
                except TimeoutError:
                    pass
                self._told.clear()

    def _add(self, events: Sequence[Event]) -> None:
        self._events.extend(events)
        self._bytes += sum(len(text) for _, text in events)
        self.last = events[-1][0]
        while len(self._events) > MOST_EVENTS or self._bytes > MOST_BYTES:
            self.first, text = self._events.popleft()
            self._bytes -= len(text)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, number: int, seconds: float) -> None:
        """Return when there are events after a number, or the time has passed."""
        news = self._news
        if self.last > number or self.failed:
            return
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            pass

    async def after(self, number: int) -> list[Event]:
        """Events after a number, from here or from the database."""
        if number < self.first:
            return await self._source.after(self.seen, number)
        found: list[Event] = []
        for event in reversed(self._events):
            if event[0] <= number:
                break
            found.append(event)
        found.reverse()
        return found[:SENT]


class Streams:
    """All rings, and the readers' way to them."""

    def __init__(self, source: Source, gate: Gate, heartbeat: float) -> None:
        self._source, self._gate, self._heartbeat = source, gate, heartbeat
        self._rings: dict[tuple[str, tuple[str, str], tuple[str, ...]], Ring] = {}

    def tell(self, resource_id: str) -> None:
        """A feed has changed; an empty text: any may have."""
        for key, ring in self._rings.items():
            if resource_id in ("", key[0]):
                ring.tell()

    async def events(
        self, resource_id: str, token: str, seen: Pass, since: int, last: int
    ) -> AsyncIterator[bytes]:
        """Text for one reader until he may not read any more, or the feed ends.

        :param since: the number after which he reads on; one beyond the feed's last belongs to a feed that
            was made anew, of which he has seen nothing.
        """
        ring = self._ring(resource_id, seen, last)
        number = since if since <= last else 0
        ring.readers += 1
        measures.readers.inc()
        quiet = time.monotonic()
        try:
            yield f"retry: 2000\nid: {number}\n\n".encode()
            while not ring.failed:
                found = await ring.after(number)
                if found:
                    number = found[-1][0]
                    yield b"".join([text for _, text in found])
                    quiet = time.monotonic()
                elif time.monotonic() - quiet >= self._heartbeat:
                    yield b": \n\n"
                    quiet = time.monotonic()
                if not await self._may_go_on(resource_id, token, seen):
                    return
                if not found:
                    await ring.wait(number, 1.0)
        except (Refusal, psycopg.Error):
            return  # he comes back with his last number, and is told why
        finally:
            measures.readers.dec()
            ring.readers -= 1
            if not ring.readers:
                self._drop(ring)

    async def _may_go_on(self, resource_id: str, token: str, seen: Pass) -> bool:
        now = await self._gate.ask(resource_id, token)
        return now is not None and now.reads and (now.relation, now.columns) == (seen.relation, seen.columns)

    def _ring(self, resource_id: str, seen: Pass, number: int) -> Ring:
        key = (resource_id, seen.relation, seen.columns)
        ring = self._rings.get(key)
        if ring is None or ring.failed:
            ring = self._rings[key] = Ring(self._source, seen, number)
        return ring

    def _drop(self, ring: Ring) -> None:
        ring.end()
        self._rings = {key: other for key, other in self._rings.items() if other is not ring}
