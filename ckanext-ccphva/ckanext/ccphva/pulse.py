"""Signs of life of background processes, in Redis: what `/health` reads of those that have no port.

A pulse names host and process, so a dead process of the same machine is seen at once and one of another
machine when its pulse runs out.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import ckan.plugins.toolkit as tk
import redis

SECONDS = 2
LIFE = 8


def connection(timeout: float = 1.0) -> redis.Redis:
    """A connection to the portal's Redis that gives up after some time."""
    return redis.Redis.from_url(
        tk.config["ckan.redis.url"], socket_timeout=timeout, socket_connect_timeout=timeout
    )


def _key(name: str) -> str:
    return f"ccphva:{tk.config['ckan.site_id']}:pulse:{name}"


class Pulse:
    """Says that this process lives, every two seconds, while the block lasts.

    :param name: the kind of process: follower, beat.
    """

    def __init__(self, name: str) -> None:
        self._field = f"{_key(name)}:{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse-{name}", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=SECONDS)
        with suppress(redis.RedisError):  # it runs out by itself
            connection().delete(self._field)

    def _run(self) -> None:
        client = connection()
        while not self._stop.is_set():
            with suppress(redis.RedisError):  # Redis is away: /health says so; the next beat tries again
                client.set(self._field, "1", ex=LIFE)
            self._stop.wait(SECONDS)


def living(name: str, client: redis.Redis | None = None) -> int:
    """How many processes of that kind live.

    :raises redis.RedisError: nobody can tell.
    """
    client = client or connection()
    count = 0
    for key in client.scan_iter(match=f"{_key(name)}:*", count=500):
        _, host, pid = bytes(key).decode().rsplit(":", 2)
        count += process_lives(host, int(pid))
    return count


def process_lives(host: str, pid: int) -> bool:
    """False when it is certain that the process is dead: of this machine, and gone or a zombie."""
    if host != socket.gethostname():
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
