"""`/health`: each part of the portal, up or down, since when. It says no address, no path, no reason.

Answered before CKAN sees the request, so that it works when the database does not.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
import redis
from ckanext.ccphva import probes, pulse

log = logging.getLogger(__name__)

SECONDS = 2.0
FRESH = 0.4
ESSENTIAL = frozenset({"database", "search"})
"""Without these no page of the catalogue answers: `/health/ready` looks at them alone."""


@dataclass(frozen=True)
class State:
    up: bool
    since: float


class Board:
    """What is up and down, and since when; many requests at once cost one look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=24, thread_name_prefix="health")
        self._states: dict[str, State] = {}
        self._looked = 0.0

    def look(self) -> Mapping[str, State]:
        with self._lock:
            if time.monotonic() - self._looked > FRESH:
                self._states = self._remember(self._probe())
                self._looked = time.monotonic()
            return dict(self._states)

    def _probe(self) -> dict[str, tuple[bool, float | None]]:
        wanted = probes.pulses() | probes.probes()
        running: dict[str, Future[float | None]] = {n: self._pool.submit(p) for n, p in wanted.items()}
        wait(running.values(), timeout=SECONDS)
        return {name: _result(future) for name, future in running.items()}

    def _remember(self, found: dict[str, tuple[bool, float | None]]) -> dict[str, State]:
        """Keep the time of the last change, in Redis for all processes; in this one alone while Redis is
        away."""
        key = f"ccphva:{tk.config['ckan.site_id']}:health"
        known = self._states
        client = probes.redis_connection()
        reachable = found.get("queue", (False, None))[0]
        if reachable:
            try:
                known = _load(client, key) or known
            except redis.RedisError:
                reachable = False
        states = {name: _state(known.get(name), up, began) for name, (up, began) in found.items()}
        changed = {name: state for name, state in states.items() if known.get(name) != state}
        if reachable and changed:
            try:
                client.hset(key, mapping={n: json.dumps([s.up, s.since]) for n, s in changed.items()})
            except redis.RedisError:
                log.info("The times of /health could not be kept")
        for name, state in changed.items():
            if name in known and known[name].up != state.up:
                log.warning("Part went up" if state.up else "Part went down", extra={"part": name})
        return states


def _result(future: Future[float | None]) -> tuple[bool, float | None]:
    if not future.done() or future.exception() is not None:
        return False, None
    return True, future.result()


def _state(known: State | None, up: bool, began: float | None) -> State:
    if known is None or known.up != up:
        return State(up, round(began if up and began else time.time(), 1))
    # It went away and came back while nobody looked.
    return State(up, round(began, 1)) if up and began and began > known.since + 1 else known


def _load(client: pulse.Connection, key: str) -> dict[str, State]:
    return {name: State(*json.loads(value)) for name, value in client.hgetall(key).items()}


board = Board()


def answer(path: str) -> tuple[int, dict[str, Any]]:
    """Status and body of `/health`, `/health/ready` and `/health/live`."""
    now = _text(time.time())
    if path == "/health/live":
        return 200, {"status": "up", "time": now}
    states = board.look()
    if path == "/health/ready":
        states = {name: state for name, state in states.items() if name in ESSENTIAL}
    up = all(state.up for state in states.values())
    parts = {
        name: {"status": "up" if state.up else "down", "since": _text(state.since)}
        for name, state in sorted(states.items())
    }
    return 200 if up else 503, {"status": "up" if up else "down", "time": now, "parts": parts}


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
