"""Search in four languages: one title and one text field a language, the reader's language first.

`deployment/solr/fields.xml` has the fields. What is indexed comes from the validated dataset, so that a
document holds what a reader is shown. No database but the organisation's row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckanext.ccphva import closed, codelists, languages
from flask import has_request_context

Document = dict[str, Any]

OWN_TITLE, OWN_TEXT, OTHER_TITLE, OTHER_TEXT = 8, 3, 3, 1
CORE_FIELDS = "name^4 tags^2 text^0.5"
LONGEST_STRING = 30_000
"""Bytes: Lucene ends a term that is not analysed at 32,766, and refuses the whole document."""
THEMES = {"theme": "data-theme", "local_theme": "local-theme", "inspire_theme": "inspire-theme"}
"""Fields of themes with the code lists of their names."""
_ANALYSED = {"title", "notes", "text", "data_dict", "validated_data_dict"}
_OPERATOR = re.compile(r"(?:^|\s)(?:OR|NOT|\|\|)(?:\s|$)")


def document(found: Document) -> Document:
    """The search document of a dataset, before other plugins see it (`before_dataset_index`)."""
    found = closed.document_without_data(found)
    dataset = json.loads(found["validated_data_dict"])
    dataset.setdefault("title_translated", {languages.MAIN: dataset.get("title")})  # types of other plugins
    for language in languages.LANGUAGES:
        found[f"title_{language}"] = _in(dataset.get("title_translated"), language) or None
        found[f"text_{language}"] = list(dict.fromkeys(_texts(dataset, language)))
        found[keyword_field(language)] = _strings(_in(dataset.get("tags_translated"), language))
    found["vocab_theme"] = dataset.get("theme") or []
    _put_outline(found, dataset)
    return {name: value for name, value in found.items() if not _too_long_or_translated(name, value)}


def keyword_field(language: str) -> str:
    """The field of the index that holds a language's keywords as they are written (CKAN's `vocab_*`)."""
    return f"vocab_keywords_{language}"


def _texts(dataset: Mapping[str, Any], language: str) -> Iterator[str]:
    """All that a reader of a language may look for; every field's best text where it lacks that language."""
    for thing in (dataset, *dataset.get("resources", ())):
        for field in ("title", "notes", "name", "description"):
            own = thing.get(f"{field}_translated")
            yield from _strings(languages.best(own, language) if own else None)
    yield from _strings(_in(dataset.get("tags_translated"), language))
    yield from _organization(dataset.get("owner_org"), language)
    for field, name in THEMES.items():
        yield from codelists.labels(name, dataset.get(field) or (), language)
    for agent in (*(dataset.get("publisher") or ()), *(dataset.get("creator") or ())):
        yield from _strings(agent.get("name"))
    for place in dataset.get("spatial_coverage") or ():
        yield from _strings(place.get("text"))


def _in(texts: Mapping[str, Any] | None, language: str) -> Any:
    return (texts or {}).get(language)


def _strings(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value if item]
    return [str(value)] if value else []


def _organization(owner: str | None, language: str) -> list[str]:
    organization = model.Group.get(owner) if owner else None
    if organization is None:
        return []
    texts = languages.parse(dict(getattr(organization, "extras", None) or {}).get("title_translated")) or {}
    return _strings(languages.best(texts, language) or organization.title)


def _put_outline(found: Document, dataset: Mapping[str, Any]) -> None:
    """Give ckanext-spatial the first geometry, and keep the others out of the text index."""
    places = dataset.get("spatial_coverage") or []
    for name in ("spatial_coverage", "extras_spatial_coverage"):
        found.pop(name, None)
    outline = next(
        (place[key] for place in places for key in ("geom", "bbox", "centroid") if place.get(key)), None
    )
    if outline:
        found["spatial"] = found["extras_spatial"] = outline
    if not p.plugin_loaded("spatial_query"):
        found.pop("spatial", None)
        found.pop("extras_spatial", None)


def _too_long_or_translated(name: str, value: Any) -> bool:
    if name.endswith("_translated"):
        return True
    if name in _ANALYSED or name in ("spatial", "extras_spatial"):
        return False
    return isinstance(value, str) and len(value.encode()) > LONGEST_STRING


def reader_language() -> str:
    """The language of the page that asks; the portal's own outside of a request."""
    asked = str(tk.h.lang()) if has_request_context() else str(tk.config["ckan.locale_default"])
    return languages.fold(asked) or languages.MAIN


def query(params: Document) -> Document:
    """Search words in all languages (`before_dataset_search`); a query that names fields stays CKAN's."""
    words = str(params.get("q") or "")
    if not words.strip() or ":" in words or "qf" in params:
        return params
    params["defType"] = "edismax"
    params["qf"] = fields(reader_language())
    if _OPERATOR.search(words):
        params.setdefault("mm", "0%")  # the reader says what must match
    return params


def fields(language: str) -> str:
    """Fields and weights for a reader of a language."""
    ranked = []
    for other in languages.LANGUAGES:
        title, text = (OWN_TITLE, OWN_TEXT) if other == language else (OTHER_TITLE, OTHER_TEXT)
        ranked.append(f"title_{other}^{title} text_{other}^{text}")
    return f"{' '.join(ranked)} {CORE_FIELDS}"
