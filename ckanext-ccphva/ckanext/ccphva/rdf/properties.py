"""The table of what ckanext-dcat does not write, or not as the shapes ask. To write more, add a line.

Standards: DCAT-AP 3.0.1, DCAT-AP HVD 3.0.0, GeoDCAT-AP 3.0.0. What the fields mean when they are read is the
table of the harvesters' format (`ccphva_harvesters/formats/_rules.py`); a test keeps both equal.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from rdflib import URIRef

from .vocabulary import ADMS, CNT, DCAT, DCATAP, DCTERMS, ELI, FOAF, GEODCAT, RDFS, SKOS

Kind = Literal["uri", "text", "date", "moment", "statement", "dataset", "concept", "media"]
"""`uri`: an address, or a text where it is none · `statement`: an address, or a node that says the texts ·
`moment`: a date as xsd:dateTime · `dataset`: id of a dataset here, or a URI · `concept`: a value of a code
list · `media`: a media type."""


class Property(NamedTuple):
    field: str
    predicate: URIRef
    kind: Kind
    type: URIRef | None = None
    """Class of what the property points to."""
    codelist: str | None = None


_SPATIAL = (
    Property("topic_category", GEODCAT.topicCategory, "concept", SKOS.Concept, "topic-category"),
    Property("reference_system", GEODCAT.referenceSystem, "concept", SKOS.Concept, "reference-system"),
    Property("spatial_resolution_text", GEODCAT.spatialResolutionAsText, "text"),
    Property("resource_type", GEODCAT.resourceType, "concept", SKOS.Concept, "resource-type"),
    Property("purpose", GEODCAT.purpose, "text"),
    Property("created", DCTERMS.created, "date"),
    Property("rights", DCTERMS.rights, "statement", DCTERMS.RightsStatement),
)
_THEMES = (
    Property("theme", DCAT.theme, "concept", SKOS.Concept, "data-theme"),
    Property("inspire_theme", DCAT.theme, "concept", SKOS.Concept, "inspire-theme"),
    Property("local_theme", DCAT.theme, "concept", SKOS.Concept, "local-theme"),
)

DATASET = (
    *_SPATIAL,
    *_THEMES,
    Property("dcat_type", DCTERMS.type, "concept", SKOS.Concept, "dataset-type"),
    Property("in_series", DCAT.inSeries, "dataset"),
    Property("has_version", DCAT.hasVersion, "dataset"),
    Property("is_version_of", DCAT.isVersionOf, "dataset"),
    Property("source", DCTERMS.source, "dataset"),
    Property("homepage", FOAF.homepage, "uri", FOAF.Document),
)

CATALOGUE = (
    *_THEMES,
    Property("topic_category", GEODCAT.topicCategory, "concept", SKOS.Concept, "topic-category"),
    Property("reference_system", GEODCAT.referenceSystem, "concept", DCTERMS.Standard, "reference-system"),
    Property("created", DCTERMS.created, "date"),
    Property("issued", DCTERMS.issued, "date"),
    Property("rights", DCTERMS.rights, "statement", DCTERMS.RightsStatement),
    Property("access_rights", DCTERMS.accessRights, "concept", DCTERMS.RightsStatement, "access-right"),
    Property("conforms_to", DCTERMS.conformsTo, "uri", DCTERMS.Standard),
    Property("applicable_legislation", DCATAP.applicableLegislation, "uri", ELI.LegalResource),
)
"""The catalogue itself, which `territory.yaml` describes in the words of the dataset schema."""

SERVICE = (
    *_SPATIAL,
    *_THEMES,
    Property("dcat_type", DCTERMS.type, "uri", SKOS.Concept),
    Property("endpoint_url", DCAT.endpointURL, "uri", RDFS.Resource),
    Property("endpoint_description", DCAT.endpointDescription, "uri", RDFS.Resource),
    Property("serves_dataset", DCAT.servesDataset, "dataset"),
    Property("format", DCTERMS.format, "concept", DCTERMS.MediaTypeOrExtent, "file-type"),
    Property("service_type", GEODCAT.serviceType, "concept", SKOS.Concept, "service-type"),
    Property("service_category", GEODCAT.serviceCategory, "uri", SKOS.Concept),
    Property("service_protocol", GEODCAT.serviceProtocol, "uri", SKOS.Concept),
    Property("availability", DCATAP.availability, "concept", SKOS.Concept, "planned-availability"),
)

DISTRIBUTION = (
    Property("issued", DCTERMS.issued, "moment"),
    Property("modified", DCTERMS.modified, "moment"),
    Property("rights", DCTERMS.rights, "statement", DCTERMS.RightsStatement),
    Property("status", ADMS.status, "concept", SKOS.Concept, "distribution-status"),
    Property("availability", DCATAP.availability, "concept", SKOS.Concept, "planned-availability"),
    Property("access_rights", DCTERMS.accessRights, "concept", DCTERMS.RightsStatement, "access-right"),
    Property("reference_system", GEODCAT.referenceSystem, "concept", SKOS.Concept, "reference-system"),
    Property("spatial_resolution_text", GEODCAT.spatialResolutionAsText, "text"),
    Property(
        "representation_technique",
        ADMS.representationTechnique,
        "concept",
        SKOS.Concept,
        "representation-technique",
    ),
    Property("character_encoding", CNT.characterEncoding, "text"),
    Property("hvd_category", DCATAP.hvdCategory, "concept", SKOS.Concept, "hvd-category"),
    Property("compress_format", DCAT.compressFormat, "media", DCTERMS.MediaType),
    Property("package_format", DCAT.packageFormat, "media", DCTERMS.MediaType),
)

ACCESS_SERVICE = (
    Property("documentation", FOAF.page, "uri", FOAF.Document),
    Property("hvd_category", DCATAP.hvdCategory, "concept", SKOS.Concept, "hvd-category"),
    Property("access_rights", DCTERMS.accessRights, "concept", DCTERMS.RightsStatement, "access-right"),
    Property("rights", DCTERMS.rights, "statement", DCTERMS.RightsStatement),
    Property("license", DCTERMS.license, "uri", DCTERMS.LicenseDocument),
    Property("format", DCTERMS.format, "concept", DCTERMS.MediaTypeOrExtent, "file-type"),
    Property("conforms_to", DCTERMS.conformsTo, "uri", DCTERMS.Standard),
    Property("language", DCTERMS.language, "uri", DCTERMS.LinguisticSystem),
    Property("landing_page", DCAT.landingPage, "uri", FOAF.Document),
    Property("applicable_legislation", DCATAP.applicableLegislation, "uri", ELI.LegalResource),
    Property("availability", DCATAP.availability, "concept", SKOS.Concept, "planned-availability"),
    Property("theme", DCAT.theme, "concept", SKOS.Concept, "data-theme"),
    Property("modified", DCTERMS.modified, "date"),
)
"""A service named inside a distribution: ckanext-dcat writes most of it, without the classes."""
