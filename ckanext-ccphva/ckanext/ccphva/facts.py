"""What the page of a dataset says first, and how its other fields are grouped. Pure but for translations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import codelists, geometry, outlines

Shown = dict[str, Any]
ELSEWHERE = frozenset(
    {"name", "title", "title_translated", "notes", "notes_translated", "tag_string", "tags_translated",
     "owner_org", "license_id"}
)  # fmt: skip
"""Fields that stand elsewhere on the page."""
LEAST = 14
"""Units of the map: a point is drawn as a square of that side."""


def first(dataset: Mapping[str, Any], language: str) -> list[Shown]:
    """The facts that most readers ask for.

    :returns: `label`, `values` (texts), and `day` (ISO 8601) where the fact is one, of each that is known.
    """
    changed = str(dataset.get("modified") or dataset.get("metadata_modified") or "")[:10]
    found: list[Shown] = [
        {"label": tk._("Updated"), "values": [_day(changed)], "day": changed},
        {"label": tk._("Rhythm"), "values": _labels("frequency", dataset, language)},
        {
            "label": tk._("Period"),
            "values": [_period(each) for each in _things(dataset, "temporal_coverage")],
        },
        {
            "label": tk._("Place"),
            "values": [str(each.get("text") or "") for each in _things(dataset, "spatial_coverage")],
        },
        {"label": tk._("Languages"), "values": _labels("language", dataset, language)},
        {"label": tk._("Version"), "values": [str(dataset.get("version") or "")]},
    ]
    for fact in found:
        fact["values"] = list(dict.fromkeys(value for value in fact["values"] if value))
    return [fact for fact in found if fact["values"]]


def groups(steps: Iterable[Mapping[str, Any]], dataset: Mapping[str, Any]) -> list[Shown]:
    """The fields that a dataset fills, in the groups of its form: `title` and `fields` of each with any."""
    found = [
        {"title": step["title"], "fields": [field for field in step["fields"] if _shows(field, dataset)]}
        for step in steps
    ]
    return [group for group in found if group["fields"]]


def place(dataset: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """The box around the first geometry of a dataset: west, south, east and north in degrees."""
    for each in _things(dataset, "spatial_coverage"):
        for field in ("geom", "bbox", "centroid"):
            if found := geometry.box(each.get(field)):
                return found["west"], found["south"], found["east"], found["north"]
    return None


def on_the_map(dataset: Mapping[str, Any], drawing: outlines.Drawing | None) -> Shown | None:
    """The map of the territory with the dataset's place on it; None where it would show nothing.

    :returns: `width`, `height`, `paths` of the communes and `x`, `y`, `across`, `down` of the place.
    """
    where = place(dataset)
    found = drawing.box(*where) if drawing and where else None
    if drawing is None or found is None:
        return None
    x, y, across, down = found
    paths = [outline.path for outline in drawing.outlines]
    return {"width": drawing.width, "height": drawing.height, "paths": paths} | {
        "x": x, "y": y, "across": max(across, LEAST), "down": max(down, LEAST)
    }  # fmt: skip


def _shows(field: Mapping[str, Any], dataset: Mapping[str, Any]) -> bool:
    name = field["field_name"]
    hidden = "display_snippet" in field and field["display_snippet"] is None
    return not hidden and name not in ELSEWHERE and dataset.get(name) not in (None, "", [], {})


def _labels(field: str, dataset: Mapping[str, Any], language: str) -> list[str]:
    stored = dataset.get(field)
    values = stored if isinstance(stored, list) else [stored]
    return [codelists.label(field, str(value), language) for value in values if value]


def _things(dataset: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    return [each for each in dataset.get(field) or () if isinstance(each, Mapping)]


def _period(period: Mapping[str, Any]) -> str:
    start, end = _day(str(period.get("start") or "")), _day(str(period.get("end") or ""))
    if start and end:
        return f"{start} – {end}"
    if start:
        return tk._("since {day}").format(day=start)
    return tk._("until {day}").format(day=end) if end else ""


def _day(text: str) -> str:
    """A day in the reader's words; a year or a month stays as it is."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return str(tk.h.render_datetime(day.isoformat()))
