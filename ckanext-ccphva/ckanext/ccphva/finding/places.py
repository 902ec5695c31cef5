"""Which communes of the territory a dataset speaks of. No request; the outlines are the territory's
own file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely
from ckanext.ccphva import config
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry
from shapely.prepared import prep

LEAST_SHARE = 0.02
"""Of a commune's area: what a surface covers of it by less is a neighbour's overlapping border."""
_CODE = re.compile(r"(?:^|[/:#=])(\d[\dAB]\d{3})$")


def names() -> dict[str, str]:
    """The communes of the territory: name by code (INSEE)."""
    return {code: name for code, (name, _) in _outlines().items()}


def communes_of(dataset: Mapping[str, Any], publishers: Sequence[Mapping[str, Any]]) -> set[str]:
    """Codes of the communes that a dataset is about.

    A place whose address ends with a commune's code counts first, then the communes that publish it, then its
    geometry: a box around one commune meets its neighbours. One that says nothing is about all communes
    where their community publishes it.
    """
    known = _outlines()
    coverage = [place for place in dataset.get("spatial_coverage") or () if isinstance(place, Mapping)]
    named = {found[1] for place in coverage if (found := _CODE.search(str(place.get("uri") or "")))} & set(
        known
    )
    published = {str(each.get("insee") or "") for each in publishers} & set(known)
    if named or published:
        return named or published
    shapes = list(_shapes(coverage))
    if shapes:
        return {code for code, (_, outline) in known.items() if any(_meets(outline, each) for each in shapes)}
    return set(known) if any(each.get("kind") == "epci" for each in publishers) else set()


def _shapes(coverage: list[Mapping[str, Any]]) -> Iterator[BaseGeometry]:
    for place in coverage:
        text = next((place[key] for key in ("geom", "bbox", "centroid") if place.get(key)), None)
        if text:
            try:
                found = shape(json.loads(text) if isinstance(text, str) else text)
            except (ValueError, TypeError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError):
                continue
            if not found.is_empty:
                yield found if found.is_valid else box(*found.bounds)


def _meets(outline: BaseGeometry, place: BaseGeometry) -> bool:
    if not prep(outline).intersects(place):
        return False
    if place.area == 0:
        return True
    shared = outline.intersection(place).area
    return shared >= LEAST_SHARE * min(outline.area, place.area)


def _outlines() -> dict[str, tuple[str, BaseGeometry]]:
    path = config.territory_folder() / "communes.geojson"
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else {}


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, tuple[str, BaseGeometry]]:
    found = {}
    for feature in json.loads(path.read_text())["features"]:
        of = feature["properties"]
        code, name = str(of.get("insee") or of.get("code")), str(of.get("nom") or of.get("name"))
        found[code] = (name, shape(feature["geometry"]))
    return found
