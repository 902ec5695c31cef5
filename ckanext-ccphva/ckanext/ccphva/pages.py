"""What the portal's own pages show, gathered through actions: the home page and the territory's texts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search import SearchError
from ckan.types import Context
from ckanext.ccphva import config, outlines

LATEST = 6
OPEN_SEARCH = {"q": "*:*", "fq": "+dataset_type:dataset", "include_private": False}


def home(context: Context) -> dict[str, Any]:
    """Figures, latest datasets, organisations with their number of datasets, and the map."""
    found = _search(context)
    counts = {item["name"]: item["count"] for item in _facet(found, "organization")}
    organizations = [_with_extras(each, counts) for each in _organizations(context)]
    return {
        "available": found is not None,
        "latest": found["results"] if found else [],
        "figures": {
            "datasets": found["count"] if found else 0,
            "organizations": sum(1 for each in organizations if each["package_count"]),
            "formats": len(_facet(found, "res_format")),
        },
        "tags": _facet(found, "tags")[:8],
        "organizations": organizations,
        "map": _map(organizations),
    }


def _search(context: Context) -> dict[str, Any] | None:
    """The latest datasets with counts, or None while the search engine is away."""
    wanted = {
        **OPEN_SEARCH,
        "rows": LATEST,
        "sort": "metadata_modified desc",
        "facet.field": ["organization", "res_format", "tags"],
        "facet.limit": 500,
    }
    try:
        return tk.get_action("package_search")(context, wanted)
    except SearchError:
        return None


def _facet(found: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    items = found["search_facets"].get(name, {}).get("items", []) if found else []
    return sorted(items, key=lambda item: (-item["count"], item["display_name"]))


def _organizations(context: Context) -> list[dict[str, Any]]:
    wanted = {"all_fields": True, "include_extras": True, "include_dataset_count": False, "limit": 100}
    return tk.get_action("organization_list")(context, wanted)


def _with_extras(organization: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    extras = {extra["key"]: extra["value"] for extra in organization.get("extras") or []}
    count = counts.get(organization["name"], 0)
    return {**extras, **{k: v for k, v in organization.items() if k != "extras"}, "package_count": count}


def _map(organizations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The drawing of the territory with, for each commune, its organisation where there is one."""
    drawing = outlines.load(config.territory_folder())
    if drawing is None:
        return None
    by_code = {str(each["insee"]): each for each in organizations if each.get("insee")}
    places = [{**asdict(outline), "organization": by_code.get(outline.code)} for outline in drawing.outlines]
    return {"width": drawing.width, "height": drawing.height, "places": places}
