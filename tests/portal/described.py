"""A dataset, a series and a service in which every field of their schemas says something."""

from __future__ import annotations

import json
from typing import Any

EU = "http://publications.europa.eu/resource/authority/"
INSPIRE = "http://inspire.ec.europa.eu/"
HVD_REGULATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
OPEN_LICENCE = f"{EU}licence/CC_BY_4_0"
LAMBERT = "http://www.opengis.net/def/crs/EPSG/0/2154"
SQUARE = json.dumps(
    {
        "type": "Polygon",
        "coordinates": [[[5.91, 49.41], [6.0, 49.4], [6.0, 49.5], [5.9, 49.5123456], [5.91, 49.41]]],
    }
)
POINT = json.dumps({"type": "Point", "coordinates": [5.9512345, 49.4512345]})
ADDRESS = {
    "street": "390 rue du Laboratoire", "postcode": "57390", "city": "Audun-le-Tiche",
    "region": "Grand Est", "country": "France",
}  # fmt: skip
AGENT = {
    "uri": "https://example.org/agent/1",
    "name": "Service déchets",
    "name_translated": {"fr": "Service déchets", "de": "Abfalldienst"},
    "type": "http://purl.org/adms/publishertype/LocalAuthority",
    "identifier": "245701404",
    "email": "dechets@example.org",
    "url": "https://example.org/dechets",
    "telephone": "+33-3-00-00-00-00",
    "member_of": "https://example.org/agent/0",
} | ADDRESS
CONTACT = {
    "name": "Guichet des données",
    "email": "donnees@example.org",
    "url": "https://example.org/contact",
    "telephone": "+33-3-00-00-00-01",
    "organization": "Communauté de communes",
    "identifier": "https://example.org/contact/1",
} | ADDRESS
COMMON: dict[str, Any] = {
    "title_translated": {"fr": "Bornes à verre", "de": "Glascontainer", "en": "Glass", "lb": "Glas"},
    "notes_translated": {"fr": "Où elles sont.", "de": "Wo sie sind.", "en": "Where.", "lb": "Wou."},
    "tags_translated": {"fr": ["déchets", "verre"], "de": ["Abfall"]},
    "theme": [f"{EU}data-theme/ENVI"],
    "local_theme": ["household-waste"],
    "inspire_theme": [f"{INSPIRE}theme/us"],
    "topic_category": [f"{INSPIRE}metadata-codelist/TopicCategory/environment"],
    "language": [f"{EU}language/FRA", f"{EU}language/DEU"],
    "purpose": {"fr": "Organiser la collecte."},
    "url": "https://example.org/bornes",
    "documentation": ["https://example.org/bornes/doc"],
    "conforms_to": ["https://example.org/standard/1"],
    "conformity": [
        {
            "specification": "http://data.europa.eu/eli/reg/2010/1089",
            "title": "Règlement (UE) n° 1089/2010",
            "issued": "2010-12-08",
            "degree": f"{INSPIRE}metadata-codelist/DegreeOfConformity/conformant",
        }
    ],
    "spatial_coverage": [
        {
            "uri": "https://example.org/place/1",
            "text": "Thil",
            "identifier": "54521",
            "geom": SQUARE,
            "bbox": SQUARE,
            "centroid": POINT,
        }
    ],
    "reference_system": [LAMBERT],
    "spatial_resolution_in_meters": [10.5],
    "spatial_resolution_text": "1/10 000",
    "quality_measurement": [
        {
            "metric": "http://data.europa.eu/930/spatialResolutionAsScale",
            "value": "0.0001",
            "unit": "https://example.org/unit/ratio",
        }
    ],
    "temporal_coverage": [{"start": "2024-01-01", "end": "2024-12-31"}],
    "temporal_resolution": "P1D",
    "created": "2023-12-01",
    "issued": "2024-01-02",
    "modified": "2024-02-03",
    "visibility": "open",
    "rights": {"fr": "Citer la source.", "de": "Die Quelle nennen."},
    "applicable_legislation": [HVD_REGULATION],
    "license_id": "etalab-2.0",
    "hvd_category": ["http://data.europa.eu/bna/c_dd313021"],
    "contact": [CONTACT],
    "publisher": [AGENT],
    "creator": [{"name": "Bureau d'études", "type": "http://purl.org/adms/publishertype/Company"}],
    "qualified_attribution": [
        {
            "role": f"{INSPIRE}metadata-codelist/ResponsiblePartyRole/{role}",
            "uri": f"https://example.org/role/{role}",
            "name": f"Organisme {role}",
        }
        for role in (
            "custodian", "distributor", "originator", "owner", "principalInvestigator", "processor",
            "resourceProvider", "user", "author",
        )
    ],
    "identifier": "bornes-1",
    "resource_type": f"{INSPIRE}metadata-codelist/ResourceType/dataset",
}  # fmt: skip
DATA: dict[str, Any] = {
    "dcat_type": f"{EU}dataset-type/GEOSPATIAL",
    "frequency": f"{EU}frequency/WEEKLY",
    "provenance": {"fr": "Relevé sur place.", "de": "Vor Ort erhoben."},
    "version": "2.1",
    "version_notes": {"fr": "Deux bornes de plus."},
    "sample": ["https://example.org/bornes/sample.csv"],
    "alternate_identifier": ["BV-1"],
    "is_referenced_by": ["https://example.org/report"],
    "related_resource": ["https://example.org/related"],
    "qualified_relation": [
        {
            "uri": "https://example.org/relation/1",
            "relation": "https://example.org/related",
            "role": "http://www.iana.org/assignments/relation/related",
        }
    ],
    "provenance_activity": [
        {
            "uri": "https://example.org/activity/1",
            "label": "Relevé de terrain",
            "dct_type": "https://example.org/activity-type/survey",
            "startedAtTime": "2023-11-01T08:00:00",
            "seeAlso": "https://example.org/survey",
        }
    ],
}
DISTRIBUTION: dict[str, Any] = {
    "url": "https://example.org/bornes.csv",
    "access_url": "https://example.org/bornes",
    "download_url": "https://example.org/bornes.csv",
    "name_translated": {"fr": "Fichier", "de": "Datei"},
    "description_translated": {"fr": "Une ligne par borne.", "en": "A line each."},
    "format": "CSV",
    "mimetype": "text/csv",
    "compress_format": "application/gzip",
    "package_format": "application/zip",
    "size": 1234,
    "hash": "0" * 64,
    "hash_algorithm": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256",
    "license": OPEN_LICENCE,
    "rights": {"fr": "Citer la source.", "de": "Die Quelle nennen."},
    "access_rights": f"{EU}access-right/PUBLIC",
    "availability": f"{EU}planned-availability/STABLE",
    "status": f"{EU}distribution-status/COMPLETED",
    "issued": "2024-01-02",
    "modified": "2024-02-03",
    "temporal_resolution": "P1D",
    "spatial_resolution_in_meters": [10.5],
    "spatial_resolution_text": "1/10 000",
    "reference_system": [LAMBERT],
    "representation_technique": f"{INSPIRE}metadata-codelist/SpatialRepresentationType/vector",
    "quality_measurement": COMMON["quality_measurement"],
    "character_encoding": "UTF-8",
    "language": [f"{EU}language/FRA"],
    "documentation": ["https://example.org/bornes/columns"],
    "conforms_to": ["https://example.org/standard/1"],
    "applicable_legislation": [HVD_REGULATION],
    "access_services": [
        {
            "uri": "https://example.org/service/1",
            "title": "Service des bornes",
            "description": "Une interface.",
            "endpoint_url": ["https://example.org/api"],
            "endpoint_description": "https://example.org/api/openapi.json",
            "license": OPEN_LICENCE,
            "access_rights": f"{EU}access-right/PUBLIC",
            "format": [f"{EU}file-type/JSON"],
            "conforms_to": ["https://example.org/standard/1"],
            "identifier": "service-1",
            "language": [f"{EU}language/FRA"],
            "landing_page": ["https://example.org/service"],
            "documentation": ["https://example.org/service/doc"],
            "applicable_legislation": [HVD_REGULATION],
            "hvd_category": ["http://data.europa.eu/bna/c_dd313021"],
            "availability": f"{EU}planned-availability/STABLE",
            "keyword": ["bornes"],
            "theme": [f"{EU}data-theme/ENVI"],
            "modified": "2024-02-03",
        }
    ],
}
SERVICE: dict[str, Any] = {
    "endpoint_url": ["https://example.org/api"],
    "endpoint_description": ["https://example.org/api/openapi.json"],
    "format": [f"{EU}file-type/JSON"],
    "service_protocol": ["https://example.org/protocol/http"],
    "service_type": f"{INSPIRE}metadata-codelist/SpatialDataServiceType/download",
    "service_category": f"{INSPIRE}metadata-codelist/SpatialDataServiceCategory/infoFeatureAccessService",
    "dcat_type": "https://example.org/service-type/api",
    "availability": f"{EU}planned-availability/STABLE",
    "license_id": "etalab-2.0",
}


def dataset(**more: Any) -> dict[str, Any]:
    """A dataset with one distribution."""
    return COMMON | DATA | {"type": "dataset", "name": "bornes", "resources": [DISTRIBUTION]} | more


def series(**more: Any) -> dict[str, Any]:
    """A series."""
    own = {"type": "dataset_series", "name": "serie", "identifier": "serie-1"}
    return COMMON | DATA | own | {"resource_type": f"{INSPIRE}metadata-codelist/ResourceType/series"} | more


def service(**more: Any) -> dict[str, Any]:
    """A data service."""
    own = {"type": "data_service", "name": "service", "identifier": "service-2"}
    return (
        COMMON | SERVICE | own | {"resource_type": f"{INSPIRE}metadata-codelist/ResourceType/service"} | more
    )


def older(**more: Any) -> dict[str, Any]:
    """A plain dataset that others refer to."""
    names = ("applicable_legislation", "hvd_category", "contact")
    api = DISTRIBUTION["access_services"][0] | {
        "uri": "https://example.org/service/0",
        "identifier": "service-0",
    }
    distribution = {
        "url": "https://example.org/old.csv",
        "access_url": "https://example.org/old.csv",
        "download_url": "https://example.org/old.csv",
        "license": OPEN_LICENCE,
        "access_services": [api],
    }
    return (
        {name: COMMON[name] for name in names}
        | {
            "name": "ancien",
            "license_id": "etalab-2.0",
            "title_translated": {"fr": "Bornes d'avant"},
            "notes_translated": {"fr": "Celles d'avant."},
            "resources": [distribution | {"applicable_legislation": [HVD_REGULATION]}],
        }
        | more
    )
