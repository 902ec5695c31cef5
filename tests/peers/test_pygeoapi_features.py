"""A real OGC API Features server: paging, territory, reference systems with their axes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ccphva_harvesters import Client, MemoryCatalogue, MemoryTables, harvest
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources.ogcapi_features import FeaturesConfig, FeaturesSource

from . import environments, mapserver, processes

pytestmark = pytest.mark.slow
REQUIREMENT = "pygeoapi==0.21.0"
CRS = "http://www.opengis.net/def/crs/EPSG/0/"


def configuration(folder: Path, port: int) -> dict[str, Any]:
    """The benches of the territory as one collection."""
    file = mapserver.write_layer(folder, 4326)
    features = json.loads(file.read_text())
    for feature in features["features"]:
        feature["id"] = feature["properties"]["numero"]
    file.write_text(json.dumps(features))
    text = {"en": "Benches", "fr": "Bancs"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": f"http://127.0.0.1:{port}",
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["fr-FR", "en-US"],
            "limits": {"default_items": 10, "max_items": 10},
            "map": {"url": "http://127.0.0.1/{z}/{x}/{y}.png", "attribution": "-"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": text, "description": text, "keywords": ["bancs"],
            "terms_of_service": "-", "url": "-"},
            "license": {"name": "-", "url": "http://127.0.0.1/"},
            "provider": {"name": "-", "url": "http://127.0.0.1/"},
            "contact": {"name": "-"},
        },
        "resources": {
            "bancs": {
                "type": "collection",
                "title": text,
                "description": text,
                "keywords": ["banc", "mobilier"],
                "links": [],
                "extents": {"spatial": {"bbox": [5.8, 49.4, 6.1, 49.6], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
                "providers": [
                    {
                        "type": "feature",
                        "name": "GeoJSON",
                        "data": str(file),
                        "id_field": "numero",
                        "crs": [CRS + code for code in ("4326", "2154", "2169", "3857")],
                    }
                ],
            }
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests of this file."""
    folder = tmp_path_factory.mktemp("pygeoapi")
    program = environments.environment("pygeoapi-features", REQUIREMENT).with_name("pygeoapi")
    port = processes.free_port()
    (folder / "config.yml").write_text(yaml.safe_dump(configuration(folder, port)))
    own = {"PYGEOAPI_CONFIG": "config.yml", "PYGEOAPI_OPENAPI": "openapi.yml"}
    subprocess.run(
        [program, "openapi", "generate", "config.yml", "--output-file", "openapi.yml"],
        cwd=folder, env=os.environ | own, check=True, capture_output=True,
    )  # fmt: skip
    found = f"http://127.0.0.1:{port}"
    with processes.running([program, "serve"], found + "/conformance", folder, environment=own):
        yield found


def rows_of(url: str, **config: Any) -> list[dict[str, Any]]:
    """Rows after a harvest."""
    tables = MemoryTables()
    with Client(allow_networks=["127.0.0.0/8"]) as client:
        source = FeaturesSource(FeaturesConfig(url=url, **config), client)
        assert "bancs" in source.check()
        report = harvest(source, Native(), [], MemoryCatalogue(), tables=tables, personal_data="none")
    assert (report.error, report.added, report.rows_rejected, report.tables_failed) == (None, 1, 0, 0)
    return tables.rows(f"{url}/collections/bancs")


@pytest.mark.parametrize("crs", [None, "4326", "2154", "2169", "3857"])
def test_benches_stand_where_they_stand(url: str, crs: str | None) -> None:
    """Three pages, in each reference system: all benches, within a metre."""
    rows = rows_of(url, crs=None if crs is None else CRS + crs)
    expected = {n: (x, y) for n, x, y in mapserver.benches()}
    assert {int(row["feature_id"]) for row in rows} == set(expected)
    for row in rows:
        x, y = row["geom"]["coordinates"][:2]
        assert abs(x - expected[int(row["feature_id"])][0]) < 2e-5
        assert abs(y - expected[int(row["feature_id"])][1]) < 2e-5


def test_a_box_of_the_territory(url: str) -> None:
    """Only what lies in it."""
    assert {int(r["feature_id"]) for r in rows_of(url, bbox=(5.9, 49.48, 5.9151, 49.4901))} == {1, 2, 3, 4, 5}
