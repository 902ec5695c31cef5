"""The filters of a search: their names in an address, their fields in the index, what their values are called.

Values of one filter widen (one of them must hold), filters narrow (each must hold). A filter's own choice does not
change its counts, so that a reader sees what else there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import ckan.plugins.toolkit as tk
from ckanext.ccphva import codelists, languages, licences, storage
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
    label: Callable[[str, str], str]
    """What a value is called in a language."""


def _theme(value: str, language: str) -> str:
    name = "local-theme" if codelists.load("local-theme").get(value) else "data-theme"
    return codelists.label(name, value, language)


def _licence(value: str, language: str) -> str:
    found = licences.by_id().get(value)
    return languages.best(found["title"], language) if found else value


def _same(value: str, _language: str) -> str:
    return value


_FORMATS = {"GEOJSON": "GeoJSON", "GEOPACKAGE": "GeoPackage", "JSONLD": "JSON-LD", "JSON-LD": "JSON-LD", "SHAPEFILE": "Shapefile"}


def format_name(value: str) -> str:
    """A format of the index, which has capitals only, as it is written."""
    return _FORMATS.get(value, value)


FACETS = (
    Facet("theme", N_("Theme"), "facet_theme", _theme),
    Facet("organization", N_("Organization"), "facet_organization", _same),
    Facet("commune", N_("Commune"), "facet_commune", lambda value, _: places.names().get(value, value)),
    Facet("format", N_("Format"), "facet_format", lambda value, _: format_name(value)),
    Facet("licence", N_("Licence"), "facet_licence", _licence),
    Facet("access", N_("Access"), "facet_access", lambda value, _: tk._(ACCESS.get(value, value))),
    Facet("hvd", N_("High-value data"), "facet_hvd", lambda v, lang: codelists.label("hvd-category", v, lang)),
    Facet("updated", N_("Freshness"), "updated", lambda value, _: tk._(AGES[value][1] if value in AGES else value)),
    Facet("live", N_("Live data"), "facet_live", lambda _value, _language: tk._("Live data only")),
)
BY_NAME = {facet.name: facet for facet in FACETS}


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
        "facet.query": [_without("updated", chosen, f"updated:{ages}", age) for age, (ages, _) in AGES.items()],
    }


def _without(name: str, chosen: Filters, query: str, key: str | None = None) -> str:
    options = [f"ex={name}"] if chosen.get(name) else []
    options.append(f"key={key or name}")
    return f"{{!{' '.join(options)}}}{query}"


def counts(answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What Solr counted, by filter and value."""
    given = answer.get("facet_counts") or {}
    found = {
        name: dict(zip(flat[::2], flat[1::2], strict=True)) for name, flat in given.get("facet_fields", {}).items()
    }
    found["updated"] = {age: number for age, number in given.get("facet_queries", {}).items() if number}
    return found


def shown(
    counted: Mapping[str, Mapping[str, int]], chosen: Filters, language: str, titles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The filters as a page offers them, the most frequent value first; chosen ones stay, even with nothing left.

    :param titles: of organisations, by name.
    :returns: ``name``, ``title`` and ``values`` (``value``, ``label``, ``count``, ``chosen``) of each that has any.
    """
    found = []
    for facet in FACETS:
        numbers = {value: 0 for value in chosen.get(facet.name, ())} | dict(counted.get(facet.name, {}))
        values = [
            {
                "value": value,
                "label": titles.get(value, value) if facet.name == "organization" else facet.label(value, language),
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


def organization_titles(names: Iterable[str], language: str) -> dict[str, str]:
    """What organisations are called now, in one query."""
    found = storage.group_titles(names=set(names)).values()
    return {each.name: languages.best(each.translated, language) or each.title for each in found}
