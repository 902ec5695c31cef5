"""Geometries as catalogues write them."""

from __future__ import annotations

import json

import pytest
from ccphva_harvesters.geometry import to_geojson

BOX = [[[5.9, 49.4], [6.1, 49.4], [6.1, 49.5], [5.9, 49.5], [5.9, 49.4]]]
POLYGON = "POLYGON((5.9 49.4, 6.1 49.4, 6.1 49.5, 5.9 49.5, 5.9 49.4))"


@pytest.mark.parametrize(
    "text",
    [
        POLYGON,
        f"<http://www.opengis.net/def/crs/OGC/1.3/CRS84> {POLYGON}",
        f"SRID=4326;{POLYGON}",
        "<http://www.opengis.net/def/crs/EPSG/0/4326> POLYGON((49.4 5.9, 49.4 6.1, 49.5 6.1, 49.5 5.9, 49.4 5.9))",  # noqa: E501
        '{"type": "Polygon", "coordinates": [[[5.9,49.4],[6.1,49.4],[6.1,49.5],[5.9,49.5],[5.9,49.4]]]}',
        "ENVELOPE(5.9, 6.1, 49.5, 49.4)",
        "BOX(5.9 49.4, 6.1 49.5)",
        '<gml:Envelope srsName="http://www.opengis.net/def/crs/OGC/1.3/CRS84"><gml:lowerCorner>5.9 49.4</gml:lowerCorner>'  # noqa: E501
        "<gml:upperCorner>6.1 49.5</gml:upperCorner></gml:Envelope>",
        '<gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>49.4 5.9</gml:lowerCorner>'
        "<gml:upperCorner>49.5 6.1</gml:upperCorner></gml:Envelope>",
    ],
)
def test_every_notation_of_a_box(text: str) -> None:
    """One box in every notation, longitude first in the result."""
    assert json.loads(str(to_geojson(text))) == {"type": "Polygon", "coordinates": BOX}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("POINT(6 49)", "Point"),
        ("POINT Z (6 49 300)", "Point"),
        ("LINESTRING(6 49, 7 50)", "LineString"),
        ("MULTIPOINT((6 49), (7 50))", "MultiPoint"),
        ("MULTIPOINT(6 49, 7 50)", "MultiPoint"),
        ("MULTIPOLYGON(((6 49, 7 49, 7 50, 6 49)))", "MultiPolygon"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    """Every simple kind of WKT."""
    assert json.loads(str(to_geojson(text)))["type"] == kind


@pytest.mark.parametrize(
    "text",
    [
        "", "Lorraine", "POLYGON((", "POLYGON EMPTY", "POINT(900 49)", "POINT(a b)", "{", '{"type": "Point"}', "[1]",  # noqa: E501
        "<http://www.opengis.net/def/crs/EPSG/0/2154> POINT(900000 6900000)", "SRID=2154;POINT(6 49)",
        '{"type": "Point", "coordinates": ["a", "b"]}', "POINT(" + "(" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_none(text: str) -> None:
    """Never a guess."""
    assert to_geojson(text) is None
