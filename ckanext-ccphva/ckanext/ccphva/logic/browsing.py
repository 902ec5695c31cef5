"""Actions on themes and communes."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import validate
from ckan.types import Context, DataDict
from ckanext.ccphva import browsing
from ckanext.ccphva.logic import schema

__all__ = ["ccphva_commune_list", "ccphva_commune_show", "ccphva_theme_list", "ccphva_theme_show"]


@tk.side_effect_free
@validate(schema.in_language)
def ccphva_theme_list(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The themes of the catalogue, those of local life first.

    :param language: ``fr`` (if not given), ``de``, ``en`` or ``lb``.
    :returns: ``code``, ``list`` (the code list), ``title`` and ``count`` (public datasets; None while the
        search engine is away) of each.
    """
    tk.check_access("ccphva_theme_list", context, data_dict)
    return browsing.themes(context, data_dict["language"])


@tk.side_effect_free
@validate(schema.one_in_language)
def ccphva_theme_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A theme and its latest public datasets.

    :param id: the code of the theme, as in ``ccphva_theme_list``.
    :param language: as there.
    :returns: ``code``, ``list``, ``title``, ``count``, ``available`` and ``datasets`` (as ``results`` of
        ``ccphva_dataset_search``).
    :raises ObjectNotFound: no such theme.
    """
    tk.check_access("ccphva_theme_show", context, data_dict)
    return browsing.theme(context, data_dict["id"], data_dict["language"])


@tk.side_effect_free
@validate(schema.in_language)
def ccphva_commune_list(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The communes of the territory by name.

    :param language: of the answer's texts.
    :returns: ``code`` (INSEE), ``title`` and ``count`` (public datasets about it) of each.
    """
    tk.check_access("ccphva_commune_list", context, data_dict)
    return browsing.communes(context, data_dict["language"])


@tk.side_effect_free
@validate(schema.one_in_language)
def ccphva_commune_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A commune and the latest public datasets about it.

    :param id: its INSEE code.
    :param language: as in ``ccphva_commune_list``.
    :returns: ``code``, ``title``, ``organization`` (the commune's own, or None), ``map`` (lengths in SVG
        units), ``count``, ``available`` and ``datasets``.
    :raises ObjectNotFound: the territory has no such commune.
    """
    tk.check_access("ccphva_commune_show", context, data_dict)
    return browsing.commune(context, data_dict["id"], data_dict["language"])
