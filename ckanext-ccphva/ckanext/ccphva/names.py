"""Names of organisations and groups on datasets and filters: as they are now, in all languages.

Core keeps the name of the day of indexing in the search engine, and only its French form anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ckanext.ccphva import languages, search, storage

Thing = dict[str, Any]
FACETS = ("organization", "groups")


def on_datasets(datasets: Iterable[Thing]) -> None:
    """Put `title` and `title_translated` on the datasets' organisations and groups, with one query."""
    shown = [thing for dataset in datasets for thing in _named(dataset)]
    on_groups(shown)


def on_search(found: Thing) -> Thing:
    """Put present names on what a search found, and on its filters."""
    on_datasets(found["results"])
    on_facets(found.get("search_facets") or {})
    return found


def on_groups(groups: list[Thing]) -> None:
    """Put the present `title` and `title_translated` on organisations and groups that bear an id."""
    titles = storage.group_titles({group["id"] for group in groups if group.get("id")})
    for group in groups:
        if found := titles.get(group.get("id", "")):
            group["title"], group["title_translated"] = found.title, found.translated
            if "display_name" in group:
                group["display_name"] = found.title


def on_facets(facets: dict[str, Any]) -> None:
    """Filters by organisation and group bear the name in the reader's language."""
    items = [item for name in FACETS for item in facets.get(name, {}).get("items", [])]
    titles = {
        title.name: title for title in storage.group_titles(names={item["name"] for item in items}).values()
    }
    for item in items:
        if found := titles.get(item["name"]):
            item["display_name"] = languages.best(found.translated, search.reader_language()) or found.title


def _named(dataset: Thing) -> list[Thing]:
    owner = dataset.get("organization")
    return [*([owner] if owner else []), *(dataset.get("groups") or [])]
