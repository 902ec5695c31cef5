"""Names of organisations, groups and columns: as they are now, in the reader's language."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests import factories

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")


@pytest.fixture
def owned() -> str:
    """Name of an organisation that owns a dataset."""
    call_action(
        "organization_create", name="thil", title_translated={"fr": "Commune de Thil", "de": "Gemeinde Thil"}
    )
    call_action("package_create", name="aires", owner_org="thil", title_translated={"fr": "Aires"})
    return "thil"


@pytest.mark.parametrize(
    ("language", "name"), [("de", "Gemeinde Thil"), ("fr", "Commune de Thil"), ("en", "Commune de Thil")]
)
@pytest.mark.parametrize("path", ["/dataset/aires", "/dataset/"])
def test_pages_name_the_organisation_in_the_readers_language(
    app: Any, owned: str, path: str, language: str, name: str
) -> None:
    """Breadcrumbs, filters and lists."""
    page = BeautifulSoup(app.get(f"/{language}{path}").body, "html.parser")
    shown = page.select_one(".breadcrumb" if path.endswith("aires") else ".nav-facet, .module-narrow")
    assert shown is not None
    assert name in " ".join(
        each.get_text() for each in page.select(".toolbar, .breadcrumb, .filters, .nav-facet")
    )


def test_a_new_name_shows_at_once(owned: str) -> None:
    """Search results and filters do not keep the name of the day of indexing."""
    call_action("organization_patch", id=owned, title_translated={"fr": "Thil", "de": "Thil am Wald"})
    found = call_action("package_search", **{"facet.field": ["organization"]})
    assert found["results"][0]["organization"]["title"] == "Thil"
    assert found["results"][0]["organization"]["title_translated"]["de"] == "Thil am Wald"
    assert found["search_facets"]["organization"]["items"][0]["display_name"] == "Thil"


def test_forms_offer_organisations_in_the_agents_language(app: Any, owned: str) -> None:
    agent = {"Authorization": factories.SysadminWithToken()["token"]}
    page = BeautifulSoup(app.get("/de/dataset/new", headers=agent).body, "html.parser")
    assert "Gemeinde Thil" in page.find("select", {"name": "owner_org"}).text


def table() -> str:
    """Id of a resource with a table of one column."""
    made = call_action(
        "package_create",
        name="aires",
        owner_org=factories.Organization()["id"],
        title_translated={"fr": "Aires"},
        resources=[{"url": "https://example.org/a.csv", "name_translated": {"fr": "Liste"}}],
    )
    resource = made["resources"][0]["id"]
    call_action("datastore_create", resource_id=resource, force=True, fields=[{"id": "n", "type": "int"}])
    return resource


class TestDataDictionary:
    def test_label_and_notes_in_four_languages(self) -> None:
        """`info.label_translated` is kept, and core's label is the French one."""
        resource = table()
        info = {"label_translated": {"fr": "Nombre", "de": "Anzahl"}, "notes_translated": {"lb": "Wéi vill"}}
        call_action("datastore_create", resource_id=resource, force=True, fields=[{"id": "n", "info": info}])
        stored = call_action("datastore_info", id=resource)["fields"][0]["info"]
        assert stored["label_translated"] == {"fr": "Nombre", "de": "Anzahl"}
        assert (stored["label"], stored["notes"]) == ("Nombre", "Wéi vill")

    def test_an_unknown_language_is_refused(self) -> None:
        resource = table()
        with pytest.raises(tk.ValidationError):
            call_action(
                "datastore_create",
                resource_id=resource,
                force=True,
                fields=[{"id": "n", "info": {"label_translated": {"it": "Numero"}}}],
            )

    def test_the_form_and_the_page(self, app: Any) -> None:
        """What an agent types in the form is shown to readers in their language."""
        resource = table()
        agent = {"Authorization": factories.SysadminWithToken()["token"]}
        address = f"/dataset/aires/dictionary/{resource}"
        page = BeautifulSoup(app.get(address, headers=agent).body, "html.parser")
        assert page.find("input", {"name": "info__1__label_translated-de"}) is not None
        typed = {
            "info__1__label_translated-fr": "Nombre",
            "info__1__label_translated-de": "Anzahl",
            "save": "",
        }
        app.post(address, data=typed, headers=agent)
        assert "Anzahl" in app.get(f"/de/dataset/aires/resource/{resource}").body
        assert "Nombre" in app.get(f"/en/dataset/aires/resource/{resource}").body
