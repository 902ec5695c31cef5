"""The map of the territory: outlines of its communes (GeoJSON) drawn as SVG paths. No database, no request.

The projection is equirectangular about the middle of the territory: right to metres over tens of kilometres.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.ops import polylabel

WIDTH = 600
MARGIN = 8
LONG = 9
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Outline:
    """One commune: its INSEE code, its path and where its name stands."""

    code: str
    name: str
    lines: tuple[str, ...]
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """:param west: with `south`, `east` and `north`, the degrees of the drawing's edges."""

    width: int
    height: int
    outlines: tuple[Outline, ...]
    west: float
    south: float
    east: float
    north: float

    def box(
        self, west: float, south: float, east: float, north: float
    ) -> tuple[float, float, float, float] | None:
        """Where a rectangle of degrees lies: x, y, width and height, cut at the edges.

        None where it covers (nearly) all of the drawing or none of it: nothing could be seen.
        """
        across, down = self.width / (self.east - self.west), self.height / (self.north - self.south)
        left, right = ((min(max(each, self.west), self.east) - self.west) * across for each in (west, east))
        top, bottom = (
            (self.north - min(max(each, self.south), self.north)) * down for each in (north, south)
        )
        wide, high = right - left, bottom - top
        outside = west > self.east or east < self.west or south > self.north or north < self.south
        everything = wide * high > _NEARLY_ALL * self.width * self.height
        return (
            None if outside or everything else (round(left, 1), round(top, 1), round(wide, 1), round(high, 1))
        )


def load(folder: Path) -> Drawing | None:
    """The drawing of the territory in the folder, or None when it has no `communes.geojson`."""
    path = folder / "communes.geojson"
    return _load(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=4)
def _load(path: Path, _changed: int) -> Drawing:
    return draw(json.loads(path.read_text()))


def draw(collection: dict[str, Any], width: int = WIDTH) -> Drawing:
    """Draw a feature collection of polygons, `width` units wide; north is up."""
    shapes = [
        (feature["properties"], _polygons(shape(feature["geometry"]))) for feature in collection["features"]
    ]
    bounds = [polygon.bounds for _, polygons in shapes for polygon in polygons]
    west, south = min(b[0] for b in bounds), min(b[1] for b in bounds)
    east, north = max(b[2] for b in bounds), max(b[3] for b in bounds)
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = (width - 2 * MARGIN) / ((east - west) * squeeze)

    def project(longitude: float, latitude: float) -> tuple[float, float]:
        return (
            round(MARGIN + (longitude - west) * squeeze * scale, 1),
            round(MARGIN + (north - latitude) * scale, 1),
        )

    outlines = tuple(_outline(properties, polygons, project) for properties, polygons in shapes)
    height = math.ceil((north - south) * scale + 2 * MARGIN)
    left, top = west - MARGIN / (squeeze * scale), north + MARGIN / scale
    edges = (left, top - height / scale, left + width / (squeeze * scale), top)
    return Drawing(width, height, outlines, *(round(edge, 6) for edge in edges))


def _outline(properties: dict[str, Any], polygons: list[Polygon], project: Any) -> Outline:
    projected = [
        Polygon(
            [project(*point[:2]) for point in polygon.exterior.coords],
            [[project(*point[:2]) for point in ring.coords] for ring in polygon.interiors],
        )
        for polygon in polygons
    ]
    rings = [ring for polygon in projected for ring in (polygon.exterior, *polygon.interiors)]
    path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in ring.coords[:-1]) + "Z" for ring in rings)
    label = polylabel(max(projected, key=lambda polygon: polygon.area), tolerance=1)
    code = str(properties.get("insee") or properties.get("code"))
    name = str(properties.get("nom") or properties.get("name"))
    return Outline(code, name, lines(name), path, round(label.x, 1), round(label.y, 1))


def lines(name: str) -> tuple[str, ...]:
    """A name in one or two lines: a long one breaks after its first hyphen."""
    head, hyphen, tail = name.partition("-")
    return (head + hyphen, tail) if hyphen and len(name) > LONG else (name,)


def _polygons(geometry: Any) -> list[Polygon]:
    return list(geometry.geoms) if isinstance(geometry, MultiPolygon) else [geometry]
