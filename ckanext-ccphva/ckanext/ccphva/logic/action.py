"""The plugin's actions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import validate
from ckan.types import Context, DataDict
from ckanext.ccphva import codelists, languages, narrative, pages
from ckanext.ccphva.logic import browsing, finding, lawful, publication, quality, schema, typing_help
from ckanext.ccphva.logic.browsing import *  # noqa: F403
from ckanext.ccphva.logic.finding import *  # noqa: F403
from ckanext.ccphva.logic.lawful import *  # noqa: F403
from ckanext.ccphva.logic.publication import *  # noqa: F403 -- the blanket looks for actions here
from ckanext.ccphva.logic.quality import *  # noqa: F403
from ckanext.ccphva.logic.typing_help import *  # noqa: F403
from ckanext.ccphva.rdf import serializer, skos
from ckanext.dcat.utils import catalog_uri

__all__ = [
    "ccphva_codelist_list",
    "ccphva_codelist_show",
    "ccphva_home_show",
    "ccphva_page_show",
    "dcat_catalog_show",
]
__all__ += browsing.__all__
__all__ += finding.__all__
__all__ += lawful.__all__
__all__ += publication.__all__
__all__ += quality.__all__
__all__ += typing_help.__all__


@tk.side_effect_free
def ccphva_home_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What the home page shows.

    :returns: ``available`` (False while the search engine is away), ``figures`` (counts of public datasets,
        of organisations that have some, of formats), ``latest`` (datasets), ``keywords`` (the most used),
        ``themes`` (those of local life, as in ``ccphva_theme_list``), ``live`` (datasets, as ``results`` of
        ``ccphva_dataset_search``), ``organizations`` (each with ``package_count``) and ``map`` (None when the
        territory has no outlines; lengths in SVG units).
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


@tk.side_effect_free
@validate(schema.in_language)
def ccphva_codelist_list(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The code lists that fields take their values from.

    :param language: ``fr`` (if not given), ``de``, ``en`` or ``lb``.
    :returns: ``name``, ``title`` and ``count`` (of concepts) of each, by title.
    """
    tk.check_access("ccphva_codelist_list", context, data_dict)
    found = [codelists.load(name) for name in codelists.names()]
    rows = [
        {"name": c.name, "title": languages.best(c.title, data_dict["language"]), "count": len(c.concepts)}
        for c in found
    ]
    return sorted(rows, key=lambda row: row["title"].casefold())


@tk.side_effect_free
@validate(schema.codelist_show)
def ccphva_codelist_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """One code list.

    :param name: ``frequency``, ``local-theme``, …
    :param language: ``fr`` (if not given), ``de``, ``en`` or ``lb``.
    :param format: ``ttl``, ``rdf`` or ``jsonld``: with ``document``, the list as SKOS.
    :param code: of a concept that must be in it.
    :returns: ``name``, ``title``, ``uri``, ``own`` (the portal is its authority) and ``concepts`` (``code``,
        ``uri``, ``label``).
    :raises ObjectNotFound: no such list, or no such concept in it.
    """
    tk.check_access("ccphva_codelist_show", context, data_dict)
    try:
        found = codelists.load(data_dict["name"])
    except KeyError:
        raise tk.ObjectNotFound(tk._("This page does not exist")) from None
    if "code" in data_dict and found.get(data_dict["code"]) is None:
        raise tk.ObjectNotFound(tk._("This page does not exist"))
    portal, language = catalog_uri().rstrip("/"), data_dict["language"]
    shown: dict[str, Any] = {
        "name": found.name,
        "title": languages.best(found.title, language),
        "uri": found.address(portal),
        "own": found.scheme is None,
        "concepts": [
            {"code": c.code, "uri": found.uri(c.value, portal), "label": languages.best(c.labels, language)}
            for c in found
        ],
    }
    if "format" in data_dict:
        shown["document"] = skos.written(found, portal, data_dict["format"])
    return shown


@tk.chained_action
@tk.side_effect_free
def dcat_catalog_show(_stock: Any, context: Context, data_dict: DataDict) -> str:
    """The catalogue as RDF, with services and catalogue records under their own properties (DCAT 3 §6.3).

    :param format: ``ttl``, ``xml``, ``jsonld`` or ``n3``.
    :param page: from 1; 100 datasets a page. ``q``, ``fq``, ``modified_since``: as ckanext-dcat has them.
    """
    tk.check_access("dcat_catalog_show", context, data_dict)
    return serializer.catalogue(context, data_dict)
