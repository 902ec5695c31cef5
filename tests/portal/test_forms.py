"""The dataset form: steps, faults beside their fields, two at once, sent twice, bounds, suggestions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckanext.ccphva import form_texts, languages, limits, suggestions
from ckanext.ccphva.shared import harvesting
from test_schema_form import TEXTS, filled

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")


@pytest.fixture
def agent() -> dict[str, str]:
    """Headers of somebody who may publish; without an organisation there is no form."""
    factories.Organization(name="thil")
    return {"Authorization": factories.SysadminWithToken()["token"]}


def soup(answer: Any) -> BeautifulSoup:
    return BeautifulSoup(answer.body, "html.parser")


def make(**more: Any) -> dict[str, Any]:
    if model.Group.get("thil") is None:
        factories.Organization(name="thil")
    return call_action(
        "package_create", name="aires", owner_org="thil", **{"title_translated": {"fr": "Aires"}, **more}
    )


def test_every_field_names_its_help_and_is_in_one_form(app: Any, agent: dict[str, str]) -> None:
    """All steps are in one form; what describes a field by id is there."""
    page = soup(app.get("/dataset/new", headers=agent))
    form = page.select_one("form#dataset-edit")
    assert form is not None
    for field in form.select("[aria-describedby]"):
        if "INDEX" in field.get("id", ""):
            continue
        for told in str(field["aria-describedby"]).split():
            assert form.find(id=told), told
    steps = form.select(".t-step")
    assert [link["href"] for link in form.select("[data-steps] a")] == [f"#{step['id']}" for step in steps]


def test_faults_link_to_their_field_and_stand_beside_it(app: Any, agent: dict[str, str]) -> None:
    """A fault of the German title is beside the German title, and the summary leads there."""
    form = filled(app.get("/dataset/new", headers=agent).body)
    form |= TEXTS | {"name": "aires", "owner_org": "thil", "save": ""}
    page = soup(
        app.post("/de/dataset/new", data=form | {"title_translated-de": "<b>Plätze</b>"}, headers=agent)
    )
    link = page.select_one("#form-faults a")
    assert link is not None
    field = page.find(id=str(link["href"])[1:])
    assert (field["name"], field["value"], field["aria-invalid"]) == (
        "title_translated-de",
        "<b>Plätze</b>",
        "true",
    )
    assert page.find(id=str(field["aria-describedby"]).split()[0]).text.startswith("HTML ist hier")
    assert model.Package.get("aires") is None


def test_an_emptied_choice_stays_empty_after_a_fault(app: Any, agent: dict[str, str]) -> None:
    """What an agent empties does not come back from the store when another field is refused."""
    theme = "http://publications.europa.eu/resource/authority/data-theme/ENVI"
    make(theme=[theme])
    form = filled(app.get("/dataset/edit/aires", headers=agent).body)
    page = soup(
        app.post("/dataset/edit/aires", data=form | {"title_translated-fr": "", "save": ""}, headers=agent)
    )
    assert page.select_one("#form-faults") is not None
    assert not page.find("option", {"value": theme}).has_attr("selected")


def test_two_people_at_once(app: Any, agent: dict[str, str]) -> None:
    """The second is shown both texts before anything is overwritten, and may then save."""
    make()
    form = filled(app.get("/dataset/edit/aires", headers=agent).body)
    call_action("package_patch", id="aires", title_translated={"fr": "Aires de l'autre"})
    mine = form | {"title_translated-fr": "Mes aires", "save": ""}
    page = soup(app.post("/dataset/edit/aires", data=mine, headers=agent))
    warning = page.select_one("#form-conflict")
    assert warning is not None
    assert "Aires de l'autre" in warning.text
    assert "Mes aires" in warning.text
    assert page.find("input", {"name": "title_translated-fr"})["value"] == "Mes aires"
    assert call_action("package_show", id="aires")["title"] == "Aires de l'autre"
    again = filled(str(page)) | {"save": ""}
    app.post("/dataset/edit/aires", data=again, headers=agent)
    assert call_action("package_show", id="aires")["title"] == "Mes aires"


def test_a_form_sent_twice_makes_one_dataset(app: Any, agent: dict[str, str]) -> None:
    """The second sending leads on to the data as the first did, without a fault."""
    form = filled(app.get("/dataset/new", headers=agent).body)
    form |= TEXTS | {"name": "aires", "owner_org": "thil", "save": ""}
    answers = [app.post("/dataset/new", data=form, headers=agent, follow_redirects=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].location == answers[1].location
    assert call_action("package_list") == []  # still a draft
    assert model.Session.query(model.Package).count() == 1


def test_another_person_does_not_take_a_name(app: Any, agent: dict[str, str]) -> None:
    """The same name by somebody else is a fault, not somebody's dataset."""
    make()
    form = filled(app.get("/dataset/new", headers=agent).body)
    form |= TEXTS | {"name": "aires", "title_translated-fr": "Aires", "owner_org": "thil", "save": ""}
    assert soup(app.post("/dataset/new", data=form, headers=agent)).select_one("#form-faults") is not None


def test_resources_survive_an_edit_of_the_dataset(app: Any, agent: dict[str, str]) -> None:
    """The dataset's form has no resources, and takes none away."""
    make(resources=[{"url": "https://example.org/a.csv", "name_translated": {"fr": "Liste"}}])
    form = filled(app.get("/dataset/edit/aires", headers=agent).body)
    app.post("/dataset/edit/aires", data=form | {"save": ""}, headers=agent)
    assert len(call_action("package_show", id="aires")["resources"]) == 1


def test_what_the_form_does_not_show_stays(app: Any, agent: dict[str, str]) -> None:
    """A harvested dataset keeps its URI, and so does its file, when an agent edits them by hand."""
    uri = "https://example.org/id/1"
    with harvesting():
        made = make(uri=uri, resources=[{"url": "https://example.org/a.csv", "uri": uri + "/a"}])
    form = filled(app.get("/dataset/edit/aires", headers=agent).body)
    app.post("/dataset/edit/aires", data=form | {"title_translated-fr": "Autre", "save": ""}, headers=agent)
    address = f"/dataset/aires/resource/{made['resources'][0]['id']}/edit"
    page = soup(app.get(address, headers=agent)).select_one("form#resource-edit")
    assert page is not None
    assert page.find("input", {"name": "uri"})["value"] == uri + "/a"
    shown = call_action("package_show", id="aires")
    assert (shown["title"], shown["uri"]) == ("Autre", uri)


@pytest.mark.parametrize("script", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_scripts_are_shown_as_text(app: Any, agent: dict[str, str], script: str) -> None:
    """Markup typed in any field comes back as text."""
    form = filled(app.get("/dataset/new", headers=agent).body)
    hostile = {name: script for name in form if not name.startswith("_") and name != "save"}
    page = soup(
        app.post(
            "/dataset/new",
            data=form | hostile | {"save": "", "pkg_name": "", "owner_org": "thil"},
            headers=agent,
        )
    )
    assert page.select_one("#form-faults") is not None
    assert not [tag for tag in page.find_all("script") if "alert(1)" in tag.text]
    assert page.find("img", {"onerror": True}) is None
    assert page.find("input", {"name": "title_translated-fr"})["value"] == script


@pytest.mark.parametrize(
    ("field", "value", "most"),
    [
        ("title_translated", {"fr": "a" * 401}, 400),
        ("notes_translated", {"fr": "a" * 50_001}, 50_000),
        ("tags_translated", {"fr": [f"mot {n}" for n in range(3000)]}, limits.MOST_KEYWORDS),
        ("provenance", {"fr": "a" * 50_001}, 50_000),
        ("license", "a" * (limits.LONGEST_VALUE + 1), limits.LONGEST_VALUE),
        ("conforms_to", ["https://example.org/"] * (limits.MOST_ITEMS + 1), limits.MOST_ITEMS),
        ("contact", [{"name": "x"}] * (limits.MOST_ITEMS + 1), limits.MOST_ITEMS),
        ("resources", [{"url": "https://example.org/"}] * 10_000, limits.MOST_RESOURCES),
    ],
)
def test_too_much_is_refused_and_the_bound_told(field: str, value: Any, most: int) -> None:
    """Each bound is in the message, and nothing is stored."""
    with pytest.raises(tk.ValidationError) as refused:
        make(**{field: value})
    assert str(most) in str(refused.value.error_dict)
    assert model.Package.get("aires") is None


def test_keywords_are_suggested_in_their_language() -> None:
    """Only keywords of that language, of datasets that the reader may see, by the beginning of a word."""
    make(tags_translated={"fr": ["Déchets verts", "eau"], "de": ["Grünabfälle"]})
    assert call_action("ccphva_keyword_autocomplete", q="dech", language="fr") == ["Déchets verts"]
    assert call_action("ccphva_keyword_autocomplete", q="ver", language="fr") == ["Déchets verts"]
    assert call_action("ccphva_keyword_autocomplete", q="dech", language="de") == []
    call_action("package_patch", id="aires", visibility="private")
    found = tk.get_action("ccphva_keyword_autocomplete")({"user": ""}, {"q": "dech", "language": "fr"})
    assert found == []


def test_themes_are_suggested_from_what_is_typed() -> None:
    """Labels in any language, without accents and endings; nothing where no word is shared."""
    authority = "http://publications.europa.eu/resource/authority/data-theme/"
    assert call_action("ccphva_theme_suggest", text="Transport à la demande")[0] == authority + "TRAN"
    assert authority + "ENER" in call_action("ccphva_theme_suggest", text="Consommation d'énergies")
    assert call_action("ccphva_theme_suggest", text="xyzzy") == []


def test_most_shared_words_come_first() -> None:
    choices = [
        {"value": "a", "label": {"fr": "Eaux usées"}},
        {"value": "b", "label": {"fr": "Déchets ménagers"}},
        {"value": "c", "label": {"fr": "Logement"}, "keywords": ["déchets"]},
    ]
    assert suggestions.themes("les dechets menagers de Thil", choices) == ["b", "c"]


def test_faults_go_to_their_language() -> None:
    found = languages.faults_by_language(["de: zu lang", "le texte français manque"])
    assert found == {"de": ["zu lang"], "fr": ["le texte français manque"]}


def test_the_form_shows_typed_before_stored() -> None:
    field = {"field_name": "title_translated", "validators": "fluent_text"}
    data = {
        "title_translated": {"fr": "A", "de": "B"},
        "title_translated-de": "",
        "translation_state": {"title_translated": {"de": {"of": "x", "outdated": True}}},
    }
    shown = {entry["code"]: (entry["text"], entry["state"]) for entry in form_texts.entries(field, data)}
    assert shown == {
        "fr": ("A", "filled"),
        "de": ("", "missing"),
        "en": ("", "missing"),
        "lb": ("", "missing"),
    }


def test_the_outlines_of_the_territory_are_served(app: Any) -> None:
    """GeoJSON for maps without a tile server."""
    found = app.get("/territory/outlines.geojson")
    assert found.json["type"] == "FeatureCollection"
    assert found.headers["Content-Type"] == "application/geo+json"
