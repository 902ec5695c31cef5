"""What `package_search` and our own search share: the document of a dataset, and the query in four languages.

`deployment/solr/fields.xml` has the fields: a title, a text and the names of its concepts a language, the
reader's language first. What is indexed comes from the validated dataset, so that a document holds what a
reader is shown. No database but the organisation's row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckanext.ccphva import closed, codelists, languages, territory, thesaurus
from ckanext.ccphva.finding import cards, words
from ckanext.ccphva.suggestions import fold
from flask import has_request_context

Document = dict[str, Any]

WEIGHTS = {"title": (8.0, 3.0), "concept": (3.0, 2.0), "text": (3.0, 1.0)}
"""Of a field in the reader's language, and in another one."""
CORE_FIELDS = "gram_lb^0.4 name^4 tags^2 text^0.3"
LONGEST_STRING = 30_000
"""Bytes: Lucene ends a term that is not analysed at 32,766, and refuses the whole document."""
LONGEST_ORDER = 200
"""Letters of a title that put it in order."""
LABELS = {
    "theme": "data-theme",
    "local_theme": "local-theme",
    "inspire_theme": "inspire-theme",
    "hvd_category": "hvd-category",
    "topic_category": "topic-category",
}
"""Fields whose values are found by their names, with the code lists of these."""
_ANALYSED = {"title", "notes", "text", "data_dict", "validated_data_dict", "card"}
"""Fields whose length does not matter: analysed, or stored only."""


def document(found: Document) -> Document:
    """The search document of a dataset, before other plugins see it (`before_dataset_index`)."""
    found = closed.document_without_data(found)
    dataset = json.loads(found["validated_data_dict"])
    dataset.setdefault("title_translated", {languages.MAIN: dataset.get("title")})  # types of other plugins
    titles, keywords = dataset.get("title_translated") or {}, dataset.get("tags_translated") or {}
    names = thesaurus.names_of(
        text for texts in (titles, keywords) for each in texts.values() for text in _strings(each)
    )
    for language in languages.LANGUAGES:
        own = _strings(_in(keywords, language))
        found[f"title_{language}"] = _in(titles, language) or None
        found[f"text_{language}"] = list(dict.fromkeys(_texts(dataset, language)))
        found[f"concept_{language}"] = names[language]
        found[f"order_{language}"] = fold(
            str(languages.best(titles, language) or dataset.get("title") or "")
        )[:LONGEST_ORDER]
        found[f"begin_{language}"] = _strings(_in(titles, language)) + own
        found[keyword_field(language)] = own
    found["gram_lb"] = [*found["begin_lb"], *names["lb"], *_labels(dataset, "lb")]
    found["vocab_theme"] = dataset.get("theme") or []
    if cards.is_public(found):  # what somebody mistypes is mended by words that everybody may read
        for language in languages.LANGUAGES:
            own = (found.get(f"{kind}_{language}") for kind in WEIGHTS)
            found[f"written_{language}"] = [text for each in own for text in _strings(each)]
        found["written"] = [text for language in languages.LANGUAGES for text in found[f"written_{language}"]]
    found |= cards.fields(dataset, found)
    _put_outline(found, dataset)
    found = {"card": found.pop("card"), **found}  # first: Solr reads a stored document up to what it needs
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
    yield from _labels(dataset, language)
    for agent in (*(dataset.get("publisher") or ()), *(dataset.get("creator") or ())):
        yield from _strings(agent.get("name"))
        if own := territory.organization_of(agent.get("identifier")):
            yield from _strings(languages.best(own.get("title_translated"), language))
    for place in dataset.get("spatial_coverage") or ():
        yield from _strings(place.get("text"))


def _labels(dataset: Mapping[str, Any], language: str) -> Iterator[str]:
    """Names of the themes and categories of a dataset."""
    for field, name in LABELS.items():
        yield from codelists.labels(name, _strings(dataset.get(field)), language)


def _in(texts: Mapping[str, Any] | None, language: str) -> Any:
    return (texts or {}).get(language)


def _strings(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value if item]
    return [str(value)] if value else []


def _organization(owner: str | None, language: str) -> list[str]:
    organization = model.Session.get(model.Group, owner) if owner else None
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
    given = str(params.get("q") or "")
    if not given.strip() or "qf" in params:
        return params
    asked = words.read(given)
    if asked.fielded:
        return params
    return params | terms(asked, reader_language())


def terms(asked: words.Words, language: str) -> Document:
    """The parameters of Solr for what a reader of a language typed."""
    if not asked.text:
        return {"q": "*:*"}
    mode = {"q": asked.text, "defType": "edismax", "qf": fields(language)}
    return mode | ({"mm": "0%"} if asked.operators else {})  # the reader says what must match


def fields(language: str) -> str:
    """Fields and weights for a reader of a language."""
    ranked = [
        f"{kind}_{other}^{own if other == language else others:g}"
        for other in languages.LANGUAGES
        for kind, (own, others) in WEIGHTS.items()
    ]
    return f"{' '.join(ranked)} {CORE_FIELDS}"
