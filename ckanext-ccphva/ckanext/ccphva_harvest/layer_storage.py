"""All queries on what people corrected of harvested datasets. Imports `model` and `layers` only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from ckan import model as core
from ckanext.ccphva_harvest.layers import Layer
from ckanext.ccphva_harvest.model import HarvestLayer, HarvestRecord, now
from sqlalchemy.dialects.postgresql import insert


def record_of(dataset_id: str) -> HarvestRecord | None:
    """The record of the source that keeps a dataset, or None for a dataset of our own."""
    query = core.Session.query(HarvestRecord).filter_by(dataset_id=dataset_id, state="active")
    return query.first()


def of(dataset_id: str) -> list[HarvestLayer]:
    """The layers of a dataset, by path."""
    query = core.Session.query(HarvestLayer).filter_by(dataset_id=dataset_id)
    return query.order_by(HarvestLayer.path).all()


def note(dataset_id: str, changes: Iterable[Layer], user_id: str) -> None:
    """Lay what a person changed above what the source says; back at the source's word, the layer is gone.

    Part of the transaction at work: it is kept or lost with the change itself.
    """
    known = {layer.path: layer for layer in of(dataset_id)}
    for change in changes:
        before = known.get(change.path)
        source = before.source if before else change.source
        if change.ours == source:
            forget(dataset_id, [change.path])
            continue
        values = {"ours": change.ours, "user_id": user_id, "since": now(), "conflict": False}
        statement = insert(HarvestLayer).values(
            dataset_id=dataset_id, path=change.path, source=source, **values
        )
        core.Session.execute(
            statement.on_conflict_do_update(index_elements=["dataset_id", "path"], set_=values)
        )


def follow(dataset_id: str, path: str, source: Any) -> None:
    """Note that the source says something new at a place that a person corrected."""
    where = (HarvestLayer.dataset_id == dataset_id, HarvestLayer.path == path)
    core.Session.execute(sa.update(HarvestLayer).where(*where).values(source=source, conflict=True))


def settle(dataset_id: str, path: str) -> None:
    """A person has seen what the source says, and stays with ours."""
    where = (HarvestLayer.dataset_id == dataset_id, HarvestLayer.path == path)
    core.Session.execute(sa.update(HarvestLayer).where(*where).values(conflict=False))


def forget(dataset_id: str, paths: Sequence[str] | None = None) -> None:
    """Take layers away; all of the dataset's when no path is given."""
    statement = sa.delete(HarvestLayer).where(HarvestLayer.dataset_id == dataset_id)
    if paths is not None:
        statement = statement.where(HarvestLayer.path.in_(paths))
    core.Session.execute(statement)


def conflicts(organizations: Sequence[str] | None) -> list[dict[str, Any]]:
    """Datasets of organisations (None: of all) whose source says something new where people corrected it."""
    query = (
        core.Session.query(core.Package.id, core.Package.name, core.Package.owner_org, sa.func.count())
        .join(HarvestLayer, HarvestLayer.dataset_id == core.Package.id)
        .filter(HarvestLayer.conflict.is_(True), core.Package.state != "deleted")
        .group_by(core.Package.id, core.Package.name, core.Package.owner_org)
        .order_by(core.Package.name)
    )
    if organizations is not None:
        query = query.filter(core.Package.owner_org.in_(organizations))
    return [{"id": row[0], "name": row[1], "owner_org": row[2], "conflicts": row[3]} for row in query]
