"""Search on a real Solr: in each language, in every form of a word, with the reader's language first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action
from ckan.lib import search as core_search
from ckan.tests import factories
from ckanext.ccphva import search

ENVIRONMENT = "http://publications.europa.eu/resource/authority/data-theme/ENVI"
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[5.9, 49.4], [6.0, 49.4], [6.0, 49.5], [5.9, 49.5], [5.9, 49.4]]],
}


@pytest.fixture(scope="module")
def catalogue(reset_db: Any, reset_index: Any) -> Iterator[dict[str, str]]:
    """Four datasets of one organisation, indexed once for the module."""
    p.load_all()
    reset_db()
    reset_index()
    owner = factories.Organization(
        name="audun",
        title="",
        title_translated={"fr": "Commune d'Audun-le-Tiche", "lb": "Gemeng Däitsch-Oth"},
    )["id"]
    made = [
        {
            "name": "dechets",
            "title_translated": {
                "fr": "Collecte des déchets ménagers",
                "de": "Haushaltsabfälle",
                "en": "Waste collection",
                "lb": "Offallsammlung",
            },
            "notes_translated": {
                "fr": "Jours de passage dans la commune.",
                "lb": "Den Offall gëtt ofgeholl.",
            },
            "tags_translated": {"fr": ["ordures"], "de": ["Abfälle"]},
            "theme": [ENVIRONMENT],
            "spatial_coverage": [{"geom": json.dumps(SQUARE)}],
        },
        {
            "name": "energie",
            "title_translated": {
                "fr": "Consommation d'énergie",
                "de": "Energieverbrauch",
                "en": "Energy use",
            },
            "resources": [
                {
                    "url": "https://example.org/e.csv",
                    "name_translated": {"fr": "Relevés horaires", "en": "Hourly readings"},
                }
            ],
        },
        {"name": "gift-fr", "title_translated": {"fr": "Gift", "de": "Anderes"}},
        {"name": "gift-de", "title_translated": {"fr": "Autre", "de": "Gift"}},
    ]
    for dataset in made:
        call_action("package_create", owner_org=owner, **dataset)
    yield {dataset["name"]: dataset["title_translated"]["fr"] for dataset in made}
    p.unload_all()


def found(words: str, **params: Any) -> list[str]:
    """Names of datasets that a search finds, best first."""
    result = tk.get_action("package_search")({"user": "", "ignore_auth": False}, {"q": words, **params})
    return [dataset["name"] for dataset in result["results"]]


@pytest.mark.usefixtures("catalogue")
class TestWords:
    @pytest.mark.parametrize(
        "words",
        [
            "déchets", "dechets", "dechet", "DÉCHETS", "l'ordure", "menager collecte",
            "Haushaltsabfälle", "Abfälle", "Abfall", "waste", "collections",
            "Offallsammlung", "Offall", "offall",
        ],
    )  # fmt: skip
    def test_every_form_of_a_word_finds_it(self, words: str) -> None:
        """Accents, plurals, elisions and capitals make no difference, in each language."""
        assert found(words) == ["dechets"]

    @pytest.mark.parametrize("words", ["Environnement", "Umwelt", "Environment", "Ëmwelt"])
    def test_names_of_themes_are_found_in_four_languages(self, words: str) -> None:
        """A theme is found by its name in the reader's language."""
        assert "dechets" in found(words)

    @pytest.mark.parametrize("words", ["d'Audun", "Audun", "Däitsch-Oth"])
    def test_names_of_organisations_are_found(self, words: str) -> None:
        """All datasets of an organisation are found by its name in any language."""
        assert len(found(words)) == 4

    @pytest.mark.parametrize("words", ["relevés", "hourly"])
    def test_names_of_resources_are_found(self, words: str) -> None:
        """A file's name counts for its dataset."""
        assert found(words) == ["energie"]

    def test_words_of_a_title_and_of_an_organisation_go_together(self) -> None:
        """Two words must both match, wherever they stand."""
        assert found("déchets Audun") == ["dechets"]
        assert found("déchets énergie") == []

    @pytest.mark.parametrize(
        "words", ["déchets OR énergie", "waste OR Energieverbrauch", "déchets || énergie"]
    )
    def test_or_means_or(self, words: str) -> None:
        """What the reader joins by OR need not both match."""
        assert set(found(words)) == {"dechets", "energie"}

    def test_minus_and_not_leave_out(self) -> None:
        """A word with a minus, or after NOT, must not match."""
        assert set(found("Audun -déchets")) == {"energie", "gift-fr", "gift-de"}
        assert set(found("Audun NOT déchets")) == {"energie", "gift-fr", "gift-de"}

    def test_fields_can_be_named_as_in_ckan(self) -> None:
        """A query that names fields is CKAN's own."""
        assert found("name:energie") == ["energie"]
        assert set(found("*:*")) == {"dechets", "energie", "gift-fr", "gift-de"}

    @pytest.mark.parametrize("words", ["(", '"', "AND", "OR", "déchets OR", "[* TO", "a" * 5000, "\\"])
    def test_odd_words_are_no_fault(self, words: str) -> None:
        """A half-typed query finds something or nothing."""
        assert isinstance(found(words), list)

    def test_no_query_chooses_its_parser(self) -> None:
        """Solr's own language stays closed to readers."""
        with pytest.raises(core_search.SearchError):
            found("{!lucene}x")


class TestRanking:
    @pytest.mark.parametrize(("path", "first"), [("/de", "gift-de"), ("", "gift-fr"), ("/fr", "gift-fr")])
    def test_the_readers_language_comes_first(
        self, app: Any, catalogue: dict[str, str], path: str, first: str
    ) -> None:
        """The same word means another thing in another language: the reader's own wins."""
        page = app.get(f"{path}/dataset/?q=gift").body
        other = {"gift-de": "gift-fr", "gift-fr": "gift-de"}[first]
        assert 0 < page.index(f"/dataset/{first}") < page.index(f"/dataset/{other}")

    def test_weights_are_for_the_reader(self) -> None:
        """The reader's fields weigh most, and every language is asked."""
        weights = search.fields("lb")
        assert weights.startswith("title_fr^3 concept_fr^2 text_fr^1")
        assert "title_lb^8 concept_lb^3 text_lb^3" in weights


class TestDocument:
    def test_texts_by_language_are_not_strings_of_the_index(self, catalogue: dict[str, str]) -> None:
        """A title in four languages is analysed text; its JSON is in no field."""
        document = core_search.show("dechets")
        assert not [name for name in document if name.endswith("_translated")]
        assert document["vocab_theme"] == [ENVIRONMENT]

    def test_boxes_are_searched(self, catalogue: dict[str, str]) -> None:
        """The outline of a dataset is found by a box that meets it, and by no other."""
        assert found("", extras={"ext_bbox": "5.8,49.3,6.1,49.6"}) == ["dechets"]
        assert found("", extras={"ext_bbox": "1,40,2,41"}) == []

    def test_very_long_texts_are_indexed(self, catalogue: dict[str, str]) -> None:
        """40 kB of description and of provenance: stored, found by a word, and no fault of the index."""
        long = "montagne " * 4500
        made = call_action(
            "package_create",
            name="long",
            owner_org="audun",
            title_translated={"fr": "Texte long"},
            notes_translated={"fr": long, "de": long},
            provenance=long,
            spatial_coverage=[
                {"geom": json.dumps({"type": "LineString", "coordinates": [[5.9, 49.4]] * 4000})}
            ],
        )
        try:
            assert found("montagne") == ["long"]
            assert call_action("package_show", id=made["id"])["provenance"] == {"fr": long}
        finally:
            call_action("dataset_purge", id=made["id"])
