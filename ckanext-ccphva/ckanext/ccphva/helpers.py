"""What templates may ask: pure functions of arguments, request and the territory's files. No queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import config
from ckanext.ccphva import (
    codelists,
    facts,
    fees,
    form_texts,
    geometry,
    kinds,
    languages,
    law,
    licences,
    narrative,
    outlines,
    quality,
    search,
    theme,
)
from ckanext.ccphva.config import territory_folder
from ckanext.ccphva.discovery import citation
from ckanext.dcat.utils import catalog_uri
from flask import has_request_context
from flask_babel import format_time

__all__ = [
    "ccphva_advice",
    "ccphva_alternates",
    "ccphva_article_note",
    "ccphva_citation",
    "ccphva_citation_forms",
    "ccphva_concept_labels",
    "ccphva_concept_options",
    "ccphva_concepts",
    "ccphva_details",
    "ccphva_error_text",
    "ccphva_error_texts",
    "ccphva_extent",
    "ccphva_faults_by_language",
    "ccphva_fee",
    "ccphva_form_steps",
    "ccphva_is_multilingual",
    "ccphva_key_facts",
    "ccphva_keywords",
    "ccphva_language_name",
    "ccphva_languages",
    "ccphva_licence",
    "ccphva_licence_choices",
    "ccphva_open_graph_locale",
    "ccphva_pages",
    "ccphva_place_map",
    "ccphva_stylesheet",
    "ccphva_territory",
    "ccphva_texts",
    "ccphva_translated",
    "humanize_entity_type",
    "render_datetime",
]


def language() -> str:
    """The language of the request; outside of one, the portal's own."""
    return str(tk.h.lang()) if has_request_context() else str(config["ckan.locale_default"])


def ccphva_translated(data: Mapping[str, Any] | None, field: str) -> str:
    """The text of a multilingual field in the reader's language.

    :param data: dataset, resource or organisation, with or without ``<field>_translated``.
    :param field: its name without ``_translated``; a field that core lacks may hold the languages itself.
    :returns: that language, else the plain core field, else the first language that says something, else "".
    """
    data = data or {}
    by_language = data.get(f"{field}_translated") or {}
    if isinstance(by_language, str):  # organisation_list gives extras as they are stored
        by_language = json.loads(by_language)
    own = data.get(field)
    if isinstance(own, Mapping):
        by_language, own = own, own.get(languages.MAIN)
    wanted = by_language.get(language()) or own
    return str(wanted or next((text for text in by_language.values() if text), ""))


def ccphva_extent(value: Any) -> dict[str, float] | None:
    """The box around a geometry in degrees: `west`, `south`, `east`, `north`; None for none."""
    return geometry.box(value)


@tk.chained_helper
def humanize_entity_type(core: Any, entity_type: str, object_type: str, purpose: str) -> str | None:
    """Words for data services and series; CKAN's own for everything else."""
    message = kinds.WORDS.get(object_type, {}).get(purpose) if entity_type == "package" else None
    return tk._(message) if message else core(entity_type, object_type, purpose)


@tk.chained_helper
def render_datetime(
    core: Any,
    datetime_: datetime | str | None,
    date_format: str | None = None,
    with_hours: bool = False,
    with_seconds: bool = False,
) -> str:
    """Core's, and a date with its hour in the order of the reader's language.

    Core writes all languages as English, with the year of the ISO week: 1 January 2027 is in 2026 there.
    """
    if not with_hours or with_seconds or date_format:
        return core(datetime_, date_format, with_hours, with_seconds)
    day = core(datetime_)
    moment = tk.h.date_str_to_datetime(datetime_) if day and isinstance(datetime_, str) else datetime_
    return f"{day}, {format_time(moment, 'HH:mm')}" if day else ""


def ccphva_concepts(field: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Choices of a field that names a code list (scheming's `choices_helper`)."""
    return codelists.choices(field["codelist"])


def ccphva_concept_options(field: Mapping[str, Any], stored: Any) -> list[dict[str, Any]]:
    """What a form offers: the list in the reader's language, then stored values that the list lacks.

    :returns: `value`, `text` and `selected` of each option.
    """
    chosen = _values(stored)
    options = [
        {"value": c.value, "text": codelists.label(field["codelist"], c.value, language())}
        for c in codelists.load(field["codelist"])
    ]
    known = {option["value"] for option in options}
    options += [{"value": value, "text": value} for value in chosen if value not in known]
    return [option | {"selected": option["value"] in chosen} for option in options]


def ccphva_concept_labels(field: Mapping[str, Any], stored: Any) -> list[str]:
    """Names of the stored values in the reader's language."""
    return [codelists.label(field["codelist"], value, language()) for value in _values(stored)]


def _values(stored: Any) -> list[str]:
    """One value, a list of them, or nothing, as forms and datasets have them."""
    values = stored if isinstance(stored, list) else [stored]
    return [str(value) for value in values if value]


def keywords(dataset: Mapping[str, Any]) -> tuple[str, list[str]]:
    """A dataset's keywords in the reader's language, else in the first that has any, and that language."""
    known = languages.split_known(languages.parse(dataset.get("tags_translated")) or {})[0]
    for code in (languages.fold(language()) or languages.MAIN, *languages.LANGUAGES):
        if known.get(code):
            return code, list(known[code])
    return languages.MAIN, [str(tag["name"]) for tag in dataset.get("tags") or ()]


def ccphva_keywords(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords for the reader: `language`, `words`, and the `field` of the index to search each by."""
    code, words = keywords(dataset)
    return {"language": code, "words": words, "field": search.keyword_field(code)}


def ccphva_territory(field: str) -> str:
    """A text of the territory (`name`, `title`, `subtitle`, …) in the reader's language."""
    return narrative.territory_text(field, language())


def ccphva_pages() -> list[dict[str, str]]:
    """The territory's own pages (about, legal notice, …), with titles in the reader's language."""
    return [
        {"name": page.name, "title": page.title, "url": narrative.url(page.name)}
        for page in narrative.pages(language())
    ]


def ccphva_languages() -> list[dict[str, Any]]:
    """The languages offered, each with the address of the present page in it."""
    here = str(tk.h.current_url())
    current = language()
    return [
        {
            "code": locale.language,
            "name": (locale.display_name or locale.english_name or locale.language).capitalize(),
            "url": tk.h.url_for(here, locale=locale.language),
            "current": locale.language == current,
        }
        for locale in tk.h.get_available_locales()
    ]


def ccphva_alternates() -> list[dict[str, str]]:
    """Absolute addresses of the present page in each language, for `<link rel="alternate">`."""
    here = str(tk.h.current_url())
    return [
        {"code": item["code"], "url": tk.h.url_for(here, locale=item["code"], _external=True)}
        for item in ccphva_languages()
    ]


def ccphva_stylesheet() -> str | None:
    """The territory's own colours, or None when it has none."""
    return theme.territory_file("territory.css")


def ccphva_error_text(code: Any) -> dict[str, str]:
    """Heading and explanation of an error page. Core's answer to an exception gives the code as a list."""
    number = code[0] if isinstance(code, list) else code
    known = {
        403: (tk._("This page is not open to you"), tk._("It asks for an account with the right to see it.")),
        404: (
            tk._("This page does not exist"),
            tk._("It may have moved, or the address has a slip of the pen."),
        ),
        500: (
            tk._("Something broke on our side"),
            tk._("It has been noted. Please try again in some minutes."),
        ),
        503: (
            tk._("A service is resting"),
            tk._("The portal will be back in some moments. Please try again."),
        ),
    }
    heading, explanation = known.get(number, (tk._("Your request could not be answered"), ""))
    return {"code": str(number), "heading": heading, "explanation": explanation}


def ccphva_licence_choices(_field: Any) -> list[dict[str, Any]]:
    """The portal's licences as choices of a form."""
    return [{"value": each["id"], "label": each["title"]} for each in licences.by_id().values()]


def ccphva_licence(
    dataset: Mapping[str, Any], resource: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """The licence that holds for a dataset or its resource, in the reader's language; None for none."""
    found = licences.by_id().get(fees.licence_of(dataset, resource or {}))
    return licences.shown(found, language(), catalog_uri()) if found else None


def ccphva_fee(
    dataset: Mapping[str, Any], resource: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """The fee due today for a resource, or for a dataset and any of its resources; None if all is free."""
    things = (resource,) if resource else ({}, *dataset.get("resources", ()))
    found = (fees.fee_of(dataset, each) for each in things)
    return next((fee for fee in found if fees.is_due(fee, date.today())), None)


def ccphva_article_note(text: Any) -> str:
    """What to say where a text names an article that counsel has not checked; "" where it names none."""
    return tk._("Article numbers: to be checked by counsel.") if law.unchecked(str(text or "")) else ""


def ccphva_advice(
    dataset: Mapping[str, Any] | None, resource: Mapping[str, Any] | None = None
) -> dict[str, list[str]]:
    """What would make the description better, by field, in the reader's language.

    :param dataset: as it is stored; nothing is advised for one that is not.
    :param resource: the file whose form is shown; None for the dataset's own.
    """
    if not dataset or not dataset.get("id"):
        return {}
    level, whole = ("dataset", dataset)
    if resource is not None:
        level, whole = "resource", {**dataset, "resources": [resource]}
    found: dict[str, list[str]] = {}
    for each in quality.assess(whole)["indicators"]:
        if each["of"] == level and each["points"] + each["unverified"] < each["weight"]:
            found.setdefault(each["field"], []).append(languages.best(each["advice"], language()))
    readiness = quality.readiness(whole)
    for each in readiness["conditions"] if readiness["claimed"] else ():
        if not each["met"]:
            text = f"{languages.best(each['advice'], language())} ({each['source']})"
            found.setdefault(each["field"], []).append(text)
    return found


def ccphva_error_texts(errors: Any) -> list[str]:
    """The sentences in the errors of a field that is an object."""
    if isinstance(errors, Mapping):
        errors = list(errors.values())
    if isinstance(errors, list):
        return [text for each in errors for text in ccphva_error_texts(each)]
    return [str(errors)] if errors else []


def ccphva_form_steps(dataset_type: str) -> list[dict[str, Any]]:
    """The steps of a form as the schema has them (`start_form_page`): title, description, fields."""
    pages = tk.h.scheming_get_dataset_form_pages(dataset_type)
    if not pages:
        fields = tk.h.scheming_get_dataset_schema(dataset_type)["dataset_fields"]
        pages = [{"title": "", "description": "", "fields": fields}]
    return [
        {
            "title": tk.h.scheming_language_text(page["title"]) if page["title"] else "",
            "description": tk.h.scheming_language_text(page["description"]) if page["description"] else "",
            "fields": page["fields"],
        }
        for page in pages
    ]


def ccphva_is_multilingual(field: Mapping[str, Any]) -> bool:
    """Whether a field of the schema holds texts by language."""
    return form_texts.is_multilingual(field)


def ccphva_texts(field: Mapping[str, Any], data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry a language of a multilingual field: what is typed or stored, and whether it is up to date."""
    return form_texts.entries(field, data)


def ccphva_faults_by_language(faults: Any) -> dict[str, list[str]]:
    """Faults of a multilingual field by language."""
    return languages.faults_by_language(faults or [])


def ccphva_language_name(code: str) -> str:
    """A language by its own name."""
    return languages.NAMES.get(code, code)


def ccphva_key_facts(dataset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the page of a dataset says first: `label`, `values` and perhaps `day` of each fact."""
    return facts.first(dataset, language())


def ccphva_details(dataset: Mapping[str, Any], dataset_type: str) -> list[dict[str, Any]]:
    """The other fields that a dataset fills, in groups: `title` and `fields` of each."""
    return facts.groups(ccphva_form_steps(dataset_type), dataset)


def ccphva_place_map(dataset: Mapping[str, Any]) -> dict[str, Any] | None:
    """The map of the territory with the dataset's place on it, in SVG units; None where it says nothing."""
    return facts.on_the_map(dataset, outlines.load(territory_folder()))


def ccphva_citation(dataset: Mapping[str, Any]) -> citation.Citation:
    """How to cite a dataset, read today."""
    return citation.of(
        dataset,
        title=ccphva_translated(dataset, "title") or dataset["name"],
        portal=ccphva_territory("title"),
        address=tk.h.url_for(f"{dataset['type']}.read", id=dataset["name"], locale="default", _external=True),
        organization=ccphva_translated(dataset.get("organization"), "title"),
        language=language(),
        today=datetime.now(UTC).date(),
    )


def ccphva_citation_forms() -> dict[str, str]:
    """Names of the forms in which programs read citations, by the ending of their files."""
    return {ending: name for ending, (name, _, _) in citation.FORMS.items()}


def ccphva_open_graph_locale() -> str:
    """The reader's language as Open Graph writes it: with a country."""
    return {"fr": "fr_FR", "de": "de_DE", "en": "en_GB", "lb": "lb_LU"}.get(language(), "fr_FR")
