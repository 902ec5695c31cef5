"""Translations older than the French: known for datasets, resources, organisations and groups."""

from __future__ import annotations

from typing import Any

import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests import factories
from ckanext.ccphva import freshness
from test_schema_form import filled

OLD, NEW = {"fr": "Aires", "de": "Plätze"}, {"fr": "Aires de jeux", "de": "Plätze"}


def test_a_changed_french_text_makes_its_translations_old() -> None:
    first = freshness.follow(OLD, {}, {}, ())
    assert first["de"] == {"of": freshness.mark("Aires"), "outdated": False}
    second = freshness.follow(NEW, OLD, first, ())
    assert second["de"] == {"of": freshness.mark("Aires"), "outdated": True}


def test_a_changed_translation_is_current() -> None:
    state = freshness.follow(NEW, OLD, {}, ())
    assert not freshness.follow({**NEW, "de": "Spielplätze"}, NEW, state, ())["de"]["outdated"]


def test_somebody_declares_a_translation_still_right() -> None:
    state = freshness.follow(NEW, OLD, {}, ())
    assert not freshness.follow(NEW, NEW, state, ("de",))["de"]["outdated"]


def test_the_french_that_returns_makes_its_translations_current() -> None:
    state = freshness.follow(NEW, OLD, freshness.follow(OLD, {}, {}, ()), ())
    assert not freshness.follow(OLD, NEW, state, ())["de"]["outdated"]


@pytest.mark.parametrize("same", ["Aires \r\n", " Aires", "Aires"])
def test_spaces_and_line_ends_are_no_change(same: str) -> None:
    assert not freshness.follow({**OLD, "fr": same}, OLD, {}, ())["de"]["outdated"]


def test_without_french_nothing_is_old() -> None:
    assert freshness.follow({"de": "Plätze"}, OLD, {}, ()) == {}


@pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
class TestInTheCatalogue:
    def outdated(self, thing: dict[str, Any], field: str = "title_translated") -> list[str]:
        states = (thing.get("translation_state") or {}).get(field) or {}
        return [code for code, state in states.items() if state["outdated"]]

    def make(self) -> dict[str, Any]:
        return call_action(
            "package_create",
            name="aires",
            owner_org=factories.Organization()["id"],
            title_translated=OLD,
            resources=[{"url": "https://example.org/a", "name_translated": {"fr": "Liste", "lb": "Lëscht"}}],
        )

    def test_a_dataset_and_its_resources(self) -> None:
        """Each is followed by itself, and the API tells."""
        made = self.make()
        assert self.outdated(made) == []
        resources = [{**made["resources"][0], "name_translated": {"fr": "Liste complète", "lb": "Lëscht"}}]
        call_action("package_patch", id="aires", title_translated=NEW, resources=resources)
        shown = call_action("package_show", id="aires")
        assert self.outdated(shown) == ["de"]
        assert self.outdated(shown["resources"][0], "name_translated") == ["lb"]
        call_action("package_patch", id="aires", translations_checked={"title_translated": ["de"]})
        assert self.outdated(call_action("package_show", id="aires")) == []

    def test_a_client_of_core_makes_translations_old(self) -> None:
        """`package_patch(title=…)` changes the French text alone."""
        self.make()
        call_action("package_patch", id="aires", title="Aires nouvelles")
        assert self.outdated(call_action("package_show", id="aires")) == ["de"]

    def test_a_client_cannot_write_the_state(self) -> None:
        """The state follows from the texts, whatever a payload says."""
        self.make()
        call_action("package_patch", id="aires", title_translated=NEW)
        call_action("package_patch", id="aires", translation_state={})
        assert self.outdated(call_action("package_show", id="aires")) == ["de"]

    @pytest.mark.parametrize("kind", ["organization", "group"])
    def test_organisations_and_groups(self, kind: str) -> None:
        call_action(f"{kind}_create", name="thil", title_translated={"fr": "Thil", "de": "Thil (Gemeinde)"})
        call_action(
            f"{kind}_patch", id="thil", title_translated={"fr": "Commune de Thil", "de": "Thil (Gemeinde)"}
        )
        shown = call_action(f"{kind}_show", id="thil")
        assert self.outdated(shown) == ["de"]
        assert shown["title"] == "Commune de Thil"

    def test_the_form_says_it_and_takes_the_answer(self, app: Any) -> None:
        """The box beside an old translation declares it still right."""
        agent = {"Authorization": factories.SysadminWithToken()["token"]}
        self.make()
        call_action("package_patch", id="aires", title_translated=NEW)
        page = app.get("/dataset/edit/aires", headers=agent)
        assert 'class="t-state t-state-outdated"' in page.body
        app.post(
            "/dataset/edit/aires",
            data=filled(page.body) | {"title_translated-checked": "de", "save": ""},
            headers=agent,
        )
        assert self.outdated(call_action("package_show", id="aires")) == []

    def test_the_page_says_it_in_small(self, app: Any) -> None:
        """Readers of the old language are told, others are not."""
        self.make()
        call_action("package_patch", id="aires", title_translated=NEW)
        assert "t-outdated" in app.get("/de/dataset/aires").body
        assert "t-outdated" not in app.get("/en/dataset/aires").body
