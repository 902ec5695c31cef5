"""What the index keeps of a dataset for our search: the card that a page shows, and the values of its
filters.

Made when a dataset is indexed, so that a search reads neither the database nor the whole dataset. No request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import orjson
from ckan import model
from ckanext.ccphva import codelists, fees, languages, territory, visibility
from ckanext.ccphva.finding import places

Document = dict[str, Any]
LONGEST_NOTE = 260
"""Characters of a description on a card."""
LIVE = frozenset({"CONT", "UPDATE_CONT", "HOURLY"})
"""Codes of the frequency of a dataset that is live."""
_MARKUP = re.compile(r"<[^>]*>|!?\[([^\]]*)\]\([^)]*\)|[*_`#>]+")


def is_public(document: Mapping[str, Any]) -> bool:
    """Whether everybody may see the dataset."""
    return document.get("capacity") != "private" and document.get("state", "active") == "active"


def fields(dataset: Mapping[str, Any], document: Mapping[str, Any]) -> Document:
    """Fields of the index: `card`, `updated` and `facet_…`.

    :param dataset: the validated dataset, without data that are not everybody's.
    :param document: its search document as CKAN makes it.
    """
    owner: Any = model.Session.get(model.Group, dataset["owner_org"]) if dataset.get("owner_org") else None
    publishers = [
        own
        for each in dataset.get("publisher") or ()
        if (own := territory.organization_of(each.get("identifier")))
    ]
    about = publishers or ([dict(owner.extras or {})] if owner else [])
    values: dict[str, list[str]] = {
        "theme": [*_codes("data-theme", dataset, "theme"), *_codes("local-theme", dataset, "local_theme")],
        "organization": sorted({*([owner.name] if owner else []), *(each["name"] for each in publishers)}),
        "commune": sorted(places.communes_of(dataset, about)),
        "licence": _licences(dataset),
        "format": _formats(dataset),
        "access": [_access(dataset)],
        "hvd": _codes("hvd-category", dataset, "hvd_category"),
        "live": ["yes"] if set(_codes("frequency", dataset, "frequency")) & LIVE else [],
    }
    updated = str(dataset.get("modified") or dataset.get("metadata_modified") or "")
    found: Document = {f"facet_{name}": each for name, each in values.items() if each}
    found["card"] = orjson.dumps(
        _card(dataset, values) | {"organization": owner.name if owner else None}
    ).decode()
    if day := _date(updated) or document.get("metadata_modified"):
        found["updated"] = day
    return found


def _card(dataset: Mapping[str, Any], values: Mapping[str, list[str]]) -> Document:
    notes = dataset.get("notes_translated") or {languages.MAIN: dataset.get("notes")}
    kept = (
        "id",
        "name",
        "type",
        "title",
        "title_translated",
        "metadata_modified",
        "modified",
        "visibility",
        "private",
    )
    return {name: dataset.get(name) for name in (*kept, "translation_state", "owner_org", "state")} | {
        "notes_translated": {language: _short(text) for language, text in notes.items() if text},
        "formats": values["format"],
        "themes": values["theme"],
        "updated": str(dataset.get("modified") or dataset.get("metadata_modified") or ""),
        "hvd": bool(values["hvd"]),
        "live": bool(values["live"]),
    }


def _short(text: str) -> str:
    """The beginning of a description without its markup, ended at a word."""
    plain = " ".join(_MARKUP.sub(r"\1", text[: 4 * LONGEST_NOTE]).split())
    if len(plain) <= LONGEST_NOTE:
        return plain
    return plain[:LONGEST_NOTE].rpartition(" ")[0].rstrip(" ,;:.") + "…"


def _codes(name: str, dataset: Mapping[str, Any], field: str) -> list[str]:
    """Codes of a field's values; a value that the list lacks has none."""
    given = dataset.get(field) or ()
    found = (codelists.load(name).get(str(each)) for each in ([given] if isinstance(given, str) else given))
    return [concept.code for concept in found if concept]


def _licences(dataset: Mapping[str, Any]) -> list[str]:
    return sorted({name for each in _resources(dataset, {}) if (name := fees.licence_of(dataset, each))})


def _formats(dataset: Mapping[str, Any]) -> list[str]:
    """Formats of the files, each once, whatever its case and however it is said (`.csv`, `text/csv`)."""
    plain = (str(each.get("format") or "").strip().lstrip(".") for each in _resources(dataset))
    short = (each.rpartition("/")[2] if "/" in each else each for each in plain)
    return sorted({each.upper() for each in short if each})[:20]


def _resources(dataset: Mapping[str, Any], *otherwise: Document) -> Iterator[Mapping[str, Any]]:
    yield from dataset.get("resources") or otherwise


def _access(dataset: Mapping[str, Any]) -> str:
    if visibility.is_true(dataset.get("private")):
        return visibility.PRIVATE
    return dataset.get("visibility") or visibility.OPEN


def _date(text: str) -> str | None:
    """A date or time as Solr takes it, to the day; None for another text."""
    try:
        return f"{date.fromisoformat(text[:10]).isoformat()}T00:00:00Z"
    except ValueError:
        return None
