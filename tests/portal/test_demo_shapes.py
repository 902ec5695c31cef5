"""The demonstration as the portal publishes it: harvested, read at `/catalog.ttl`, held to all shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import harvesting
import pytest
import shapes
from catalogue_support import plugins_loaded  # noqa: F401
from ckan.lib import search
from ckan.tests import helpers
from ckanext.ccphva import demo, territory
from rdflib import DCAT, RDF, Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF

DCATAP = Namespace("http://data.europa.eu/r5r/")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
ACCESS = "http://publications.europa.eu/resource/authority/access-right/"
HIGH_VALUE = "hvd_category:*"


class Published(NamedTuple):
    whole: Graph
    high_value: Graph


@pytest.fixture(scope="module")
def published(plugins_loaded: None) -> Iterator[Published]:  # noqa: F811
    """The portal's RDF once the demo's document is harvested: whole, and what a query for HVD gives."""
    helpers.reset_db()
    search.clear_all()
    places = territory.load()
    list(demo.organizations(places, lambda: {"user": harvesting.site_user(), "ignore_auth": True}))
    site = harvesting.Site()
    address = site.serve(
        "/demo-source/catalogue.ttl", (places.folder / "demo" / "catalogue.ttl").read_bytes()
    )
    source = harvesting.make_source(
        address, json.dumps(demo.configuration(places)), owner_org=places.main_organization
    )
    job = harvesting.harvest(source)
    site.close()
    assert (job["stats"]["errored"], job["gather_error_summary"]) == (0, [])
    yield Published(catalogue(), catalogue(fq=HIGH_VALUE))
    helpers.reset_db()
    search.clear_all()


def catalogue(**query: Any) -> Graph:
    """Every page of the catalogue that anybody may read at `/catalog.ttl`."""
    app, graph, page = helpers._get_test_app(), Graph(), 1
    while True:
        text = app.get(f"/catalog.ttl?{urlencode({'page': page, **query})}", status=200).body
        fresh = Graph().parse(data=text, format="turtle")
        if not set(fresh.objects(None, FOAF.primaryTopic)) - set(graph.objects(None, FOAF.primaryTopic)):
            return graph
        graph += fresh
        page += 1


def kinds(graph: Graph, name: str) -> set[Any]:
    return set(graph.subjects(RDF.type, DCAT[name]))


def test_every_kind_is_in_it(published: Published) -> None:
    """More than sixty datasets; a paid one, HVD, series, services and restricted ones are among them."""
    graph = published.whole
    datasets = kinds(graph, "Dataset")
    assert len(datasets) >= 60
    assert kinds(graph, "DatasetSeries")
    assert kinds(graph, "DataService")
    offers = set(graph.subjects(RDF.type, ODRL.Offer))
    paid = {
        dataset
        for dataset, distribution in graph.subject_objects(DCAT.distribution)
        if graph.value(distribution, ODRL.hasPolicy) in offers
    }
    assert len(paid) == 1
    assert set(graph.subjects(DCATAP.hvdCategory)) & datasets
    assert set(graph.subjects(DCTERMS.accessRights, URIRef(ACCESS + "RESTRICTED"))) & datasets


def test_every_property_is_written(published: Published) -> None:
    """The catalogue says every property of the shapes, but those that are left out with a reason."""
    said = shapes.said(published.whole)
    wanted = {(row.subject, row.predicate) for row in shapes.listed() if not shapes.left_out(row)}
    unwanted = {(row.subject, row.predicate) for row in shapes.listed() if shapes.left_out(row)}
    assert (sorted(wanted - said), sorted(unwanted & said)) == ([], [])


@pytest.mark.skipif(not shapes.FOLDER.exists(), reason=shapes.ABSENT)
@pytest.mark.parametrize("path", shapes.RUNS)
def test_the_shapes_find_nothing(published: Published, path: str) -> None:
    """0 violations of the whole catalogue, run as the yardsticks say."""
    assert shapes.violations(published.whole, path) == []


@pytest.mark.skipif(not shapes.FOLDER.exists(), reason=shapes.ABSENT)
@pytest.mark.parametrize("path", shapes.HIGH_VALUE)
def test_the_shapes_of_high_value_find_nothing(published: Published, path: str) -> None:
    """0 violations of what the portal answers to a query for HVD: nothing is taken out of it."""
    assert len(kinds(published.high_value, "Dataset")) >= 5
    assert shapes.violations(published.high_value, path) == []


@pytest.mark.skipif(not shapes.FOLDER.exists(), reason=shapes.ABSENT)
def test_high_value_is_all_that_the_rest_lacks(published: Published) -> None:
    """On the whole catalogue those shapes miss the category and the regulation, of what is no HVD, only."""
    high = kinds(published.high_value, "Dataset") | kinds(published.high_value, "DataService")
    wanted = {str(DCATAP.hvdCategory), str(DCATAP.applicableLegislation)}
    found = shapes.violations(published.whole, "dcat-ap-hvd-3.0.0/hvd-SHACL.ttl")
    assert {path for _, path, *_ in found} <= wanted
    assert not {focus for focus, *_ in found} & {str(each) for each in high}


@pytest.mark.skipif(not shapes.FOLDER.exists(), reason=shapes.ABSENT)
@pytest.mark.parametrize(("path", "name"), shapes.FALSE_POSITIVES)
def test_what_is_filtered_cannot_be_satisfied(path: str, name: str) -> None:
    """Each finding that is not counted: the shape contradicts itself, another official shape or SPDX."""
    graph, predicate = shapes.shapes(path), shapes.expand(name)
    rule = next(iter(graph.subjects(shapes.SH.path, predicate)), None)
    if name == "locn:geometry":
        other = shapes.shapes("dcat-ap-3.0.1/dcat-ap-SHACL.ttl")
        kinds_ = {other.value(each, shapes.SH.nodeKind) for each in other.subjects(shapes.SH.path, predicate)}
        assert graph.value(rule, shapes.SH.nodeKind) == shapes.SH.Literal
        assert shapes.SH.Literal not in kinds_
    elif name == "dct:type":
        wanted = {str(each) for each in graph.objects(None, shapes.SH.hasValue)}
        assert "http://purl.org/adms/licencetype/1.0" in wanted
    elif name == "spdx:algorithm":
        patterns = {str(each) for each in graph.objects(None, shapes.SH.pattern)}
        assert "^https://spdx.org/rdf/terms" in patterns
    else:
        assert str(graph.value(rule, shapes.SH.datatype)).endswith("rdf-schema#Resource")
