"""Geometries as catalogues write them, turned into GeoJSON text in longitude, latitude (RFC 7946 §4).

Read: GeoJSON, WKT with an optional CRS (GeoSPARQL 1.1 §8.5: without one it is CRS84; EPSG:4326 puts
latitude first) and GML envelopes. Anything in another reference system is left to the caller, never
guessed.

Imports nothing of the package.
"""

from __future__ import annotations

import json
import re
from typing import Any

_CRS84 = ("", "CRS84")
_CRS = re.compile(r"^\s*<([^>]*)>\s*")
_SRID = re.compile(r"^\s*SRID=(\d+);\s*", re.IGNORECASE)
_WKT = re.compile(
    r"^\s*(MULTIPOLYGON|MULTIPOINT|MULTILINESTRING|POLYGON|POINT|LINESTRING)\s*Z?\s*(\(.*\))\s*$", re.I | re.S
)
_BOX = re.compile(r"^\s*(ENVELOPE|BOX|BBOX)\s*\(([^()]*)\)\s*$", re.IGNORECASE)
_CORNER = re.compile(
    r"<(?:\w+:)?(lower|upper)Corner[^>]*>\s*([-+\d.eE]+)[\s,]+([-+\d.eE]+)\s*<", re.IGNORECASE
)
_SRS = re.compile(r"srsName=[\"']([^\"']+)[\"']")
_NAMES = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
}
_LONGEST = 2_000_000


def to_geojson(text: str) -> str | None:
    """GeoJSON text of a geometry literal, or None when it cannot be read or placed on the globe."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        found = (
            _json(text)
            if text[:1] == "{"
            else _gml(text)
            if text.startswith("<") and "Corner" in text
            else _wkt(text)
        )
    except (ValueError, RecursionError, IndexError):
        return None
    if found is None or not _plausible(found["coordinates"]):
        return None
    return json.dumps(found, separators=(",", ":"))


def _json(text: str) -> dict[str, Any] | None:
    value = json.loads(text)
    if not isinstance(value, dict) or value.get("type") not in _NAMES.values() or "coordinates" not in value:  # type: ignore[reportUnknownMemberType]
        return None
    return {"type": value["type"], "coordinates": value["coordinates"]}


def _wkt(text: str) -> dict[str, Any] | None:
    crs, text = _take_crs(text)
    swap = latitude_first(crs)
    if swap is None:
        return None
    box = _BOX.match(text)
    if box:
        numbers = [float(n) for n in re.split(r"[\s,]+", box[2].strip())]
        if len(numbers) != 4:
            return None
        # OGC CQL ENVELOPE is (west, east, north, south); a BOX is two corners
        west, south, east, north = numbers
        if box[1].upper() == "ENVELOPE":
            west, east, north, south = numbers
        return bbox(west, south, east, north)
    match = _WKT.match(text)
    if not match:
        return None
    body = re.sub(
        r"([-+\d.eE]+(?:\s+[-+\d.eE]+)+)", lambda m: "[" + ",".join(m[1].split()[:2]) + "]", match[2]
    )
    coordinates = json.loads(body.replace("(", "[").replace(")", "]").replace("+", ""))
    kind = match[1].upper()
    if kind == "POINT":
        coordinates = coordinates[0]
    elif kind == "MULTIPOINT" and isinstance(coordinates[0][0], list):
        coordinates = [member[0] for member in coordinates]
    return {"type": _NAMES[kind], "coordinates": _swapped(coordinates) if swap else coordinates}


def _gml(text: str) -> dict[str, Any] | None:
    corners = {m[1].lower(): (float(m[2]), float(m[3])) for m in _CORNER.finditer(text)}
    srs = _SRS.search(text)
    swap = latitude_first(srs[1] if srs else "")
    if swap is None or len(corners) != 2:
        return None
    (a, b), (c, d) = corners["lower"], corners["upper"]
    return bbox(b, a, d, c) if swap else bbox(a, b, c, d)


def bbox(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A box as a GeoJSON polygon, counter-clockwise (RFC 7946 §3.1.6)."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _take_crs(text: str) -> tuple[str, str]:
    match = _CRS.match(text)
    if match:
        return match[1], text[match.end() :]
    match = _SRID.match(text)
    if match:  # EWKT of PostGIS: x, y whatever the authority says
        return "CRS84" if match[1] == "4326" else f"EPSG:{match[1]}", text[match.end() :]
    return "", text


def latitude_first(crs: str) -> bool | None:
    """True when the reference system puts latitude first, None when it is not WGS 84 or ETRS 89."""
    last = re.split("[/:#]", crs)[-1]
    if last in _CRS84:
        return False
    if last in ("4326", "4258"):
        # Only the URI and URN forms promise the authority's order; "EPSG:4326" is x, y in practice.
        return crs.startswith(("http", "urn"))
    return None


def _swapped(value: Any) -> Any:
    if isinstance(value[0], list):
        return [_swapped(item) for item in value]
    return [value[1], value[0]]


def _plausible(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if isinstance(value[0], list):
        return all(_plausible(item) for item in value)  # type: ignore[reportUnknownVariableType]
    x, y = value[0], value[1]  # type: ignore[reportUnknownVariableType]
    return isinstance(x, (int, float)) and isinstance(y, (int, float)) and abs(x) <= 180 and abs(y) <= 90
