"""GeoJSON geometries of datasets (RFC 7946): read, check, refuse with a reason. Imports nothing of CKAN."""

from __future__ import annotations

import json
import math
from typing import Any

import shapely
from ckanext.ccphva import limits
from ckanext.ccphva.languages import N_
from shapely.geometry import mapping, shape


def read(value: Any) -> dict[str, Any]:
    """The geometry in a dict or in JSON text.

    :raises ValueError: with a sentence for the person who sent it.
    """
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > limits.LONGEST_GEOMETRY:
        raise ValueError(N_("the geometry has more than a million characters: simplify it"))
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(N_("not a GeoJSON geometry: it is not JSON")) from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise ValueError(N_("not a GeoJSON geometry: it has no type"))
    try:
        outline = shape(found)
        bounds = outline.bounds
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        raise ValueError(N_("not a GeoJSON geometry: its coordinates cannot be read")) from None
    if outline.is_empty or not all(math.isfinite(number) for number in bounds):
        raise ValueError(N_("the geometry is empty"))
    west, south, east, north = bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise ValueError(
            N_("the geometry leaves the world: longitude and latitude in degrees (WGS 84) are expected")
        )
    return dict(mapping(outline))


def box(value: Any) -> dict[str, float] | None:
    """`west`, `south`, `east`, `north` of a geometry, to four decimals (ten metres); None for no geometry."""
    try:
        bounds = shape(read(value)).bounds
    except ValueError:
        return None
    return dict(zip(("west", "south", "east", "north"), (round(each, 4) for each in bounds), strict=True))
