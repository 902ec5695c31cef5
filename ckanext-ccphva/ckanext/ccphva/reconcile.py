"""The follower that keeps the search index true to the database.

CKAN writes the index before it commits: a commit that fails leaves a dataset in search that does not
exist, or in a state that never was. The follower compares the document of every changed dataset with the
database and mends it; a full sweep, hourly, also finds what no change announces.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import pysolr
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckanext.ccphva import outages
from ckanext.ccphva.changelog import Change

log = logging.getLogger(__name__)

BATCH = 200
FIELDS = "id,name,metadata_modified,capacity,state,organization,groups,tags"


@dataclass(frozen=True)
class Face:
    """What of a dataset must agree between database and index."""

    name: str
    modified: str
    private: bool
    state: str
    organization: str | None
    groups: frozenset[str]
    tags: frozenset[str]


@dataclass
class Outcome:
    """What a comparison found and did."""

    checked: int = 0
    indexed: int = 0
    removed: int = 0
    failed: int = 0


class SearchReconciler:
    """Follows the change log for the index (`ckanext.ccphva.shared.Follower`)."""

    name = "search-reconcile"

    def follow(self, changes: Sequence[Change]) -> None:
        ids = {c.dataset_id for c in changes if c.dataset_id}
        owners = {c.owner_id or c.entity_id for c in changes if c.kind in {"organization", "group"}}
        outcome = self._mend_all(ids | set(_datasets_of(owners)))
        if outcome.indexed or outcome.removed or outcome.failed:
            log.info("Search index mended after changes", extra=vars(outcome))

    def sweep(self) -> Outcome:
        """Compare everything, in both directions."""
        outcome = self._mend_all(set(_all_ids()) | set(_indexed_ids()))
        log.info("Search index compared with the database", extra=vars(outcome))
        return outcome

    def _mend_all(self, ids: set[str]) -> Outcome:
        outcome = Outcome()
        ordered = sorted(ids)
        for start in range(0, len(ordered), BATCH):
            self._mend(ordered[start : start + BATCH], outcome)
        return outcome

    def _mend(self, ids: list[str], outcome: Outcome) -> None:
        # Objects of an earlier look would be indexed as they were then.
        model.Session.remove()
        wanted, present = faces_in_database(ids), faces_in_index(ids)
        for dataset_id in ids:
            outcome.checked += 1
            if wanted.get(dataset_id) == present.get(dataset_id):
                continue
            try:
                if dataset_id in wanted:
                    search.rebuild(package_ids=[dataset_id], quiet=True, defer_commit=True)
                    outcome.indexed += 1
                else:
                    search.index_for(model.Package).remove_dict({"id": dataset_id})
                    outcome.removed += 1
            # The outermost line of the loop: one dataset that cannot be indexed must not stop the others.
            except Exception as error:
                model.Session.rollback()
                if outages.service_of(error):
                    raise
                outcome.failed += 1
                log.exception("A dataset cannot be indexed", extra={"dataset": dataset_id})


def faces_in_database(ids: Iterable[str]) -> dict[str, Face]:
    """The faces that the index must show; deleted datasets have none."""
    removes_deleted = tk.asbool(tk.config.get("ckan.search.remove_deleted_packages", True))
    query = sa.text(
        "SELECT p.id, p.name, p.metadata_modified, p.private, p.state, o.name, "
        "  array(SELECT g.name FROM member m JOIN \"group\" g ON g.id = m.group_id AND g.state = 'active' "
        "    WHERE m.table_id = p.id AND m.table_name = 'package' AND m.state = 'active' "
        "    AND NOT g.is_organization), "
        "  array(SELECT t.name FROM package_tag pt JOIN tag t ON t.id = pt.tag_id "
        "    WHERE pt.package_id = p.id AND pt.state = 'active' AND t.vocabulary_id IS NULL) "
        "FROM package p LEFT JOIN \"group\" o ON o.id = p.owner_org AND o.state = 'active' "
        "WHERE p.id = ANY(:ids) AND (p.state <> 'deleted' OR NOT :removes)"
    )
    with model.ensure_engine().connect() as connection:
        rows = connection.execute(query, {"ids": list(ids), "removes": removes_deleted}).all()
    return {
        row[0]: Face(
            row[1],
            _instant(row[2]),
            bool(row[3]),
            row[4],
            row[5],
            frozenset(row[6]),
            frozenset(row[7]),
        )
        for row in rows
    }


def faces_in_index(ids: Iterable[str]) -> dict[str, Face]:
    """The faces that the index has right now, uncommitted documents included (Solr's real-time get)."""
    site = tk.config["ckan.site_id"]
    keys = [hashlib.md5(f"{i}{site}".encode(), usedforsecurity=False).hexdigest() for i in ids]
    solr = make_connection(decode_dates=False)
    found = _solr(solr, "*:*", search_handler="get", ids=",".join(keys), fl=FIELDS)
    return {document["id"]: _face(document) for document in found.docs}


def _face(document: dict[str, Any]) -> Face:
    return Face(
        document.get("name", ""),
        _instant(datetime.fromisoformat(document["metadata_modified"]))
        if "metadata_modified" in document
        else "",
        document.get("capacity") == "private",
        document.get("state", ""),
        document.get("organization"),
        frozenset(document.get("groups") or ()),
        frozenset(document.get("tags") or ()),
    )


def _instant(moment: datetime) -> str:
    """To a hundredth of a second, which is what the index keeps for sure."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")[:22]


def _datasets_of(owners: set[str]) -> Iterator[str]:
    if not owners:
        return
    query = sa.text(
        "SELECT id FROM package WHERE owner_org = ANY(:owners) UNION "
        "SELECT table_id FROM member WHERE table_name = 'package' AND group_id = ANY(:owners)"
    )
    with model.ensure_engine().connect() as connection:
        yield from connection.execute(query, {"owners": list(owners)}).scalars()


def _all_ids() -> Iterator[str]:
    with model.ensure_engine().connect() as connection:
        yield from connection.execute(sa.text("SELECT id FROM package")).scalars()


def _indexed_ids() -> Iterator[str]:
    """Ids of all documents of this site, page by page."""
    solr = make_connection(decode_dates=False)
    site = tk.config["ckan.site_id"]
    mark = "*"
    query = {"fq": [f'+site_id:"{site}"', "+entity_type:package"], "fl": "id", "rows": 1000}
    while True:
        page = _solr(solr, "*:*", sort="index_id asc", cursorMark=mark, **query)
        yield from (document["id"] for document in page.docs)
        if page.nextCursorMark == mark:
            return
        mark = page.nextCursorMark


def _solr(solr: pysolr.Solr, *arguments: Any, **parameters: Any) -> pysolr.Results:
    try:
        return solr.search(*arguments, **parameters)
    except pysolr.SolrError as error:
        raise search.SearchError(f"Could not connect to the search engine: {str(error)[:300]}") from error
