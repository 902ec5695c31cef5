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
    "ccphva_keyword_suggest",
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
    return suggestions.beginning(_keywords(context, data_dict["language"]), data_dict["q"])


@tk.side_effect_free
@validate(schema.keyword_suggest)
def ccphva_keyword_suggest(context: Context, data_dict: DataDict) -> list[str]:
    """Keywords that others use in the portal and whose words are in a text.

    :param text: what is typed so far, in the language.
    :param language: ``fr``, ``de``, ``en`` or ``lb``.
    :returns: at most 8 keywords of datasets that the caller may see, the most used first.
    """
    tk.check_access("ccphva_keyword_suggest", context, data_dict)
    return suggestions.keywords(data_dict["text"], _keywords(context, data_dict["language"]))


def _keywords(context: Context, language: str) -> list[str]:
    """A language's keywords of the datasets that somebody sees, the most used first."""
    field = search.keyword_field(language)
    wanted = {"rows": 0, "facet.field": [field], "facet.limit": 5000, "include_private": True}
    found = tk.get_action("package_search")({"user": context.get("user", "")}, wanted)
    items = sorted(found["search_facets"][field]["items"], key=lambda item: (-item["count"], item["name"]))
    return [item["name"] for item in items]


@tk.side_effect_free
@validate(schema.theme_suggest)
def ccphva_theme_suggest(context: Context, data_dict: DataDict) -> list[str]:
    """Themes whose names, or words that belong to them (``schemas/synonyms.yaml``), are in a text.

    :param text: what is typed so far, in any language.
    :param type: type of dataset, ``dataset`` where none is given.
    :param field: ``theme``, ``local_theme`` or another field with a code list; ``theme`` where none is given.
    :returns: at most 3 values of the field, the best first.
    """
    tk.check_access("ccphva_theme_suggest", context, data_dict)
    found = tk.get_action("scheming_dataset_schema_show")({}, {"type": data_dict["type"]})
    named = (each for each in found["dataset_fields"] if each["field_name"] == data_dict["field"])
    field = next((each for each in named if "codelist" in each), None)
    if field is None:
        return []
    choices = tk.h.scheming_field_choices(field) or []
    return suggestions.themes(data_dict["text"], suggestions.with_synonyms(choices, field["codelist"]))


@tk.side_effect_free
@tk.chained_action
def organization_list_for_user(up: Any, context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Core's, with ``title_translated`` on each organisation: forms offer it in the agent's language."""
    found = up(context, data_dict)
    names.on_groups(found)
    return found
