"""Licences and fees in RDF: written, read back, and in the shapes of DCAT-AP."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import yaml
from catalogue_support import call_action, harvested_action, plugins_loaded  # noqa: F401
from ccphva_harvesters import Dataset, Record
from ccphva_harvesters.formats.dcat_ap import DcatAp
from ccphva_harvesters.steps.licence import Licence
from ckan.tests import factories
from ckanext.ccphva import licences
from ckanext.ccphva.rdf import licences as licence_rdf
from ckanext.ccphva.rdf.rights import RightsProfile
from ckanext.ccphva_harvest import outcomes, payload, settings
from ckanext.dcat.processors import RDFSerializer
from rdflib import DCTERMS, RDF, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.namespace import XSD

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
PAID = yaml.safe_load((Path(__file__).parent / "fees" / "fee.yaml").read_text())["base"]
SHAPES = Path(os.environ.get("CCPHVA_SHACL", "/nonexistent"))
ODRL, EU = Namespace("http://www.w3.org/ns/odrl/2/"), "http://publications.europa.eu/resource/authority/"
BASE = "https://data.example.org"


def paid(**fields: Any) -> dict[str, Any]:
    """A dataset with a fee on its files."""
    return call_action(
        "package_create",
        **{
            "name": "payant",
            "title": "Payant",
            "notes": "Mesures.",
            "owner_org": factories.Organization()["id"],
            "resources": [{"url": "https://example.org/a.csv", "name": "Mesures"}],
            **PAID,
            **fields,
        },
    )


def graph_of(dataset: dict[str, Any]) -> Graph:
    shown = call_action("package_show", id=dataset["id"])
    return Graph().parse(data=RDFSerializer().serialize_dataset(shown, _format="ttl"), format="turtle")


def test_a_paid_file_has_an_offer() -> None:
    """Licence with its ADMS type, a rights statement, and an ODRL offer with the amount and its currency."""
    graph = graph_of(paid())
    offer = graph.value(predicate=RDF.type, object=ODRL.Offer)
    distribution = graph.value(predicate=ODRL.hasPolicy, object=offer)
    licence = graph.value(distribution, DCTERMS.license)
    assert str(licence) == EU + "licence/ODC_BL"
    assert (licence, RDF.type, DCTERMS.LicenseDocument) in graph
    assert (licence, DCTERMS.type, URIRef("http://purl.org/adms/licencetype/RoyaltiesRequired")) in graph
    assert (graph.value(distribution, DCTERMS.rights), RDF.type, DCTERMS.RightsStatement) in graph
    amount = graph.value(predicate=ODRL.leftOperand, object=ODRL.payAmount)
    assert graph.value(amount, ODRL.rightOperand) == Literal("250.00", datatype=XSD.decimal)
    assert graph.value(amount, ODRL.unit) == URIRef(EU + "currency/EUR")
    assert (None, RDF.value, ODRL.compensate) in graph


def test_a_free_file_has_none() -> None:
    """No offer and no royalties where nothing is asked."""
    graph = graph_of(paid(fee={"ground": "none"}, license_id="etalab-2.0"))
    assert (None, ODRL.hasPolicy, None) not in graph
    licence = graph.value(predicate=RDF.type, object=DCTERMS.LicenseDocument)
    assert str(licence).endswith("/licences/etalab-2.0")
    assert graph.value(licence, DCTERMS.type) == URIRef("http://purl.org/adms/licencetype/Attribution")


def test_what_is_written_is_read_back() -> None:
    """The parsed dataset has the licence and the whole fee on its file, and is accepted again."""
    two = [
        PAID["fee"]["tariff"][0],
        {"amount": "1.5", "unit": "mois", "currency": "CHF", "vat_percent": "0", "reuse": "recherche"},
    ]
    made = paid(fee={**PAID["fee"], "tariff": two})
    graph, ref = graph_of(made), made["resources"][0]["id"]
    distribution = next(str(each) for each in graph.subjects(DCTERMS.license) if ref in str(each))
    parsed = RightsProfile(graph).parse_dataset({"resources": [{"uri": distribution}]}, URIRef(BASE))
    assert parsed["license_id"] == PAID["license_id"]
    resource = parsed["resources"][0]
    assert resource["license_id"] == PAID["license_id"]
    expected = {name: str(value) for name, value in PAID["fee"].items() if name != "tariff"}
    lines = resource["fee"].pop("tariff")
    assert resource["fee"] == expected
    assert sorted(lines, key=str) == sorted(({k: str(v) for k, v in line.items()} for line in two), key=str)
    again = {**resource["fee"], "tariff": lines}
    stored = call_action(
        "resource_create",
        package_id=made["id"],
        url="https://example.org/b",
        fee=again,
        license_id="odc-odbl",
    )
    assert stored["fee"] == again


def harvested(graph: Graph) -> dict[str, Any]:
    """The only resource of a document, as our harvest reads it."""
    record = Record(id="x", content=graph.serialize(format="turtle").encode(), media_type="text/turtle")
    (found,) = DcatAp().datasets(record)
    return Licence()(found).resources[0]


def test_a_harvest_reads_the_same_fee() -> None:
    """Our RDF, harvested, has licence and fee on its file."""
    resource = harvested(graph_of(paid()))
    assert resource["license_id"] == PAID["license_id"]
    lines = resource["fee"].pop("tariff")
    assert lines == [{name: str(value) for name, value in PAID["fee"]["tariff"][0].items()}]
    assert resource["fee"] == {name: str(value) for name, value in PAID["fee"].items() if name != "tariff"}


def test_a_harvest_refuses_an_unlawful_fee() -> None:
    """A fee that lasts too long is an error of the record that names the article; a lawful one is stored."""
    resource = harvested(graph_of(paid()))
    late = {**resource, "fee": {**resource["fee"], "review_date": "2040-01-01"}}
    file = settings.parse("dcat", "dcat-ap", "http://x.example/c", "{}").file

    def write(uri: str, file_of: dict[str, Any]) -> dict[str, Any]:
        fields = {"uri": uri, "title_translated": {"fr": "Payant"}}
        dataset = Dataset(guid=uri, identifier=uri, fields=fields, resources=[file_of])
        wanted = payload.package(dataset, file, factories.Organization()["id"])
        return harvested_action("package_create", **wanted, name=f"payant-{uri[-1]}")

    assert write("https://example.org/1", resource)["resources"][0]["fee"] == resource["fee"]
    with pytest.raises(tk.ValidationError) as caught:
        write("https://example.org/2", late)
    assert "L324-3" in outcomes.reason_of(caught.value)


def test_licences_are_a_vocabulary() -> None:
    """Each licence is a concept with four labels, mapped to the EU's table."""
    found = list(licences.by_id().values())
    graph = licence_rdf.scheme(found, BASE)
    for licence in found:
        this = URIRef(licences.page_uri(licence, BASE))
        assert ((this, RDF.type, SKOS.Concept) in graph) is (licence.get("crpa") != "none")
        assert licences.of_uri(licences.uri(licence, BASE) or "", BASE) == (
            licence["id"] if licence.get("crpa") != "none" else None
        )
    etalab = URIRef(f"{BASE}/licences/etalab-2.0")
    assert (etalab, SKOS.closeMatch, URIRef(EU + "licence/CC_BY_4_0")) in graph
    assert len(list(graph.objects(etalab, SKOS.prefLabel))) == 4


@pytest.mark.parametrize("ending", ["ttl", "rdf", "jsonld"])
@pytest.mark.parametrize("path", ["/licences", "/licences/etalab-2.0"])
def test_licences_are_published(app: Any, path: str, ending: str) -> None:
    """The same graph in three forms, with their media types."""
    answer = app.get(f"{path}.{ending}")
    syntax, media_type = licence_rdf.MEDIA[ending]
    assert answer.headers["Content-Type"].startswith(media_type)
    graph = Graph().parse(data=answer.body, format=syntax)
    assert any(str(each).endswith("/licences/etalab-2.0") for each in graph.subjects(RDF.type, SKOS.Concept))


@pytest.mark.parametrize(
    ("language", "text"),
    [("", "Nommer la source"), ("/de", "Die Quelle"), ("/en", "Name the source"), ("/lb", "D&#39;Quell")],
)
def test_pages_say_what_one_may_do(app: Any, language: str, text: str) -> None:
    """The licences' pages, and that of a dataset, in the reader's language."""
    paid()
    for path in ("/licences", "/licences/etalab-2.0", "/licences/odc-odbl", "/dataset/payant"):
        assert text in app.get(language + path).body, path
    assert app.get("/licences/nothing").status_code == 404


def test_a_fee_is_shown_only_while_it_is_due(app: Any) -> None:
    """After its review date the page says no amount any more."""
    made = paid()
    assert "250.00" in app.get("/dataset/payant").body
    past = {"deliberation_date": "2017-12-01", "start": "2018-01-01", "review_date": "2022-12-31"}
    call_action("package_patch", id=made["id"], fee={**PAID["fee"], **past})
    assert "250.00" not in app.get("/dataset/payant").body


def test_a_fee_on_a_file_alone_is_told_of_the_dataset(app: Any) -> None:
    """A dataset is not called free where one of its files costs something, and a free file is."""
    file, free = (
        {"url": "https://example.org/a.csv"},
        {"url": "https://example.org/b.csv", "fee": {"ground": "none"}},
    )
    made = paid(fee=None, resources=[file | {"fee": PAID["fee"]}, free])
    page = app.get("/dataset/payant").body
    assert "250.00" in page
    assert "La réutilisation est gratuite" not in page
    assert "250.00" not in app.get(f"/dataset/payant/resource/{made['resources'][1]['id']}").body


@pytest.mark.skipif(not importlib.util.find_spec("pyshacl"), reason="pyshacl is not in the lock yet")
@pytest.mark.skipif(not SHAPES.is_dir(), reason="CCPHVA_SHACL names no folder of shapes")
def test_a_paid_dataset_is_in_the_shapes_of_dcat_ap() -> None:
    """DCAT-AP 3.0.1 has no violation about licence, rights or policy."""
    import pyshacl

    shacl = Namespace("http://www.w3.org/ns/shacl#")
    shapes = Graph().parse(SHAPES / "dcat-ap-3.0.1" / "dcat-ap-SHACL.ttl")
    for owner, shape in list(shapes.subject_objects(shacl.property)):
        if (shape, shacl.path, None) not in shapes:
            shapes.remove((owner, shacl.property, shape))
    file = {
        "url": "https://example.org/a.csv",
        "format": EU + "file-type/CSV",
        "mimetype": "http://www.iana.org/assignments/media-types/text/csv",
    }
    data = graph_of(paid(resources=[file]))
    for name in ("background.ttl", "background-access-right.ttl"):
        data.parse(SHAPES / "background" / name)
    conforms, _, report = pyshacl.validate(data, shacl_graph=shapes, inference="none", allow_warnings=True)
    assert conforms, report
