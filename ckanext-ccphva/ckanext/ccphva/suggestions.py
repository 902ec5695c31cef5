"""Suggestions for a form: codes whose labels share words with a text. No service, no CKAN."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

MOST = 3
_STEM = 5
_WORD = re.compile(r"[^\W\d_]{4,}")
_EMPTY = frozenset(
    {"autre", "autres", "avec", "dans", "pour", "oder", "eine", "other", "public", "secteur", "thema"}
)


def themes(text: str, choices: Iterable[Mapping[str, Any]], most: int = MOST) -> list[str]:
    """Values of the choices that share most words with the text, best first.

    A word counts by its first letters, without case and accents, so that `déchets` meets `déchet`. Labels in
    all languages count, and `keywords` of a choice where the code list has them.
    """
    words = set(stems(text))
    scored = [(len(words & _of(choice)), number, choice["value"]) for number, choice in enumerate(choices)]
    return [value for score, _, value in sorted(scored, key=lambda each: (-each[0], each[1])) if score][:most]


def stems(text: str) -> list[str]:
    """First letters of the words of a text, folded."""
    return [word[:_STEM] for word in _WORD.findall(fold(text)) if word not in _EMPTY]


def fold(text: str) -> str:
    """A text without case and accents, for comparing."""
    split = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def beginning(words: Iterable[str], begun: str, most: int = 10) -> list[str]:
    """Words that begin so, then words that have one that begins so; case and accents do not count."""
    start = fold(begun)
    found = {word: fold(word) for word in words}
    first = [word for word, folded in found.items() if folded.startswith(start)]
    inside = [word for word, folded in found.items() if word not in first and f" {start}" in f" {folded}"]
    return (first + inside)[:most]


def _of(choice: Mapping[str, Any]) -> set[str]:
    labels = choice["label"]
    texts = list(labels.values()) if isinstance(labels, Mapping) else [labels]
    more = choice.get("keywords") or []
    return {stem for text in [*texts, *more] for stem in stems(str(text))}
