"""Texts in the portal's languages: how they are read, folded, checked and chosen. Imports nothing of CKAN."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

LANGUAGES = ("fr", "de", "en", "lb")
"""The portal's languages, preferred first. Texts are stored under these codes and no other."""
MAIN = LANGUAGES[0]
NAMES = {"fr": "Français", "de": "Deutsch", "en": "English", "lb": "Lëtzebuergesch"}
"""Each language by its own name."""

_THREE_LETTERS = {"fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "eng": "en", "ltz": "lb"}
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)(?:\s[^<>]*)?/?>")
FORMATTING = frozenset({
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "s", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
})  # fmt: skip
"""HTML that a long text may hold: sources write it, and the pages clean it before they show it."""


def fold(code: str) -> str | None:
    """The portal's code for a language tag (`fr-FR`, `fr_FR` and `fra` are `fr`), or None for another one."""
    parts = code.strip().lower().replace("_", "-").split("-")
    if "t" in parts[1:]:  # transformed content (RFC 6497): a machine's translation is nobody's text
        return None
    primary = _THREE_LETTERS.get(parts[0], parts[0])
    return primary if primary in LANGUAGES else None


def parse(value: Any) -> dict[str, Any] | None:
    """The texts in what a client sent: a dict, or that dict as JSON; None when it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return dict(value) if isinstance(value, Mapping) else None


def split_known(texts: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Texts under the portal's codes in the portal's order, and the codes that are not the portal's.

    Empty texts are left out: a text that says nothing would hide the one that says something.
    """
    found: dict[str, Any] = {}
    unknown: list[str] = []
    for code, text in sorted(texts.items(), key=lambda item: item[0] not in LANGUAGES):
        language = fold(str(code))
        if language is None:
            unknown.append(str(code))
        elif not is_empty(text):
            found.setdefault(language, text)
    return {language: found[language] for language in LANGUAGES if language in found}, sorted(unknown)


def is_empty(text: Any) -> bool:
    return text is None or (isinstance(text, str) and not text.strip()) or text == []


def best(texts: Mapping[str, Any] | None, language: str = MAIN) -> Any:
    """The text in a language, else in the first of the portal's languages that there is; `""` for none."""
    known = split_known(texts or {})[0]
    return known.get(fold(language) or MAIN) or next(iter(known.values()), "")


def merge(given: Any, core: Any, stored: Mapping[str, Any] | None, stored_core: Any) -> Any:
    """One value from the two that a payload may carry: the texts, and CKAN's own field of one language.

    What the payload changes counts. Where it changes both, or names only one, the rule is plain: texts win
    over the core field, and a core field alone is the main language's text.

    :param given: texts of the payload, None where it has none.
    :param core: core field of the payload, None where it has none.
    :param stored: texts before this write, None for a new thing.
    :param stored_core: core field before this write.
    :returns: the texts to store, or None for none at all.
    """
    if given is None:
        return None if core is None else {MAIN: core}
    texts = parse(given)
    if core is None or stored is None or texts is None or core == stored_core:
        return given
    return {**stored, MAIN: core} if split_known(texts)[0] == split_known(stored)[0] else given


def markup(text: str, allowed: Iterable[str] = ()) -> list[str]:
    """Names of the HTML elements in a text that are not allowed there."""
    return sorted({name.lower() for name in _TAG.findall(text)} - set(allowed))


def faults_by_language(faults: Iterable[str]) -> dict[str, list[str]]:
    """Faults of a multilingual field under the language that each names (`de: …`), else the main one."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        code, colon, rest = str(fault).partition(": ")
        known = bool(colon) and code in LANGUAGES
        found.setdefault(code if known else MAIN, []).append(rest if known else str(fault))
    return found


def N_(message: str) -> str:  # noqa: N802 -- the name that gettext's tools know
    """Mark a message for translation where CKAN is out of reach; who shows it calls `tk._`."""
    return message
