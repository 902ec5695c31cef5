"""Signs of life of background processes, in Redis: what `/health` reads of those that have no port.

A pulse names host and process, so a dead process of the same machine is seen at once, and one of another
machine when its pulse runs out. Imports nothing of CKAN: Celery's beat has a pulse and loads no CKAN.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import redis

SECONDS = 2
LIFE = 8


Connection = Any
"""A client of redis-py: its types leave open whether answers are text or bytes. Ours are text."""


def connect(url: str, timeout: float = 1.0) -> Connection:
    """A connection to Redis that gives up after some time."""
    limits = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    return redis.Redis.from_url(url, decode_responses=True, **limits)


class Pulse:
    """Says that this process lives, every two seconds, while the block lasts.

    :param name: the kind of process: follower, beat.
    :param url: address of the portal's Redis (`ckan.redis.url`).
    :param site: the portal's `ckan.site_id`.
    """

    def __init__(self, name: str, url: str, site: str) -> None:
        self.name, self._url, self._names = name, url, f"ccphva:{site}:pulses"
        self._key = f"ccphva:{site}:pulse:{name}:{socket.gethostname()}:{os.getpid()}"
        self._began = str(time.time())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse-{name}", daemon=True)

    def start(self) -> Pulse:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=SECONDS)
        with suppress(redis.RedisError):  # it runs out by itself
            connect(self._url).delete(self._key)

    def __enter__(self) -> Pulse:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        client = connect(self._url)
        while not self._stop.is_set():
            with suppress(redis.RedisError):  # Redis is away: /health says so; the next beat tries again
                client.sadd(self._names, self.name)
                client.set(self._key, self._began, ex=LIFE)
            self._stop.wait(SECONDS)


@dataclass(frozen=True)
class Life:
    """How many processes of a kind live, and when the youngest began."""

    count: int
    began: float


def known(client: Connection, site: str) -> set[str]:
    """The kinds of processes that ever had a pulse here."""
    return {str(name) for name in client.smembers(f"ccphva:{site}:pulses")}


def life(name: str, client: Connection, site: str) -> Life:
    """Who lives of that kind.

    :raises redis.RedisError: nobody can tell.
    """
    count, began = 0, 0.0
    for key in client.scan_iter(match=f"ccphva:{site}:pulse:{name}:*", count=500):
        _, host, pid = str(key).rsplit(":", 2)
        value = client.get(key)
        if value is not None and may_live(host, int(pid)):
            count += 1
            began = max(began, float(value))
    return Life(count, began)


def may_live(host: str, pid: int) -> bool:
    """False when it is certain that the process is dead: of this machine, and gone or a zombie."""
    if host != socket.gethostname():
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
