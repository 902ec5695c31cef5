"""The dataset schema through CKAN's own actions: what is stored, and what is refused with nothing stored."""

from __future__ import annotations

import json
import re
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckanext.ccphva.shared import harvesting

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")

TITLE = {"fr": "Bornes à verre", "de": "Glascontainer", "en": "Glass containers", "lb": "Glascontaineren"}
NOTES = {
    "fr": "Où sont les bornes.",
    "de": "Wo die Container stehen.",
    "en": "Where they are.",
    "lb": "Wou se stinn.",
}
SQUARE = json.dumps(
    {"type": "Polygon", "coordinates": [[[5.9, 49.4], [6.0, 49.4], [6.0, 49.5], [5.9, 49.5], [5.9, 49.4]]]}
)


def make(**fields: Any) -> dict[str, Any]:
    """Create a dataset of a fresh organisation."""
    payload = {
        "name": "bornes",
        "owner_org": factories.Organization()["id"],
        "title_translated": TITLE,
    } | fields
    return call_action("package_create", **payload)


def refused(action: str = "package_create", **fields: Any) -> dict[str, Any]:
    """The error by field of a write that must fail."""
    if action == "package_create":
        fields = {
            "name": "bornes",
            "owner_org": factories.Organization()["id"],
            "title_translated": TITLE,
        } | fields
    with pytest.raises(tk.ValidationError) as caught:
        call_action(action, **fields)
    return caught.value.error_dict


class TestTexts:
    def test_four_languages_come_back_and_core_fields_are_french(self) -> None:
        """A dataset keeps its four titles and CKAN's own title and notes are the French ones."""
        made = make(notes_translated=NOTES)
        shown = call_action("package_show", id=made["id"])
        assert shown["title_translated"] == TITLE
        assert shown["notes_translated"] == NOTES
        assert (shown["title"], shown["notes"]) == (TITLE["fr"], NOTES["fr"])

    @pytest.mark.parametrize("form", ["dict", "json", "form fields"])
    def test_the_three_forms_of_a_text_mean_the_same(self, form: str) -> None:
        """A dict, its JSON and one form field a language store the same thing."""
        given: dict[str, Any] = {
            "dict": {"title_translated": TITLE},
            "json": {"title_translated": json.dumps(TITLE)},
            "form fields": {f"title_translated-{code}": text for code, text in TITLE.items()},
        }[form]
        payload = {"name": "bornes", "owner_org": factories.Organization()["id"]} | given
        assert call_action("package_create", **payload)["title_translated"] == TITLE

    def test_regions_fold_and_empty_languages_go(self) -> None:
        """`fr-FR` is French, and an empty text is no text."""
        made = make(title_translated={"fr-FR": "Bornes", "de": " ", "en": ""})
        assert made["title_translated"] == {"fr": "Bornes"}

    def test_resources_have_texts_too(self) -> None:
        """A resource keeps its languages and its core name is the French one."""
        names = {"fr": "Fichier", "de": "Datei"}
        made = make(resources=[{"url": "https://example.org/a.csv", "name_translated": names}])
        resource = call_action("package_show", id=made["id"])["resources"][0]
        assert (resource["name_translated"], resource["name"]) == (names, "Fichier")

    @pytest.mark.parametrize(
        ("texts", "word"),
        [
            ({"fr": "Titre", "xx": "Titre"}, "xx"),
            ({"de": "Titel"}, "rançais|French"),
            ({"fr": ""}, "rançais|French"),
            ({"fr": "x" * 401}, "400"),
            ({"fr": "Titre <script>alert(1)</script>"}, "script"),
            ({"fr": "Un <b>titre</b>"}, "HTML"),
            ({"fr": ["Titre"]}, "fr"),
            ("not a dict", "fr"),
            ('["a"]', "fr"),
        ],
    )
    def test_bad_titles_are_refused_by_field(self, texts: Any, word: str) -> None:
        """Each bad title is an error of its field and stores nothing."""
        errors = refused(title_translated=texts)
        assert re.search(word, " ".join(errors["title_translated"]))
        assert model.Session.query(model.Package).count() == 0

    def test_formatting_may_stand_in_a_description_and_scripts_may_not(self) -> None:
        """A description may hold a list, and no script or frame."""
        assert make(notes_translated={"fr": "<ul><li>un</li></ul>"})["notes"] == "<ul><li>un</li></ul>"
        errors = refused(
            name="autre", notes_translated={"fr": "a <script src='x'></script> <iframe></iframe>"}
        )
        assert "iframe, script" in errors["notes_translated"][0]

    def test_a_dataset_described_elsewhere_may_lack_french(self) -> None:
        """A harvested German title is kept as German, shown as the title, and Dutch is left out."""
        with harvesting():
            made = make(uri="https://example.org/1", title_translated={"de": "Abfall", "nl": "Afval"})
        assert (made["title"], made["title_translated"]) == ("Abfall", {"de": "Abfall"})

    def test_a_dataset_described_elsewhere_needs_a_language_of_ours(self) -> None:
        """A title in Dutch alone is an error: nothing could be shown."""
        with harvesting():
            assert refused(uri="https://example.org/1", title_translated={"nl": "Afval"})["title_translated"]


class TestKeywords:
    def test_french_keywords_are_tags(self) -> None:
        """Keywords keep their languages; the French ones are CKAN's tags under CKAN's rule."""
        words = {"fr": ["déchets", "val d'Alzette"], "de": ["Abfall"]}
        made = make(tags_translated=words)
        assert made["tags_translated"] == words
        assert [tag["name"] for tag in made["tags"]] == ["déchets", "val d Alzette"]

    @pytest.mark.parametrize(
        "plain", [{"tags": [{"name": "eau"}, {"name": "air"}]}, {"tag_string": "eau, air"}]
    )
    def test_plain_tags_are_french_keywords(self, plain: dict[str, Any]) -> None:
        """A client that knows only tags writes the French keywords."""
        made = make(**plain)
        assert sorted(made["tags_translated"]["fr"]) == ["air", "eau"]
        assert [tag["name"] for tag in made["tags"]] == ["air", "eau"]

    def test_patching_tags_keeps_the_other_languages(self) -> None:
        """New tags replace the French keywords only."""
        made = make(tags_translated={"fr": ["eau"], "de": ["Wasser"]})
        patched = call_action("package_patch", id=made["id"], tags=[{"name": "air"}])
        assert patched["tags_translated"] == {"fr": ["air"], "de": ["Wasser"]}
        assert [tag["name"] for tag in patched["tags"]] == ["air"]

    def test_removing_keywords_removes_tags(self) -> None:
        """Fewer keywords mean fewer tags."""
        made = make(tags_translated={"fr": ["eau", "air", "sol"]})
        patched = call_action("package_patch", id=made["id"], tags_translated={"fr": ["sol"]})
        assert [tag["name"] for tag in patched["tags"]] == ["sol"]

    def test_the_name_that_dcat_has_for_them_works(self) -> None:
        """`keywords_translated` is taken for the same field."""
        assert make(keywords_translated={"fr": ["eau"]})["tags_translated"] == {"fr": ["eau"]}

    @pytest.mark.parametrize(
        "words", [{"fr": [1]}, {"fr": ["x" * 101]}, {"fr": ["<b>x</b>"]}, {"fr": {"a": 1}}]
    )
    def test_bad_keywords_are_refused(self, words: Any) -> None:
        """Keywords are short plain texts."""
        assert refused(tags_translated=words)["tags_translated"]


class TestOtherFields:
    def test_an_outline_is_kept(self) -> None:
        """A place keeps its geometry as GeoJSON text."""
        made = make(spatial_coverage=[{"text": "Thil", "geom": SQUARE}])
        assert made["spatial_coverage"] == [{"text": "Thil", "geom": SQUARE}]

    @pytest.mark.parametrize(
        "bad",
        [
            "nonsense",
            "[1, 2]",
            '{"type": "Polygon"}',
            '{"type": "Circle", "coordinates": [1, 2]}',
            '{"type": "Polygon", "coordinates": []}',
            '{"type": "Point", "coordinates": [933000, 6920000]}',
            '{"type": "Polygon", "coordinates": [[["a", "b"]]]}',
        ],
    )
    def test_bad_geometries_are_refused_by_field(self, bad: str) -> None:
        """What is no WGS 84 geometry is an error of its field and stores nothing."""
        errors = refused(spatial_coverage=[{"geom": bad}])
        assert errors["spatial_coverage"][0]["geom"]
        assert model.Session.query(model.Package).count() == 0

    @pytest.mark.parametrize("field", ["url", "homepage"])
    def test_links_that_run_code_are_refused(self, field: str) -> None:
        """A `javascript:` address is an error."""
        assert refused(**{field: "javascript:alert(1)"})[field]

    def test_resource_links_that_run_code_are_refused(self) -> None:
        """The same for a resource."""
        assert refused(resources=[{"url": " JavaScript:alert(1)"}])["resources"][0]["url"]

    def test_a_rest_of_a_repeating_item_is_dropped(self) -> None:
        """A subfield that the schema lacks does not stay as `__extras`."""
        made = make(contact=[{"name": "Service déchets", "fax": "1"}])
        assert made["contact"] == [{"name": "Service déchets"}]


class TestOrganisation:
    def test_an_organisation_keeps_its_fields(self) -> None:
        """Kind, codes, population and four titles come back; core's title is French."""
        titles = {"fr": "Commune de Thil", "de": "Gemeinde Thil"}
        made = factories.Organization(
            name="thil",
            title="",
            title_translated=titles,
            kind="commune",
            insee="54521",
            siren="215 405 218",
            population=2026,
        )
        shown = call_action("organization_show", id=made["id"])
        assert (shown["title"], shown["title_translated"]) == ("Commune de Thil", titles)
        assert (shown["kind"], shown["insee"], shown["siren"], shown["population"]) == (
            "commune",
            "54521",
            "215405218",
            "2026",
        )

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("siren", "215405219"),
            ("siren", "12345"),
            ("insee", "5452"),
            ("insee", "ABCDE"),
            ("kind", "kingdom"),
            ("parent", "nobody"),
            ("url", "data:text/html,x"),
            ("population", "-4"),
        ],
    )
    def test_bad_values_are_refused_by_field(self, field: str, value: str) -> None:
        """Each bad value is an error of its field and stores nothing."""
        with pytest.raises(tk.ValidationError) as caught:
            call_action("organization_create", name="thil", title="Thil", **{field: value})
        assert caught.value.error_dict[field]
        assert model.Group.get("thil") is None

    def test_a_parent_makes_the_hierarchy_and_cannot_loop(self) -> None:
        """`parent` puts an organisation under another one, and never under itself."""
        above = factories.Organization(name="above", title="Above")
        below = factories.Organization(name="below", title="Below", parent="above")
        assert call_action("organization_show", id=below["id"])["parent"] == "above"
        assert [g.name for g in model.Group.get("below").get_parent_group_hierarchy("organization")] == [
            "above"
        ]
        with pytest.raises(tk.ValidationError):
            call_action("organization_patch", id=above["id"], parent="below")
        call_action("organization_patch", id=below["id"], parent="")
        assert model.Group.get("below").get_parent_group_hierarchy("organization") == []


def test_a_series_may_come_with_files() -> None:
    """Other catalogues give files to a series: they are kept, though no form of ours asks for them."""
    series = call_action(
        "package_create",
        type="dataset_series",
        name="serie-avec-fichier",
        title_translated={"fr": "Série"},
        owner_org=factories.Organization()["id"],
        resources=[{"url": "https://example.org/budgets.csv", "name": "budgets"}],
    )
    assert [resource["url"] for resource in series["resources"]] == ["https://example.org/budgets.csv"]
