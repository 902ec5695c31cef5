"""What templates may ask: pure functions of arguments, request and the territory's files. No queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import config
from ckanext.ccphva import form_texts, languages, narrative, theme
from flask import has_request_context

__all__ = [
    "ccphva_alternates",
    "ccphva_error_text",
    "ccphva_faults_by_language",
    "ccphva_form_steps",
    "ccphva_is_multilingual",
    "ccphva_language_name",
    "ccphva_languages",
    "ccphva_pages",
    "ccphva_stylesheet",
    "ccphva_territory",
    "ccphva_texts",
    "ccphva_translated",
]


def language() -> str:
    """The language of the request; outside of one, the portal's own."""
    return str(tk.h.lang()) if has_request_context() else str(config["ckan.locale_default"])


def ccphva_translated(data: Mapping[str, Any] | None, field: str) -> str:
    """The text of a multilingual field in the reader's language.

    :param data: dataset, resource or organisation, with or without ``<field>_translated``.
    :returns: that language, else the plain core field, else the first language that says something, else "".
    """
    data = data or {}
    by_language = data.get(f"{field}_translated") or {}
    if isinstance(by_language, str):  # organisation_list gives extras as they are stored
        by_language = json.loads(by_language)
    wanted = by_language.get(language()) or data.get(field)
    return str(wanted or next((text for text in by_language.values() if text), ""))


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
