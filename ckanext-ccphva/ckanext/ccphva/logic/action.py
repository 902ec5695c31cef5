"""The plugin's actions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import validate
from ckan.types import Context, DataDict
from ckanext.ccphva import narrative, pages
from ckanext.ccphva.logic import publication, quality, schema
from ckanext.ccphva.logic.publication import *  # noqa: F403 -- the blanket looks for actions here
from ckanext.ccphva.logic.quality import *  # noqa: F403

__all__ = ["ccphva_home_show", "ccphva_page_show"]
__all__ += publication.__all__
__all__ += quality.__all__


@tk.side_effect_free
def ccphva_home_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What the home page shows.

    :returns: ``available`` (False while the search engine is away), ``figures`` (counts of public datasets,
        of organisations that have some, of formats), ``latest`` (datasets), ``tags`` (the most used),
        ``organizations`` (each with ``package_count``) and ``map`` (None when the territory has no outlines;
        lengths in SVG units).
    """
    tk.check_access("ccphva_home_show", context, data_dict)
    return pages.home(context)


@tk.side_effect_free
@validate(schema.page_show)
def ccphva_page_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One of the territory's own texts.

    :param name: ``about``, ``legal``, …: the name of its file.
    :param language: ``fr``, ``de``, ``en`` or ``lb``; French stands in for a language that the text lacks.
    :returns: ``name``, ``language`` (that of the text), ``title`` and ``body`` (Markdown).
    :raises ObjectNotFound: no such text.
    """
    tk.check_access("ccphva_page_show", context, data_dict)
    found = narrative.page(data_dict["name"], data_dict["language"])
    if found is None:
        raise tk.ObjectNotFound(tk._("This page does not exist"))
    return asdict(found)
