"""The portal's licences as SKOS, mapped to the EU's authority table. Imports nothing of CKAN.

DCAT-AP HVD 3.0.0 asks of a national licence a URI that can be read and a mapping to that table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ckanext.ccphva import licences
from rdflib import DCTERMS, FOAF, RDF, SKOS, Graph, Literal, URIRef
from rdflib.namespace import OWL

ADMS_TYPE = "http://purl.org/adms/licencetype/"
SCHEME_TITLE = {
    "fr": "Licences du portail",
    "de": "Lizenzen des Portals",
    "en": "Licences of the portal",
    "lb": "Lizenze vum Portal",
}
MEDIA = {
    "ttl": ("turtle", "text/turtle"),
    "rdf": ("xml", "application/rdf+xml"),
    "jsonld": ("json-ld", "application/ld+json"),
}
"""Serialisation and media type by ending."""


def scheme(found: Iterable[licences.Licence], base: str) -> Graph:
    """A concept scheme with a concept a licence.

    :param base: base of the URIs of this portal's things.
    """
    graph = Graph()
    graph.bind("skos", SKOS)
    graph.bind("dct", DCTERMS)
    top = URIRef(f"{base.rstrip('/')}/licences")
    graph.add((top, RDF.type, SKOS.ConceptScheme))
    for language, title in SCHEME_TITLE.items():
        graph.add((top, DCTERMS.title, Literal(title, lang=language)))
    for licence in found:
        if licence.get("crpa") != "none":
            _add(graph, top, licence, base)
    return graph


def _add(graph: Graph, top: URIRef, licence: licences.Licence, base: str) -> None:
    this = URIRef(licences.page_uri(licence, base))
    graph.add((this, RDF.type, SKOS.Concept))
    graph.add((this, RDF.type, DCTERMS.LicenseDocument))
    graph.add((this, SKOS.inScheme, top))
    graph.add((top, SKOS.hasTopConcept, this))
    graph.add((this, DCTERMS.identifier, Literal(licence["id"])))
    for language, title in licence["title"].items():
        graph.add((this, SKOS.prefLabel, Literal(title, lang=language)))
    for part, term in (("may", SKOS.scopeNote), ("must", SKOS.scopeNote), ("must_not", SKOS.scopeNote)):
        for language, texts in (licence.get(part) or {}).items():
            graph.add((this, term, Literal(f"{_HEADING[part][language]} {'; '.join(texts)}", lang=language)))
    for name, term in (("exact", SKOS.exactMatch), ("close", SKOS.closeMatch)):
        if licence.get(name):
            graph.add((this, term, URIRef(licence[name])))
    if licence.get("url"):
        text = str(licence["url"])
        graph.add((this, FOAF.page, URIRef(text if "://" in text else f"{base.rstrip('/')}{text}")))
    if licence.get("spdx"):
        graph.add((this, OWL.sameAs, URIRef(f"https://spdx.org/licenses/{licence['spdx']}")))
    if licence.get("type"):
        graph.add((this, DCTERMS.type, URIRef(ADMS_TYPE + licence["type"])))


_HEADING: dict[str, Any] = {
    "may": {"fr": "Permis :", "de": "Erlaubt:", "en": "Allowed:", "lb": "Erlaabt:"},
    "must": {"fr": "Obligatoire :", "de": "Pflicht:", "en": "Required:", "lb": "Flicht:"},
    "must_not": {"fr": "Interdit :", "de": "Verboten:", "en": "Forbidden:", "lb": "Verbueden:"},
}
