"""A small catalogue in which every property is said, and its RDF."""

from __future__ import annotations

from typing import Any

import described
from catalogue_support import call_action
from ckanext.ccphva import territory
from ckanext.ccphva.rdf.serializer import CatalogueSerializer
from ckanext.dcat.processors import RDFSerializer
from ckanext.dcat.utils import dataset_uri
from rdflib import Graph

Dict = dict[str, Any]


def catalogue() -> dict[str, Dict]:
    """Store an organisation, an older dataset, a series, a dataset and a service; as they are shown."""
    name = territory.load().main_organization
    above = call_action("organization_create", name="above", title_translated={"fr": "Au-dessus"})
    owner = call_action(
        "organization_create",
        name=name,
        title_translated={"fr": "Communauté", "de": "Gemeindeverband"},
        kind="commune",
        insee="54521",
        siren="215405218",
        email="mairie@example.org",
        url="https://example.org/mairie",
        parent=above["name"],
    )["id"]
    older = _make("older", owner, described.older())
    address = older["older"]["uri of it"]
    relation = described.DATA["qualified_relation"][0] | {"relation": address}
    links: Dict = {key: ["ancien"] for key in ("has_version", "is_version_of", "source")}
    links |= {"qualified_relation": [relation], "related_resource": [address]}
    plain = {"name": "collection", "type": "dataset_series", "resources": []}
    collection = _make("collection", owner, described.older(**plain))
    series = _make("series", owner, described.series(in_series=["collection"], **links))
    dataset = _make("dataset", owner, described.dataset(in_series=["serie"], **links))
    return (
        older
        | collection
        | series
        | dataset
        | _make("service", owner, described.service(serves_dataset=["bornes"]))
    )


def _make(key: str, owner: str, payload: Dict) -> dict[str, Dict]:
    made = call_action("package_create", owner_org=owner, **payload)
    shown = call_action("package_show", id=made["id"])
    return {key: shown | {"uri of it": dataset_uri(shown)}, f"{key} as sent": payload}


def turtle(*datasets: Dict) -> bytes:
    """RDF of datasets alone."""
    serializer = RDFSerializer()
    for dataset in datasets:
        serializer.graph_from_dataset(dataset)
    return serializer.g.serialize(format="turtle").encode()


def whole(made: dict[str, Dict]) -> Graph:
    """The catalogue with all that was made, as `/catalog.ttl` has it."""
    things = [made[key] for key in ("older", "collection", "series", "dataset", "service")]
    serializer = CatalogueSerializer()
    serializer.serialize_catalog({}, things, "ttl")
    return serializer.g
