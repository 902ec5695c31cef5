"""Where tables are in the DataStore's database, and which one a reader sees.

Schemas: `public`, tables of open data, readable by the DataStore's reading role; `closed`, tables of data
that is not open, which that role cannot reach; `live`, partitioned feeds; `perimeter`, views that give a
part of a table. A table's name is its resource's id and stands in one schema only.
"""

from __future__ import annotations

from dataclasses import dataclass

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva_datastore import storage

OPEN, LIVE, CLOSED, PERIMETER = "public", "live", "closed", "perimeter"
BASE = (OPEN, LIVE, CLOSED)
"""Schemas in which a resource's own table may stand, in the order in which writers look."""


@dataclass(frozen=True)
class Relation:
    """A table or view by schema and name."""

    schema: str
    name: str

    @property
    def sql(self) -> str:
        """The qualified name, quoted for SQL."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.schema, self.name))


def locate(resource_id: str) -> Relation | None:
    """The table of a resource, or None where it has none."""
    schema = storage.schema_of(resource_id, BASE)
    return Relation(schema, resource_id) if schema else None


def effective(context: Context, resource_id: str, action: str) -> Relation:
    """What this reader sees in place of the resource's table; see `IEffectiveRelation.resolve`.

    :raises ckan.logic.NotFound: there is no such table, for this reader.
    """
    from ckanext.ccphva_datastore.interfaces import IEffectiveRelation

    base = locate(resource_id)
    if base is None:
        raise not_found(resource_id)
    for plugin in p.PluginImplementations(IEffectiveRelation):
        try:
            relation = plugin.resolve(context, resource_id, action)
        except tk.ObjectNotFound as error:
            raise not_found(resource_id) from error
        if relation is not None:
            return relation
    return base


def not_found(name: str) -> tk.ObjectNotFound:
    """One sentence for a table that does not exist and for one that the reader may not know of."""
    return tk.ObjectNotFound(tk._('Resource "{0}" was not found.').format(name))
