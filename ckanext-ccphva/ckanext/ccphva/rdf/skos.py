"""Code lists as SKOS (W3C SKOS Reference §3, §4): a concept scheme and its concepts in four languages."""

from __future__ import annotations

from ckanext.ccphva.codelists import Codelist
from rdflib import Graph, Literal, URIRef

from .vocabulary import DCTERMS, RDF, SKOS
from .writer import Writer

MEDIA_TYPES = {
    "ttl": "text/turtle",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
"""What a list may be had as, by the ending of its address."""
_SYNTAX = {"ttl": "turtle", "rdf": "pretty-xml", "jsonld": "json-ld"}


def written(codelist: Codelist, portal: str, ending: str) -> str:
    """A list in one of the syntaxes of `MEDIA_TYPES`."""
    return scheme(codelist, portal).serialize(format=_SYNTAX[ending])


def scheme(codelist: Codelist, portal: str) -> Graph:
    """The concept scheme of a list."""
    graph = Graph()
    graph.bind("skos", SKOS)
    graph.bind("dct", DCTERMS, replace=True)
    writer = Writer(graph, portal)
    node = URIRef(codelist.address(portal))
    graph.add((node, RDF.type, SKOS.ConceptScheme))
    writer.texts(node, DCTERMS.title, codelist.title)
    for concept in codelist:
        address = URIRef(codelist.uri(concept.value, portal))
        graph.add((address, RDF.type, SKOS.Concept))
        graph.add((address, SKOS.inScheme, node))
        graph.add((node, SKOS.hasTopConcept, address))
        graph.add((address, SKOS.notation, Literal(concept.code)))
        writer.texts(address, SKOS.prefLabel, concept.labels)
    return graph
