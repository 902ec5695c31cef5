"""Codes of ISO 19115 and OGC, and the addresses that they mean in the EU's and INSPIRE's lists.

GeoDCAT-AP 3 §B.6 gives the pairs. The names of INSPIRE's themes come from the portal's own code list.
Private to the formats. Imports only ``ccphva_schemas`` (data).
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple, cast

import yaml

INSPIRE = "http://inspire.ec.europa.eu/metadata-codelist/"
ISO = "http://standards.iso.org/iso/19115/resources/Codelists/cat/codelists.xml#"
EU = "http://publications.europa.eu/resource/authority/"
ROLE = INSPIRE + "ResponsiblePartyRole/"
TOPIC = INSPIRE + "TopicCategory/"
RESOURCE = INSPIRE + "ResourceType/"
DEGREE = INSPIRE + "DegreeOfConformity/"
TECHNIQUE = INSPIRE + "SpatialRepresentationType/"
SERVICE = INSPIRE + "SpatialDataServiceType/"
THEME = "http://inspire.ec.europa.eu/theme/"
HVD = "http://data.europa.eu/bna/"
CRS = "http://www.opengis.net/def/crs/EPSG/0/"

_FREQUENCIES = {
    "continual": "CONT", "daily": "DAILY", "weekly": "WEEKLY", "fortnightly": "BIWEEKLY",
    "monthly": "MONTHLY", "quarterly": "QUARTERLY", "biannually": "ANNUAL_2", "semiannually": "ANNUAL_2",
    "annually": "ANNUAL", "biennially": "BIENNIAL", "irregular": "IRREG", "unknown": "UNKNOWN",
}  # fmt: skip
_LANGUAGES = {
    "fre": "FRA",
    "ger": "DEU",
    "dut": "NLD",
    "gre": "ELL",
    "rum": "RON",
    "cze": "CES",
    "slo": "SLK",
}
_TWO = {
    "fr": "FRA",
    "de": "DEU",
    "en": "ENG",
    "lb": "LTZ",
    "nl": "NLD",
    "it": "ITA",
    "es": "SPA",
    "rm": "ROH",
}


def frequency(code: str) -> str:
    """Address of an MD_MaintenanceFrequencyCode: the EU's where it has one, else INSPIRE's."""
    known = _FREQUENCIES.get(code)
    return f"{EU}frequency/{known}" if known else f"{INSPIRE}MaintenanceFrequency/{code}"


def language(code: str) -> str:
    """Address of a language in the EU's list, which knows ISO 639-2/T; other words stay as they are."""
    low = code.strip().lower()
    tag = re.split("[-_;]", low)[0]
    found = _TWO.get(tag) or _LANGUAGES.get(tag) or (tag.upper() if re.fullmatch("[a-z]{3}", tag) else None)
    return f"{EU}language/{found}" if found else code


def reference_system(code: str, space: str | None, anchor: str | None) -> str:
    """Address of an EPSG code however it is written; another system's name stays as it is."""
    for text in (anchor or "", code, f"{space or ''}:{code}"):
        match = re.search(r"EPSG[^\d]{0,12}(?:\d+(?:\.\d+)*[:/])?(\d{4,6})\b", text, re.IGNORECASE)
        if match:
            return CRS + match[1]
    return code if not space or space in code else f"{space}:{code}"


@cache
def _theme_names() -> dict[str, str]:
    """INSPIRE's themes by their names in four languages, in lower case."""
    listed = yaml.safe_load(
        files("ccphva_schemas").joinpath("codelists/inspire-theme.yaml").read_text("utf-8")
    )
    concepts = cast("dict[str, dict[str, str]]", listed["concepts"])
    return {
        name.casefold().replace("’", "'"): f"{THEME}{code}"
        for code, names in concepts.items()
        for name in (code, *names.values())
    }


def inspire_theme(word: str) -> str | None:
    """Address of the INSPIRE theme that bears this name, or None."""
    return _theme_names().get(" ".join(word.split()).casefold().replace("’", "'"))


class OgcService(NamedTuple):
    """A kind of service: short name and the address of its standard."""

    name: str
    uri: str


_SERVICES = (
    ("WMTS", "http://www.opengeospatial.org/standards/wmts"),
    ("WMS", "http://www.opengeospatial.org/standards/wms"),
    ("WFS", "http://www.opengeospatial.org/standards/wfs"),
    ("WCS", "http://www.opengeospatial.org/standards/wcs"),
    ("WPS", "http://www.opengeospatial.org/standards/wps"),
    ("CSW", "http://www.opengeospatial.org/standards/cat"),
    ("SOS", "http://www.opengeospatial.org/standards/sos"),
    ("TMS", "http://www.osgeo.org/tms"),
)
_LONG = (
    ("WEB MAP TILE SERVICE", "WMTS"), ("WEB MAP SERVICE", "WMS"), ("WEB FEATURE SERVICE", "WFS"),
    ("WEB COVERAGE SERVICE", "WCS"),
)  # fmt: skip


def service(protocol: str, address: str) -> OgcService | None:
    """The kind of OGC service that a protocol names, or an address asks for by ``service=``."""
    asked = re.search(r"[?&]service=(\w+)", address, re.IGNORECASE)
    upper = protocol.upper().replace("-", " ").replace("_", " ")
    for words, short in _LONG:
        upper = upper.replace(words, short)
    named = set(re.split(r"[^A-Z]+", upper))
    if asked:
        named.add(asked[1].upper())
    for name, uri in _SERVICES:
        if name in named:
            return OgcService(name, uri)
    return None


def is_download(protocol: str) -> bool:
    """True for GeoNetwork's and GeoNode's names of direct downloads."""
    return "DOWNLOAD" in protocol.upper()


_SUFFIXES = {
    "csv": "CSV", "xls": "XLS", "xlsx": "XLSX", "ods": "ODS", "json": "JSON", "geojson": "GEOJSON",
    "kml": "KML", "kmz": "KMZ", "gml": "GML", "gpkg": "GPKG", "shp": "SHP", "zip": "ZIP", "7z": "7Z",
    "pdf": "PDF", "xml": "XML", "html": "HTML", "htm": "HTML", "tif": "TIFF", "tiff": "TIFF",
    "jpg": "JPEG", "png": "PNG", "txt": "TXT", "doc": "DOC", "docx": "DOCX", "odt": "ODT", "gpx": "GPX",
    "dxf": "DXF", "parquet": "PARQUET",
}  # fmt: skip


def format_of(kind: OgcService | None, protocol: str, address: str) -> str | None:
    """Short name of a link's format, from what its protocol or its last part says for sure."""
    if kind is not None:
        return kind.name
    path = re.split("[?#]", address)[0]
    suffix = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    return "HTML" if protocol.lower() == "text/html" else None
