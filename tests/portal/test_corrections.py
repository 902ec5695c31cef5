"""What people correct of harvested datasets survives the next harvest, field by field, until taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp
from ckanext.ccphva_harvest import layers
from harvesting import Site, act, catalog, datasets, harvest, make_source

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")
WORDS = '<http://x.example/d/a> <http://www.w3.org/ns/dcat#keyword> "{}"@fr .'


class Harvested:
    """A source with one dataset, harvested once, and a person who may edit it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.person = factories.UserWithToken()
        self.organization = factories.Organization(
            users=[{"name": self.person["name"], "capacity": "editor"}]
        )
        self.source = make_source(
            site.serve("/c", catalog({"a": "Titre"}, WORDS.format("eau"))), owner_org=self.organization["id"]
        )
        harvest(self.source)

    @property
    def dataset(self) -> dict[str, Any]:
        (found,) = datasets(self.source)
        return act("package_show", id=found["id"])

    def correct(self, **changes: Any) -> None:
        tk.get_action("package_patch")({"user": self.person["name"]}, {"id": self.dataset["id"], **changes})

    def again(self, title: str = "Titre", word: str = "eau", more: str = "") -> dict[str, Any]:
        """The source says something else, and is harvested anew."""
        self.site.serve("/c", catalog({"a": title}, WORDS.format(word) + more))
        return harvest(self.source)

    def corrections(self) -> dict[str, dict[str, Any]]:
        context = {"user": self.person["name"]}
        found = tk.get_action("ccphva_harvest_provenance_show")(context, {"id": self.dataset["id"]})
        return {each["path"]: each for each in found["corrections"]}

    def act(self, action: str, **data: Any) -> Any:
        return tk.get_action(action)({"user": self.person["name"]}, data)


@pytest.fixture
def harvested() -> Iterator[Harvested]:
    site = Site()
    yield Harvested(site)
    site.close()


@pytest.mark.usefixtures("with_request_context")
def test_a_corrected_field_stays_and_the_others_follow(harvested: Harvested) -> None:
    """A new French title is the person's, a German one is added; keywords still come from the source."""
    harvested.correct(title_translated={"fr": "Meilleur titre", "de": "Titel"})
    assert set(harvested.corrections()) == {"title_translated/fr", "title_translated/de"}
    harvested.again(word="air")
    assert harvested.dataset["title_translated"] == {"fr": "Meilleur titre", "de": "Titel"}
    assert harvested.dataset["title"] == "Meilleur titre"
    assert harvested.dataset["tags_translated"] == {"fr": ["air"]}
    assert not any(each["conflict"] for each in harvested.corrections().values())


def test_a_field_that_the_source_brings_under_another_name(harvested: Harvested) -> None:
    """Keywords are `keywords_translated` on their way in and `tags_translated` when stored."""
    harvested.correct(tags_translated={"fr": ["rivière"], "de": ["Fluss"]})
    harvested.again(title="Nouveau", word="air")
    assert harvested.dataset["tags_translated"] == {"fr": ["rivière"], "de": ["Fluss"]}
    assert harvested.dataset["title_translated"] == {"fr": "Nouveau"}


@pytest.mark.usefixtures("with_request_context")
def test_a_source_that_contradicts_anew_is_a_conflict(harvested: Harvested) -> None:
    """The organisation is told, sees both words, and decides: stay with its own, or take the source's."""
    harvested.correct(title_translated={"fr": "Le nôtre"})
    assert harvested.act("ccphva_harvest_conflict_list") == []
    harvested.again(title="Nouveau mot")
    layer = harvested.corrections()["title_translated/fr"]
    assert (layer["ours"], layer["source"], layer["conflict"]) == ("Le nôtre", "Nouveau mot", True)
    (listed,) = harvested.act("ccphva_harvest_conflict_list")
    assert (listed["id"], listed["conflicts"]) == (harvested.dataset["id"], 1)
    harvested.act("ccphva_harvest_correction_keep", id=harvested.dataset["id"], path="title_translated/fr")
    assert harvested.act("ccphva_harvest_conflict_list") == []
    assert harvested.dataset["title"] == "Le nôtre"
    harvested.act("ccphva_harvest_correction_remove", id=harvested.dataset["id"], path="title_translated/fr")
    assert harvested.dataset["title"] == "Nouveau mot"
    harvested.again(title="Encore un")
    assert harvested.dataset["title"] == "Encore un"


def test_what_the_source_takes_over_is_no_correction_any_more(harvested: Harvested) -> None:
    harvested.correct(title_translated={"fr": "Juste"})
    harvested.again(title="Juste")
    assert harvested.corrections() == {}
    harvested.again(title="Autre")
    assert harvested.dataset["title"] == "Autre"


def test_back_at_the_sources_word_by_hand(harvested: Harvested) -> None:
    """Who writes again what the source says has corrected nothing."""
    harvested.correct(title_translated={"fr": "Faux"})
    harvested.correct(title_translated={"fr": "Titre"})
    assert harvested.corrections() == {}


def test_publication_by_hand_stays(harvested: Harvested) -> None:
    """A dataset that was made private stays so; the next harvest does not publish it again."""
    harvested.correct(visibility="private")
    harvested.again(title="Nouveau")
    assert (harvested.dataset["visibility"], harvested.dataset["private"]) == ("private", True)
    assert harvested.dataset["title"] == "Nouveau"


@pytest.mark.usefixtures("with_request_context")
def test_files_that_were_added_changed_or_taken_away(harvested: Harvested) -> None:
    """A file of our own stays beside those of the source; a better name of theirs stays, one gone too."""
    own = harvested.act(
        "resource_create", package_id=harvested.dataset["id"], url="https://x.example/own.csv"
    )
    theirs = next(each for each in harvested.dataset["resources"] if each["id"] != own["id"])
    harvested.act("resource_patch", id=theirs["id"], name_translated={"fr": "Bon nom"})
    harvested.again(title="Nouveau")
    found = {each["id"]: each for each in harvested.dataset["resources"]}
    assert set(found) == {own["id"], theirs["id"]}
    assert found[theirs["id"]]["name_translated"] == {"fr": "Bon nom"}
    harvested.act("resource_delete", id=theirs["id"])
    harvested.again(title="Encore")
    assert [each["id"] for each in harvested.dataset["resources"]] == [own["id"]]
    harvested.act(
        "ccphva_harvest_correction_remove", id=harvested.dataset["id"], path=f"resources/{theirs['id']}"
    )
    assert theirs["id"] in [each["id"] for each in harvested.dataset["resources"]]


def test_an_unchanged_source_writes_nothing(harvested: Harvested) -> None:
    harvested.correct(title_translated={"fr": "Le nôtre"})
    job = harvested.again()
    assert (job["stats"]["updated"], job["stats"]["not modified"]) == (0, 1)


def test_own_datasets_have_no_layers(harvested: Harvested) -> None:
    """A dataset that no source keeps is edited as ever, and has no such page."""
    own = act("package_create", name="own", owner_org=harvested.organization["id"], title="Un")
    act("package_patch", id=own["id"], title_translated={"fr": "Deux"})
    found = harvested.act("ccphva_harvest_provenance_show", id=own["id"])
    assert found == {"source": None, "corrections": []}
    with pytest.raises(tk.ObjectNotFound):
        harvested.act("ccphva_harvest_correction_remove", id=own["id"], path="title_translated/fr")


def test_who_may_not_edit_sees_and_does_nothing(harvested: Harvested, app: CKANTestApp) -> None:
    stranger = factories.UserWithToken()
    for action in ("provenance_show", "correction_remove", "correction_keep"):
        with pytest.raises(tk.NotAuthorized):
            tk.get_action(f"ccphva_harvest_{action}")(
                {"user": stranger["name"]}, {"id": harvested.dataset["id"], "path": "theme"}
            )
    for headers in ({}, {"Authorization": stranger["token"]}):
        assert app.get(f"/dataset/{harvested.dataset['name']}/source", headers=headers, status=403)
    with pytest.raises(tk.NotAuthorized):
        tk.get_action("ccphva_harvest_conflict_list")({"user": ""}, {})


@pytest.mark.parametrize("language", ["fr", "de", "en", "lb"])
def test_the_page(harvested: Harvested, app: CKANTestApp, language: str) -> None:
    """Both words stand beside each other in the reader's language, as text, with their buttons."""
    harvested.correct(title_translated={"fr": "Le nôtre < 3 & co"})
    harvested.again(title="Nouveau")
    answer = app.get(
        f"/{language}/dataset/{harvested.dataset['name']}/source",
        headers={"Authorization": harvested.person["token"]},
    )
    page = BeautifulSoup(answer.body, "html.parser")
    (row,) = page.select(".t-corrections tbody tr")
    assert "Nouveau" in row.text
    assert "Le nôtre < 3 & co" in row.text
    assert len(row.select("button[formaction]")) == 2
    assert row.select_one("input[name=_csrf_token]")
    assert page.select_one("html")["lang"] == language


def test_the_button_takes_the_sources_word(harvested: Harvested, app: CKANTestApp) -> None:
    harvested.correct(title_translated={"fr": "Le nôtre"})
    name, headers = harvested.dataset["name"], {"Authorization": harvested.person["token"]}
    page = BeautifulSoup(app.get(f"/dataset/{name}/source", headers=headers).body, "html.parser")
    form = {each["name"]: each["value"] for each in page.select(".t-corrections input")}
    app.post(f"/dataset/{name}/source/remove", data=form, headers=headers)
    assert harvested.dataset["title"] == "Titre"


def test_a_correction_that_fails_is_not_noted(harvested: Harvested) -> None:
    """A refused update leaves no layer behind."""
    with pytest.raises(tk.ValidationError):
        harvested.correct(title_translated={"fr": ""})
    model.Session.rollback()
    assert harvested.corrections() == {}


class TestLayers:
    """The arithmetic alone."""

    def test_nothing_is_nothing_however_it_is_written(self) -> None:
        before = {"theme": [], "url": None, "version": "", "resources": []}
        assert layers.difference(before, {"resources": []}, ["theme", "url", "version"]) == []

    def test_what_is_laid_does_not_touch_what_is_given(self) -> None:
        wanted = {"a_translated": {"fr": "x"}, "resources": [{"id": "r", "url": "u"}]}
        laid = layers.lay(
            wanted,
            [layers.Layer("a_translated/de", "y", None), layers.Layer("resources/r/url", "v", "u")],
            {},
        )
        assert laid == {"a_translated": {"fr": "x", "de": "y"}, "resources": [{"id": "r", "url": "v"}]}
        assert wanted["a_translated"] == {"fr": "x"}
        assert wanted["resources"] == [{"id": "r", "url": "u"}]

    def test_a_file_that_the_source_took_away_is_not_brought_back(self) -> None:
        laid = layers.lay({"resources": []}, [layers.Layer("resources/r/url", "v", "u")], {})
        assert laid == {"resources": []}
