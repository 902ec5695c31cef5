"""The catalogue itself as dcat:Catalog: what `territory.yaml` says of it, in the words of the dataset schema.

DCAT-AP 3.0.1 §Catalogue, GeoDCAT-AP 3 §Catalogue. Titles and publisher come from the territory; what stands
under `catalogue:` there (licence of the descriptions, contact, area, …) is optional, field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckanext.ccphva import codelists, licences, narrative, territory
from ckanext.ccphva.languages import LANGUAGES
from rdflib import Literal, URIRef
from rdflib.term import Node

from . import organisations, properties
from .vocabulary import DCAT, DCTERMS, FOAF, PROV, RDF, ROLE, SKOS
from .writer import Writer

LANGUAGE = {"fr": "FRA", "de": "DEU", "en": "ENG", "lb": "LTZ"}
"""The portal's languages in the words of the EU's table."""
LANGUAGE_BASE = "http://publications.europa.eu/resource/authority/language/"
TAXONOMIES = ("data-theme", "local-theme", "inspire-theme")


def describe(writer: Writer, catalog: URIRef, own: Mapping[str, Any] | None) -> None:
    """Describe the catalogue.

    :param own: what ckanext-dcat was asked to say instead of titles and description.
    """
    said = territory.load().data.get("catalogue") or {}
    _texts(writer, catalog, own or {})
    _languages(writer, catalog)
    for page in list(writer.graph.objects(catalog, FOAF.homepage)):
        writer.graph.add((page, RDF.type, FOAF.Document))
    _agents(writer, catalog, said)
    writer.properties(catalog, said, properties.CATALOGUE)
    writer.texts(catalog, DCTERMS.identifier, str(catalog))
    for language, words in (said.get("tags_translated") or {}).items():
        for word in words:
            writer.add(catalog, DCAT.keyword, Literal(word, lang=language))
    writer.covered(catalog, said)
    _licence(writer, catalog, said.get("license_id"))
    for name in TAXONOMIES:
        codelist = codelists.load(name)
        scheme = URIRef(codelist.address(writer.portal))
        writer.add(catalog, DCAT.themeTaxonomy, scheme, SKOS.ConceptScheme)
        writer.texts(scheme, DCTERMS.title, codelist.title)


def _texts(writer: Writer, catalog: URIRef, own: Mapping[str, Any]) -> None:
    for predicate, field in ((DCTERMS.title, "title"), (DCTERMS.description, "subtitle")):
        if not own.get(field):
            writer.graph.remove((catalog, predicate, None))
            texts = {language: narrative.territory_text(field, language) for language in LANGUAGES}
            writer.texts(catalog, predicate, texts)


def _languages(writer: Writer, catalog: URIRef) -> None:
    writer.graph.remove((catalog, DCTERMS.language, None))
    for code in LANGUAGE.values():
        writer.add(catalog, DCTERMS.language, URIRef(LANGUAGE_BASE + code), DCTERMS.LinguisticSystem)


def _agents(writer: Writer, catalog: URIRef, said: Mapping[str, Any]) -> None:
    """The territory's main organisation in its roles, and who answers."""
    for item in said.get("contact") or ():
        writer.add(catalog, DCAT.contactPoint, writer.contact(item))
    node = organisations.by_name(writer, territory.load().main_organization)
    if node is None:
        return
    for predicate in (DCTERMS.publisher, DCTERMS.creator, DCTERMS.rightsHolder):
        writer.graph.add((catalog, predicate, node))
    writer.forget(catalog, PROV.qualifiedAttribution)
    for role in said.get("roles") or ():
        writer.attribution(catalog, {"uri": str(node), "role": str(ROLE[role])})


def _licence(writer: Writer, catalog: Node, id_: str | None) -> None:
    """The licence of the descriptions, which need not be that of any data."""
    licence = licences.by_id().get(id_ or "")
    address = licences.uri(licence, writer.portal) if licence else None
    if licence and address:
        writer.add(catalog, DCTERMS.license, URIRef(address), DCTERMS.LicenseDocument)
        writer.texts(URIRef(address), DCTERMS.title, licence["title"])
