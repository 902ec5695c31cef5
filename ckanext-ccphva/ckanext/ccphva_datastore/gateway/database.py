"""Connections to the DataStore's database, one a thread: psycopg 3, synchronous, in small pools of threads.

A statement that fails because the connection is gone throws the connection away; the next one makes another.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from ckanext.ccphva_datastore.feeds.writer import CHANNEL

Result = TypeVar("Result")
_LIMITS = "-c lock_timeout=20s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"


class Pool:
    """Threads that work with a connection each.

    :param options: settings of PostgreSQL for each connection.
    """

    def __init__(self, name: str, url: str, threads: int, options: str) -> None:
        self._url, self._options = url, f"{_LIMITS} {options}"
        self._local = threading.local()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
        """Do the work in a thread, in one transaction.

        :raises psycopg.Error: what the database has against it.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)

    def _work(self, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
        connection = self._connection()
        try:
            with connection.transaction():
                return work(connection)
        except psycopg.OperationalError:
            with suppress(psycopg.Error):
                connection.close()
            raise

    def _connection(self) -> psycopg.Connection[Any]:
        known = getattr(self._local, "connection", None)
        if known is None or known.closed or known.broken:
            known = psycopg.connect(
                self._url, autocommit=True, connect_timeout=5, options=self._options, application_name="live"
            )
            self._local.connection = known
        return known


async def notices(url: str) -> AsyncIterator[str]:
    """Resource ids of feeds that have changed, and an empty text each time that some may have been missed."""
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5)
            async with connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                yield ""
                async for notice in connection.notifies():
                    yield notice.payload
        except psycopg.Error:
            await asyncio.sleep(1)
