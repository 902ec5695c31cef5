"""The form that an agent fills in: four languages a text, one visibility, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")

TEXTS = {
    "title_translated-fr": "Aires de jeux",
    "title_translated-de": "Spielplätze",
    "title_translated-en": "",
    "title_translated-lb": "Spillplazen",
    "notes_translated-fr": "Où jouer.",
    "tags_translated-fr": "jeux, enfants",
    "tags_translated-de": "Kinder",
}


@pytest.fixture
def agent() -> dict[str, str]:
    """Headers of somebody who may publish."""
    return {"Authorization": factories.SysadminWithToken()["token"]}


def filled(page: str) -> dict[str, Any]:
    """What a browser would send of a form as it stands."""
    form = BeautifulSoup(page, "html.parser").select_one("form#dataset-edit, form.dataset-form")
    values = {}
    assert form is not None
    for entry in form.find_all(["input", "textarea"]):
        if entry.get("name") and entry.get("type") not in ("submit", "file", "checkbox", "button"):
            values[entry["name"]] = entry.get("value", "") if entry.name == "input" else entry.text.strip()
    for choice in form.find_all("select"):
        chosen = choice.find("option", selected=True) or choice.find("option")
        if not choice.has_attr("multiple") and choice.get("name"):
            values[choice["name"]] = chosen.get("value", "")
    return values


def test_an_agent_publishes_in_four_languages(app: Any, agent: dict[str, str]) -> None:
    """The form as a browser sends it, empty repeating fields included, makes the dataset."""
    owner = factories.Organization()["id"]
    form = filled(app.get("/dataset/new", headers=agent).body)
    assert "private" not in form
    form |= TEXTS | {"name": "aires", "owner_org": owner, "visibility": "restricted", "save": ""}
    app.post("/dataset/new", data=form, headers=agent, follow_redirects=False)
    made = call_action("package_show", id="aires")
    assert made["title_translated"] == {"fr": "Aires de jeux", "de": "Spielplätze", "lb": "Spillplazen"}
    assert made["notes_translated"] == {"fr": "Où jouer."}
    assert made["tags_translated"] == {"fr": ["jeux", "enfants"], "de": ["Kinder"]}
    assert (made["visibility"], made["private"], made["personal_data"]) == ("restricted", True, "none")
    assert made["workflow"] == "draft"  # and private until it is published
    call_action("ccphva_dataset_publish", id="aires")
    made = call_action("package_show", id="aires")
    assert (made["visibility"], made["private"]) == ("restricted", False)


def test_a_refused_form_keeps_what_was_typed(app: Any, agent: dict[str, str]) -> None:
    """Without a French title nothing is stored, the field says so, and the German title is still there."""
    owner = factories.Organization()["id"]
    form = filled(app.get("/dataset/new", headers=agent).body)
    form |= TEXTS | {"name": "aires", "owner_org": owner, "title_translated-fr": "", "save": ""}
    page = BeautifulSoup(app.post("/dataset/new", data=form, headers=agent).body, "html.parser")
    assert page.find("input", {"name": "title_translated-de"})["value"] == "Spielplätze"
    assert page.find("input", {"name": "tags_translated-fr"})["value"] == "jeux, enfants"
    assert page.find(class_="error-explanation") is not None
    assert model.Package.get("aires") is None


def test_an_agent_edits_one_language(app: Any, agent: dict[str, str]) -> None:
    """The edit form shows all texts; a changed one is stored and the others stay."""
    owner = factories.Organization()["id"]
    titles = {"fr": "Aires de jeux", "de": "Spielplätze"}
    call_action(
        "package_create",
        name="aires",
        owner_org=owner,
        title_translated=titles,
        tags_translated={"fr": ["jeux", "ville"]},
    )
    form = filled(app.get("/dataset/edit/aires", headers=agent).body)
    assert form["title_translated-fr"] == "Aires de jeux"
    assert form["tags_translated-fr"] == "jeux, ville"
    app.post(
        "/dataset/edit/aires", data=form | {"title_translated-en": "Playgrounds", "save": ""}, headers=agent
    )
    made = call_action("package_show", id="aires")
    assert made["title_translated"] == titles | {"en": "Playgrounds"}
    assert made["tags_translated"] == {"fr": ["jeux", "ville"]}


def test_an_organisation_is_edited_by_its_form(app: Any, agent: dict[str, str]) -> None:
    """Kind, codes and texts of an organisation can be typed, and come back."""
    call_action("organization_create", name="thil", title_translated={"fr": "Thil"})
    form = filled(app.get("/organization/edit/thil", headers=agent).body)
    form |= {
        "title_translated-de": "Gemeinde Thil",
        "kind": "commune",
        "insee": "54521",
        "siren": "215405218",
        "save": "",
    }
    app.post("/organization/edit/thil", data=form, headers=agent)
    shown = call_action("organization_show", id="thil")
    assert shown["title_translated"] == {"fr": "Thil", "de": "Gemeinde Thil"}
    assert (shown["kind"], shown["insee"], shown["siren"]) == ("commune", "54521", "215405218")


@pytest.mark.parametrize("language", ["", "/de", "/en", "/lb"])
def test_pages_of_a_dataset_show_no_raw_texts(app: Any, language: str) -> None:
    """A dataset with every kind of field has a page in each language, without JSON on it."""
    call_action(
        "package_create",
        name="aires",
        owner_org=factories.Organization()["id"],
        title_translated={"fr": "Aires", "de": "Plätze"},
        notes_translated={"fr": "Où jouer.", "lb": "Wou een spillt."},
        theme=["http://publications.europa.eu/resource/authority/data-theme/ENVI"],
        contact=[{"name": "Service", "email": "a@example.org"}],
        temporal_coverage=[{"start": "2026-01-01"}],
        resources=[{"url": "https://example.org/a.csv", "name_translated": {"fr": "Liste"}}],
    )
    made = call_action("package_show", id="aires")
    for path in ("/dataset/aires", f"/dataset/aires/resource/{made['resources'][0]['id']}"):
        answer = app.get(language + path)
        assert answer.status_code == 200
        assert "{'fr'" not in answer.body
        assert "title_translated" not in answer.body
