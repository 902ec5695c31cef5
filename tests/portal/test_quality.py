"""Points and readiness: weights as they are published, what each thing earns, and who sees them."""

# ruff: noqa: F811 -- fixtures are imported by name

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import shapes
from catalogue_support import plugins_loaded  # noqa: F401
from ckan.tests import helpers
from ckanext.ccphva import codelists, licences, quality
from ckanext.ccphva.visibility import ACCESS_RIGHTS
from publication_support import Town, town  # noqa: F401
from rdflib import RDF, SKOS, Graph

REGULATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
FULL: dict[str, Any] = {
    "title": "Eau",
    "notes": "Analyses",
    "tags_translated": {"fr": ["eau"]},
    "theme": ["http://publications.europa.eu/resource/authority/data-theme/ENVI"],
    "spatial_coverage": [{"text": "Ici"}],
    "temporal_coverage": [{"start": "2024-01-01"}],
    "visibility": "open",
    "access_rights": ACCESS_RIGHTS["open"],
    "contact": [{"name": "Régie"}],
    "publisher": [{"name": "Régie"}],
    "license_id": "odc-odbl",
    "issued": "2024-01-01",
    "modified": "2024-02-01",
    "hvd_category": ["http://data.europa.eu/bna/c_dd313021"],
    "applicable_legislation": [REGULATION],
    "resources": [
        {
            "url": "a.csv",
            "url_type": "upload",
            "format": "CSV",
            "mimetype": "text/csv",
            "size": 10,
            "rights": "Mentionner la source",
            "datastore_active": True,
            "applicable_legislation": [REGULATION],
        }
    ],
}
DIMENSIONS = {
    "findability": 100,
    "accessibility": 100,
    "interoperability": 110,
    "reusability": 75,
    "contextuality": 20,
}


def points(**changes: Any) -> dict[str, int]:
    """Points by indicator of the full dataset with changes; None removes a field."""
    dataset = {field: value for field, value in {**FULL, **changes}.items() if value is not None}
    return {each["id"]: each["points"] for each in quality.assess(dataset)["indicators"]}


def resource(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**FULL["resources"][0], **changes}.items() if value is not None}


def test_the_weights_are_the_published_ones() -> None:
    """405 points in five dimensions; a dataset that lacks nothing earns them all."""
    assessed = quality.assess(FULL)
    assert {name: each["possible"] for name, each in assessed["dimensions"].items()} == DIMENSIONS
    assert (assessed["points"], assessed["possible"], assessed["unverified"]) == (405, 405, 0)
    assert assessed["band"] == "excellent"


@pytest.mark.parametrize(
    ("field", "lost"),
    [
        ("tags_translated", {"keywords": 30}),
        ("theme", {"categories": 30}),
        ("spatial_coverage", {"spatial": 20}),
        ("temporal_coverage", {"temporal": 20}),
        ("notes", {"dcat_ap": 30}),
        ("license_id", {"licence": 20, "licence_vocabulary": 10}),
        ("access_rights", {"access_rights": 10, "access_rights_vocabulary": 5}),
        ("contact", {"contact": 20}),
        ("publisher", {"publisher": 10}),
        ("issued", {"issued": 5}),
        ("modified", {"modified": 5}),
    ],
)
def test_what_a_missing_field_costs(field: str, lost: dict[str, int]) -> None:
    """Its own indicators, and no other."""
    full, without = points(), points(**{field: None})
    assert {name: full[name] - without[name] for name in full if full[name] != without[name]} == lost


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"format": "PDF"}, {"machine_readable": 20, "non_proprietary": 20}),
        ({"format": "XLSX"}, {"non_proprietary": 20}),
        ({"format": "Klappkarte"}, {"format_vocabulary": 10, "non_proprietary": 20, "machine_readable": 20}),
        ({"mimetype": None}, {"media_type": 10, "format_vocabulary": 10}),
        ({"size": None}, {"size": 5}),
        ({"rights": None}, {"rights": 5}),
        ({"license": "http://example.org/licence"}, {"licence_vocabulary": 10}),
    ],
)
def test_what_a_resource_costs(changes: dict[str, Any], lost: dict[str, int]) -> None:
    """Each indicator of distributions."""
    full, without = points(), points(resources=[resource(**changes)])
    assert {name: full[name] - without[name] for name in full if full[name] != without[name]} == lost


def test_resources_share_a_weight() -> None:
    """One of two resources with a size earns half."""
    assert points(resources=[resource(), resource(size=None)])["size"] == 2


def test_formats_by_uri_and_other_names() -> None:
    """The EU's URI of a file type and CKAN's name for it count alike."""
    for name in ("http://publications.europa.eu/resource/authority/file-type/CSV", "csv", "JSON-LD"):
        assert points(resources=[resource(format=name)])["format_vocabulary"] == 10


def test_a_link_elsewhere_is_unverified() -> None:
    """Without the network nobody knows whether it answers, so its points are named apart."""
    linked = {
        "url": "https://example.org/a.csv",
        "url_type": None,
        "download_url": "https://example.org/a.csv",
    }
    assessed = quality.assess({**FULL, "resources": [resource(**linked)]})
    assert (assessed["points"], assessed["unverified"]) == (325, 80)


@pytest.mark.parametrize(
    ("total", "name"),
    [(405, "excellent"), (351, "excellent"), (350, "good"), (221, "good"), (220, "sufficient"),
     (120, "sufficient"), (119, "bad"), (0, "bad")],
)  # fmt: skip
def test_bands(total: int, name: str) -> None:
    """The published limits."""
    assert quality.band(total) == name


def test_an_hvd_that_is_ready() -> None:
    """Every condition of regulation and profile is met."""
    found = quality.readiness(FULL)
    assert (found["claimed"], found["ready"]) == (True, True)


@pytest.mark.parametrize(
    ("changes", "unmet"),
    [
        ({"hvd_category": ["http://example.org/x"]}, {"category"}),
        ({"applicable_legislation": None}, {"legislation"}),
        ({"resources": [resource(applicable_legislation=None)]}, {"legislation"}),
        ({"resources": [resource(datastore_active=None)]}, {"api"}),
        ({"resources": [resource(url_type=None)]}, {"bulk"}),
        ({"resources": [resource(format="PDF")]}, {"machine_readable"}),
        ({"license_id": "notspecified"}, {"licence"}),
        ({"fee": [{"amount": "20"}]}, {"free"}),
        ({"visibility": "restricted"}, {"public"}),
        ({"workflow": "draft"}, {"public"}),
        ({"contact": None}, {"contact"}),
    ],
)
def test_what_keeps_an_hvd_from_being_ready(changes: dict[str, Any], unmet: set[str]) -> None:
    """Each condition alone, by name."""
    found = quality.readiness(
        {field: value for field, value in {**FULL, **changes}.items() if value is not None}
    )
    assert {each["id"] for each in found["conditions"] if not each["met"]} == unmet
    assert not found["ready"]


@pytest.mark.usefixtures("plugins_loaded")
@pytest.mark.parametrize("rules", ["mqa", "hvd"])
def test_advice_leads_to_a_field_in_four_languages(rules: str) -> None:
    """Each `field` is one of the forms', each advice is in all languages."""
    schema = helpers.call_action("scheming_dataset_schema_show", type="dataset")
    known = {each["field_name"] for part in ("dataset_fields", "resource_fields") for each in schema[part]}
    found = quality.rules(rules)
    for each in found["indicators" if rules == "mqa" else "conditions"]:
        assert each["field"] in known | {"fee"}
        for texts in (each["label"], each["advice"]):
            assert all(texts[language] for language in ("fr", "de", "en", "lb"))


class TestActions:
    @pytest.mark.parametrize("action", ["ccphva_quality_show", "ccphva_hvd_readiness_show"])
    def test_quality_is_for_whoever_may_see_the_dataset(self, town: Town, action: str) -> None:
        """Everybody for a published one, nobody else for a draft."""
        made = town.make("admin", workflow="draft")
        with pytest.raises(tk.NotAuthorized):
            town.act("", action, id=made["id"])
        town.act("admin", "ccphva_dataset_publish", id=made["id"])
        assert town.act("", action, id=made["id"])

    def test_a_summary_counts_what_the_caller_sees(self, town: Town) -> None:
        """An administrator's summary has the draft, a stranger's has not."""
        town.make("admin", notes="Analyses")
        town.make("admin", name="entwurf", workflow="draft")
        inside = town.act("admin", "ccphva_quality_summary_show", id="town")
        outside = town.act("stranger", "ccphva_quality_summary_show", id="town")
        assert (inside["datasets"], outside["datasets"]) == (2, 1)
        assert [each["name"] for each in inside["worst"]] == ["entwurf", "jeu"]
        assert outside["missing"]["contact"] == 1
        assert sum(inside["bands"].values()) == 2


VOCABULARIES = shapes.FOLDER.parent / "vocabularies"
EU = "http://publications.europa.eu/resource/authority/"


def concepts(table: str, *files: str) -> set[str]:
    """Codes of an authority table, from the editions that the yardsticks hold."""
    base = f"{EU}{table}/"
    found = {
        str(each).removeprefix(base)
        for name in files
        for each in Graph().parse(VOCABULARIES / name).subjects(RDF.type, SKOS.Concept)
        if str(each).startswith(base)
    }
    return found - {"", "OP_DATPRO"}


@pytest.mark.skipif(not VOCABULARIES.exists(), reason="needs the tables of ../shared/yardsticks/vocabularies")
class TestTables:
    """The lists of `mqa.yaml` against the EU's authority tables."""

    def test_formats(self) -> None:
        """`known` is the table of file types; the assessment's own lists name nothing else."""
        formats = quality.formats()
        assert formats.known == concepts("file-type", "full-file-type.rdf", "eu_file_type.ttl")
        assert formats.machine_readable | formats.non_proprietary <= formats.known
        assert formats.structured - formats.known == {"GTFS", "PARQUET"}  # newer than the editions at hand
        assert set(formats.also.values()) <= formats.known

    def test_licences(self) -> None:
        """The licences that earn points are those of ours whose URI is in the table of licences."""
        table = concepts("licence", "eu_licence.ttl")
        ours = {each["id"]: str(each.get("uri") or "") for each in licences.by_id().values()}
        in_table = {id_ for id_, uri in ours.items() if uri.removeprefix(f"{EU}licence/") in table}
        assert set(quality.rules("mqa")["licences"]) == in_table

    def test_file_types_of_the_form(self) -> None:
        """Formats that the form offers are in the table, so that whoever chooses one earns the points."""
        offered = {concept.code for concept in codelists.load("file-type")}
        assert offered <= quality.formats().known | {"GTFS", "PARQUET", "GPX"}


@pytest.mark.parametrize(
    ("mimetype", "earned"),
    [
        ("text/csv", 10),
        ("https://www.iana.org/assignments/media-types/application/geo+json", 10),
        ("text/csv;charset=utf-8", 10),
        ("csv", 0),
        ("a/b", 0),
        ("", 0),
    ],
)
def test_a_media_type_is_one_of_ianas(mimetype: str, earned: int) -> None:
    """What is no media type earns nothing, slash or not."""
    resource = {**FULL["resources"][0], "mimetype": mimetype}
    assert points(resources=[resource])["format_vocabulary"] == earned
