"""Code lists: pages in four languages, SKOS by ending and by negotiation, values that a list lacks."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, harvested_action, plugins_loaded  # noqa: F401
from ckan.tests import factories
from ckanext.ccphva import codelists
from rdflib import Graph, URIRef
from rdflib.namespace import RDF, SKOS

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
SYNTAX = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}
MEDIA = {"ttl": "text/turtle", "rdf": "application/rdf+xml", "jsonld": "application/ld+json"}


@pytest.mark.parametrize(
    ("language", "word"), [("", "Déchets"), ("/de", "Hausmüll"), ("/lb", "Haushaltsoffall")]
)
def test_a_list_has_a_page_in_each_language(app: Any, language: str, word: str) -> None:
    """The index leads to the list, the list names its concepts in the reader's language."""
    index = BeautifulSoup(app.get(f"{language}/codelists").body, "html.parser")
    assert index.find("a", href=f"{language}/codelists/local-theme") is not None
    assert word in app.get(f"{language}/codelists/local-theme").body


@pytest.mark.parametrize("ending", SYNTAX)
@pytest.mark.parametrize("name", ["local-theme", "frequency", "publisher-type"])
def test_a_list_is_skos(app: Any, name: str, ending: str) -> None:
    """By ending and by content negotiation: a scheme, and each concept in four languages."""
    codelist = codelists.load(name)
    for answer in (
        app.get(f"/codelists/{name}.{ending}"),
        app.get(f"/codelists/{name}", headers={"Accept": MEDIA[ending]}),
    ):
        assert answer.headers["Content-Type"].startswith(MEDIA[ending])
        graph = Graph().parse(data=answer.body, format=SYNTAX[ending])
        (scheme,) = graph.subjects(RDF.type, SKOS.ConceptScheme)
        concepts = set(graph.subjects(SKOS.inScheme, scheme))
        assert len(concepts) == len(codelist.concepts)
        for concept in concepts:
            spoken = {label.language for label in graph.objects(concept, SKOS.prefLabel)}  # type: ignore[attr-defined]
            assert spoken == {"fr", "de", "en", "lb"}
    if codelist.scheme:
        assert scheme == URIRef(codelist.scheme)


def test_a_concept_leads_to_its_list(app: Any) -> None:
    """The address of one of the portal's own concepts answers 303 to the list, an unknown one 404."""
    answer = app.get("/codelists/local-theme/mobility", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/codelists/local-theme#mobility")
    for missing in ("/codelists/local-theme/nothing", "/codelists/nothing", "/codelists/..%2Flicences"):
        assert app.get(missing, expect_errors=True).status_code == 404


def test_values_that_a_list_lacks_survive_the_form(app: Any) -> None:
    """A harvested frequency, theme and role that no list has are offered as they are, selected."""
    made = harvested_action(
        "package_create",
        name="moissonne",
        uri="https://example.org/1",
        owner_org=factories.Organization()["id"],
        title_translated={"fr": "Moissonné"},
        frequency="https://example.org/frequency/now",
        theme=["https://example.org/theme/1", codelists.load("data-theme").concepts[0].value],
    )
    headers = {"Authorization": factories.SysadminWithToken()["token"]}
    chosen: dict[str, list[str]] = {}
    for page in range(1, 7):
        form = BeautifulSoup(
            app.get(f"/dataset/edit/{made['id']}/{page}", headers=headers).body, "html.parser"
        )
        for field in ("frequency", "theme"):
            if select := form.find("select", {"name": field}):
                chosen[field] = [option["value"] for option in select.find_all("option", selected=True)]
    assert chosen["frequency"] == [made["frequency"]]
    assert set(chosen["theme"]) == set(made["theme"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("temporal_resolution", "un jour"), ("in_series", ["nowhere"]), ("has_version", ["nothing"])],
)
def test_bad_values_are_refused_by_field(field: str, value: Any) -> None:
    """What is no duration and no dataset is an error of its field."""
    with pytest.raises(tk.ValidationError) as caught:
        call_action(
            "package_create",
            name="x",
            owner_org=factories.Organization()["id"],
            title_translated={"fr": "X"},
            **{field: value},
        )
    assert caught.value.error_dict[field]


@pytest.mark.parametrize(
    ("address", "words"),
    [("/data_service", "Services de données"), ("/de/dataset_series", "Datensatzreihen")],
)
def test_services_and_series_have_names_that_people_read(app: Any, address: str, words: str) -> None:
    """Their pages do not show the types' names."""
    page = BeautifulSoup(app.get(f"{address}/").body, "html.parser")
    assert page.find(class_="breadcrumb").get_text().strip().endswith(words)
