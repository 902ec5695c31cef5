"""Code lists (`schemas/codelists/*.yaml`): what a field may hold, in four languages.

A list of an authority gives its concepts the URIs `base` + code, and datasets store that URI. A list without
`scheme` is the portal's own: datasets store the code, and the portal publishes the concept under its own
address. `rdf/skos.py` writes both as SKOS. Imports nothing of CKAN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from ckanext.ccphva import languages

_NAME = re.compile(r"[a-z][a-z0-9-]*")
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Concept:
    code: str
    labels: Labels
    value: str
    """What a dataset stores: the URI, or the code where the portal itself is the authority."""


@dataclass(frozen=True)
class Codelist:
    name: str
    title: Labels
    scheme: str | None
    """URI of the authority's concept scheme; None for a list of the portal's own."""
    concepts: tuple[Concept, ...]

    def __iter__(self) -> Iterator[Concept]:
        return iter(self.concepts)

    def get(self, key: str) -> Concept | None:
        """The concept of a stored value, or of a code whatever its case."""
        folded = key.casefold()
        return next((c for c in self.concepts if c.value == key or c.code.casefold() == folded), None)

    def address(self, portal: str) -> str:
        """URI of the list; `portal` is the address under which the portal's own things stand."""
        return self.scheme or f"{portal}/codelists/{self.name}"

    def uri(self, value: str, portal: str) -> str:
        """URI of a stored value, one that the list lacks included."""
        concept = self.get(value)
        if concept is None:
            return value
        return concept.value if self.scheme else f"{self.address(portal)}/{concept.code}"


@cache
def load(name: str) -> Codelist:
    """A list by name.

    :raises KeyError: there is none of that name.
    """
    path = files("ccphva_schemas") / "codelists" / f"{name}.yaml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise KeyError(name)
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    base = data.get("base", "")
    concepts = (Concept(code, _labels(text), base + code) for code, text in data["concepts"].items())
    return Codelist(name, data["title"], data.get("scheme"), tuple(concepts))


@cache
def names() -> tuple[str, ...]:
    """Names of all lists."""
    folder = files("ccphva_schemas") / "codelists"
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")))


def _labels(text: str | Labels) -> Labels:
    """A plain text is a name that is the same in every language."""
    return dict.fromkeys(languages.LANGUAGES, text) if isinstance(text, str) else text


def choices(name: str) -> list[dict[str, Any]]:
    """The list as ckanext-scheming takes choices."""
    return [{"value": concept.value, "label": dict(concept.labels)} for concept in load(name)]


def label(name: str, value: str, language: str) -> str:
    """Name of a value in a language; a value that the list lacks is its own name."""
    concept = load(name).get(value)
    return languages.best(concept.labels, language) if concept else value


def labels(name: str, values: Iterable[str], language: str) -> list[str]:
    """Names of the values that the list has."""
    found = (load(name).get(value) for value in values)
    return [languages.best(concept.labels, language) for concept in found if concept]
