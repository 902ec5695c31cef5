"""Multilingual texts: which of two fields a client meant, and what the catalogue documents say of them."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, harvested_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckanext.ccphva import languages
from ckanext.dcat.processors import RDFParser
from rdflib import DCAT, DCTERMS, Graph, Literal

TITLE = {
    "fr": "Éclairage public",
    "de": "Straßenbeleuchtung",
    "en": "Street lighting",
    "lb": "Stroosseluuchten",
}
NOTES = {code: f"{text}, 2026." for code, text in TITLE.items()}


class TestWords:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("fr", "fr"),
            ("fr-FR", "fr"),
            ("de_CH", "de"),
            ("ENG", "en"),
            ("ltz", "lb"),
            ("nl", None),
            ("fr-t-de-t0-mtec", None),
        ],
    )
    def test_codes_fold(self, code: str, expected: str | None) -> None:
        """Regions and three-letter codes fold; others, and machine translations, are not ours."""
        assert languages.fold(code) == expected

    def test_an_exact_code_wins_over_a_region(self) -> None:
        """`fr` is kept where `fr-BE` says something else."""
        assert languages.split_known({"fr-BE": "septante", "fr": "soixante-dix"}) == (
            {"fr": "soixante-dix"},
            [],
        )

    def test_the_best_text_falls_back_in_the_portals_order(self) -> None:
        """The reader's language, else French, German, English, Luxembourgish; never an empty one."""
        assert languages.best({"lb": "l", "de": "d", "en": ""}, "en") == "d"
        assert languages.best({}, "de") == ""


@pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
class TestWhichFieldCounts:
    """A client may write the texts, CKAN's own field, or both."""

    @pytest.fixture
    def dataset(self) -> dict[str, Any]:
        owner = factories.Organization()["id"]
        resources = [
            {"url": "https://example.org/a.csv", "name_translated": {"fr": "Liste", "de": "Liste (de)"}}
        ]
        return call_action(
            "package_create",
            name="eclairage",
            owner_org=owner,
            title_translated=TITLE,
            notes_translated=NOTES,
            resources=resources,
        )

    def test_creation_with_a_plain_title(self) -> None:
        """A title alone is the French title."""
        made = call_action(
            "package_create",
            name="eclairage",
            owner_org=factories.Organization()["id"],
            title="Titre",
            notes="Texte",
        )
        assert (made["title_translated"], made["notes_translated"]) == ({"fr": "Titre"}, {"fr": "Texte"})

    def test_creation_with_both(self) -> None:
        """The texts win over a plain title."""
        made = call_action(
            "package_create",
            name="eclairage",
            owner_org=factories.Organization()["id"],
            title="Autre",
            title_translated=TITLE,
        )
        assert (made["title"], made["title_translated"]) == (TITLE["fr"], TITLE)

    def test_creation_with_neither(self) -> None:
        """The address of the page does not stand in for a missing title."""
        with pytest.raises(tk.ValidationError) as caught:
            call_action("package_create", name="eclairage", owner_org=factories.Organization()["id"])
        assert caught.value.error_dict["title_translated"]
        assert model.Package.get("eclairage") is None

    @pytest.mark.parametrize(
        ("core", "field"), [("title", "title_translated"), ("notes", "notes_translated")]
    )
    def test_a_patch_of_the_plain_field_changes_the_french_text(
        self, dataset: dict[str, Any], core: str, field: str
    ) -> None:
        """The other languages stay."""
        patched = call_action("package_patch", id=dataset["id"], **{core: "Lampadaires"})
        assert patched[core] == "Lampadaires"
        assert patched[field] == dataset[field] | {"fr": "Lampadaires"}

    def test_a_patch_of_both_takes_the_texts(self, dataset: dict[str, Any]) -> None:
        """Where both change, the texts win."""
        patched = call_action(
            "package_patch", id=dataset["id"], title="Un", title_translated={"fr": "Deux", "de": "Zwei"}
        )
        assert (patched["title"], patched["title_translated"]) == ("Deux", {"fr": "Deux", "de": "Zwei"})

    def test_reading_changing_and_writing_back(self, dataset: dict[str, Any]) -> None:
        """What every CKAN client does: show, change the title, update."""
        shown = call_action("package_show", id=dataset["id"])
        updated = call_action("package_update", **(shown | {"title": "Lampadaires"}))
        assert updated["title_translated"] == TITLE | {"fr": "Lampadaires"}

    def test_an_update_with_a_plain_title_only(self, dataset: dict[str, Any]) -> None:
        """An update replaces the whole: languages that it does not name go."""
        updated = call_action(
            "package_update",
            id=dataset["id"],
            name="eclairage",
            title="Lampadaires",
            owner_org=dataset["owner_org"],
        )
        assert updated["title_translated"] == {"fr": "Lampadaires"}
        assert "notes_translated" not in updated

    def test_an_update_without_any_title_keeps_it(self, dataset: dict[str, Any]) -> None:
        """As in CKAN: a title that is not named is not lost."""
        updated = call_action(
            "package_update", id=dataset["id"], name="eclairage", owner_org=dataset["owner_org"]
        )
        assert updated["title_translated"] == TITLE

    def test_an_emptied_title_is_refused(self, dataset: dict[str, Any]) -> None:
        """An empty title is an error, and the stored one stays."""
        with pytest.raises(tk.ValidationError):
            call_action("package_patch", id=dataset["id"], title="")
        assert call_action("package_show", id=dataset["id"])["title"] == TITLE["fr"]

    def test_an_emptied_description_goes(self, dataset: dict[str, Any]) -> None:
        """No text in any language leaves no description."""
        patched = call_action("package_patch", id=dataset["id"], notes_translated={})
        assert not patched["notes"]
        assert "notes_translated" not in patched

    def test_resources_follow_the_same_rule(self, dataset: dict[str, Any]) -> None:
        """A patched plain name of a resource changes its French name only."""
        resource = call_action("resource_patch", id=dataset["resources"][0]["id"], name="Tableau")
        assert resource["name_translated"] == {"fr": "Tableau", "de": "Liste (de)"}

    def test_organisations_follow_the_same_rule(self) -> None:
        """A patched plain title of an organisation changes its French title only."""
        made = call_action(
            "organization_create", name="thil", title_translated={"fr": "Thil", "de": "Gemeinde Thil"}
        )
        call_action("organization_patch", id=made["id"], title="Commune de Thil")
        shown = call_action("organization_show", id=made["id"])
        assert shown["title_translated"] == {"fr": "Commune de Thil", "de": "Gemeinde Thil"}


@pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
class TestCatalogueDocuments:
    @pytest.mark.ckan_config("ckanext.dcat.expose_subcatalogs", False)  # else its parser wants a catalogue
    def test_a_dataset_survives_the_round_trip(self, app: Any) -> None:
        """Created, written as Turtle, parsed and created again: all texts of all languages are equal."""
        owner = factories.Organization()["id"]
        names = {"fr": "Positions", "lb": "Positiounen"}
        made = call_action(
            "package_create",
            name="eclairage",
            owner_org=owner,
            title_translated=TITLE,
            notes_translated=NOTES,
            tags_translated={"fr": ["éclairage", "énergie"], "de": ["Licht"]},
            theme=["http://publications.europa.eu/resource/authority/data-theme/ENER"],
            resources=[
                {
                    "url": "https://example.org/a.csv",
                    "name_translated": names,
                    "description_translated": NOTES,
                }
            ],
        )
        turtle = app.get("/dataset/eclairage.ttl").body
        parser = RDFParser()
        parser.parse(turtle, _format="turtle")
        (parsed,) = list(parser.datasets())
        again = harvested_action("package_create", **(parsed | {"name": "eclairage-2", "owner_org": owner}))
        for field in (
            "title_translated",
            "notes_translated",
            "title",
            "notes",
            "theme",
            "visibility",
            "access_rights",
        ):
            assert again[field] == made[field], field
        assert {code: set(words) for code, words in again["tags_translated"].items()} == {
            "fr": {"éclairage", "énergie"},
            "de": {"Licht"},
        }
        assert again["resources"][0]["name_translated"] == names
        assert again["resources"][0]["description_translated"] == NOTES

    @pytest.mark.parametrize("path", ["/dataset/eclairage.ttl", "/catalog.ttl"])
    def test_documents_hold_one_literal_a_language(self, app: Any, path: str) -> None:
        """Dataset and catalogue documents name four titles, and no empty one."""
        owner = factories.Organization()["id"]
        call_action(
            "package_create",
            name="eclairage",
            owner_org=owner,
            title_translated=TITLE,
            notes_translated={"fr": "Texte"},
        )
        graph = Graph().parse(data=app.get(path).body, format="turtle")
        (dataset,) = graph.subjects(predicate=None, object=DCAT.Dataset)
        assert set(graph.objects(dataset, DCTERMS.title)) == {
            Literal(text, lang=code) for code, text in TITLE.items()
        }
        assert set(graph.objects(dataset, DCTERMS.description)) == {Literal("Texte", lang="fr")}
