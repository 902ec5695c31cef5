"""MapServer as CGI behind a small server on loopback, with benches and streets of the territory.

GetFeature counts only with ``resultType=hits``, GeoJSON gives every attribute as text, and GML turns the
axes.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyproj

from . import environments

PROGRAM, PACKAGE = "/usr/lib/cgi-bin/mapserv", "cgi-mapserver"
COUNT = 25
_MAP = """MAP
  NAME "territoire"
  EXTENT 5.7 49.3 6.2 49.6
  PROJECTION "init=epsg:4326" END
  OUTPUTFORMAT
    NAME "geojson"
    DRIVER "OGR/GEOJSON"
    MIMETYPE "application/json; subtype=geojson"
    FORMATOPTION "STORAGE=stream"
    FORMATOPTION "FORM=SIMPLE"
  END
  WEB METADATA
    "ows_title" "Service du territoire"
    "ows_onlineresource" "{url}?map=t"
    "wfs_enable_request" "*"
  END END
{layers}
END
"""
_LAYER = """  LAYER
    NAME "{name}"
    TYPE POINT
    STATUS ON
    TEMPLATE "void"
    CONNECTIONTYPE OGR
    CONNECTION "{file}"
    EXTENT {extent}
    PROJECTION "init=epsg:{code}" END
    METADATA
      "wfs_title" "Bancs ({code})"
      "wfs_abstract" "Bancs publics"
      "wfs_srs" "EPSG:{code} EPSG:4326 EPSG:3857 EPSG:2169 EPSG:2154"
      "gml_include_items" "all"
      "gml_featureid" "numero"
      "gml_numero_type" "Integer"
      "gml_hauteur_type" "Real"
      "wfs_getfeature_formatlist" "{formats}"
    END
  END
"""


def benches() -> list[tuple[int, float, float]]:
    """Number, longitude and latitude of each bench."""
    return [(n, 5.9 + n * 0.003, 49.48 + n * 0.002) for n in range(1, COUNT + 1)]


def extent(code: int) -> str:
    """A box with room around the benches: MapServer loses what stands on the edge of it."""
    move = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform
    west, south = move(5.85, 49.44)
    east, north = move(6.05, 49.58)
    return f"{west} {south} {east} {north}"


def write_layer(folder: Path, code: int) -> Path:
    """The benches as GeoJSON in a reference system."""
    move = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"numero": n, "rue": f"rue de l'Été n° {n}", "hauteur": n / 2},
            "geometry": {"type": "Point", "coordinates": list(move(x, y))},
        }
        for n, x, y in benches()
    ]
    path = folder / f"bancs{code}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of a WFS with the benches in four reference systems."""
    program = environments.debian(PROGRAM, PACKAGE)

    class Cgi(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = self.path.partition("?")[2]
            own = {
                "REQUEST_METHOD": "GET",
                "QUERY_STRING": f"map=t&{query}".replace("map=t&map=t", "map=t"),
                "SERVER_NAME": "127.0.0.1",
                "MAPSERVER_CONFIG_FILE": str(folder / "mapserver.conf"),
            }
            done = subprocess.run(
                [program], env=os.environ | own, capture_output=True, check=False, timeout=60
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode("latin-1").splitlines():
                name, _, value = line.partition(": ")
                if name.lower() == "content-type":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cgi)
    url = f"http://127.0.0.1:{server.server_port}/wfs"
    layers = "".join(
        _LAYER.format(
            name=f"bancs{code}",
            code=code,
            extent=extent(code),
            file=write_layer(folder, code),
            formats="gml,geojson",
        )
        for code in (4326, 2154, 2169, 3857)
    )
    (folder / "t.map").write_text(_MAP.format(url=url, layers=layers))
    (folder / "mapserver.conf").write_text(f'CONFIG\n MAPS\n "t" "{folder}/t.map"\n END\nEND\n')
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
