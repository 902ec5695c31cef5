"""Actions that forms ask while somebody types."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import validate
from ckan.types import Context, DataDict
from ckanext.ccphva import names, search, suggestions
from ckanext.ccphva.logic import schema

__all__ = [
    "ccphva_keyword_autocomplete",
    "ccphva_theme_suggest",
    "organization_list_for_user",
]


@tk.side_effect_free
@validate(schema.keyword_autocomplete)
def ccphva_keyword_autocomplete(context: Context, data_dict: DataDict) -> list[str]:
    """Keywords of datasets that the caller may see, in one language.

    :param q: how the keyword, or a word of it, begins; case and accents do not count.
    :param language: ``fr``, ``de``, ``en`` or ``lb``.
    :returns: at most 10 keywords, the most used first.
    """
    tk.check_access("ccphva_keyword_autocomplete", context, data_dict)
    field = search.keyword_field(data_dict["language"])
    wanted = {"rows": 0, "facet.field": [field], "facet.limit": 5000, "include_private": True}
    found = tk.get_action("package_search")({"user": context.get("user", "")}, wanted)
    items = sorted(found["search_facets"][field]["items"], key=lambda item: (-item["count"], item["name"]))
    return suggestions.beginning((item["name"] for item in items), data_dict["q"])


@tk.side_effect_free
@validate(schema.theme_suggest)
def ccphva_theme_suggest(context: Context, data_dict: DataDict) -> list[str]:
    """Themes whose names share words with a text.

    :param text: what is typed so far.
    :param type: type of dataset, ``dataset`` where none is given.
    :returns: at most 3 values of the field ``theme``, the best first.
    """
    tk.check_access("ccphva_theme_suggest", context, data_dict)
    found = tk.get_action("scheming_dataset_schema_show")({}, {"type": data_dict["type"]})
    field = next((each for each in found["dataset_fields"] if each["field_name"] == "theme"), None)
    return suggestions.themes(data_dict["text"], tk.h.scheming_field_choices(field) or []) if field else []


@tk.side_effect_free
@tk.chained_action
def organization_list_for_user(up: Any, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Core's, with ``title_translated`` on each organisation: forms offer it in the agent's language."""
    found = up(context, data_dict)
    names.on_groups(found)
    return found
