"""Themes and communes: ways into the catalogue that have a page of their own. Asks actions only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search import SearchError, SolrConnectionError
from ckan.logic import fresh_context
from ckan.types import Context
from ckanext.ccphva import codelists, config, languages, outlines, storage
from ckanext.ccphva.finding import places

Way = dict[str, Any]
SHOWN = 12
"""Datasets on the page of a theme or commune; the rest is a search away."""
LIVE = 3
"""Live datasets on the home page."""
LISTS = ("local-theme", "data-theme")
"""Code lists of the themes: those of local life first, then those of the European Union."""


def themes(context: Context, language: str) -> list[Way]:
    """Every theme with its number of public datasets; `count` is None while the search engine is away."""
    counts = _counts(context, "theme", language)
    return [
        {
            "code": concept.code,
            "list": name,
            "title": languages.best(concept.labels, language),
            "count": counts.get(concept.code, 0) if counts is not None else None,
        }
        for name in LISTS
        for concept in codelists.load(name)
    ]


def communes(context: Context, language: str) -> list[Way]:
    """Every commune of the territory with its number of public datasets, by name."""
    counts = _counts(context, "commune", language)
    return [
        {"code": code, "title": name, "count": counts.get(code, 0) if counts is not None else None}
        for code, name in sorted(places.names().items(), key=lambda each: each[1])
    ]


def theme(context: Context, code: str, language: str) -> Way:
    """One theme with its latest datasets.

    :raises ckan.logic.NotFound: no list has the code.
    """
    for name in LISTS:
        concept = next((each for each in codelists.load(name) if each.code == code), None)
        if concept is not None:
            title = languages.best(concept.labels, language)
            return {"code": code, "list": name, "title": title} | _found(context, "theme", code, language)
    raise tk.ObjectNotFound(tk._("No theme has the code {code}").format(code=code))


def commune(context: Context, code: str, language: str) -> Way:
    """One commune with its place on the map, its organisation and the latest datasets about it.

    :raises ckan.logic.NotFound: the territory has no commune of that code.
    """
    name = places.names().get(code)
    if name is None:
        raise tk.ObjectNotFound(tk._("No commune has the code {code}").format(code=code))
    own = next((each for each in storage.organizations() if str(each.get("insee") or "") == code), None)
    return {
        "code": code,
        "title": name,
        "organization": own,
        "map": _map(code),
        **_found(context, "commune", code, language),
    }


def live(context: Context, language: str) -> list[Way]:
    """The latest datasets whose rows come as they are measured; none while the search engine is away."""
    asked = {"filters": {"live": ["yes"]}, "sort": "updated", "rows": LIVE, "facets": False}
    found = _search(context, asked | {"language": language})
    return found["results"] if found else []


def _found(context: Context, name: str, code: str, language: str) -> Way:
    asked = {"filters": {name: [code]}, "sort": "updated", "rows": SHOWN, "facets": False}
    found = _search(context, asked | {"language": language})
    if found is None:
        return {"available": False, "count": None, "datasets": []}
    return {"available": True, "count": found["count"], "datasets": found["results"]}


def _counts(context: Context, name: str, language: str) -> dict[str, int] | None:
    found = _search(context, {"rows": 1, "language": language})
    if found is None:
        return None
    values = next((facet["values"] for facet in found["facets"] if facet["name"] == name), [])
    return {each["value"]: each["count"] for each in values}


def _search(context: Context, asked: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return tk.get_action("ccphva_dataset_search")(fresh_context(context), asked)
    except (SearchError, SolrConnectionError):
        return None


def _map(code: str) -> dict[str, Any] | None:
    drawing = outlines.load(config.territory_folder())
    if drawing is None:
        return None
    drawn = [asdict(outline) | {"chosen": outline.code == code} for outline in drawing.outlines]
    return {"width": drawing.width, "height": drawing.height, "places": drawn}
