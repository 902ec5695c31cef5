"""Step ``territory``: take only the datasets whose extent meets an outline, as that of the territory.

A dataset of the whole country meets every outline; ``least`` asks for a share of the dataset's own extent to
lie inside. Without an extent nothing is known, and ``unplaced`` decides.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import msgspec
from shapely import from_geojson, make_valid, union_all
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from ccphva_harvesters.model import Dataset, Problem


class TerritoryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``territory:``."""

    outline: dict[str, Any] | str
    """GeoJSON in longitude, latitude, or the path of a ``.geojson`` file."""
    least: float = 0.0
    """Smallest share of a dataset's extent that must lie in the outline, from 0 (touches) to 1 (all)."""
    unplaced: Literal["keep", "drop"] = "keep"
    """What becomes of datasets without an extent."""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise ValueError("least: expected a share from 0 to 1")
        _outline(self.outline)


class Territory:
    """Leaves out datasets of elsewhere; a geometry that cannot be read counts as none and is told."""

    name = "territory"
    Config = TerritoryConfig

    def __init__(self, config: TerritoryConfig) -> None:
        self.config = config
        self._shape = _outline(config.outline)

    def __call__(self, dataset: Dataset) -> Dataset | None:
        problems = list(dataset.problems)
        shapes = [shape for text in _extents(dataset) if (shape := _read(text, problems)) is not None]
        dataset = msgspec.structs.replace(dataset, problems=tuple(problems))
        if not shapes:
            return dataset if self.config.unplaced == "keep" else None
        return dataset if any(self._meets(shape) for shape in shapes) else None

    def _meets(self, shape: BaseGeometry) -> bool:
        if not shape.intersects(self._shape):
            return False
        whole = shape.area or shape.length
        if not self.config.least or not whole:
            return True
        inside = shape.intersection(self._shape)
        return (inside.area if shape.area else inside.length) / whole >= self.config.least


def _extents(dataset: Dataset) -> list[str]:
    """Geometry texts of a dataset: of each place its outline, else its box, else its middle."""
    places: list[dict[str, Any]] = dataset.fields.get("spatial_coverage", [])
    found = [place.get("geom") or place.get("bbox") or place.get("centroid") for place in places]
    texts = [text for text in found if isinstance(text, str)]
    spatial: Any = dataset.fields.get("spatial")
    return texts or ([spatial] if isinstance(spatial, str) else [])


def _read(text: str, problems: list[Problem]) -> BaseGeometry | None:
    try:
        shape = from_geojson(text)
        return shape if shape.is_valid else make_valid(shape)
    except (GEOSException, ValueError, TypeError):
        problem = Problem("geometry", f"{text[:60]!r} cannot be compared with the territory", "spatial")
        if problem not in problems:
            problems.append(problem)
        return None


def _outline(given: dict[str, Any] | str) -> BaseGeometry:
    """The outline as one shape.

    :raises ValueError: it cannot be read or is empty
    """
    # The words of an error tell nothing of the file: whoever writes a source file may not read the server's.
    if isinstance(given, str) and not given.endswith((".geojson", ".json")):
        raise ValueError("outline: expected GeoJSON or the path of a .geojson file")
    try:
        text = Path(given).read_text(encoding="utf-8") if isinstance(given, str) else json.dumps(given)
        shape = from_geojson(text)
    except (OSError, UnicodeDecodeError):
        raise ValueError("outline: the file cannot be read") from None
    except (GEOSException, ValueError):
        raise ValueError("outline: it is no GeoJSON") from None
    whole = union_all([make_valid(shape)])
    if whole.is_empty:
        raise ValueError("outline: it holds no geometry")
    return whole
