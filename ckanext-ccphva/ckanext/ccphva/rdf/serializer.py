"""The whole catalogue as RDF: services as services, and a catalogue record for each thing.

ckanext-dcat puts everything under `dcat:dataset`; a test compares the datasets with those of the stock.
"""

from __future__ import annotations

from typing import Any

from ckan.types import Context, DataDict
from ckanext.dcat import logic as stock
from ckanext.dcat.processors import RDFSerializer
from ckanext.dcat.utils import catalog_uri
from rdflib import Literal, URIRef

from .vocabulary import ADMS, DCAT, DCTERMS, FOAF, RDF, SKOS
from .writer import Writer, date

PROFILE = URIRef("http://data.europa.eu/r5r/")
_MEMBERSHIPS = {"data_service": DCAT.service, "dataset_series": DCAT.resource}
"""How the catalogue lists what is no dcat:Dataset (DCAT 3 §6.3)."""
_STATUS = "http://purl.org/adms/status/Completed"


def catalogue(context: Context, data_dict: DataDict) -> str:
    """One page of the catalogue, as `dcat_catalog_show` answers."""
    found = stock._search_ckan_datasets(context, data_dict)
    return CatalogueSerializer(profiles=data_dict.get("profiles")).serialize_catalog(
        {},
        found["results"],
        _format=data_dict.get("format") or "xml",
        pagination_info=stock._pagination_info(found, data_dict),
    )


class CatalogueSerializer(RDFSerializer):
    """ckanext-dcat's serializer, which asks this method where in the catalogue a dataset belongs."""

    def _add_source_catalog(
        self, root_catalog_ref: URIRef, dataset_dict: dict[str, Any], dataset_ref: URIRef
    ) -> URIRef | None:
        _record(Writer(self.g, catalog_uri().rstrip("/")), root_catalog_ref, dataset_dict, dataset_ref)
        membership = _MEMBERSHIPS.get(dataset_dict.get("type", ""))
        if membership is None:
            return super()._add_source_catalog(root_catalog_ref, dataset_dict, dataset_ref)
        self.g.add((root_catalog_ref, membership, dataset_ref))
        return root_catalog_ref


def _record(writer: Writer, catalog: URIRef, data: dict[str, Any], topic: URIRef) -> None:
    """dcat:CatalogRecord (DCAT 3 §6.5): the entry in this catalogue, apart from what it speaks of."""
    record = URIRef(f"{writer.portal}/dataset/{data['id']}#record")
    writer.add(catalog, DCAT.record, record, DCAT.CatalogRecord)
    writer.add(record, FOAF.primaryTopic, topic)
    writer.texts(record, DCTERMS.title, data.get("title_translated") or data.get("title"))
    writer.add(record, DCTERMS.identifier, Literal(data["id"]))
    writer.add(record, DCTERMS.created, date(data.get("metadata_created")))
    writer.add(record, DCTERMS.issued, date(data.get("metadata_created")))
    writer.add(record, DCTERMS.modified, date(data.get("metadata_modified")))
    writer.add(record, DCTERMS.conformsTo, PROFILE, DCTERMS.Standard)
    status = URIRef(_STATUS)
    writer.add(record, ADMS.status, status, SKOS.Concept)
    writer.label(status, None)
    for language in writer.graph.objects(catalog, DCTERMS.language):
        writer.add(record, DCTERMS.language, language, DCTERMS.LinguisticSystem)
    for publisher in writer.graph.objects(catalog, DCTERMS.publisher):
        for role in (DCTERMS.publisher, DCTERMS.creator):
            writer.add(record, role, publisher)
    writer.graph.add((topic, RDF.type, DCAT.Resource))
