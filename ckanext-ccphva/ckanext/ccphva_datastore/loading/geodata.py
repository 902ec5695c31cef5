"""Shapefile, GeoJSON, GML, JML and GeoPackage by GDAL, with their coordinate reference system kept. No
CKAN.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ckanext.ccphva_datastore.loading.faults import Fault
from ckanext.ccphva_datastore.loading.table import Table

LIKELY = (2154, 2169, 3857, 4326, 4171, 4258, 3035, *range(3942, 3951), 25832, 32632, 31370, 27572)
"""Systems that a file of this region may mean without naming them."""
DRIVERS = {"shape": "ESRI Shapefile", "json": "GeoJSON", "gml": "GML", "jml": "JML", "gpkg": "GPKG"}
BATCH = 2_000


def open_table(path: Path, kind: str, layer: str = "", crs: str = "") -> Table:
    """The first layer with geometries, or the wanted one; the column `geom` holds them as EWKB in hex.

    :param crs: what an agent says of a file that does not say it.
    :raises Fault: a broken file, no such layer, no coordinate reference system.
    """
    import pyogrio
    from pyogrio.errors import DataSourceError

    _restrain(pyogrio)
    _refuse_cut(path, kind)
    try:
        layers = [(str(name), shape) for name, shape in pyogrio.list_layers(path)]
        if layer and layer not in [name for name, _ in layers]:
            raise Fault("sheet", name=layer)
        if not layers:
            raise Fault("no-rows")
        name = layer or next((each for each, shape in layers if shape), layers[0][0])
        info = pyogrio.read_info(path, layer=name)
    except DataSourceError as error:
        raise Fault("broken", reason=_plain(error, path)) from error
    fields = [str(field) for field in info["fields"]]
    has_shape = bool(info["geometry_type"])
    declared = authority(info["crs"]) if has_shape else ""
    if crs:
        declared = declared or _known(crs)
    if has_shape and not declared:
        raise Fault("crs")
    untyped = kind in ("gml", "jml")
    types = ["text" if untyped else _type(str(dtype)) for dtype in info["dtypes"]]

    def rows() -> Iterator[list[str]]:
        return _rows(path, name, declared, has_shape, table)

    table = Table(
        [*fields, *(["geom"] if has_shape else [])],
        rows,
        encoding=str(info["encoding"] or ""),
        types=[*(["?"] * len(fields) if untyped else types), *(["geometry"] if has_shape else [])],
        crs=declared,
        layer=name,
        others=[other for other, _ in layers if other != name],
    )
    return table


def _restrain(pyogrio: Any) -> None:
    """No network, no other file, no guessed types of codes."""
    pyogrio.set_gdal_config_options(
        {
            "GML_FIELDTYPES": "ALWAYS_STRING",
            "GML_SKIP_RESOLVE_ELEMS": "ALL",
            "GML_DOWNLOAD_SCHEMA": "NO",
            "CPL_CURL_ENABLE_VSIMEM": "NO",
            "GDAL_HTTP_TIMEOUT": "1",
            "GDAL_DISABLE_READDIR_ON_OPEN": "NO",
            "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
            "PROJ_NETWORK": "OFF",
        }
    )
    os.environ["PROJ_NETWORK"] = "OFF"


def _refuse_cut(path: Path, kind: str) -> None:
    """GDAL reads what it can of a broken text; half a file must not become a table."""
    if kind == "gml" or kind == "jml":
        import lxml.etree as etree

        parser = etree.XMLPullParser(
            events=(), resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
        )
        try:
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    parser.feed(piece)
            parser.close()
        except etree.XMLSyntaxError as error:
            raise Fault("broken", reason=error.msg) from error


def _rows(path: Path, layer: str, crs: str, has_shape: bool, table: Table) -> Iterator[list[str]]:
    import pyogrio.raw
    import shapely

    srid = int(crs.partition(":")[2]) if crs else 0
    done = 0
    while True:
        try:
            read: Any = pyogrio.raw.read(
                path, layer=layer, skip_features=done, max_features=BATCH, read_geometry=has_shape,
                datetime_as_string=True, force_2d=False,
            )  # fmt: skip
        except Exception as error:  # GDAL's faults have many classes
            raise Fault("broken", reason=_plain(error, path)) from error
        _, _, shapes, columns = read
        columns = columns if columns is not None else []
        count = len(columns[0]) if len(columns) else len(shapes) if shapes is not None else 0
        if not count:
            return
        hexes = [""] * count
        if has_shape:
            try:
                geometries = shapely.set_srid(shapely.from_wkb(shapes), srid)
            except shapely.errors.GEOSException as error:
                raise Fault("geometry", record=done + 1, reason=str(error)) from error
            written: Any = shapely.to_wkb(geometries, hex=True, include_srid=True)
            hexes = [found or "" for found in written]
        for number in range(count):
            table.line = done + number + 1
            row = [_cell(column[number]) for column in columns]
            yield [*row, hexes[number]] if has_shape else row
        done += count


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\0", "")
    if hasattr(value, "dtype"):
        if value.dtype.kind == "M":
            return "" if str(value) == "NaT" else str(value)
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list | dict):
        return json.dumps(value)
    return str(value)


def _type(dtype: str) -> str:
    if dtype.startswith(("int", "uint")):
        return "int"
    if dtype.startswith("float"):
        return "numeric"
    if dtype == "bool":
        return "bool"
    if dtype == "datetime64[D]":
        return "date"
    if dtype.startswith("datetime64"):
        return "timestamp"
    return "text"


def authority(text: str | None) -> str:
    """`EPSG:2154` and the like for what a file says, by its code or by its parameters; empty: unknown."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not text:
        return ""
    try:
        found = CRS.from_user_input(text)
    except CRSError:
        return ""
    code = found.to_epsg(min_confidence=70)
    if code:
        return f"EPSG:{code}"
    for likely in LIKELY:
        if _same(found, CRS.from_epsg(likely)):
            return f"EPSG:{likely}"
    code = found.to_epsg(min_confidence=20)
    return f"EPSG:{code}" if code else ""


def _same(one: Any, other: Any) -> bool:
    """Whether two projected systems have the same method and numbers, whatever their names say."""
    if not (one.is_projected and other.is_projected and one.coordinate_operation):
        return False

    def numbers(crs: Any) -> tuple[Any, ...]:
        operation = crs.coordinate_operation
        parameters = {p.name.lower(): p.value for p in operation.params}
        # The order of two standard parallels, and one named otherwise, mean nothing.
        return (
            "conformal" in operation.method_name.lower(),
            "mercator" in operation.method_name.lower(),
            tuple(sorted(round(value, 4) for value in parameters.values() if value not in (0, 1))),
            round(crs.ellipsoid.semi_major_metre),
        )

    return numbers(one) == numbers(other)


def _known(crs: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return f"EPSG:{CRS.from_user_input(crs).to_epsg()}"
    except CRSError as error:
        raise Fault("crs-choice", crs=crs) from error


def _plain(error: Exception, path: Path) -> str:
    """GDAL's words without the place of the file on this machine."""
    return str(error).replace(str(path), path.name).replace(str(path.parent), "")[:300]
