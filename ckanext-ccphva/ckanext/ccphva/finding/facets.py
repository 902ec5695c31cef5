"""The filters of a search: their names in an address, their fields in the index, what their values are
called.

Values of one filter widen (one of them must hold), filters narrow (each must hold). A filter's own choice
does not change its counts, so that a reader sees what else there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import ckan.plugins.toolkit as tk
from ckanext.ccphva import codelists, languages, licences
from ckanext.ccphva.finding import places
from ckanext.ccphva.languages import N_

Filters = Mapping[str, tuple[str, ...]]
MOST_COUNTED = 100
"""Values of a filter that are counted."""
LIVE = "yes"
AGES = {
    "week": ("[NOW/DAY-7DAYS TO *]", N_("This week")),
    "month": ("[NOW/DAY-1MONTH TO *]", N_("This month")),
    "year": ("[NOW/DAY-1YEAR TO *]", N_("This year")),
    "older": ("[* TO NOW/DAY-1YEAR}", N_("Older")),
}
"""How fresh data are: a range of the field `updated`, and its name."""
ACCESS = {"open": N_("Open"), "restricted": N_("On request"), "private": N_("Not published")}


class Facet(NamedTuple):
    name: str
    """In addresses and in the action."""
    title: str
    field: str
    names: Callable[[str], Mapping[str, str]]
    """What values are called in a language; another value is its own name."""


@lru_cache(maxsize=32)
def _concepts(language: str, *lists: str) -> Mapping[str, str]:
    """Names of the codes of code lists."""
    return {c.code: languages.best(c.labels, language) for name in lists for c in codelists.load(name)}


def _licences(language: str) -> Mapping[str, str]:
    return {name: languages.best(each["title"], language) for name, each in licences.by_id().items()}


class _Translated(dict[str, str]):
    """Names in the reader's language, each translated when it is asked for."""

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        text = super().get(key)
        return tk._(text) if text else default


_AGE_NAMES = _Translated({age: text for age, (_, text) in AGES.items()})
_ACCESS_NAMES, _LIVE_NAMES = _Translated(ACCESS), _Translated({LIVE: N_("Live data only")})


FORMATS = {"GEOJSON": "GeoJSON", "GEOPACKAGE": "GeoPackage", "JSONLD": "JSON-LD", "SHAPEFILE": "Shapefile"}
"""Formats whose names have small letters: the index has capitals only."""
FACETS = (
    Facet(
        "theme", N_("Theme"), "facet_theme", lambda language: _concepts(language, "data-theme", "local-theme")
    ),
    Facet("organization", N_("Organization"), "facet_organization", lambda _: {}),
    Facet("commune", N_("Commune"), "facet_commune", lambda _: places.names()),
    Facet("format", N_("Format"), "facet_format", lambda _: FORMATS),
    Facet("licence", N_("Licence"), "facet_licence", _licences),
    Facet("access", N_("Access"), "facet_access", lambda _: _ACCESS_NAMES),
    Facet("hvd", N_("High-value data"), "facet_hvd", lambda language: _concepts(language, "hvd-category")),
    Facet("updated", N_("Freshness"), "updated", lambda _: _AGE_NAMES),
    Facet("live", N_("Live data"), "facet_live", lambda _: _LIVE_NAMES),
)
BY_NAME = {facet.name: facet for facet in FACETS}


def label(name: str, value: str, language: str) -> str:
    """What a value of a filter is called."""
    return BY_NAME[name].names(language).get(value, value)


def filters(chosen: Filters) -> list[str]:
    """Solr's filters for what a reader chose; the tag is how a filter's own counts leave it out."""
    return [
        f"{{!tag={name}}}{BY_NAME[name].field}:({' OR '.join(_value(name, each) for each in values)})"
        for name, values in chosen.items()
        if values
    ]


def _value(name: str, value: str) -> str:
    if name == "updated":
        return AGES[value][0]
    return literal(value)


def literal(value: str) -> str:
    """A value as Solr reads it and nothing else."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def counting(chosen: Filters) -> dict[str, Any]:
    """Solr's parameters that count the values of every filter."""
    counted = [facet for facet in FACETS if facet.name != "updated"]
    return {
        "facet": "true",
        "facet.mincount": 1,
        "facet.limit": MOST_COUNTED,
        "facet.field": [_without(each.name, chosen, each.field) for each in counted],
        "facet.query": [
            _without("updated", chosen, f"updated:{ages}", age) for age, (ages, _) in AGES.items()
        ],
    }


def _without(name: str, chosen: Filters, query: str, key: str | None = None) -> str:
    options = [f"ex={name}"] if chosen.get(name) else []
    options.append(f"key={key or name}")
    return f"{{!{' '.join(options)}}}{query}"


def counts(answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What Solr counted, by filter and value."""
    given = answer.get("facet_counts") or {}
    fields = given.get("facet_fields", {})
    found = {name: dict(zip(flat[::2], flat[1::2], strict=True)) for name, flat in fields.items()}
    found["updated"] = {age: number for age, number in given.get("facet_queries", {}).items() if number}
    return found


def shown(
    counted: Mapping[str, Mapping[str, int]], chosen: Filters, language: str, titles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The filters as a page offers them, the most frequent value first; chosen ones stay, even with
    nothing left.

    :param titles: of organisations, by name.
    :returns: ``name``, ``title`` and ``values`` (``value``, ``label``, ``count``, ``chosen``) of each that
        has any.
    """
    found = []
    for facet in FACETS:
        names = titles if facet.name == "organization" else facet.names(language)
        numbers = dict.fromkeys(chosen.get(facet.name, ()), 0) | dict(counted.get(facet.name, {}))
        values = [
            {
                "value": value,
                "label": names.get(value, value),
                "count": number,
                "chosen": value in chosen.get(facet.name, ()),
            }
            for value, number in numbers.items()
        ]
        if facet.name != "updated":
            values.sort(key=lambda each: (-each["count"], each["label"]))
        if values:
            found.append({"name": facet.name, "title": tk._(facet.title), "values": values})
    return found
