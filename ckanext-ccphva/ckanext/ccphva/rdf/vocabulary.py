"""Namespaces of DCAT-AP 3, GeoDCAT-AP 3 and DCAT-AP HVD, as their documents write them."""

from __future__ import annotations

from rdflib import Namespace
from rdflib.namespace import DCAT, DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SKOS, TIME, XSD

ADMS = Namespace("http://www.w3.org/ns/adms#")
CNT = Namespace("http://www.w3.org/2011/content#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
DQV = Namespace("http://www.w3.org/ns/dqv#")
ELI = Namespace("http://data.europa.eu/eli/ontology#")
GEODCAT = Namespace("http://data.europa.eu/930/")
GSP = Namespace("http://www.opengis.net/ont/geosparql#")
LOCN = Namespace("http://www.w3.org/ns/locn#")
ROLE = Namespace("http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/")
SDMX = Namespace("http://purl.org/linked-data/sdmx/2009/attribute#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")

PREFIXES = {
    "adms": ADMS, "cnt": CNT, "dcat": DCAT, "dcatap": DCATAP, "dct": DCTERMS, "dqv": DQV, "eli": ELI,
    "foaf": FOAF, "geodcatap": GEODCAT, "gsp": GSP, "locn": LOCN, "org": ORG, "owl": OWL, "prov": PROV,
    "rdfs": RDFS, "sdmx-attribute": SDMX, "skos": SKOS, "spdx": SPDX, "time": TIME, "vcard": VCARD,
    "xsd": XSD,
}  # fmt: skip

__all__ = [
    "ADMS", "CNT", "DCAT", "DCATAP", "DCTERMS", "DQV", "ELI", "FOAF", "GEODCAT", "GSP", "LOCN", "ORG", "OWL",
    "PREFIXES", "PROV", "RDF", "RDFS", "ROLE", "SDMX", "SKOS", "SPDX", "TIME", "VCARD", "XSD",
]  # fmt: skip
