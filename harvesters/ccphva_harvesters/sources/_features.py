"""What OGC API Features and WFS share: GeoJSON features as rows, and columns from what features hold.

Imports only ``model``, ``projection`` and ``geometry``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ccphva_harvesters.model import Column, ColumnType, Row
from ccphva_harvesters.projection import Projection, ProjectionError
from ccphva_harvesters.sources._described import mapping

ID, GEOMETRY = "feature_id", "geom"
_LIKE_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LIKE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)")


def columns_of(
    features: Iterable[Mapping[str, Any]], types: Mapping[str, ColumnType], titles: Mapping[str, str]
) -> tuple[Column, ...]:
    """Columns of features: what their server says of them, and what the first ones hold."""
    names: dict[str, list[Any]] = {name: [] for name in types}
    for feature in features:
        for name, value in mapping(feature.get("properties")).items():
            names.setdefault(name, []).append(value)
    inner = [
        Column(name=plain, type=types.get(name) or type_of(values), title=titles.get(name))
        for name, values in names.items()
        if (plain := column_name(name)) not in (ID, GEOMETRY)
    ]
    return (
        Column(name=ID, title="Identifiant", definition="Identifiant de l’objet à sa source"),
        *inner,
        Column(name=GEOMETRY, type="geometry", title="Géométrie", definition="WGS 84, longitude, latitude"),
    )


def column_name(name: str) -> str:
    """A property's name as a column's: without what PostgreSQL and CKAN refuse."""
    plain = re.sub(r'["\x00-\x1f]', "", name).strip().lstrip("_")[:63]
    return f"{plain}_" if plain in (ID, GEOMETRY) else plain or "colonne"


def type_of(values: Iterable[Any]) -> ColumnType:
    """Type that holds all of ``values``; numbers are never taken for whole ones by a sample alone."""
    found = [value for value in values if value not in (None, "")]
    if not found:
        return "text"
    if all(isinstance(value, bool) for value in found):
        return "boolean"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in found):
        return "number"
    if all(isinstance(value, (dict, list)) for value in found):
        return "json"
    if all(isinstance(value, str) and _LIKE_DATE.fullmatch(value) for value in found):
        return "date"
    if all(isinstance(value, str) and _LIKE_TIME.fullmatch(value) for value in found):
        return "timestamp"
    return "text"


def row_of(feature: Any, place: Projection, at: int) -> Row:
    """A feature as a row; what is none becomes a row with its problem."""
    one = mapping(feature)
    given = one.get("id", one.get("@id"))
    id_ = str(given) if isinstance(given, (str, int)) and given != "" else f"#{at}"
    if one.get("type", "Feature") != "Feature" or not isinstance(
        one.get("properties", {}), (dict, type(None))
    ):
        return Row(values={ID: id_}, problem="not a feature")
    values: dict[str, Any] = {
        column_name(name): value for name, value in mapping(one.get("properties")).items()
    }
    values[ID] = id_
    try:
        values[GEOMETRY] = place.geometry(mapping(one.get("geometry")) or None)
    except ProjectionError as exc:
        return Row(values={ID: id_}, problem=f"{GEOMETRY}: {exc}")
    return Row(values=values)
