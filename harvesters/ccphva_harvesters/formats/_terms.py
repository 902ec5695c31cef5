"""Namespaces of DCAT-AP 3, GeoDCAT-AP 3, DCAT-AP HVD and the national profiles we meet."""

from __future__ import annotations

ADMS = "http://www.w3.org/ns/adms#"
CNT = "http://www.w3.org/2011/content#"
DCAT = "http://www.w3.org/ns/dcat#"
DCATAP = "http://data.europa.eu/r5r/"
DCATDE = "http://dcat-ap.de/def/dcatde/"
DCATDE1 = "http://dcat-ap.de/def/dcatde/1.0/"
DCT = "http://purl.org/dc/terms/"
DQV = "http://www.w3.org/ns/dqv#"
DCTX = "http://purl.org/dc/terms/#"  # a common slip
FOAF = "http://xmlns.com/foaf/0.1/"
GEODCAT = "http://data.europa.eu/930/"
GSP = "http://www.opengis.net/ont/geosparql#"
GSP_OLD = "http://www.opengis.net/rdf#"
LOCN = "http://www.w3.org/ns/locn#"
MOBILITY = "http://w3id.org/mobilitydcat-ap#"
ODRL = "http://www.w3.org/ns/odrl/2/"
ORG = "http://www.w3.org/ns/org#"
OWL = "http://www.w3.org/2002/07/owl#"
PLU = "http://specs.diplanung.de/plu/"
PROV = "http://www.w3.org/ns/prov#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SDMX = "http://purl.org/linked-data/sdmx/2009/attribute#"
SCHEMA = "http://schema.org/"
SCHEMAS = "https://schema.org/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SPDX = "http://spdx.org/rdf/terms#"
SPDXS = "https://spdx.org/rdf/terms/#"
TIME = "http://www.w3.org/2006/time#"
WGS = "http://www.w3.org/2003/01/geo/wgs84_pos#"
VCARD = "http://www.w3.org/2006/vcard/ns#"

INSPIRE_THEME = "http://inspire.ec.europa.eu/theme/"
ROLE = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/"

LABELS = (
    SKOS + "prefLabel", RDFS + "label", DCT + "title", FOAF + "name", VCARD + "fn", SKOS + "notation",
    DCT + "description", DCT + "identifier", RDF + "value",
)  # fmt: skip
"""Where a described thing keeps its name, best first."""
