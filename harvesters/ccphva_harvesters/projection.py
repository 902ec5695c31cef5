"""Geometries of any reference system brought to WGS 84 in longitude, latitude, with the axis order told
apart.

The URI and URN forms promise the authority's order (latitude first in EPSG:4326, northing first in
EPSG:2169); ``EPSG:n`` means x, y in practice. Where a source announces its extent, that is evidence: when
the promised order lands outside of it and the other one inside, the other one is taken.

Imports nothing of the package.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Literal, cast

import pyproj
from pyproj.exceptions import CRSError, ProjError

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
Axis = Literal["auto", "xy", "yx"]
Extent = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
_EPSG = re.compile(r"EPSG(?:/|:|::|/[\d.]*/|:[\d.]*:)(\d{4,6})$|epsg\.xml#(\d{4,6})$", re.IGNORECASE)
_MARGIN = 0.5
"""Degrees that announced extents may be wrong by."""


class ProjectionError(ValueError):
    """The reference system is unknown, or a geometry does not fit it."""


class Projection:
    """From one reference system to longitude, latitude.

    :raises ProjectionError: the name means nothing to PROJ
    """

    def __init__(self, crs: str = CRS84, axis: Axis = "auto", extent: Extent | None = None) -> None:
        self.name = crs
        self._extent = extent
        self._settled = axis != "auto" or extent is None
        code = code_of(crs)
        if code is None:
            self._flip, self._transform = axis == "yx", None
            return
        try:
            system = pyproj.CRS.from_epsg(code)
            transformer = pyproj.Transformer.from_crs(system, 4326, always_xy=True)
        except (CRSError, ProjError) as exc:
            raise ProjectionError(f"unknown reference system {crs[:100]!r}") from exc
        self._flip = axis == "yx" or (axis == "auto" and _authority_order(crs) and _north_first(system))
        self._transform = None if code == 4326 else transformer

    def geometry(self, shape: dict[str, Any] | None) -> dict[str, Any] | None:
        """A GeoJSON geometry in longitude, latitude.

        :raises ProjectionError: no geometry, or coordinates that the reference system does not have
        """
        if shape is None:
            return None
        if not self._settled:
            self._settle(shape)
        return self._shape(shape)

    def _shape(self, shape: dict[str, Any]) -> dict[str, Any]:
        if shape.get("type") == "GeometryCollection":
            members = cast("list[dict[str, Any]]", shape.get("geometries") or [])
            return {"type": "GeometryCollection", "geometries": [self._shape(one) for one in members]}
        try:
            return {"type": shape["type"], "coordinates": self._move(shape["coordinates"], self._point)}
        except (KeyError, TypeError, IndexError, ValueError, RecursionError) as exc:
            raise ProjectionError("not a geometry of this reference system") from exc

    def _move(self, value: Any, point: Callable[[list[float]], list[float]]) -> Any:
        if value and isinstance(value[0], (list, tuple)):
            return [self._move(member, point) for member in value]
        return point(value)

    def _point(self, position: list[float]) -> list[float]:
        x, y = float(position[0]), float(position[1])
        if self._flip:
            x, y = y, x
        if self._transform is not None:
            x, y = cast("tuple[float, float]", self._transform.transform(x, y))
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError
        return [round(x, 8), round(y, 8)]

    def _settle(self, shape: dict[str, Any]) -> None:
        """Look where the first geometry falls, in the promised and in the other order."""
        self._settled = True
        if not self._inside(shape):
            self._flip = not self._flip
            if not self._inside(shape):
                self._flip = not self._flip

    def _inside(self, shape: dict[str, Any]) -> bool:
        west, south, east, north = self._extent or (-180, -90, 180, 90)
        try:
            moved = self._shape(shape)
        except ProjectionError:
            return False
        first = moved.get("coordinates")
        while isinstance(first, list) and first and isinstance(first[0], list):
            first = cast("Any", first[0])
        if not isinstance(first, list) or len(cast("list[Any]", first)) < 2:
            return False
        x, y = cast("list[float]", first)[:2]
        return west - _MARGIN <= x <= east + _MARGIN and south - _MARGIN <= y <= north + _MARGIN


def code_of(crs: str) -> int | None:
    """EPSG code of a name in any of its forms; None for CRS 84 (longitude, latitude).

    :raises ProjectionError: neither of them
    """
    text = crs.strip().strip("<>")
    if text.upper().endswith(("CRS84", "CRS84H", "CRS:84")):
        return None
    match = _EPSG.search(text)
    if match:
        return int(match[1] or match[2])
    if re.fullmatch(r"\d{4,6}", text):
        return int(text)
    raise ProjectionError(f"unknown reference system {crs[:100]!r}")


def _authority_order(crs: str) -> bool:
    return (
        crs.strip()
        .strip("<>")
        .lower()
        .startswith(("http://www.opengis.net/def/", "https://www.opengis.net/def/", "urn:"))
    )


def _north_first(system: pyproj.CRS) -> bool:
    axes = system.axis_info
    return bool(axes) and axes[0].direction.lower() == "north"


def extent_of(values: Any) -> Extent | None:
    """An extent from four or six numbers (with heights), or None when it is none."""
    numbers = cast("list[Any]", values) if isinstance(values, (list, tuple)) else []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
        return None
    west, south, east, north = (float(n) for n in numbers)
    fits = abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if fits else None
