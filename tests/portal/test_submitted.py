"""What is submitted is locked for editors until it is published, returned or withdrawn."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckanext.ccphva.workflow import DRAFT, SUBMITTED
from publication_support import Town, stage, town  # noqa: F401


def submitted(town: Town) -> dict[str, object]:  # noqa: F811
    made = town.make(workflow=DRAFT, resources=[{"url": "https://example.org/a.csv"}])
    town.act("editor", "ccphva_dataset_submit", id=made["id"])
    return made


def test_an_editor_changes_nothing_until_it_is_withdrawn(town: Town) -> None:  # noqa: F811
    """Neither the dataset nor a file of it; withdrawn, it is a draft and may be changed."""
    made = submitted(town)
    for action, payload in (
        ("package_patch", {"id": made["id"], "title": "Autre"}),
        ("resource_create", {"package_id": made["id"], "url": "https://example.org/b.csv"}),
    ):
        with pytest.raises(tk.ValidationError) as refused:
            town.act("editor", action, **payload)
        assert "workflow" in refused.value.error_dict
        model.Session.rollback()
    assert not town.act("editor", "ccphva_dataset_review_show", id=made["id"])["may_edit"]
    town.act("editor", "ccphva_dataset_withdraw", id=made["id"])
    assert stage(made) == (DRAFT, True)
    assert town.act("editor", "package_patch", id=made["id"], title="Autre")["title"] == "Autre"


def test_whoever_publishes_may_still_change_it(town: Town) -> None:  # noqa: F811
    """A publisher corrects a word without returning the dataset."""
    made = submitted(town)
    assert town.act("admin", "package_patch", id=made["id"], title="Corrigé")["title"] == "Corrigé"
    assert stage(made) == (SUBMITTED, True)


def test_only_what_is_submitted_is_withdrawn(town: Town) -> None:  # noqa: F811
    """A draft is none; a stranger withdraws nothing."""
    made = town.make(workflow=DRAFT)
    with pytest.raises(tk.ValidationError):
        town.act("editor", "ccphva_dataset_withdraw", id=made["id"])
    with pytest.raises(tk.NotAuthorized):
        town.act("stranger", "ccphva_dataset_withdraw", id=made["id"])


def test_a_search_says_what_the_page_says(town: Town) -> None:  # noqa: F811
    """Members of a restricted dataset's organisation find its files' addresses; strangers do not."""
    link = "https://example.org/geheim.csv"
    call_action(
        "package_create",
        name="zu",
        title="Zu",
        owner_org=town.id,
        visibility="restricted",
        resources=[{"url": link}],
    )
    for person, sees in (("member", True), ("stranger", False), ("", False)):
        (found,) = town.act(person, "package_search", q="name:zu")["results"]
        shown = town.act(person, "package_show", id="zu")
        assert (found["resources"][0].get("url") == link) is sees
        assert found["resources"][0].get("url") == shown["resources"][0].get("url")
