"""What the portal's own pages show, gathered through actions: the home page and the territory's texts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search import SearchError, SolrConnectionError
from ckan.types import Context
from ckanext.ccphva import browsing, config, languages, outlines, search, storage
from flask import has_request_context

LATEST = 6
MOST_KEYWORDS = 8
TAGS = "tags"
KINDS = {"epci": 0, "commune": 1}
OPEN_SEARCH = {"q": "*:*", "fq": "+dataset_type:dataset", "include_private": False}


def home(context: Context) -> dict[str, Any]:
    """Figures, latest datasets, organisations with their number of datasets, and the map."""
    found = _search(context)
    counts = {item["name"]: item["count"] for item in _facet(found, "organization")}
    organizations = _organizations(context, counts)
    return {
        "available": found is not None,
        "latest": found["results"] if found else [],
        "figures": {
            "datasets": found["count"] if found else 0,
            "organizations": sum(1 for each in organizations if each["package_count"]),
            "formats": len(_facet(found, "res_format")),
        },
        "keywords": _keywords(found),
        "organizations": organizations,
        "live": browsing.live(context, search.reader_language()),
        "themes": [
            each
            for each in browsing.themes(context, search.reader_language())
            if each["list"] == "local-theme"
        ],
        "map": _map(organizations),
    }


def facets(offered: dict[str, str]) -> dict[str, str]:
    """The filters of a search, without CKAN's groups, which this portal does not use.

    A keyword of the reader's language is a filter of its own while it is in use: it has a name and goes away.
    """
    kept = {name: title for name, title in offered.items() if name != "groups"}
    used = set(tk.request.args) if has_request_context() else set()
    fields = (search.keyword_field(language) for language in languages.LANGUAGES)
    return kept | {field: offered.get(TAGS, TAGS) for field in fields if field in used}


def _search(context: Context) -> dict[str, Any] | None:
    """The latest datasets with counts, or None while the search engine is away."""
    wanted = {
        **OPEN_SEARCH,
        "rows": LATEST,
        "sort": "metadata_modified desc",
        "facet.field": ["organization", "res_format", TAGS, search.keyword_field(search.reader_language())],
        "facet.limit": 500,
    }
    try:
        return tk.get_action("package_search")(context, wanted)
    except (SearchError, SolrConnectionError):
        return None


def _facet(found: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    items = found["search_facets"].get(name, {}).get("items", []) if found else []
    return sorted(items, key=lambda item: (-item["count"], item["display_name"]))


def _keywords(found: dict[str, Any] | None) -> dict[str, Any]:
    """The most used keywords in the reader's language, else CKAN's tags, which are the main language's."""
    own = search.keyword_field(search.reader_language())
    field = next((name for name in (own, TAGS) if _facet(found, name)), TAGS)
    return {"field": field, "items": _facet(found, field)[:MOST_KEYWORDS]}


def _organizations(context: Context, counts: dict[str, int]) -> list[dict[str, Any]]:
    """The territory's body first, then its communes, then all others; each with its number of datasets."""
    tk.check_access("organization_list", context, {})
    found = [{**each, "package_count": counts.get(each["name"], 0)} for each in storage.organizations()]
    return sorted(found, key=lambda each: (KINDS.get(each.get("kind", ""), len(KINDS)), each["title"] or ""))


def _map(organizations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The drawing of the territory with, for each commune, its organisation where there is one."""
    drawing = outlines.load(config.territory_folder())
    if drawing is None:
        return None
    by_code = {str(each["insee"]): each for each in organizations if each.get("insee")}
    places = [{**asdict(outline), "organization": by_code.get(outline.code)} for outline in drawing.outlines]
    return {"width": drawing.width, "height": drawing.height, "places": places}
