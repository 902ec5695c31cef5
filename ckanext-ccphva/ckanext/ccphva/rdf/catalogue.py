"""The profile `ccphva_dcat_ap`, stacked on ckanext-dcat's `euro_dcat_ap_3`: what that one leaves out.

GeoDCAT-AP 3, data services, dataset series, agents with their roles, places without loss, and the classes
and addresses that the shapes of DCAT-AP 3.0.1 ask for. Plain properties are lines of `properties`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ckanext.ccphva import codelists
from ckanext.dcat.profiles.base import RDFProfile
from ckanext.dcat.utils import catalog_uri, resource_uri
from rdflib import BNode, Literal, URIRef
from rdflib.term import Node

from . import organisations, portal, properties
from .vocabulary import (
    ADMS,
    DCAT,
    DCATAP,
    DCTERMS,
    GEODCAT,
    OWL,
    PREFIXES,
    PROV,
    RDF,
    RDFS,
    SPDX,
    XSD,
)  # fmt: skip
from .writer import Writer, date, texts_of, uri

Dict = dict[str, Any]
SERVICE, SERIES = "data_service", "dataset_series"
_DIGEST = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
"""Algorithm of a checksum by its number of hexadecimal digits."""
_NOT_OF_A_SERVICE = (DCAT.distribution, DCTERMS.accrualPeriodicity, DCTERMS.provenance, OWL.versionInfo)


class CatalogueProfile(RDFProfile):
    """What `euro_dcat_ap_3` does not say of datasets, services, series and the catalogue."""

    @property
    def writer(self) -> Writer:
        return Writer(self.g, catalog_uri().rstrip("/"))

    def graph_from_dataset(self, dataset_dict: Dict, dataset_ref: URIRef) -> None:
        for prefix, namespace in PREFIXES.items():
            self.g.bind(prefix, namespace, replace=True)
        writer, kind = self.writer, dataset_dict.get("type")
        writer.forget(dataset_ref, DCTERMS.hasVersion)  # DCAT-AP 3 has dcat:hasVersion
        writer.forget(dataset_ref, DCTERMS.isVersionOf)
        table = properties.SERVICE if kind == SERVICE else properties.DATASET
        writer.properties(dataset_ref, dataset_dict, table)
        _identifiers(writer, dataset_ref)
        _agents(writer, dataset_dict, dataset_ref)
        _described(writer, dataset_dict, dataset_ref)
        _provenance(writer, dataset_dict, dataset_ref)
        _classes(writer, dataset_ref)
        if kind == SERIES:  # GeoDCAT-AP 3: a series relates to resources of catalogues
            for value in list(self.g.objects(dataset_ref, DCTERMS.relation)):
                self.g.add((value, RDF.type, DCAT.Resource))
        if kind == SERVICE:
            _as_service(writer, dataset_ref)
        for resource in dataset_dict.get("resources", ()):
            distribution = URIRef(resource_uri(resource))
            for service in _distribution(writer, resource, distribution):
                _with_contact(writer, service, dataset_ref)

    def graph_from_catalog(self, catalog_dict: Dict | None, catalog_ref: URIRef) -> None:
        portal.describe(self.writer, catalog_ref, catalog_dict)

    def parse_dataset(self, dataset_dict: Dict, dataset_ref: URIRef) -> Dict:
        """Read the plain properties of the table that a dataset has."""
        lists = {"dataset", "concept"}
        for row in properties.DATASET:
            found = sorted(str(value) for value in self.g.objects(dataset_ref, row.predicate))
            field = self._schema_field(row.field)
            if not found or not field or row.predicate in (DCAT.theme, DCTERMS.rights):
                continue
            several = row.kind in lists and "multiple" in str(field.get("validators"))
            dataset_dict[row.field] = found if several else found[0]
        return dataset_dict


def _identifiers(writer: Writer, dataset: Node) -> None:
    """Identifiers are texts (DCAT-AP 3.0.1: dct:identifier is a literal)."""
    for value in list(writer.graph.objects(dataset, DCTERMS.identifier)):
        if isinstance(value, URIRef):
            writer.graph.remove((dataset, DCTERMS.identifier, value))
            writer.add(dataset, DCTERMS.identifier, Literal(str(value), datatype=XSD.anyURI))


def _agents(writer: Writer, data: Dict, dataset: URIRef) -> None:
    for predicate in (DCTERMS.publisher, DCTERMS.creator, DCAT.contactPoint, DCAT.qualifiedAttribution):
        writer.forget(dataset, predicate)
    for item in data.get("publisher") or ():
        writer.add(dataset, DCTERMS.publisher, writer.agent(item))
    if not data.get("publisher") and data.get("owner_org"):
        writer.add(dataset, DCTERMS.publisher, organisations.agent(writer, data["owner_org"]))
    for item in data.get("creator") or ():
        writer.add(dataset, DCTERMS.creator, writer.agent(item))
    for item in data.get("contact") or ():
        writer.add(dataset, DCAT.contactPoint, writer.contact(item))
    for item in data.get("qualified_attribution") or ():
        writer.attribution(dataset, item)


def _described(writer: Writer, data: Dict, dataset: URIRef) -> None:
    """Places, periods, assessments and measurements."""
    writer.covered(dataset, data)
    for item in data.get("conformity") or ():
        writer.conformity(dataset, item)
    for item in data.get("quality_measurement") or ():
        writer.measurement(dataset, item)


def _provenance(writer: Writer, data: Dict, dataset: URIRef) -> None:
    """Lineage and notes in their languages, activities with typed dates."""
    for field, predicate, type_ in (
        ("provenance", DCTERMS.provenance, DCTERMS.ProvenanceStatement),
        ("version_notes", ADMS.versionNotes, None),
    ):
        writer.forget(dataset, predicate)
        if texts := texts_of(data.get(field)):
            if type_:
                writer.statement(dataset, predicate, texts, type_)
            else:
                writer.texts(dataset, predicate, texts)
    writer.forget(dataset, PROV.wasGeneratedBy)
    for item in data.get("provenance_activity") or ():
        activity = uri(item["uri"]) if item.get("uri") else BNode()
        writer.add(dataset, PROV.wasGeneratedBy, activity, PROV.Activity)
        writer.texts(activity, RDFS.label, item.get("label"))
        writer.add(activity, PROV.startedAtTime, date(item.get("startedAtTime")))
        for field, predicate in (("dct_type", DCTERMS.type), ("seeAlso", RDFS.seeAlso)):
            if item.get(field):
                writer.add(activity, predicate, uri(item[field]))


def _classes(writer: Writer, dataset: URIRef) -> None:
    """Classes that the shapes ask for, and what a sample must say, being a distribution (DCAT-AP 3.0.1)."""
    graph = writer.graph
    for system in list(graph.objects(predicate=GEODCAT.referenceSystem)):
        graph.add((system, RDF.type, DCTERMS.Standard))  # GeoDCAT-AP 3.0; 3.1 has skos:Concept
    for licence in list(graph.objects(dataset, DCTERMS.license)):
        writer.add(dataset, DCTERMS.license, licence, DCTERMS.LicenseDocument)
    for sample in list(graph.objects(dataset, ADMS.sample)):
        if isinstance(sample, URIRef):
            writer.add(sample, DCAT.accessURL, sample, RDFS.Resource)
            for text in list(graph.objects(dataset, DCATAP.applicableLegislation)):
                writer.add(sample, DCATAP.applicableLegislation, text)


def _as_service(writer: Writer, service: URIRef) -> None:
    """dcat:DataService instead of dcat:Dataset (DCAT 3 §6.9)."""
    writer.graph.remove((service, RDF.type, DCAT.Dataset))
    writer.graph.add((service, RDF.type, DCAT.DataService))
    for predicate in _NOT_OF_A_SERVICE:
        writer.forget(service, predicate)


def _distribution(writer: Writer, data: Dict, distribution: URIRef) -> list[Node]:
    """What is said of a distribution; gives the services that it names."""
    graph = writer.graph
    writer.properties(distribution, data, properties.DISTRIBUTION)
    _addresses(writer, data, distribution)
    _formats(writer, data, distribution)
    _checksum(writer, data, distribution)
    for item in data.get("quality_measurement") or ():
        writer.measurement(distribution, item)
    for value in list(graph.objects(distribution, DCTERMS.license)):
        writer.add(distribution, DCTERMS.license, value, DCTERMS.LicenseDocument)
    services = _services(writer, data, distribution)
    for service, item in services:
        writer.properties(service, item, properties.ACCESS_SERVICE)
        _identifiers(writer, service)
    return [service for service, _ in services]


def _with_contact(writer: Writer, service: Node, dataset: URIRef) -> None:
    """A service of a distribution answers where its dataset does (DCAT-AP HVD 3.0.0: contact point)."""
    if (service, DCAT.contactPoint, None) not in writer.graph:
        for contact in list(writer.graph.objects(dataset, DCAT.contactPoint)):
            writer.add(service, DCAT.contactPoint, contact)


def _services(writer: Writer, data: Dict, distribution: URIRef) -> list[tuple[Node, Dict]]:
    """The nodes that ckanext-dcat made for access services, with what is known of each."""
    items = data.get("access_services") or []
    items = json.loads(items) if isinstance(items, str) else items
    found = []
    for item in items:
        node = uri(item["uri"]) if item.get("uri") else BNode(item.get("access_service_ref"))
        if (distribution, DCAT.accessService, node) in writer.graph:
            found.append((node, item))
    return found


def _addresses(writer: Writer, data: Dict, distribution: URIRef) -> None:
    """An access address always (DCAT-AP 3.0.1), a download address for files kept here."""
    access, download = data.get("access_url"), data.get("download_url")
    url = data.get("url")
    if not access and (found := download or url):
        writer.add(distribution, DCAT.accessURL, uri(found))
    if not download and url and data.get("url_type") == "upload":
        writer.add(distribution, DCAT.downloadURL, uri(url))
    for predicate in (DCAT.accessURL, DCAT.downloadURL):
        for value in list(writer.graph.objects(distribution, predicate)):
            writer.add(distribution, predicate, value, RDFS.Resource)


def _formats(writer: Writer, data: Dict, distribution: URIRef) -> None:
    """Format as a URI of the EU's table, media type as IANA's (DCAT-AP 3.0.1 §Distribution)."""
    for predicate in (DCTERMS.format, DCAT.mediaType):
        writer.forget(distribution, predicate)
    media, format_ = data.get("mimetype"), data.get("format")
    if format_ and "/" in format_ and not format_.startswith("http"):
        media, format_ = media or format_, None
    if media:
        writer.add(distribution, DCAT.mediaType, writer.media(media), DCTERMS.MediaType)
    if format_:
        row = properties.Property("format", DCTERMS.format, "concept", DCTERMS.MediaTypeOrExtent, "file-type")
        code = re.sub(r"[ -]", "_", format_)
        known = codelists.load("file-type").get(code)
        writer.concept(distribution, row, known.value if known else format_)


def _checksum(writer: Writer, data: Dict, distribution: URIRef) -> None:
    """The algorithm as a URI of SPDX; where nobody names it, the length of the digest does."""
    digest = str(data.get("hash") or "")
    name = str(data.get("hash_algorithm") or _DIGEST.get(len(digest), ""))
    for node in list(writer.graph.objects(distribution, SPDX.checksum)):
        writer.forget(node, SPDX.algorithm)
        if not name:
            writer.forget(distribution, SPDX.checksum)
            continue
        known = re.sub(r"[^a-z0-9]", "", name.casefold())
        algorithm = uri(name) if ":" in name else SPDX[f"checksumAlgorithm_{known}"]
        writer.add(node, SPDX.algorithm, algorithm, SPDX.ChecksumAlgorithm)
