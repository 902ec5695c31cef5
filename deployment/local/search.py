"""The Solr home of an instance: CKAN's own schema with our fields put in."""

from __future__ import annotations

import shutil
from xml.etree import ElementTree

from local.settings import DEPLOYMENT, UNITS, Instance
from local.tools import SITE_PACKAGES

CORES = ("ckan", *UNITS)


def write_home(instance: Instance) -> None:
    home = instance.paths["solr"]
    shutil.copy(DEPLOYMENT / "solr" / "solr.xml", home / "solr.xml")
    for core in CORES:
        folder = home / core / "conf"
        folder.mkdir(parents=True, exist_ok=True)
        (home / core / "core.properties").write_text(f"name={core}\n")
        for file in (DEPLOYMENT / "solr" / "conf").iterdir():
            shutil.copy(file, folder / file.name)
        (folder / "schema.xml").write_text(joined_schema())


def joined_schema() -> str:
    """CKAN's schema.xml with the types and fields of `deployment/solr/fields.xml`."""
    # Both files are ours or CKAN's own, never somebody's upload.
    schema = ElementTree.parse(SITE_PACKAGES / "ckan" / "config" / "solr" / "schema.xml").getroot()  # noqa: S314
    for part in ElementTree.parse(DEPLOYMENT / "solr" / "fields.xml").getroot():  # noqa: S314
        home = schema if part.tag == "copyField" else schema.find(part.tag)
        assert home is not None, part.tag  # noqa: S101
        if part.tag == "copyField":
            home.append(part)
        else:
            home.extend(part)
    return ElementTree.tostring(schema, encoding="unicode")
