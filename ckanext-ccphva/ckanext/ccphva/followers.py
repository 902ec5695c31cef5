"""`ckan ccphva follow`: hands the change log to its followers, for ever.

One process works and others stand by (an advisory lock of PostgreSQL). A follower's cursor moves only
after it has dealt with what it read, so a crash repeats some changes and loses none.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import click
import sqlalchemy as sa
from ckan import model
from ckanext.ccphva import changelog, config, outages
from ckanext.ccphva.changelog import Change
from ckanext.ccphva.pulse import Pulse
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

WAIT = 1.0
LONGEST_WAIT = 10.0
LOCK = 4_201_117


class Follower(Protocol):
    """Somebody who must know what changed. Both methods may be called again for the same changes."""

    name: str

    def follow(self, changes: Sequence[Change]) -> None:
        """Deal with changes, oldest first; raise to see them again."""
        ...

    def sweep(self) -> object:
        """Check everything, for what no change announces; called hourly (or as often as
        the follower's own `every` says, in seconds) and at the first start."""
        ...


def _every(follower: Follower) -> int:
    """Seconds between two sweeps: the portal's, or the follower's own `every`."""
    return int(getattr(follower, "every", config.sweep_seconds()))


class IFollowers(p.Interface):
    """A plugin that follows the change log."""

    def get_followers(self) -> Sequence[Follower]:
        """Followers with names that are unique in the portal."""
        return []


def follow(app: Any) -> None:
    """Run all followers until SIGTERM or SIGINT; the change at work is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Indexing calls the hooks of any plugin, and those may ask for the reader's language.
    with app.test_request_context():
        Runner(loaded(), stop).run()


def report(forget: str | None) -> Iterator[str]:
    """Lines for a person: each follower, how many changes it has not read, how old the oldest is."""
    if forget:
        if not changelog.forget(forget):
            raise click.ClickException(f"There is no follower {forget!r}")
        yield f"{forget}: forgotten"
    for lag in changelog.lags():
        yield f"{lag.follower}: {lag.rows} changes behind, the oldest {lag.seconds:.0f} s old"


def loaded() -> list[Follower]:
    return [follower for plugin in p.PluginImplementations(IFollowers) for follower in plugin.get_followers()]


class Runner:
    """Runs followers until it is told to stop; outages of services only make it wait."""

    def __init__(self, followers: Sequence[Follower], stop: threading.Event | None = None) -> None:
        self.followers = followers
        self.stop = stop or threading.Event()
        self._lock: sa.Connection | None = None
        self._pruned = 0.0

    def run(self) -> None:
        failures = 0
        with Pulse("follower", tk.config["ckan.redis.url"], tk.config["ckan.site_id"]):
            while not self.stop.is_set():
                try:
                    moved = self.round()
                    failures = 0
                # The outermost line: whatever happens, the next round tries again.
                except Exception as error:
                    failures += 1
                    self._complain(error, failures)
                    moved = 0
                finally:
                    model.Session.remove()
                if not moved:
                    self.stop.wait(min(WAIT * 2 ** min(failures, 5), LONGEST_WAIT))
        self.close()

    def round(self) -> int:
        """Once through all followers; the number of changes that were dealt with."""
        if not self._holds_lock():
            return 0
        moved = 0
        for follower in self.followers:
            moved += self._step(follower)
        if time.monotonic() - self._pruned > config.sweep_seconds():
            removed = changelog.prune(config.change_log_days())
            self._pruned = time.monotonic()
            if removed:
                log.info("Old rows of the change log removed", extra={"rows": removed})
        return moved

    def _step(self, follower: Follower) -> int:
        changelog.register(follower.name)
        changes = changelog.read(follower.name)
        if changes:
            follower.follow(changes)
            changelog.advance(follower.name, changes[-1])
        if not self.stop.is_set() and changelog.due_for_sweep(follower.name, _every(follower)):
            follower.sweep()
            changelog.note_sweep(follower.name)
        return len(changes)

    def _holds_lock(self) -> bool:
        if self._lock is not None:
            try:
                self._lock.execute(sa.text("SELECT 1"))
                return True
            except DBAPIError:
                self.close()
        connection = model.ensure_engine().connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}).scalar():
            self._lock = connection
            changelog.mend_after_restore()
            return True
        connection.close()
        return False

    def close(self) -> None:
        """Let another process take over."""
        if self._lock is not None:
            with suppress(DBAPIError):
                self._lock.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            # Not back to the pool: whatever happens, the lock ends with its connection.
            self._lock.invalidate()
            self._lock.close()
            self._lock = None

    @staticmethod
    def _complain(error: Exception, failures: int) -> None:
        service = outages.service_of(error)
        if service is None:
            log.exception("The change log cannot be followed", extra={"failures": failures})
        elif failures == 1:
            log.warning("The change log waits for a service", extra={"service": service})
