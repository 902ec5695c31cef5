"""What is deleted can be restored by its organisation; a copy takes what it has a right to."""

# ruff: noqa: F811 -- fixtures are imported by name

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import plugins_loaded  # noqa: F401
from ckan import model
from publication_support import Town, stage, town  # noqa: F401

UPLOAD = {"url": "geheim.csv", "url_type": "upload", "name": "Datei"}


def names(town: Town, person: str) -> list[str]:
    return [each["name"] for each in town.act(person, "ccphva_deleted_dataset_list", id="town")]


@pytest.mark.parametrize("before", ["draft", "published"])
def test_a_deleted_dataset_is_listed_and_restored_as_it_was(town: Town, before: str) -> None:
    """With its resources, its state and its place in search and organisation."""
    made = town.make("admin", workflow=before, resources=[{"url": "https://example.org/a.csv"}])
    was = stage(made)
    town.act("editor", "package_delete", id=made["id"])
    [listed] = town.act("admin", "ccphva_deleted_dataset_list", id="town")
    assert (listed["name"], listed["deleted"]["user"]) == ("jeu", model.User.get("town-editor").display_name)
    restored = town.act("admin", "ccphva_dataset_restore", id=made["id"])
    assert (restored["state"], stage(made)) == ("active", was)
    assert [resource["url"] for resource in restored["resources"]] == ["https://example.org/a.csv"]
    assert names(town, "admin") == []
    found = town.act("admin", "package_search", fq="organization:town", include_private=True)
    assert [each["name"] for each in found["results"]] == ["jeu"]


@pytest.mark.parametrize("action", ["ccphva_deleted_dataset_list", "ccphva_dataset_restore"])
@pytest.mark.parametrize("person", ["editor", "member", "stranger", ""])
def test_only_administrators_restore(town: Town, action: str, person: str) -> None:
    """Nobody else sees the list, or brings a dataset back by the action."""
    made = town.make("admin")
    town.act("admin", "package_delete", id=made["id"])
    with pytest.raises(tk.NotAuthorized):
        town.act(person, action, id="town" if action.endswith("list") else made["id"])


def test_what_is_not_deleted_is_not_restored(town: Town) -> None:
    """The error says so."""
    made = town.make("admin")
    with pytest.raises(tk.ValidationError) as refused:
        town.act("admin", "ccphva_dataset_restore", id=made["id"])
    assert "id" in refused.value.error_dict


@pytest.mark.parametrize("person", ["admin", "editor", "stranger"])
def test_only_sysadmins_remove_for_good(town: Town, person: str) -> None:
    """Core's purge stays theirs."""
    made = town.make("admin")
    town.act("admin", "package_delete", id=made["id"])
    with pytest.raises(tk.NotAuthorized):
        town.act(person, "dataset_purge", id=made["id"])


def test_a_copy_is_a_draft_of_its_own(town: Town) -> None:
    """Texts and links are taken along; name, identifiers and uploaded files are not."""
    own: dict[str, Any] = {"identifier": "urn:x:1", "issued": "2024-01-01", "version": "3"}
    texts = {"fr": "Recensement", "de": "Zählung"}
    made = town.make(
        "admin",
        title_translated=texts,
        title="Recensement",
        license_id="etalab-2.0",
        resources=[{"url": "https://example.org/a.csv", "format": "CSV"}, UPLOAD],
        **own,
    )
    copy = town.act("editor", "ccphva_dataset_duplicate", id=made["id"])
    assert stage(copy) == ("draft", True)
    assert (copy["name"], copy["title_translated"], copy["license_id"]) == ("jeu-2", texts, "etalab-2.0")
    assert [(each["url"], each["format"]) for each in copy["resources"]] == [
        ("https://example.org/a.csv", "CSV")
    ]
    assert copy["resources"][0]["id"] != made["resources"][0]["id"]
    assert [field for field in own if copy.get(field)] == []
    assert town.act("editor", "ccphva_dataset_duplicate", id=made["id"])["name"] == "jeu-3"


@pytest.mark.parametrize("person", ["member", "stranger", ""])
def test_a_copy_needs_the_rights_for_both(town: Town, person: str) -> None:
    """To read the original, and to make a dataset where the copy goes."""
    made = town.make(workflow="draft")
    with pytest.raises(tk.NotAuthorized):
        town.act(person, "ccphva_dataset_duplicate", id=made["id"], owner_org="beside")


def test_a_stranger_starts_from_what_is_public(town: Town) -> None:
    """In his own organisation, from a dataset that he may read."""
    made = town.make("admin")
    copy = town.act("stranger", "ccphva_dataset_duplicate", id=made["id"], owner_org="beside")
    assert (copy["organization"]["name"], stage(copy)) == ("beside", ("draft", True))
