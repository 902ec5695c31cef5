"""What other plugins may implement to decide which rows and columns a reader sees."""

from __future__ import annotations

import ckan.plugins as p
from ckan.types import Context
from ckanext.ccphva_datastore.relations import Relation

__all__ = ["IEffectiveRelation", "Relation"]


class IEffectiveRelation(p.Interface):
    """The gate before every reading of a table: search, dump, views, counts, dictionary."""

    def resolve(self, context: Context, resource_id: str, action: str) -> Relation | None:  # noqa: ARG002
        """The relation that this reader sees in place of the resource's table.

        It is asked after CKAN has said that the reader may read the resource at all, and never by an
        alias: `resource_id` is the resource's own. The first plugin with an opinion decides.

        :param action: the action that reads, such as `datastore_search`.
        :returns: a view in schema `perimeter` with a column `_id`, unique in it, and, for full-text search,
            a column `_full_text` made of its visible columns only; None: no opinion, the table itself.
        :raises ckan.logic.NotFound: this reader sees nothing of it; the answer is that of an unknown table.
        """
        return None
