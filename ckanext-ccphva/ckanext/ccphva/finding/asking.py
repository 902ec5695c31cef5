"""What a reader asks of the search, from an address or from an action's payload, made into something that
is always answered: what is unknown or too much is left out and told. No service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from ckanext.ccphva import codelists
from ckanext.ccphva.finding import facets
from ckanext.ccphva.languages import N_

ROWS, MOST_ROWS = 20, 100
DEEPEST = 10_000
"""Datasets that page numbers lead to; a cursor goes on."""
MOST_VALUES, LONGEST_VALUE = 20, 200
SORTS = {
    "relevance": ("score desc, metadata_modified desc", N_("Relevance")),
    "updated": ("updated desc, metadata_modified desc", N_("Freshest first")),
    "newest": ("metadata_created desc", N_("Newest in the catalogue")),
    "title": ("order_{language} asc", N_("Title, A to Z")),
    "title-desc": ("order_{language} desc", N_("Title, Z to A")),
}
"""By name in addresses: Solr's order, and what it is called."""
_CORE_SORTS = {
    "score desc, metadata_modified desc": "relevance",
    "metadata_modified desc": "updated",
    "metadata_created desc": "newest",
    "title_string asc": "title",
    "title_string desc": "title-desc",
}
_CORE_FILTERS = {"res_format": "format", "license_id": "licence", "vocab_theme": "theme"}
_OTHER_FIELDS = re.compile(r"tags|groups|vocab_\w+|keywords?_\w+")
"""Fields of the index that links of the portal's pages name beside the filters."""
_KNOWN = {"q", "sort", "page", "rows", "cursor", "bbox", "ext_bbox", "language", "facets"}


@dataclass(frozen=True)
class Asked:
    q: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of other fields of the index."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees."""
    sort: str = ""
    """A name of `SORTS`; `""` for the best order."""
    page: int = 1
    rows: int = ROWS
    cursor: str | None = None
    unknown: tuple[str, ...] = ()
    """Names of what was not understood."""

    @property
    def start(self) -> int:
        return (self.page - 1) * self.rows

    @property
    def is_open(self) -> bool:
        """Whether nothing narrows it."""
        return not (self.q.strip() or self.filters or self.others or self.bbox)

    def order(self, language: str) -> str:
        return SORTS[self.sort or "relevance"][0].format(language=language)

    def pairs(self) -> list[tuple[str, str]]:
        """The search as an address has it, without the page: what is shared, fed and filtered further."""
        found = [("q", self.q)] if self.q else []
        found += [(name, each) for name, values in {**self.filters, **self.others}.items() for each in values]
        if self.bbox:
            found.append(("ext_bbox", ",".join(f"{number:g}" for number in self.bbox)))
        return found + ([("sort", self.sort)] if self.sort else [])

    def address(self, **changes: Any) -> str:
        """The query part of the address of this search with something changed (`page` included)."""
        other = replace(self, page=1, cursor=None, **changes) if changes else self
        pairs = other.pairs()
        if other.page > 1:
            pairs.append(("page", str(other.page)))
        return urlencode(pairs)

    def with_value(self, name: str, value: str) -> Asked:
        values = (*self.filters.get(name, ()), value)
        return replace(self, page=1, cursor=None, filters={**self.filters, name: values})

    def without_value(self, name: str, value: str) -> Asked:
        def left(given: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
            kept = {n: tuple(v for v in vs if (n, v) != (name, value)) for n, vs in given.items()}
            return {n: vs for n, vs in kept.items() if vs}

        return replace(self, page=1, cursor=None, filters=left(self.filters), others=left(self.others))


def read(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Understand the parameters of an address."""
    chosen: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    single: dict[str, str] = {}
    unknown: list[str] = []
    for given, value in pairs:
        name = _CORE_FILTERS.get(given, given)
        value = value.replace("\0", "").strip()[: 20_000 if name == "q" else LONGEST_VALUE]
        if name in _KNOWN:
            single.setdefault(name, value)
        elif given.startswith(("_", "ext_")) or not value:
            continue
        elif name in facets.BY_NAME:
            _add(chosen, name, _stored(name, value))
        elif _OTHER_FIELDS.fullmatch(name):
            _add(others, name, value)
        else:
            unknown.append(given[:50])
    for value in [each for each in chosen.get("updated", ()) if each not in facets.AGES]:
        chosen["updated"].remove(value)
        unknown.append(f"updated={value}")
    asked = Asked(
        q=single.get("q", ""),
        filters={name: tuple(values) for name, values in chosen.items() if values},
        others={name: tuple(values) for name, values in others.items()},
        page=_number(single.get("page"), 1, 10**12),
        rows=_number(single.get("rows"), ROWS, MOST_ROWS),
        cursor=single.get("cursor") or None,
    )
    return _order_and_place(asked, single, unknown)


def _order_and_place(asked: Asked, single: Mapping[str, str], unknown: list[str]) -> Asked:
    sort = single.get("sort", "")
    sort = _CORE_SORTS.get(sort, sort)
    if sort and sort not in SORTS:
        unknown.append("sort")
        sort = ""
    place = single.get("bbox") or single.get("ext_bbox")
    bbox = box(place) if place else None
    if place and bbox is None:
        unknown.append("bbox")
    return replace(asked, sort=sort, bbox=bbox, unknown=tuple(dict.fromkeys(unknown))[:10])


def box(text: str) -> tuple[float, float, float, float] | None:
    """`west,south,east,north` in degrees; None for anything else, an empty box included."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        return None
    inside = -180 <= west < east <= 180 and -90 <= south < north <= 90  # false for NaN too
    return (west, south, east, north) if inside else None


def _add(found: dict[str, list[str]], name: str, value: str) -> None:
    values = found.setdefault(name, [])
    if value not in values and len(values) < MOST_VALUES:
        values.append(value)


def _stored(name: str, value: str) -> str:
    """A value of a filter as the index has it: themes and formats may come as other links write them."""
    if name == "theme" and (concept := codelists.load("data-theme").get(value)):
        return concept.code
    return value.upper() if name == "format" else value


def _number(text: str | None, otherwise: int, most: int) -> int:
    """A whole number from 1 on."""
    if not text or not text.isascii() or not text.isdigit():
        return otherwise
    return min(max(int(text[:15]), 1), most)
