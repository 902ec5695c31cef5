"""What platforms tell us by themselves, on its way from the gateway to the workers: a bounded queue a source.

In Redis, one hash a source that listens (`open` to `close`) and one list of what waits. Losing all of it
loses no row: the next harvest reads from its marks. Imports nothing of CKAN: the gateway loads none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import redis

MOST, MOST_BYTES = 2_000, 8_000_000
"""Notifications and bytes of one source that wait; more are told to come back."""
_LOCK = 120
Answer = Literal["taken", "full", "unknown"]

_PUT = """
if redis.call("EXISTS", KEYS[1]) == 0 then return "unknown" end
local bytes = tonumber(redis.call("HGET", KEYS[1], "bytes") or "0")
if redis.call("LLEN", KEYS[2]) >= tonumber(ARGV[3]) or bytes + #ARGV[1] > tonumber(ARGV[4]) then
  redis.call("HINCRBY", KEYS[1], "refused", 1)
  return "full"
end
redis.call("RPUSH", KEYS[2], ARGV[1])
redis.call("HINCRBY", KEYS[1], "bytes", #ARGV[1])
redis.call("SADD", KEYS[3], ARGV[2])
return "taken"
"""
_DROP = """
redis.call("LTRIM", KEYS[2], ARGV[1], -1)
if redis.call("EXISTS", KEYS[1]) == 1 then redis.call("HINCRBY", KEYS[1], "bytes", -ARGV[2]) end
if redis.call("LLEN", KEYS[2]) == 0 then redis.call("SREM", KEYS[3], ARGV[3]) end
"""
_UNLOCK = """
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
"""


def secret_of(key: str, source_id: str) -> str:
    """The secret in the address that a source's platform calls.

    :param key: the portal's own secret (`SECRET_KEY`).
    """
    digest = hmac.new(key.encode(), b"ccphva notices\n" + source_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def is_secret(given: str, key: str, source_id: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), secret_of(key, source_id).encode())


def within(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of some networks; where there are none, every address does."""
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ipaddress.ip_network(each) for each in networks)


class Notices:
    """The queues of one portal.

    :param url: address of the portal's Redis (`ckan.redis.url`).
    :param site: the portal's `ckan.site_id`.
    """

    LONGEST = 1_048_576
    """Bytes of one notification."""

    def __init__(self, url: str, site: str) -> None:
        limits = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}
        self._redis: Any = redis.Redis.from_url(url, **limits)
        self._site = f"ccphva:{site}:notices"
        self._put = self._redis.register_script(_PUT)
        self._drop = self._redis.register_script(_DROP)
        self._unlock = self._redis.register_script(_UNLOCK)

    def _keys(self, source_id: str) -> list[str]:
        return [f"{self._site}:source:{source_id}", f"{self._site}:queue:{source_id}", f"{self._site}:all"]

    # -- a source that listens -------------------------------------------------------------------------------

    def open(self, source_id: str, networks: Sequence[str]) -> None:
        """Take what this source's platform tells, from these networks or from everywhere."""
        self._redis.hset(self._keys(source_id)[0], "from", " ".join(networks))

    def know(self, source_id: str, known: bytes) -> None:
        """Keep what its notifications are read with; until then they wait."""
        self._redis.hset(self._keys(source_id)[0], "known", known)

    def known(self, source_id: str) -> bytes | None:
        return self._redis.hget(self._keys(source_id)[0], "known")

    def networks(self, source_id: str) -> list[str] | None:
        """Where its notifications may come from; None when it does not listen."""
        found = self._redis.hget(self._keys(source_id)[0], "from")
        return None if found is None else found.decode().split()

    def count(self, source_id: str, what: str, number: int = 1) -> None:
        """Note that something happened to notifications of a source, such as `unreadable`."""
        if self._redis.exists(self._keys(source_id)[0]):
            self._redis.hincrby(self._keys(source_id)[0], what, number)

    def counts(self, source_id: str) -> dict[str, int]:
        """`refused` for lack of room, `unreadable`, `rows` and `waiting`, since the source listens."""
        names = ("refused", "unreadable", "rows")
        found = self._redis.hmget(self._keys(source_id)[0], names)
        told = {name: int(value or 0) for name, value in zip(names, found, strict=True)}
        return told | {"waiting": self._redis.llen(self._keys(source_id)[1])}

    def close(self, source_id: str) -> None:
        """The source listens no more; what waits is dropped."""
        first, queue, every = self._keys(source_id)
        self._redis.delete(first, queue)
        self._redis.srem(every, source_id)

    # -- what it tells ---------------------------------------------------------------------------------------

    def put(self, source_id: str, body: bytes) -> Answer:
        """Queue a notification."""
        found = self._put(keys=self._keys(source_id), args=[body, source_id, MOST, MOST_BYTES])
        return found.decode()

    def waiting(self) -> list[str]:
        """Sources with something in their queue."""
        return sorted(each.decode() for each in self._redis.smembers(self._keys("")[2]))

    @contextmanager
    def taking(self, source_id: str, most: int = 500) -> Iterator[list[bytes]]:
        """The oldest notifications of a source; they are dropped when the block ends well.

        Empty while somebody else takes them. A block that is killed leaves them for the next.
        """
        lock, name = f"{self._site}:lock:{source_id}", secrets.token_hex(8)
        if not self._redis.set(lock, name, nx=True, ex=_LOCK):
            yield []
            return
        try:
            bodies: list[bytes] = self._redis.lrange(self._keys(source_id)[1], 0, most - 1)
            yield bodies
            size = sum(len(body) for body in bodies)
            self._drop(keys=self._keys(source_id), args=[len(bodies), size, source_id])
        finally:
            self._unlock(keys=[lock], args=[name])

    def first_in(self, source_id: str, seconds: int) -> bool:
        """True once in so many seconds: who asks for a run does not ask for thousands."""
        return bool(self._redis.set(f"{self._site}:run:{source_id}", 1, nx=True, ex=seconds))
