"""Follows the change log: a resource whose file changed is put into the queue, a lost load is begun anew."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ckan import model as core
from ckanext.ccphva.shared import Change
from ckanext.ccphva_datastore import config
from ckanext.ccphva_datastore.loading import files, model, storage, tasks, versions

log = logging.getLogger(__name__)
SILENT = 15
"""Seconds without a sign of life after which a load at work is looked at: lost if nobody holds its lock."""


class Loads:
    """See `ckanext.ccphva.shared.Follower`.

    An upload is loaded at once. A linked file is loaded when somebody who may edit it asked for it, and
    looked
    at again from time to time: harvested catalogues link to more files than anybody wants to fetch.
    """

    name = "loads"

    def follow(self, changes: Sequence[Change]) -> None:
        wanted = {change.entity_id for change in changes if change.kind == "resource"}
        for resource in core.Session.query(core.Resource).filter(core.Resource.id.in_(wanted)):
            self._look(resource)
        gone = {
            change.entity_id
            for change in changes
            if change.kind == "resource" and change.operation == "delete"
        }
        if gone:
            self._forget()

    def sweep(self) -> None:
        """Linked files that are due, uploads that no change announced, what is left of the gone."""
        due = model.now() - timedelta(hours=config.load_hours())
        known = core.Session.query(model.Load).filter(model.Load.finished < due).all()
        for load in known:
            if load.source.get("url") and load.state in (model.DONE, model.REFUSED):
                tasks.enqueue(load.resource_id)
        uploads = core.Session.query(core.Resource).filter_by(url_type="upload", state="active")
        for resource in uploads:
            self._look(resource)
        self._forget()

    def _look(self, resource: Any) -> None:
        if resource.state != "active" or resource.url_type != "upload":
            return
        mark = files.mark({"id": resource.id, "url": resource.url, "url_type": resource.url_type})
        load = model.load_of(resource.id)
        if not mark or (load and (load.source.get("mark") == mark or load.state == model.WAITING)):
            return
        tasks.enqueue(resource.id)

    def _forget(self) -> None:
        for resource_id in model.gone():
            versions.forget(resource_id)
            model.forget(resource_id)


class LostLoads:
    """Begins a load anew whose worker was killed: every half minute, as an agent waits for his table."""

    name = "lost-loads"
    every = 30
    """Seconds between two sweeps."""

    def follow(self, changes: Sequence[Change]) -> None:
        pass

    def sweep(self) -> None:
        for load in model.silent(SILENT):
            if load.state in model.AT_WORK and not _is_lost(load.resource_id):
                continue
            if load.attempt < tasks.TRIES:
                log.warning(
                    "A load is begun anew: its worker was stopped", extra={"resource": load.resource_id}
                )
                tasks.enqueue(load.resource_id)
            else:
                model.note(
                    load.resource_id, state=model.REFUSED, attempt=0, finished=model.now(),
                    reason={"code": "crash", "values": {"reason": "the worker was stopped"}},
                )  # fmt: skip


def _is_lost(resource_id: str) -> bool:
    """A worker holds the load's lock as long as it lives, so one that only is slow is not taken for dead."""
    with storage.connected() as connection, storage.only_one(connection, resource_id) as free:
        return free
