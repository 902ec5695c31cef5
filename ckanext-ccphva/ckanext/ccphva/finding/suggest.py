"""Suggestions while somebody types: datasets, themes, organisations, each with where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from ckan.types import Context
from ckanext.ccphva import codelists, languages, storage
from ckanext.ccphva.finding import engine, facets, words
from ckanext.ccphva.suggestions import fold

LEAST, LONGEST = 2, 100
"""Letters that are looked up."""
DATASETS, OTHERS = 5, 3
OWN, OTHER = 3, 1
Suggestion = dict[str, Any]


def suggest(context: Context, typed: str, language: str) -> list[Suggestion]:
    """What begins as somebody types, in any language; `kind` (dataset, theme, organization), `name`,
    `title`.
    """
    asked = words.read(typed[:LONGEST], fields=False)
    begun = " ".join(word for word in asked.plain if len(word) >= LEAST)
    if not begun:
        return []
    used = _used(context)
    themes = [each for each in _themes(begun, language) if each["name"] in used["theme"]][:OTHERS]
    organizations = [
        each for each in _organizations(begun, language) if each["name"] in used["organization"]
    ][:OTHERS]
    return [*themes, *organizations, *_datasets(context, begun, language)]


def _used(context: Context) -> dict[str, dict[str, int]]:
    """Themes and organisations that have a dataset which the caller may see: a suggestion leads to
    something.
    """
    fields = [f"{{!key={name}}}facet_{name}" for name in ("theme", "organization")]
    params = {
        "q": "*:*",
        "rows": 0,
        "facet": "true",
        "facet.mincount": 1,
        "facet.limit": -1,
        "facet.field": fields,
    }
    return facets.counts(engine.ask(context, params, ["+dataset_type:dataset"]))


def _datasets(context: Context, begun: str, language: str) -> list[Suggestion]:
    weights = " ".join(f"begin_{each}^{OWN if each == language else OTHER}" for each in languages.LANGUAGES)
    params = {
        "q": begun,
        "defType": "edismax",
        "qf": weights,
        "mm": "100%",
        "rows": DATASETS,
        "fl": "card",
        "sort": "score desc, metadata_modified desc, index_id asc",
    }
    found = engine.ask(context, params, ["+dataset_type:dataset"])["response"]["docs"]
    cards = [orjson.loads(each["card"]) for each in found if "card" in each]
    return [
        {
            "kind": "dataset",
            "name": card["name"],
            "title": languages.best(card.get("title_translated"), language)
            or card.get("title")
            or card["name"],
        }
        for card in cards
    ]


def _themes(begun: str, language: str) -> list[Suggestion]:
    concepts = [concept for name in ("local-theme", "data-theme") for concept in codelists.load(name)]
    found = [each for each in concepts if _begins(each.labels.values(), begun)]
    return [
        {"kind": "theme", "name": each.code, "title": languages.best(each.labels, language)} for each in found
    ]


def _organizations(begun: str, language: str) -> list[Suggestion]:
    found = []
    for each in storage.organizations():
        texts = languages.parse(each.get("title_translated")) or {}
        if _begins([*texts.values(), str(each["title"] or "")], begun):
            title = languages.best(texts, language) or each["title"] or each["name"]
            found.append({"kind": "organization", "name": each["name"], "title": title})
    return sorted(found, key=lambda each: each["title"])


def _begins(texts: Iterable[str], begun: str) -> bool:
    """Whether every word begins a word of one of the texts."""
    wanted = fold(begun).replace("'", " ").split()
    return any(
        all(f" {word}" in f" {' '.join(_parted(text))}" for word in wanted)
        for text in texts
        if text and wanted
    )


def _parted(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in fold(text)).split()
