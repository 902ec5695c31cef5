"""Who may let a source give datasets to other organisations than its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import plugins_loaded  # noqa: F401
from ckan.tests import factories, helpers
from harvesting import Site, act, datasets, harvest

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
DOCUMENT = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<http://x.example/catalog> a dcat:Catalog .
<http://x.example/d/a> a dcat:Dataset ; dct:title "Eau"@fr ; dct:publisher [ foaf:name "Mairie" ] .
<http://x.example/d/b> a dcat:Dataset ; dct:title "Eau"@fr ; dct:publisher [ foaf:name "Autre" ] .
"""


@pytest.fixture
def address() -> Iterator[str]:
    site = Site()
    yield site.serve("/c", DOCUMENT)
    site.close()


def source(address: str, user: str, organization: str, names: dict[str, list[str]]) -> dict[str, Any]:
    """Register a source as a user does who has no special rights."""
    return helpers.call_action(
        "harvest_source_create",
        {"user": user, "ignore_auth": False},
        name="source",
        title="Source",
        url=address,
        source_type="ccphva_dcat",
        owner_org=organization,
        config=json.dumps({"steps": [{"organisation": {"organisations": names}}]}),
    )


def organizations(user: str, role: str) -> tuple[str, str]:
    """The user's own organisation, and another one where the user has a role (or none)."""
    own = factories.Organization(users=[{"name": user, "capacity": "editor"}])
    other = factories.Organization(users=[{"name": user, "capacity": role}] if role else [])
    return own["name"], other["name"]


def test_datasets_go_to_their_publishers(address: str) -> None:
    """Who may write in both organisations shares a source out between them; names are readable."""
    user = factories.User()["name"]
    own, other = organizations(user, "editor")
    made = source(address, user, own, {other: ["Mairie"]})
    assert harvest(made)["stats"]["added"] == 2
    found = {each["uri"][-1]: each for each in datasets(made)}
    assert {key: each["organization"]["name"] for key, each in found.items()} == {"a": other, "b": own}
    names = sorted(each["name"] for each in found.values())
    assert names[0] == "eau"
    assert names[1].startswith("eau-")
    assert len(names[1]) == len("eau-") + 8
    assert harvest(made)["stats"]["updated"] == 0


@pytest.mark.parametrize("role", ["", "member"])
def test_nobody_publishes_under_anothers_name(address: str, role: str) -> None:
    """A source that names an organisation where its keeper may not write is refused whole."""
    user = factories.User()["name"]
    own, other = organizations(user, role)
    with pytest.raises(tk.ValidationError) as caught:
        source(address, user, own, {other: ["Mairie"]})
    assert other in str(caught.value.error_dict["config"])
    assert act("package_search", fq="+dataset_type:harvest")["count"] == 0


@pytest.mark.parametrize("action", ["harvest_source_update", "package_update", "package_patch"])
def test_nor_by_changing_a_source(address: str, action: str) -> None:
    """The same when an existing source is changed, through whatever action, also by its address alone."""
    user = factories.User()["name"]
    own, other = organizations(user, "")
    made = source(address, user, own, {})
    config = json.dumps({"steps": [{"organisation": {"organisations": {other: ["Mairie"]}}}]})
    with pytest.raises(tk.ValidationError):
        helpers.call_action(action, {"user": user, "ignore_auth": False}, **{**made, "config": config})
    assert other not in str(act("harvest_source_show", id=made["id"]).get("config"))
    act("harvest_source_update", **{**made, "config": config})  # a sysadmin may
    with pytest.raises(tk.ValidationError):
        helpers.call_action(
            "package_patch", {"user": user, "ignore_auth": False}, id=made["id"], url=f"{address}?other"
        )


def test_an_organisation_that_is_not_there(address: str) -> None:
    """An unknown organisation is refused when the source is saved, not when it runs."""
    user = factories.User()["name"]
    own, _ = organizations(user, "")
    with pytest.raises(tk.ValidationError, match="nowhere"):
        source(address, user, own, {"nowhere": ["Mairie"]})


def test_a_field_cannot_choose_the_owner(address: str) -> None:
    """Step `set` changes fields, and the owner is none."""
    user = factories.User()["name"]
    own, other = organizations(user, "")
    made = act(
        "harvest_source_create",
        name="source",
        title="Source",
        url=address,
        source_type="ccphva_dcat",
        owner_org=own,
        config=json.dumps({"steps": [{"set": {"fields": {"owner_org": other}}}]}),
    )
    harvest(made)
    assert {each["organization"]["name"] for each in datasets(made)} == {own}
