"""Tables of data that is not open stand in a schema that the DataStore's reading role cannot reach.

What a reader may see is decided by CKAN's rights and `IEffectiveRelation`; this is the second wall behind
them. It is moved with the dataset's own write, and a follower of the change log sees to every other way
by which a dataset becomes private.
"""

from __future__ import annotations

from collections.abc import Sequence

from ckan import model
from ckanext.ccphva.shared import Change
from ckanext.ccphva_datastore import relations, storage
from ckanext.ccphva_datastore.feeds import storage as feeds


def place(dataset_id: str) -> None:
    """Put the tables and feeds of a dataset where its visibility wants them."""
    dataset = model.Package.get(dataset_id)
    if dataset is None:
        return
    for resource in dataset.resources_all:
        table = relations.locate(resource.id)
        if table is None:
            continue
        wanted = relations.CLOSED
        if is_open(dataset):
            wanted = relations.LIVE if feeds.show(resource.id) else relations.OPEN
        if table.schema != wanted:
            storage.move(table, wanted)


def is_open(dataset: model.Package) -> bool:
    """Active, public, and with data that are open: a restricted dataset's description alone is public."""
    visibility = (dataset.extras or {}).get("visibility", "open")
    return dataset.state == "active" and not dataset.private and visibility == "open"


class Placement:
    """Follows the change log; see `ckanext.ccphva.shared`."""

    name = "tables"

    def follow(self, changes: Sequence[Change]) -> None:
        for dataset in dict.fromkeys(change.dataset_id for change in changes if change.dataset_id):
            place(dataset)

    def sweep(self) -> None:
        known = storage.tables(relations.BASE)
        query = model.Session.query(model.Resource.package_id).filter(model.Resource.id.in_(known))
        for (dataset,) in query.distinct():
            place(dataset)
