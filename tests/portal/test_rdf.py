"""Our RDF: every field says something in it, harvested back it is the same graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapes
import yaml
from catalogue_support import call_action, harvested_action, plugins_loaded  # noqa: F401
from ccphva_harvesters import Record
from ccphva_harvesters.formats.dcat_ap import DcatAp
from ckan.tests import factories
from ckanext.ccphva_harvest import payload, settings
from ckanext.dcat.utils import dataset_uri
from rdf_support import catalogue, turtle, whole
from rdflib import Graph, URIRef
from rdflib.compare import graph_diff, to_isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, ORG, SKOS

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
KINDS = ("dataset", "series", "service")


@pytest.fixture
def made() -> dict[str, dict[str, Any]]:
    """The three kinds as they are shown after they were stored."""
    return catalogue()


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_stored(made: dict[str, dict[str, Any]], kind: str) -> None:
    """What was said of a dataset, series or service comes back as it was said."""
    wanted = made[f"{kind} as sent"]
    shown = made[kind]
    references = {"in_series", "serves_dataset", "has_version", "is_version_of", "source", "resources"}
    for field in wanted.keys() - references:
        assert shown[field] == wanted[field], field
    for sent, kept in zip(wanted.get("resources", []), shown.get("resources", []), strict=True):
        for field in sent:
            assert kept[field] == sent[field], field


@pytest.mark.parametrize("kind", KINDS)
def test_harvested_back_it_is_the_same_graph(made: dict[str, dict[str, Any]], kind: str) -> None:
    """RDF → harvest → store → RDF gives the graph that we began with."""
    lost, gained = changes(made[kind])
    assert (lost.serialize(), gained.serialize()) == (Graph().serialize(), Graph().serialize())


@pytest.mark.parametrize("own", [True, False])
def test_a_fee_harvested_back_is_the_same_graph(own: bool) -> None:
    """Licence, rights and offer of a paid file come back, whether its rights are told in own words or not."""
    owner = factories.Organization()["id"]
    fee = yaml.safe_load((Path(__file__).parent / "fees" / "fee.yaml").read_text())["base"]
    file = {"url": "https://example.org/a.csv", "download_url": "https://example.org/a.csv", "format": "CSV"}
    file |= {"rights": {"fr": "Contre redevance.", "de": "Gegen Gebühr."}} if own else {}
    made = call_action(
        "package_create",
        name="payant",
        owner_org=owner,
        title_translated={"fr": "Payant"},
        notes_translated={"fr": "Mesures."},
        identifier="payant-1",
        publisher=[{"name": "Régie"}],
        resources=[file],
        **fee,
    )
    shown = call_action("package_show", id=made["id"])
    lost, gained = changes(shown | {"uri of it": dataset_uri(shown)})
    assert (lost.serialize(), gained.serialize()) == (Graph().serialize(), Graph().serialize())


def test_what_changes_of_an_organisation_is_named(made: dict[str, dict[str, Any]]) -> None:
    """A dataset that its organisation publishes loses what `losses.yaml` names, and gains nothing."""
    lost, gained = changes(made["older"])
    named = {shapes.expand(item["predicate"]) for item in shapes.losses()["round trip"]}
    assert set(lost.predicates()) == named
    assert gained.serialize() == Graph().serialize()


def changes(dataset: dict[str, Any]) -> tuple[Graph, Graph]:
    """What a dataset loses and gains when its RDF is harvested and written again."""
    first = turtle(dataset)
    found = next(
        found
        for found in DcatAp().datasets(Record(id="x", content=first, media_type="text/turtle"))
        if found.uri == dataset["uri of it"]
    )
    assert found.kind == dataset["type"]
    file = settings.parse("dcat", "dcat-ap", "https://example.org/catalog.ttl", "{}").file
    for step in file.steps:
        found = step(found)
    again = payload.package(found, file, dataset["owner_org"])
    again |= {"name": "again", "visibility": "open", "personal_data": "none", "private": False}
    stored = harvested_action("package_create", **again)
    second = turtle(call_action("package_show", id=stored["id"]))
    before, after = (Graph().parse(data=text, format="turtle") for text in (first, second))
    _, lost, gained = graph_diff(to_isomorphic(before), to_isomorphic(after))
    return lost, gained


@pytest.mark.skipif(not shapes.FOLDER.exists(), reason=shapes.ABSENT)
@pytest.mark.parametrize("path", shapes.RUNS | shapes.HIGH_VALUE)
def test_the_shapes_find_nothing(made: dict[str, dict[str, Any]], path: str) -> None:
    """0 violations of the whole catalogue, run as the yardsticks say."""
    assert shapes.violations(whole(made), path) == []


def test_services_and_records_stand_in_the_catalogue(app: Any, made: dict[str, dict[str, Any]]) -> None:
    """`/catalog.ttl` lists datasets as the stock does, services and series by their own properties."""
    graph = Graph().parse(data=app.get("/catalog.ttl").body, format="turtle")
    addresses = {key: URIRef(made[key]["uri of it"]) for key in (*KINDS, "older", "collection")}
    assert set(graph.objects(None, DCAT.dataset)) == {addresses["dataset"], addresses["older"]}
    assert set(graph.objects(None, DCAT.service)) == {addresses["service"]}
    assert set(graph.objects(None, DCAT.resource)) == {addresses["series"], addresses["collection"]}
    assert set(graph.objects(None, FOAF.primaryTopic)) == set(addresses.values())


def test_an_organisation_is_an_agent(made: dict[str, dict[str, Any]]) -> None:
    """Kind, SIREN, INSEE code, parent and contact of the publisher are in the RDF of its datasets."""
    graph = Graph().parse(data=turtle(made["older"]), format="turtle")
    (agent,) = set(graph.objects(URIRef(made["older"]["uri of it"]), DCTERMS.publisher))
    assert {str(name) for name in graph.objects(agent, FOAF.name)} == {"Communauté", "Gemeindeverband"}
    assert str(graph.value(agent, DCTERMS.type)).endswith("/LocalAuthority")
    assert str(graph.value(agent, DCTERMS.spatial)) == "http://id.insee.fr/geo/commune/54521"
    notations = graph.objects(agent, shapes.expand("adms:identifier") / SKOS.notation)
    assert {str(code) for code in notations} == {"215405218", "54521"}
    assert str(graph.value(agent, FOAF.mbox)) == "mailto:mairie@example.org"
    parent = graph.value(agent, ORG.subOrganizationOf)
    assert str(graph.value(parent, FOAF.name)) == "Au-dessus"
