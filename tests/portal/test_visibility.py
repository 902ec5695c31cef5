"""The three states of a dataset through CKAN's actions, and what nobody can publish."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckanext.ccphva.visibility import ACCESS_RIGHTS, OPEN, PRIVATE, RESTRICTED, decide

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")


def make(**fields: Any) -> dict[str, Any]:
    """Create a dataset of a fresh organisation."""
    owner = factories.Organization()["id"]
    return call_action("package_create", **({"name": "jeu", "owner_org": owner, "title": "Jeu"} | fields))


def state(dataset: dict[str, Any]) -> tuple[str, bool, str]:
    """What three kinds of reader go by, as the database has it."""
    shown = call_action("package_show", id=dataset["id"])
    return shown["visibility"], shown["private"], shown["access_rights"]


@pytest.mark.parametrize("visibility", [OPEN, RESTRICTED, PRIVATE])
def test_core_fields_follow_from_visibility(visibility: str) -> None:
    """CKAN's `private` and the access rights are derived from the state."""
    assert state(make(visibility=visibility)) == (
        visibility,
        visibility == PRIVATE,
        ACCESS_RIGHTS[visibility],
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, OPEN),
        ({"private": True}, PRIVATE),
        ({"private": "True"}, PRIVATE),
        ({"private": False}, OPEN),
        ({"access_rights": ACCESS_RIGHTS[RESTRICTED]}, RESTRICTED),
        ({"access_rights": ACCESS_RIGHTS[PRIVATE]}, RESTRICTED),
        ({"access_rights": "libre"}, OPEN),
        ({"personal_data": "possible"}, PRIVATE),
        ({"personal_data": "yes", "private": False}, PRIVATE),
    ],
)
def test_clients_that_do_not_know_visibility_keep_working(fields: dict[str, Any], expected: str) -> None:
    """A new dataset's state comes from `private`, from stated rights or from personal data."""
    assert state(make(**fields))[:2] == (expected, expected == PRIVATE)


@pytest.mark.parametrize(
    ("before", "change", "expected"),
    [
        (OPEN, {"private": True}, PRIVATE),
        (PRIVATE, {"private": False}, OPEN),
        (RESTRICTED, {"private": False}, RESTRICTED),
        (RESTRICTED, {"private": True}, PRIVATE),
        (PRIVATE, {"visibility": RESTRICTED}, RESTRICTED),
        (OPEN, {"visibility": PRIVATE}, PRIVATE),
        (OPEN, {"access_rights": ACCESS_RIGHTS[PRIVATE]}, OPEN),
        (OPEN, {"personal_data": "yes"}, PRIVATE),
        (RESTRICTED, {"title": "Autre"}, RESTRICTED),
    ],
)
def test_a_patch_changes_what_it_names(before: str, change: dict[str, Any], expected: str) -> None:
    """What a patch changes counts, whichever of the two fields it names."""
    made = make(visibility=before)
    call_action("package_patch", id=made["id"], **change)
    assert state(made) == (expected, expected == PRIVATE, ACCESS_RIGHTS[expected])


def test_an_update_that_names_no_state_keeps_it() -> None:
    """A client that sends a whole dataset without our fields does not publish it by silence."""
    made = make(personal_data="yes")
    call_action("package_update", id=made["id"], name="jeu", title="Autre", owner_org=made["owner_org"])
    assert state(made)[0] == PRIVATE
    assert call_action("package_show", id=made["id"])["personal_data"] == "yes"


@pytest.mark.parametrize("visibility", [OPEN, RESTRICTED])
@pytest.mark.parametrize("personal", ["possible", "yes"])
def test_personal_data_cannot_be_created_public(visibility: str, personal: str) -> None:
    """A public state together with personal data is an error of the field, and nothing is stored."""
    with pytest.raises(tk.ValidationError) as caught:
        make(visibility=visibility, personal_data=personal)
    assert list(caught.value.error_dict) == ["visibility"]
    assert model.Package.get("jeu") is None


@pytest.mark.parametrize("change", [{"visibility": OPEN}, {"visibility": RESTRICTED}, {"private": False}])
def test_personal_data_cannot_be_published_later(change: dict[str, Any]) -> None:
    """Neither field publishes a dataset that holds personal data."""
    made = make(personal_data="yes")
    with pytest.raises(tk.ValidationError) as caught:
        call_action("package_patch", id=made["id"], **change)
    assert caught.value.error_dict["visibility"]
    assert state(made)[0] == PRIVATE


def test_the_bulk_page_of_an_organisation_cannot_publish_it_either() -> None:
    """CKAN's bulk action keeps state and `private` equal, and refuses personal data."""
    made = make(visibility=OPEN)
    selection = {"datasets": [made["id"]], "org_id": made["owner_org"]}
    call_action("bulk_update_private", **selection)
    assert state(made)[:2] == (PRIVATE, True)
    call_action("package_patch", id=made["id"], personal_data="possible")
    with pytest.raises(tk.ValidationError):
        call_action("bulk_update_public", **selection)
    assert state(made)[:2] == (PRIVATE, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("visibility", "secret"), ("visibility", ["open"]), ("personal_data", "no"), ("personal_data", 1)],
)
def test_unknown_values_are_refused(field: str, value: Any) -> None:
    """A value beyond the list is an error of its field, and the dataset does not become public by it."""
    with pytest.raises(tk.ValidationError) as caught:
        make(**{field: value})
    assert caught.value.error_dict[field]
    assert model.Package.get("jeu") is None


def test_private_datasets_stay_out_of_public_search() -> None:
    """A restricted dataset is found by everyone, a private one by nobody outside."""
    make(name="ouvert", visibility=OPEN)
    make(name="restreint", visibility=RESTRICTED)
    make(name="prive", visibility=PRIVATE)
    found = tk.get_action("package_search")(
        {"user": "", "auth_user_obj": None, "ignore_auth": False}, {"q": "jeu"}
    )
    assert {dataset["name"] for dataset in found["results"]} == {"ouvert", "restreint"}


def test_core_private_holds_where_the_two_contradict() -> None:
    """Somebody wrote CKAN's column by hand: a write that names neither field keeps the dataset hidden."""
    made = make(visibility=OPEN)
    package = model.Package.get(made["id"])
    package.private = True
    model.repo.commit()
    call_action("package_patch", id=made["id"], private=True, notes="x")
    assert state(made)[:2] == (PRIVATE, True)
    assert decide({"visibility": OPEN}, {"visibility": OPEN, "private": True}).visibility == PRIVATE
