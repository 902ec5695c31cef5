"""What the pages call data services and series: CKAN would make words of the types' names."""

from __future__ import annotations

from ckanext.ccphva.languages import N_

_PLURAL = ("breadcrumb", "content tab", "facet label", "main nav", "page title")
_CREATE = ("create label", "create title", "add link")


def _words(one: str, many: str, create: str, edit: str, search: str) -> dict[str, str]:
    return {
        **dict.fromkeys(_PLURAL, many),
        **dict.fromkeys(_CREATE, create),
        "default label": one,
        "edit label": edit,
        "search placeholder": search,
    }


WORDS = {
    "data_service": _words(
        N_("Data service"),
        N_("Data services"),
        N_("Add a data service"),
        N_("Edit the data service"),
        N_("Search data services"),
    ),
    "dataset_series": _words(
        N_("Dataset series"),
        N_("Series of datasets"),
        N_("Add a dataset series"),
        N_("Edit the dataset series"),
        N_("Search dataset series"),
    ),
}
"""Messages by dataset type and purpose (`ckan.lib.helpers.humanize_entity_type`)."""
