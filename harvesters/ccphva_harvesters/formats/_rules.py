"""The table of DCAT-AP: field ← predicates, and how to read them. To map more, add a line.

Field names are those of ckanext-dcat's ``dcat_ap_full.yaml`` where it has one; the rest are ours (design
§6). Predicates stand in order of preference. Standards: DCAT 3, DCAT-AP 3.0.1, DCAT-AP HVD 3.0.0, GeoDCAT-
AP 3, and what DCAT-AP.de, mobilityDCAT-AP and DCAT-AP.PLU add.

Imports only ``_terms``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from . import _terms as t

Reading = Literal[
    "text", "plain", "ref", "refs", "date", "day", "number", "agent", "agents", "contacts", "periods",
    "places", "relations", "attributions", "activities", "identifiers", "services", "statement",
    "conformities", "measurements",
]  # fmt: skip


class Rule(NamedTuple):
    """One line of the table."""

    field: str
    reading: Reading
    predicates: tuple[str, ...]


DATASET: tuple[Rule, ...] = (
    Rule("title_translated", "text", (t.DCT + "title", t.RDFS + "label")),
    Rule("notes_translated", "text", (t.DCT + "description", t.DCT + "abstract")),
    Rule("contact", "contacts", (t.DCAT + "contactPoint", t.ADMS + "contactPoint")),
    Rule("publisher", "agent", (t.DCT + "publisher",)),
    Rule("creator", "agents", (t.DCT + "creator",)),
    Rule("contributor", "agents", (t.DCT + "contributor",)),
    Rule(
        "rights_holder", "agents", (t.DCT + "rightsHolder", t.DCATDE + "originator", t.DCATDE1 + "originator")
    ),
    Rule("maintainer_agents", "agents", (t.DCATDE + "maintainer", t.DCATDE1 + "maintainer")),
    Rule("custodian", "agents", (t.GEODCAT + "custodian",)),
    Rule("distributor", "agents", (t.GEODCAT + "distributor",)),
    Rule("user", "agents", (t.GEODCAT + "user",)),
    Rule("originator", "agents", (t.GEODCAT + "originator",)),
    Rule("principal_investigator", "agents", (t.GEODCAT + "principalInvestigator",)),
    Rule("processor", "agents", (t.GEODCAT + "processor",)),
    Rule("resource_provider", "agents", (t.GEODCAT + "resourceProvider",)),
    Rule("homepage", "ref", (t.FOAF + "homepage",)),
    Rule("url", "ref", (t.DCAT + "landingPage",)),
    Rule("license", "ref", (t.DCT + "license", t.DCTX + "license")),
    Rule("rights", "statement", (t.DCT + "rights",)),
    Rule("access_rights", "ref", (t.DCT + "accessRights", t.DCAT + "accessRights")),
    Rule("issued", "date", (t.DCT + "issued",)),
    Rule("modified", "date", (t.DCT + "modified", t.DCT + "updated")),
    Rule("created", "date", (t.DCT + "created",)),
    Rule("version", "ref", (t.DCAT + "version", t.OWL + "versionInfo")),
    Rule("version_notes", "text", (t.ADMS + "versionNotes",)),
    Rule("frequency", "ref", (t.DCT + "accrualPeriodicity",)),
    Rule("provenance", "statement", (t.DCT + "provenance",)),
    Rule("dcat_type", "ref", (t.DCT + "type",)),
    Rule("status", "ref", (t.ADMS + "status",)),
    Rule("temporal_coverage", "periods", (t.DCT + "temporal",)),
    Rule("temporal_resolution", "ref", (t.DCAT + "temporalResolution",)),
    Rule("spatial_coverage", "places", (t.DCT + "spatial",)),
    Rule("spatial_resolution_in_meters", "refs", (t.DCAT + "spatialResolutionInMeters",)),
    Rule("reference_system", "refs", (t.GEODCAT + "referenceSystem",)),
    Rule("alternate_identifier", "identifiers", (t.ADMS + "identifier",)),
    Rule("theme", "refs", (t.DCAT + "theme",)),
    Rule("subject", "refs", (t.DCT + "subject",)),
    Rule("topic_category", "refs", (t.GEODCAT + "topicCategory",)),
    Rule("hvd_category", "refs", (t.DCATAP + "hvdCategory",)),
    Rule(
        "applicable_legislation",
        "refs",
        (t.DCATAP + "applicableLegislation", t.DCATAP + "applicablelegislation"),
    ),
    Rule("language", "refs", (t.DCT + "language",)),
    Rule("documentation", "refs", (t.FOAF + "page", t.FOAF + "isPrimaryTopicOf", t.RDFS + "seeAlso")),
    Rule("conforms_to", "refs", (t.DCT + "conformsTo", t.DCTX + "conformsTo")),
    Rule("is_referenced_by", "refs", (t.DCT + "isReferencedBy",)),
    Rule("references", "refs", (t.DCT + "references",)),
    Rule("related_resource", "refs", (t.DCT + "relation",)),
    Rule("has_version", "refs", (t.DCAT + "hasVersion", t.DCT + "hasVersion")),
    Rule("is_version_of", "refs", (t.DCAT + "isVersionOf", t.DCT + "isVersionOf")),
    Rule("has_part", "refs", (t.DCT + "hasPart",)),
    Rule("is_part_of", "refs", (t.DCT + "isPartOf",)),
    Rule("source", "refs", (t.DCT + "source",)),
    Rule("sample", "refs", (t.ADMS + "sample",)),
    Rule("in_series", "refs", (t.DCAT + "inSeries",)),
    Rule("series_previous", "ref", (t.DCAT + "prev",)),
    Rule("series_first", "ref", (t.DCAT + "first",)),
    Rule("series_last", "ref", (t.DCAT + "last",)),
    Rule("qualified_relation", "relations", (t.DCAT + "qualifiedRelation",)),
    Rule("qualified_attribution", "attributions", (t.PROV + "qualifiedAttribution",)),
    Rule("provenance_activity", "activities", (t.PROV + "wasGeneratedBy",)),
    Rule("conformity", "conformities", (t.PROV + "wasUsedBy",)),
    Rule("quality_measurement", "measurements", (t.DQV + "hasQualityMeasurement",)),
    Rule("spatial_resolution_text", "ref", (t.GEODCAT + "spatialResolutionAsText",)),
    Rule("availability", "ref", (t.DCATAP + "availability",)),
    Rule("purpose", "text", (t.GEODCAT + "purpose",)),
    Rule("resource_type", "ref", (t.GEODCAT + "resourceType",)),
    Rule("contributor_id", "refs", (t.DCATDE + "contributorID", t.DCATDE1 + "contributorID")),
    Rule("political_geocoding", "refs", (t.DCATDE + "politicalGeocodingURI",)),
    Rule("political_geocoding_level", "ref", (t.DCATDE + "politicalGeocodingLevelURI",)),
    Rule("geocoding_description", "plain", (t.DCATDE + "geocodingDescription",)),
    Rule("legal_basis", "plain", (t.DCATDE + "legalBasis",)),
    Rule("quality_process", "ref", (t.DCATDE + "qualityProcessURI",)),
    Rule("mobility_theme", "refs", (t.MOBILITY + "mobilityTheme",)),
    Rule("network_coverage", "refs", (t.MOBILITY + "networkCoverage",)),
    Rule("thumbnail", "ref", (t.FOAF + "thumbnail", t.FOAF + "depiction")),
)

DISTRIBUTION: tuple[Rule, ...] = (
    Rule("name_translated", "text", (t.DCT + "title", t.RDFS + "label")),
    Rule("description_translated", "text", (t.DCT + "description",)),
    Rule("access_url", "ref", (t.DCAT + "accessURL",)),
    Rule("download_url", "ref", (t.DCAT + "downloadURL",)),
    Rule("license", "ref", (t.DCT + "license", t.DCTX + "license")),
    Rule("rights", "statement", (t.DCT + "rights",)),
    Rule("access_rights", "ref", (t.DCT + "accessRights", t.DCAT + "accessRights")),
    Rule("size", "number", (t.DCAT + "byteSize",)),
    Rule("issued", "day", (t.DCT + "issued",)),
    Rule("modified", "day", (t.DCT + "modified", t.DCT + "updated")),
    Rule("status", "ref", (t.ADMS + "status",)),
    Rule("availability", "ref", (t.DCATAP + "availability", t.DCATDE + "plannedAvailability")),
    Rule("language", "refs", (t.DCT + "language",)),
    Rule("documentation", "refs", (t.FOAF + "page",)),
    Rule("conforms_to", "refs", (t.DCT + "conformsTo", t.DCTX + "conformsTo")),
    Rule(
        "applicable_legislation",
        "refs",
        (t.DCATAP + "applicableLegislation", t.DCATAP + "applicablelegislation"),
    ),
    Rule("hvd_category", "refs", (t.DCATAP + "hvdCategory",)),
    Rule("temporal_resolution", "ref", (t.DCAT + "temporalResolution",)),
    Rule("spatial_resolution_in_meters", "refs", (t.DCAT + "spatialResolutionInMeters",)),
    Rule("spatial_resolution_text", "ref", (t.GEODCAT + "spatialResolutionAsText",)),
    Rule("reference_system", "refs", (t.GEODCAT + "referenceSystem",)),
    Rule("quality_measurement", "measurements", (t.DQV + "hasQualityMeasurement",)),
    Rule("identifier", "ref", (t.DCT + "identifier", t.ADMS + "identifier")),
    Rule("license_attribution", "plain", (t.DCATDE + "licenseAttributionByText",)),
    Rule("representation_technique", "ref", (t.ADMS + "representationTechnique",)),
    Rule("character_encoding", "ref", (t.CNT + "characterEncoding",)),
    Rule("data_standard", "refs", (t.MOBILITY + "mobilityDataStandard",)),
    Rule("dcat_type", "ref", (t.DCT + "type",)),
    Rule("access_services", "services", (t.DCAT + "accessService",)),
)

SERVICE: tuple[Rule, ...] = (
    Rule("title", "plain", (t.DCT + "title", t.RDFS + "label")),
    Rule("description", "plain", (t.DCT + "description",)),
    Rule("endpoint_url", "refs", (t.DCAT + "endpointURL",)),
    Rule("endpoint_description", "ref", (t.DCAT + "endpointDescription",)),
    Rule("serves_dataset", "refs", (t.DCAT + "servesDataset",)),
    Rule("access_rights", "ref", (t.DCT + "accessRights",)),
    Rule("rights", "refs", (t.DCT + "rights",)),
    Rule("license", "ref", (t.DCT + "license",)),
    Rule("conforms_to", "refs", (t.DCT + "conformsTo", t.GEODCAT + "serviceProtocol")),
    Rule("format", "refs", (t.DCT + "format",)),
    Rule("identifier", "ref", (t.DCT + "identifier",)),
    Rule("language", "refs", (t.DCT + "language",)),
    Rule("landing_page", "refs", (t.DCAT + "landingPage",)),
    Rule("documentation", "refs", (t.FOAF + "page", t.FOAF + "isPrimaryTopicOf")),
    Rule("keyword", "refs", (t.DCAT + "keyword",)),
    Rule("theme", "refs", (t.DCAT + "theme",)),
    Rule("hvd_category", "refs", (t.DCATAP + "hvdCategory",)),
    Rule(
        "applicable_legislation",
        "refs",
        (t.DCATAP + "applicableLegislation", t.DCATAP + "applicablelegislation"),
    ),
    Rule("availability", "ref", (t.DCATAP + "availability",)),
    Rule("contact", "contacts", (t.DCAT + "contactPoint",)),
    Rule("publisher", "agent", (t.DCT + "publisher",)),
    Rule("creator", "agents", (t.DCT + "creator",)),
    Rule("rights_holder", "agents", (t.DCT + "rightsHolder",)),
    Rule("issued", "date", (t.DCT + "issued",)),
    Rule("modified", "date", (t.DCT + "modified",)),
    Rule("created", "date", (t.DCT + "created",)),
    Rule("license_attribution", "plain", (t.DCATDE + "licenseAttributionByText",)),
    Rule("dcat_type", "ref", (t.DCT + "type", t.GEODCAT + "serviceType", t.GEODCAT + "resourceType")),
    Rule("service_category", "ref", (t.GEODCAT + "serviceCategory",)),
)

_OTHERWISE = {"dcat_type", "frequency", "provenance", "version", "availability", "license"}
DATA_SERVICE: tuple[Rule, ...] = (
    *(rule for rule in DATASET if rule.field not in _OTHERWISE),
    Rule("endpoint_url", "refs", (t.DCAT + "endpointURL",)),
    Rule("endpoint_description", "refs", (t.DCAT + "endpointDescription",)),
    Rule("serves_dataset", "refs", (t.DCAT + "servesDataset",)),
    Rule("format", "refs", (t.DCT + "format",)),
    Rule("service_type", "ref", (t.GEODCAT + "serviceType",)),
    Rule("service_category", "ref", (t.GEODCAT + "serviceCategory",)),
    Rule("service_protocol", "refs", (t.GEODCAT + "serviceProtocol",)),
    Rule("dcat_type", "ref", (t.DCT + "type",)),
    Rule("availability", "ref", (t.DCATAP + "availability",)),
    Rule("license", "ref", (t.DCT + "license",)),
)
"""A service with a description of its own (DCAT 3 §6.9); ``SERVICE`` is one that a distribution names."""

ROLES = {
    "rights_holder": "owner", "custodian": "custodian", "distributor": "distributor", "user": "user",
    "originator": "originator", "principal_investigator": "principalInvestigator",
    "processor": "processor", "resource_provider": "resourceProvider",
}  # fmt: skip
"""Properties that say a role directly, under the role of INSPIRE that they mean: all become attributions."""

KEYWORDS = (t.DCAT + "keyword",)
IDENTIFIER = (t.DCT + "identifier", t.DCAT + "identifier")
DISTRIBUTIONS = (t.DCAT + "distribution",)
CHECKSUM = (t.SPDX + "checksum", t.SPDXS + "checksum")
MEDIA_TYPE = (t.DCAT + "mediaType",)
FORMAT = (t.DCT + "format",)
COMPRESS = (t.DCAT + "compressFormat",)
PACKAGE = (t.DCAT + "packageFormat",)

DATASET_FIELDS = (frozenset(rule.field for rule in (*DATASET, *DATA_SERVICE)) - ROLES.keys()) | {
    "uri",
    "identifier",
    "tags",
    "keywords_translated",
    "spatial",
    "inspire_theme",
}
"""Every field that a dataset of this format may carry."""
RESOURCE_FIELDS = frozenset(rule.field for rule in DISTRIBUTION) | {
    "uri", "url", "format", "mimetype", "compress_format", "package_format", "hash", "hash_algorithm",
}  # fmt: skip
"""Every field that a resource of this format may carry."""
