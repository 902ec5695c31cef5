"""A bench in Audun-le-Tiche stands where it stands, whatever its reference system and axis order."""

from __future__ import annotations

from typing import Any

import pyproj
import pytest
from ccphva_harvesters.projection import Projection, ProjectionError, code_of, extent_of

LON, LAT = 5.956, 49.473
EXTENT = (5.8, 49.4, 6.1, 49.6)


def point(code: int, swapped: bool) -> dict[str, Any]:
    """The bench in a reference system."""
    x, y = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(LON, LAT)
    return {"type": "Point", "coordinates": [y, x] if swapped else [x, y]}


def here(shape: Any) -> bool:
    """True when it is the bench."""
    x, y = shape["coordinates"]
    return abs(x - LON) < 1e-6 and abs(y - LAT) < 1e-6


@pytest.mark.parametrize("code", [2154, 2169, 3857, 4326, 4258, 27572])
@pytest.mark.parametrize(
    "form", ["EPSG:{}", "urn:ogc:def:crs:EPSG::{}", "http://www.opengis.net/def/crs/EPSG/0/{}"]
)
def test_the_authoritys_order_where_it_is_promised(code: int, form: str) -> None:
    """URI and URN keep the authority's order, the short form is x, y."""
    north_first = code in (2169, 4326, 4258) and not form.startswith("EPSG")
    assert here(Projection(form.format(code)).geometry(point(code, north_first)))


@pytest.mark.parametrize("code", [2154, 2169, 3857, 4326])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("form", ["EPSG:{}", "urn:ogc:def:crs:EPSG::{}"])
def test_an_announced_extent_decides(code: int, swapped: bool, form: str) -> None:
    """A server that does the other thing is found out by where its first feature falls.

    Not in EPSG:2169 around here: northing and easting are alike, both orders fall into the territory.
    """
    if code == 2169 and swapped is form.startswith("EPSG"):
        pytest.skip("only the operator can tell")
    assert here(Projection(form.format(code), extent=EXTENT).geometry(point(code, swapped)))


def test_an_operator_decides() -> None:
    """A stated order is not questioned."""
    assert here(Projection("EPSG:4326", "yx").geometry(point(4326, True)))
    assert not here(Projection("EPSG:4326", "xy", EXTENT).geometry(point(4326, True)))


def test_every_kind_of_geometry() -> None:
    """Lines, areas and collections, heights left out."""
    x, y = point(2154, False)["coordinates"]
    ring = [[x, y, 300], [x + 10, y, 300], [x, y + 10, 300], [x, y, 300]]
    moved = Projection("EPSG:2154").geometry(
        {"type": "GeometryCollection", "geometries": [{"type": "MultiPolygon", "coordinates": [[ring]]}]}
    )
    assert moved is not None
    assert here({"coordinates": moved["geometries"][0]["coordinates"][0][0][0]})


@pytest.mark.parametrize("crs", ["", "EPSG:", "EPSG:999999", "Lambert", "urn:x:y", "EPSG:4326; DROP"])
def test_unknown_reference_systems_are_not_guessed(crs: str) -> None:
    """An error says the name."""
    with pytest.raises(ProjectionError, match="unknown reference system"):
        Projection(crs)


@pytest.mark.parametrize("coordinates", [None, [], ["a", "b"], [1], [[[]]], [float("inf"), 1], "x"])
def test_bad_coordinates(coordinates: Any) -> None:
    """Refused, one geometry at a time."""
    with pytest.raises(ProjectionError):
        Projection("EPSG:2154").geometry({"type": "Point", "coordinates": coordinates})


def test_names_and_extents() -> None:
    """Forms that servers use."""
    assert code_of("http://www.opengis.net/gml/srs/epsg.xml#4326") == 4326
    assert code_of("<http://www.opengis.net/def/crs/OGC/1.3/CRS84>") is None
    assert code_of("urn:ogc:def:crs:EPSG:9.9.1:2154") == 2154
    assert extent_of([5, 49, 0, 6, 50, 0]) == (5, 49, 6, 50)
    assert extent_of([5, 49, 6]) is None
    assert extent_of([5, 50, 6, 49]) is None
