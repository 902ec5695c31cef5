"""Two catalogue servers that others wrote: how to install, fill and start them on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import environments, processes

HERE = Path(__file__).parent
PYCSW = ("pycsw==2.6.2", "SQLAlchemy==1.4.54", "setuptools==80.9.0", "OWSLib==0.28.1", "lxml==6.1.3")
"""pycsw imports ``pkg_resources``, which newer setuptools have not, and needs SQLAlchemy before 2."""
PYGEOAPI = ("pygeoapi==0.21.0", "tinydb==4.9.0")
"""The last that runs on Python 3.11."""
_SERVER = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from pycsw.core import admin, config
from pycsw.wsgi import application

home, port, records = sys.argv[1:]
database = f"sqlite:///{home}/records.db"
admin.setup_db(database, "records", home)
loaded = admin.load_records(config.StaticContext(), database, "records", records)
print(len(loaded), "records", flush=True)
make_server("127.0.0.1", int(port), application).serve_forever()
"""
_CONFIGURATION = """
[server]
home={home}
url=http://127.0.0.1:{port}/
mimetype=application/xml; charset=UTF-8
encoding=UTF-8
language=fr-FR
maxrecords={cap}
profiles=apiso
[manager]
transactions=false
[metadata:main]
identification_title=Catalogue de la commune
identification_abstract=Essai
identification_keywords=essai
identification_keywords_type=theme
identification_fees=None
identification_accessconstraints=None
provider_name=Commune
provider_url=http://127.0.0.1/
contact_name=-
contact_position=-
contact_address=-
contact_city=-
contact_stateorprovince=-
contact_postalcode=-
contact_country=-
contact_phone=-
contact_fax=-
contact_email=-
contact_url=-
contact_hours=-
contact_instructions=-
contact_role=pointOfContact
[repository]
database=sqlite:///{home}/records.db
table=records
[metadata:inspire]
enabled=false
"""


def installed(name: str, *requirements: str) -> Path:
    """The peer's environment; where it cannot be installed the test is skipped aloud, but in CI it fails."""
    try:
        return environments.environment(name, *requirements)
    except RuntimeError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the peer {name} cannot be installed here (no network?): {str(exc)[-300:]}")


@contextlib.contextmanager
def pycsw(folder: Path, records: Sequence[bytes], cap: int = 5) -> Iterator[str]:
    """A pycsw that holds files of ISO 19139, at most ``cap`` a page; gives its address.

    Its own ``wsgi.py`` would listen everywhere, and its sample ``gzip_compresslevel`` breaks clients.
    """
    python = installed("pycsw", *PYCSW)
    port = processes.free_port()
    held = folder / "records"
    held.mkdir()
    for number, body in enumerate(records):
        (held / f"{number:03}.xml").write_bytes(body)
    (folder / "pycsw.cfg").write_text(_CONFIGURATION.format(home=folder, port=port, cap=cap))
    (folder / "server.py").write_text(_SERVER)
    command = [python, folder / "server.py", folder, str(port), held]
    url = f"http://127.0.0.1:{port}/"
    question = url + "?service=CSW&version=2.0.2&request=GetCapabilities"
    with processes.running(
        command, question, folder, environment={"PYCSW_CONFIG": str(folder / "pycsw.cfg")}
    ):
        yield url


@contextlib.contextmanager
def pygeoapi(folder: Path, records: Sequence[dict[str, Any]], cap: int = 3) -> Iterator[str]:
    """A pygeoapi with one catalogue of records, at most ``cap`` a page; gives its address."""
    program = installed("pygeoapi-records", *PYGEOAPI).with_name("pygeoapi")
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    data = {"_default": {str(number): record for number, record in enumerate(records, 1)}}
    (folder / "records.tinydb").write_text(json.dumps(data))
    (folder / "config.yml").write_text(yaml.safe_dump(_pygeoapi(folder, url, port, cap)))
    own = {"PYGEOAPI_CONFIG": "config.yml", "PYGEOAPI_OPENAPI": "openapi.yml"}
    generate = [program, "openapi", "generate", "config.yml", "--output-file", "openapi.yml"]
    subprocess.run(generate, cwd=folder, env=os.environ | own, check=True, capture_output=True)
    with processes.running([program, "serve"], url + "/conformance", folder, environment=own):
        yield url


def _pygeoapi(folder: Path, url: str, port: int, cap: int) -> dict[str, Any]:
    text = {"fr": "Catalogue", "en": "Catalogue"}
    crs = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    provider = {"type": "record", "name": "TinyDBCatalogue", "data": str(folder / "records.tinydb")}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["fr-FR", "en-US"],
            "limits": {"default_items": cap, "max_items": cap},
            "map": {"url": "http://127.0.0.1/{z}/{x}/{y}.png", "attribution": "-"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": text,
                "description": text,
                "keywords": ["essai"],
                "terms_of_service": "-",
                "url": "-",
            },
            "license": {"name": "-", "url": "http://127.0.0.1/"},
            "provider": {"name": "-", "url": "http://127.0.0.1/"},
            "contact": {"name": "-"},
        },
        "resources": {
            "catalogue": {
                "type": "collection",
                "title": text,
                "description": text,
                "keywords": ["essai"],
                "links": [],
                "extents": {"spatial": {"bbox": [-180, -90, 180, 90], "crs": crs}},
                "providers": [{**provider, "id_field": "externalId", "time_field": "recordCreated"}],
            }
        },
    }
