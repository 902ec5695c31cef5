"""Data of a restricted dataset: their addresses are told to those who may have them, and to nobody else."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.tests import factories

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
SECRET = "secret-9f1"
URL = f"https://files.example.org/{SECRET}.csv"


@pytest.fixture
def dataset() -> dict[str, Any]:
    """A restricted dataset whose file's address stands in each field that may hold it."""
    owner = factories.Organization()["id"]
    return call_action(
        "package_create",
        name="restreint",
        title="Restreint",
        owner_org=owner,
        visibility="restricted",
        license_id="etalab-2.0",
        sample=[URL],
        resources=[
            {"url": URL, "download_url": URL, "access_url": URL, "uri": URL, "format": "CSV", "hash": SECRET}
        ],
    )


def asker(dataset: dict[str, Any], who: str) -> str:
    """Name of a user who stands in a relation to the dataset's organisation."""
    if who == "anonymous":
        return ""
    user = factories.Sysadmin() if who == "sysadmin" else factories.User()
    if who in ("member", "editor", "admin"):
        call_action("organization_member_create", id=dataset["owner_org"], username=user["name"], role=who)
    if who == "editor elsewhere":
        other = factories.Organization()
        call_action("organization_member_create", id=other["id"], username=user["name"], role="editor")
    return user["name"]


def ask(action: str, user: str, **payload: Any) -> Any:
    return tk.get_action(action)({"user": user, "ignore_auth": False}, payload)


@pytest.mark.parametrize("who", ["anonymous", "citizen", "editor elsewhere"])
class TestStrangers:
    @pytest.mark.parametrize("default", [True, False])
    def test_the_dataset_names_no_file(self, dataset: dict[str, Any], who: str, default: bool) -> None:
        """The description is there, and no address, from index and database."""
        user = asker(dataset, who)
        for cache in (True, False):
            shown = tk.get_action("package_show")(
                {"user": user, "use_cache": cache}, {"id": "restreint", "use_default_schema": default}
            )
            assert shown["title"] == "Restreint"
            assert "url" not in shown["resources"][0]
            assert SECRET not in json.dumps(shown, default=str)

    def test_no_other_action_does(self, dataset: dict[str, Any], who: str) -> None:
        """Searches in all forms, resources, views and rows."""
        user, resource = asker(dataset, who), dataset["resources"][0]["id"]
        answers = [
            ask("package_search", user, q="restreint"),
            ask("package_search", user, q="*:*", fl="id,validated_data_dict,data_dict,res_url"),
            ask("package_search", user, q="*:*", use_default_schema=True),
            ask("current_package_list_with_resources", user),
            ask("resource_show", user, id=resource),
            ask("resource_search", user, query="format:CSV"),
        ]
        assert answers[0]["count"] == 1
        assert SECRET not in json.dumps(answers, default=str)
        assert ask("resource_search", user, query=f"url:{SECRET}")["count"] == 0
        assert ask("package_search", user, q=SECRET)["count"] == 0
        assert ask("package_search", user, fq=f"res_url:*{SECRET}*")["count"] == 0
        assert ask("resource_view_list", user, id=resource) == []
        for action in ("datastore_search", "datastore_info"):
            with pytest.raises((tk.NotAuthorized, tk.ObjectNotFound)):
                tk.check_access(action, {"user": user}, {"resource_id": resource, "id": resource})

    def test_the_history_does_not(self, dataset: dict[str, Any], who: str) -> None:
        """Activities keep whole datasets: they are no way round."""
        user = asker(dataset, who)
        listed = ask("package_activity_list", user, id=dataset["id"])
        assert SECRET not in json.dumps(listed, default=str)
        for each in call_action("package_activity_list", id=dataset["id"]):
            with pytest.raises(tk.NotAuthorized):
                ask("activity_data_show", user, id=each["id"])
            with pytest.raises(tk.NotAuthorized):
                ask("activity_show", user, id=each["id"], include_data=True)


@pytest.mark.parametrize("who", ["member", "editor", "admin", "sysadmin"])
def test_its_own_people_see_it(dataset: dict[str, Any], who: str) -> None:
    """Members of the owning organisation and sysadmins read the address."""
    user = asker(dataset, who)
    assert ask("package_show", user, id="restreint")["resources"][0]["url"] == URL
    assert ask("resource_show", user, id=dataset["resources"][0]["id"])["url"] == URL
    assert ask("resource_search", user, query=f"url:{SECRET}")["count"] == 1


def test_an_editor_changes_it_without_losing_the_address(dataset: dict[str, Any]) -> None:
    """What is hidden from others is not lost by a patch, nor by a new file."""
    user = asker(dataset, "editor")
    ask("package_patch", user, id="restreint", title="Autre")
    ask("resource_create", user, package_id="restreint", url="https://example.org/b.csv")
    assert [each["url"] for each in ask("package_show", user, id="restreint")["resources"]] == [
        URL,
        "https://example.org/b.csv",
    ]


def test_the_index_holds_no_address(dataset: dict[str, Any]) -> None:
    """No field of the search document does."""
    found = make_connection().search("*:*", fq=f"id:{dataset['id']}", fl="*").docs
    assert len(found) == 1
    assert SECRET not in json.dumps(found, default=str)


@pytest.mark.parametrize("ending", ["", ".ttl", ".xml", ".jsonld"])
def test_pages_and_rdf_name_no_file(app: Any, dataset: dict[str, Any], ending: str) -> None:
    """The dataset's page, the resource's page, its download and RDF."""
    page = app.get(f"/dataset/restreint{ending}")
    assert page.status_code == 200
    assert SECRET not in page.body
    resource = f"/dataset/{dataset['id']}/resource/{dataset['resources'][0]['id']}"
    assert SECRET not in app.get(resource).body
    assert app.get(f"{resource}/download", follow_redirects=False).status_code == 404
    assert SECRET not in app.get(f"/catalog{ending or '.ttl'}").body


def test_opening_it_shows_it(dataset: dict[str, Any]) -> None:
    """An open dataset's address is there for everyone, and in the index."""
    call_action("package_patch", id="restreint", visibility="open")
    assert ask("package_show", "", id="restreint")["resources"][0]["url"] == URL
    assert ask("package_search", "", q="*:*")["results"][0]["resources"][0]["url"] == URL


class TestPersonalDataStayPrivate:
    @pytest.fixture
    def held(self) -> dict[str, Any]:
        owner = factories.Organization()["id"]
        return call_action("package_create", name="tenu", title="Tenu", owner_org=owner, personal_data="yes")

    def test_revising_does_not_publish(self, held: dict[str, Any]) -> None:
        """`package_revise` meets the same rule."""
        with pytest.raises(tk.ValidationError):
            call_action("package_revise", match={"id": held["id"]}, update={"private": False})

    def test_another_owner_does_not_publish(self, held: dict[str, Any]) -> None:
        """A new organisation leaves it private."""
        call_action("package_owner_org_update", id=held["id"], organization_id=factories.Organization()["id"])
        assert model.Package.get("tenu").private

    def test_files_may_come_and_it_stays_private(self, held: dict[str, Any]) -> None:
        """A resource added does not publish either."""
        call_action("resource_create", package_id=held["id"], url="https://example.org/a")
        assert model.Package.get("tenu").private
        assert ask("package_search", "", q="tenu")["count"] == 0

    def test_withdrawing_the_declaration_in_the_same_write_is_a_decision(self, held: dict[str, Any]) -> None:
        """Only who says that there are none may publish."""
        call_action("package_patch", id=held["id"], personal_data="none", visibility="open")
        assert not model.Package.get("tenu").private
