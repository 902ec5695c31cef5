"""GML as GeoJSON features, read by GDAL from memory, with its schema look-ups and network doors shut.

Imports only ``errors``, ``http`` and ``xml``.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, cast

import pyogrio  # type: ignore[reportMissingTypeStubs]
import pyogrio.errors  # type: ignore[reportMissingTypeStubs]
import pyogrio.raw  # type: ignore[reportMissingTypeStubs]
import shapely

from ccphva_harvesters import xml
from ccphva_harvesters.errors import ParseError
from ccphva_harvesters.http import Response

_gdal, _shapely = cast("Any", pyogrio), cast("Any", shapely)
_SHUT = {
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "GML_SAVE_RESOLVED_TO": None,
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GML_INVERT_AXIS_ORDER_IF_LAT_LONG": "YES",
}
_MEMBERS = ("member", "featureMember", "featureMembers")


def collection(root: xml.Element, response: Response) -> dict[str, Any]:
    """A GeoJSON feature collection (x, y in its own reference system, named in ``crs``) of a GML one.

    :raises ParseError: another document, or GML that GDAL cannot read
    """
    if xml.name(root) != "FeatureCollection":
        raise ParseError(response.url, f"no features but {xml.name(root)}")
    ids = _ids(root)
    if not ids:
        return {"type": "FeatureCollection", "features": [], "gml": True}
    for box in [*root.iter("{*}boundedBy")]:  # GDAL would take its corners for attributes
        parent = box.getparent()
        if parent is not None:
            parent.remove(box)
    _gdal.set_gdal_config_options(_SHUT)
    with tempfile.TemporaryDirectory() as folder:  # GDAL wants to put its .gfs beside the file
        path = Path(folder) / "answer.gml"
        path.write_bytes(xml.serialized(root))
        try:
            layers = cast("list[list[str]]", _gdal.list_layers(path).tolist())
            meta, _, shapes, columns = cast(
                "Any", _gdal.raw.read(path, layer=layers[0][0], datetime_as_string=True)
            )  # type: ignore[reportUnknownMemberType]
        except (_gdal.errors.DataSourceError, _gdal.errors.DataLayerError, IndexError, ValueError) as exc:
            raise ParseError(response.url, f"GML that cannot be read: {exc}"[:300]) from None
    names = [str(name) for name in meta["fields"]]
    features: list[dict[str, Any]] = []
    for at in range(len(columns[0]) if columns else 0 if shapes is None else len(shapes)):
        values = {name: _plain(columns[n][at]) for n, name in enumerate(names)}
        id_ = values.pop("gml_id", None) or values.pop("fid", None) or (ids[at] if at < len(ids) else None)
        shape = None if shapes is None or shapes[at] is None else _shapely.from_wkb(shapes[at])
        features.append(
            {
                "type": "Feature",
                "id": id_,
                "properties": values,
                "geometry": None if shape is None else json.loads(_shapely.to_geojson(shape)),
            }
        )
    crs = {"crs": {"properties": {"name": meta["crs"]}}} if meta["crs"] else {}
    return {"type": "FeatureCollection", "features": features, "gml": True, **crs}


def _ids(root: xml.Element) -> list[str | None]:
    found: list[str | None] = []
    for members in xml.children(root, *_MEMBERS):
        for feature in members:
            given = [str(v) for k, v in feature.attrib.items() if str(k).rpartition("}")[2] in ("id", "fid")]
            found.append(given[0] if given else None)
    return found


def _plain(value: Any) -> Any:
    """A value of numpy as JSON knows it; NaN is how GDAL says empty."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and plain != plain else plain
