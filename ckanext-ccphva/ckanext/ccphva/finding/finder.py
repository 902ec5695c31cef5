"""A search from beginning to end: asked of Solr as `package_search` asks it, made into what a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ckan.plugins as p
import orjson
from ckan.lib.search.common import SearchQueryError
from ckan.types import Context
from ckanext.ccphva import languages, search, storage
from ckanext.ccphva.finding import engine, facets, spelling, words
from ckanext.ccphva.finding.asking import DEEPEST, Asked

Found = dict[str, Any]
FIRST_CURSOR = "*"
FEW = 2
"""Datasets up to which another spelling is offered."""
_MAGIC = ("{!", "_query_", "_val_")
_MATCHING = {"tie": "0.1", "mm": "2<-1 5<80%", "q.op": "AND", "df": "text"}
"""What CKAN gives with every search of words."""


def find(context: Context, asked: Asked, language: str, counted: bool = True, private: bool = True) -> Found:
    """Datasets that the caller may see, as `ccphva_dataset_search` returns them."""
    understood = read_words(asked)
    asked = replace(asked, page=min(asked.page, DEEPEST // asked.rows + 1))
    try:
        answer = _ask(context, asked, understood, language, counted, private)
    except SearchQueryError:  # Solr's language with a fault in it: the same as plain words
        understood = words.read(asked.q, fields=False)
        answer = _ask(context, asked, understood, language, counted, private)
    corrected = meant = None
    if _number(answer) <= FEW and understood.plain:
        meant = spelling.better(context, understood, language, filters_of(asked, language), private)
        if meant and not _number(answer):
            corrected, meant = meant, None
            answer = _ask(context, asked, words.read(corrected, fields=False), language, counted, private)
    shown = _shown(answer, asked, language)
    return shown | {
        "corrected": corrected,
        "meant": meant,
        "cut": understood.cut,
        "unknown": list(asked.unknown),
    }


def read_words(asked: Asked) -> words.Words:
    return words.read(asked.q, fields=not any(sign in asked.q for sign in _MAGIC))


def filters_of(asked: Asked, language: str) -> list[str]:
    """Everything but the words, as Solr's filters."""
    return _params(asked, words.Words("", ()), language)["fq"]


def _ask(
    context: Context, asked: Asked, understood: words.Words, language: str, counted: bool, private: bool
) -> Found:
    params = _params(asked, understood, language)
    filters = params.pop("fq")
    if counted:
        params |= facets.counting(asked.filters)
    if asked.cursor:
        params |= {"cursorMark": asked.cursor}
    else:
        params |= {"start": asked.start}
    return engine.ask(context, params, filters, private)


def _params(asked: Asked, understood: words.Words, language: str) -> dict[str, Any]:
    """Solr's parameters after every plugin that has a say in `package_search` had it."""
    terms = {"q": understood.text} if understood.fielded else search.terms(understood, language)
    box = {"ext_bbox": ",".join(map(str, asked.bbox))} if asked.bbox else {}
    params: dict[str, Any] = {**terms, "fq": "+dataset_type:dataset", "extras": box, "df": "text"}
    for plugin in p.PluginImplementations(p.IPackageController):
        params = plugin.before_dataset_search(params)
    params.pop("extras", None)
    others = [
        f"{name}:({' OR '.join(facets.literal(each) for each in values)})"
        for name, values in asked.others.items()
    ]
    filters = [params.pop("fq", ""), *params.pop("fq_list", []), *facets.filters(asked.filters), *others]
    if "defType" in params or ":" not in params["q"]:
        params = {"defType": "edismax", **_MATCHING, **params}
    order = f"{asked.order(language)}, index_id asc"
    return {
        "q.op": "AND",
        **params,
        "fq": [each for each in filters if each],
        "fl": "card",
        "rows": asked.rows,
        "sort": order,
    }


def _number(answer: Mapping[str, Any]) -> int:
    return answer["response"]["numFound"]


def _shown(answer: Mapping[str, Any], asked: Asked, language: str) -> Found:
    cards = [orjson.loads(each["card"]) for each in answer["response"]["docs"] if "card" in each]
    counted = facets.counts(answer)
    named = {each["organization"] for each in cards if each["organization"]}
    named |= set(counted.get("organization", ())) | set(asked.filters.get("organization", ()))
    titles = storage.organization_titles(named, language) if named else {}
    following = answer.get("nextCursorMark")
    return {
        "count": _number(answer),
        "results": [_card(each, language, titles) for each in cards],
        "facets": facets.shown(counted, asked.filters, language, titles) if "facet_counts" in answer else [],
        "next_cursor": following if following != asked.cursor and len(cards) == asked.rows else None,
    }


def _card(card: dict[str, Any], language: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """A card with its texts in the reader's language, else in the first that there is."""
    translated = card.get("title_translated") or {}
    notes = card.get("notes_translated") or {}
    organization = card["organization"]
    return card | {
        "title": translated.get(language)
        or languages.best(translated, language)
        or card.get("title")
        or card["name"],
        "notes": notes.get(language) or languages.best(notes, language),
        "formats": [facets.FORMATS.get(each, each) for each in card["formats"]],
        "organization": {"name": organization, "title": titles.get(organization, organization)}
        if organization
        else None,
    }
