"""The search index beside the database: what differs, and building it again.

The database is the truth (design §7.7).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.logic import index_update_package

log = logging.getLogger(__name__)

PAGE = 1000


@dataclass(frozen=True)
class Drift:
    """Identifiers of datasets on which database and index disagree."""

    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    phantoms: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.stale or self.phantoms)

    def common(self, other: Drift) -> Drift:
        """What two looks agree on: a write between database and index is no drift."""
        names = ("missing", "stale", "phantoms")
        return Drift(*(sorted(set(getattr(self, n)) & set(getattr(other, n))) for n in names))


@dataclass(frozen=True)
class Rebuilt:
    written: int
    removed: int
    failed: dict[str, str]


def drift() -> Drift:
    """Compare identifiers and `metadata_modified` in both directions."""
    indexed, stored = in_index(), in_database()
    return Drift(
        sorted(stored.keys() - indexed.keys()),
        sorted(i for i in stored.keys() & indexed.keys() if stored[i] != indexed[i]),
        sorted(indexed.keys() - stored.keys()),
    )


def in_database() -> dict[str, int]:
    """Identifier → milliseconds of the last change, of every dataset that the index ought to hold."""
    query = model.Session.query(model.Package.id, model.Package.metadata_modified)
    if tk.config["ckan.search.remove_deleted_packages"]:
        query = query.filter(model.Package.state != "deleted")
    found = {identifier: _milliseconds(modified) for identifier, modified in query}
    model.Session.rollback()
    return found


def in_index() -> dict[str, int]:
    """The same of every document that this portal has in the index."""
    return {doc["id"]: _milliseconds(doc.get("metadata_modified")) for doc in _documents()}


def _documents() -> Iterator[dict[str, Any]]:
    solr = make_connection(decode_dates=False)
    cursor, following = "", "*"
    while cursor != following:
        cursor = following
        page = solr.search(
            "*:*",
            fq=[f'+site_id:"{tk.config["ckan.site_id"]}"', "+entity_type:package"],
            fl="id,metadata_modified",
            sort="index_id asc",
            rows=PAGE,
            cursorMark=cursor,
        )
        yield from page.docs
        following = page.nextCursorMark


def _milliseconds(moment: datetime | str | None) -> int:
    if moment is None:
        return -1
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.removesuffix("Z"))
    # Solr keeps milliseconds, PostgreSQL microseconds.
    return int((moment - datetime(1970, 1, 1)).total_seconds() * 1000 + 1e-6)


def rebuild(only_drift: bool, progress: Callable[[int, int], None]) -> Rebuilt:
    """Write documents anew from the database, commit once, then remove what the database does not know.

    :param only_drift: only what differs, instead of everything.
    :param progress: called with how many are done, and of how many.
    """
    wanted = in_database()
    if only_drift:
        found = drift()
        todo = [*found.missing, *found.stale]
    else:
        todo = sorted(wanted)
    failed = _write(todo, progress)
    search.commit()
    phantoms = sorted(in_index().keys() - in_database().keys())
    _remove(phantoms)
    return Rebuilt(len(todo) - len(failed), len(phantoms), failed)


def _write(identifiers: list[str], progress: Callable[[int, int], None]) -> dict[str, str]:
    failed: dict[str, str] = {}
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    done = 0
    for batch in _batches(identifiers):
        for identifier in batch:
            try:
                index_update_package({"user": user, "ignore_auth": True}, identifier, defer_commit=True)
            except Exception as error:  # one dataset that cannot be indexed must not keep the others out
                model.Session.rollback()
                failed[identifier] = f"{type(error).__name__}: {error}"[:300]
                log.exception("dataset %s cannot be indexed", identifier)
        # Without this the session would keep every dataset of a large catalogue in memory.
        model.Session.rollback()
        model.Session.remove()
        progress(done := done + len(batch), len(identifiers))
    return failed


def _remove(identifiers: list[str]) -> None:
    solr = make_connection()
    site = tk.config["ckan.site_id"]
    for batch in _batches(identifiers):
        names = " OR ".join(f'"{identifier}"' for identifier in batch)
        solr.delete(q=f'+site_id:"{site}" +entity_type:package +id:({names})', commit=False)
    solr.commit()


def _batches(identifiers: Iterable[str]) -> Iterator[list[str]]:
    items = list(identifiers)
    for start in range(0, len(items), 100):
        yield items[start : start + 100]
