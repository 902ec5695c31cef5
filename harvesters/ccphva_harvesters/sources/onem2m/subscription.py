"""Subscriptions at a CSE: made for every sensor of a source, removed when the source is removed (TS-0001
§9.6.8).

Imports only ``errors`` and the modules beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ccphva_harvesters.errors import SourceError

from . import client as m2m
from .payload import Thing

_CHANGED, _NEW_CHILD, _ALL_ATTRIBUTES = 1, 3, 1


class Subscriptions:
    """The subscriptions of one source. Their name is made of ``key``, so that a second call makes no second
    ones and removal finds those of an earlier life."""

    def __init__(self, cse: m2m.Cse, key: str, notify_url: str) -> None:
        self.cse, self.notify_url = cse, notify_url
        self.name = f"ccphva-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

    def make(self, things: Iterable[Thing]) -> dict[str, str]:
        """Subscribe to every sensor. The CSE calls ``notify_url`` before it answers: the receiver must
        listen.

        :returns: why, by sensor, where it could not be done; those are read by backfill alone
        """
        refused: dict[str, str] = {}
        for thing in things:
            # The instances of a flexContainer are made by updating it; only that is told.
            event = _CHANGED if thing.type == m2m.FLEX else _NEW_CHILD
            wanted = {"nu": [self.notify_url], "nct": _ALL_ATTRIBUTES, "enc": {"net": [event]}}
            try:
                made = self.cse.create(thing.path, m2m.SUBSCRIPTION, {"m2m:sub": {"rn": self.name, **wanted}})
                if made is None:
                    self._renew(thing)
            except SourceError as exc:
                refused[thing.id] = exc.cause
        return refused

    def _renew(self, thing: Thing) -> None:
        """One of our name is there: have it call today's address."""
        path = f"{thing.path}/{self.name}"
        _, there = m2m.only(self.cse.get(path))
        if there.get("nu") != [self.notify_url]:
            self.cse.update(path, {"m2m:sub": {"nu": [self.notify_url]}})

    def remove(self) -> int:
        """Remove every subscription of this source, also of sensors that it no longer names; how many there
        were."""
        ours = [
            path
            for path in self.cse.discover(self.cse.name, m2m.SUBSCRIPTION)
            if path.rpartition("/")[2] == self.name
        ]
        return sum(self.cse.delete(path) for path in ours)
