"""Described elsewhere: only a harvest may say so, by whatever door a client comes."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, harvested_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from test_schema_form import filled

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
URI = "https://example.org/id/1"
BEYOND = "cc-by-4.0"  # not on the decree's list


def base(**more: Any) -> dict[str, Any]:
    owner = factories.Organization(kind="commune")["id"]
    return {"name": "aires", "title": "Aires", "owner_org": owner, **more}


def harvested(**more: Any) -> dict[str, Any]:
    return harvested_action("package_create", **base(uri=URI, license_id=BEYOND, **more))


@pytest.mark.parametrize("kind", ["dataset", "data_service", "dataset_series"])
def test_nobody_but_a_harvest_makes_one(kind: str) -> None:
    """Not even a sysadmin, of any type of dataset; a key in the context of an action changes nothing."""
    more = {"endpoint_url": ["https://example.org/api"]} if kind == "data_service" else {}
    with pytest.raises(tk.ValidationError) as refused:
        call_action("package_create", **base(uri=URI, type=kind, **more))
    assert "harvest" in refused.value.error_dict["uri"][0]
    forged: Any = {"user": "", "ignore_auth": True, "harvesting": True, "ccphva_harvesting": True}
    with pytest.raises(tk.ValidationError):
        tk.get_action("package_create")(forged, base(uri=URI, type=kind, **more))


@pytest.mark.parametrize("action", ["package_update", "package_patch", "package_revise"])
def test_nobody_makes_a_dataset_into_one(action: str) -> None:
    """Nor by a change of one's own dataset, nor by another URI for a harvested one."""
    made = call_action("package_create", **base())
    wanted: dict[str, Any] = {"uri": URI, "license_id": BEYOND}
    if action == "package_revise":
        payload: dict[str, Any] = {"match": {"id": made["id"]}, "update": wanted}
    else:
        payload = {**(made if action == "package_update" else {}), "id": made["id"], **wanted}
    with pytest.raises(tk.ValidationError) as refused:
        call_action(action, **payload)
    assert refused.value.error_dict["uri"]
    assert "uri" not in call_action("package_show", id="aires")


@pytest.mark.parametrize("name", ["uri", "fee", "workflow", "visibility", "contact", "licence_regime"])
def test_an_extra_is_no_way_round(name: str) -> None:
    """An extra that is named as a field would be that field at the next reading, checked by nobody."""
    with pytest.raises(tk.ValidationError) as refused:
        call_action("package_create", **base(extras=[{"key": name, "value": URI}]))
    assert refused.value.error_dict["extras"]
    made = call_action("package_create", **base(name="bb", extras=[{"key": "x", "value": "y"}]))
    with pytest.raises(tk.ValidationError):
        call_action("package_patch", id=made["id"], extras=[{"key": name, "value": URI}])


@pytest.mark.parametrize("action", ["resource_create", "resource_patch"])
def test_a_file_has_a_uri_of_its_own_that_frees_it_of_nothing(action: str) -> None:
    """The URI of a distribution is no word on its dataset."""
    made = call_action("package_create", **base(resources=[{"url": "https://example.org/a"}]))
    target = {"package_id": "aires"} if action == "resource_create" else {"id": made["resources"][0]["id"]}
    with pytest.raises(tk.ValidationError) as refused:
        call_action(action, **target, url="https://example.org/b", uri=URI, license_id=BEYOND)
    assert "D323-2-1" in refused.value.error_dict["license_id"][0]
    assert call_action(action, **target, url="https://example.org/b", uri=URI)["uri"] == URI


def test_the_form_cannot(app: Any) -> None:
    """A hidden field that somebody adds to the form is refused as an action's is."""
    headers = {"Authorization": factories.SysadminWithToken()["token"]}
    owner = factories.Organization()["name"]
    form = filled(app.get("/dataset/new", headers=headers).body)
    sent = form | {"title_translated-fr": "A", "name": "aa", "owner_org": owner, "uri": URI, "save": ""}
    assert "form-faults" in app.post("/dataset/new", data=sent, headers=headers).body
    assert model.Package.get("aa") is None


def test_a_harvested_dataset_is_edited_and_keeps_its_licence() -> None:
    """Whoever corrects a title need not choose another licence; a new choice meets the law, on files too."""
    harvested(resources=[{"url": "https://example.org/a", "license_id": "cc0-1.0"}])
    shown = call_action("package_patch", id="aires", title="Aires de jeux")
    assert (shown["uri"], shown["license_id"]) == (URI, BEYOND)
    call_action("resource_patch", id=shown["resources"][0]["id"], description="Liste")
    with pytest.raises(tk.ValidationError) as refused:
        call_action("package_patch", id="aires", license_id="odc-pddl")
    assert "L323-2" in refused.value.error_dict["license_id"][0]
    call_action("package_patch", id="aires", license_id="etalab-2.0")


def test_what_is_no_longer_described_elsewhere_meets_the_law() -> None:
    """Without its URI a dataset is the portal's own."""
    shown = harvested()
    del shown["uri"]
    with pytest.raises(tk.ValidationError) as refused:
        call_action("package_update", **shown)
    assert "D323-2-1" in refused.value.error_dict["license_id"][0]


def test_a_copy_is_ones_own() -> None:
    """A duplicate of a harvested dataset is not described elsewhere: its licence must be lawful."""
    harvested()
    with pytest.raises(tk.ValidationError) as refused:
        call_action("ccphva_dataset_duplicate", id="aires")
    assert "D323-2-1" in refused.value.error_dict["license_id"][0]
