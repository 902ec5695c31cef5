"""What people call things (`schemas/thesaurus.yaml`): concepts in a text, and all their names. No
CKAN, no service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml
from ckanext.ccphva import languages
from ckanext.ccphva.suggestions import fold

JOINED = frozenset({"de", "lb"})
"""Languages that write compounds in one word."""
LEAST_PART = 5
"""Letters that a word needs to count inside a longer one: shorter ones stand there by accident."""
_WORD = re.compile(r"[^\W_]+")
_ELIDED = re.compile(r"\b(?:[cdjlmnst]|qu)['’]", re.IGNORECASE)
_ENDING = re.compile(r"(?<=.{3})(?:en|er|es|aux|e|s|x|n)$")


class Concept(NamedTuple):
    names: Mapping[str, tuple[str, ...]]
    """Names by language, as people write them."""
    phrases: frozenset[tuple[str, ...]]
    """The names as stems of their words."""
    parts: frozenset[str]
    """Stems that count inside a compound."""


def names_of(texts: Iterable[str]) -> dict[str, list[str]]:
    """All names, by language, of the concepts that the texts speak of; a language without any has an
    empty list.
    """
    stems = [stemmed(text) for text in texts]
    words = {word for each in stems for word in each} - _whole()
    phrases = {
        each[start : start + length] for each in stems for length in (1, 2, 3) for start in range(len(each))
    }
    found = [concept for concept in concepts() if _speaks_of(concept, words, phrases)]
    return {
        language: [name for concept in found for name in concept.names.get(language, ())]
        for language in languages.LANGUAGES
    }


def _speaks_of(concept: Concept, words: set[str], phrases: set[tuple[str, ...]]) -> bool:
    return not concept.phrases.isdisjoint(phrases) or any(
        part in word for word in words if len(word) > LEAST_PART for part in concept.parts
    )


@cache
def _whole() -> frozenset[str]:
    """Words that are a name by themselves: `Haushaltsabfall` is waste, and no budget (`Haushalt`) is
    in it.
    """
    return frozenset(phrase[0] for concept in concepts() for phrase in concept.phrases if len(phrase) == 1)


def stemmed(text: str) -> tuple[str, ...]:
    """The words of a text without case, accents, elided articles, small words and endings."""
    words = _WORD.findall(fold(_ELIDED.sub("", text)))
    return tuple(_ENDING.sub("", word) for word in words if word not in small_words())


@cache
def small_words() -> frozenset[str]:
    """Words that say nothing by themselves, folded, in all languages."""
    return frozenset(fold(word) for words in _data()["small_words"].values() for word in words)


@cache
def concepts() -> tuple[Concept, ...]:
    return tuple(_concept(names) for names in _data()["concepts"].values())


def _concept(names: Mapping[str, list[str]]) -> Concept:
    phrases = {stemmed(name) for each in names.values() for name in each}
    single = {stemmed(name) for language in JOINED for name in names.get(language, ())}
    parts = {each[0] for each in single if len(each) == 1 and len(each[0]) >= LEAST_PART}
    texts = {language: tuple(each) for language, each in names.items()}
    return Concept(texts, frozenset(phrases - {()}), frozenset(parts))


@cache
def _data() -> dict[str, Any]:
    return yaml.safe_load((files("ccphva_schemas") / "thesaurus.yaml").read_text())
