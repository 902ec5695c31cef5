"""The demonstration's catalogue in the tests' own portal: its organisations, and its document
harvested once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ckan.plugins as p
from ckanext.ccphva import demo
from harvesting import TURTLE, Site, harvest, make_source

FOLDER = Path(__file__).parents[2] / "deployment" / "territories" / "ccphva" / "demo"
PREFIX = "demo-"


@contextmanager
def demo_catalogue(reset_db: object, reset_index: object) -> Iterator[None]:
    """All plugins, an empty database and index, then 75 datasets in both."""
    p.load_all()
    reset_db()  # type: ignore[operator]
    reset_index()  # type: ignore[operator]
    list(demo.fill(None))
    site = Site()
    try:
        text = (FOLDER / "catalogue.ttl").read_bytes()
        job = harvest(make_source(site.serve("/demo-source/catalogue.ttl", text, TURTLE), owner_org="ccphva"))
        assert job["status"] == "Finished", job
        yield
    finally:
        site.close()
        reset_db()  # type: ignore[operator]
        reset_index()  # type: ignore[operator]
        p.unload_all()
