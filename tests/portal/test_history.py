"""What differs between two versions: pure differences, and the action that reads them for editors."""

# ruff: noqa: F811 -- fixtures are imported by name

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import plugins_loaded  # noqa: F401
from ckanext.ccphva import differences
from ckanext.ccphva.differences import ADDED, REMOVED, SAME
from publication_support import Town, town  # noqa: F401

SCHEMA: list[dict[str, Any]] = [
    {"field_name": "title_translated", "label": {"fr": "Titre", "de": "Titel"}},
    {
        "field_name": "frequency",
        "label": {"fr": "Fréquence", "de": "Takt"},
        "choices": [
            {"value": "D", "label": {"fr": "Chaque jour", "de": "Täglich"}},
            {"value": "W", "label": {"fr": "Chaque semaine", "de": "Wöchentlich"}},
        ],
    },
    {"field_name": "language", "label": "Langues"},
    {
        "field_name": "contact",
        "label": {"fr": "Contact", "de": "Kontakt"},
        "repeating_subfields": [{"field_name": "name", "label": {"fr": "Nom", "de": "Name"}}],
    },
]


def shown(before: dict[str, Any], after: dict[str, Any], language: str = "fr") -> list[Any]:
    return [tuple(each) for each in differences.fields(before, after, SCHEMA, language)]


def test_texts_differ_by_words() -> None:
    """What stayed, what went, what came, in their order."""
    assert differences.words("Tonnages de verre 2024", "Tonnages de papier 2024") == [
        (SAME, "Tonnages de "),
        (REMOVED, "verre"),
        (ADDED, "papier"),
        (SAME, " 2024"),
    ]


def test_a_translated_text_differs_by_language() -> None:
    """Under the label of the schema in the reader's language."""
    before, after = {"title_translated": {"fr": "Eau"}}, {"title_translated": {"fr": "Eau", "de": "Wasser"}}
    assert shown(before, after, "de") == [
        ("title_translated", "Titel", "de", "text", [(ADDED, "Wasser")]),
    ]


def test_a_choice_is_shown_by_its_label() -> None:
    """Never by its code."""
    assert shown({"frequency": "D"}, {"frequency": "W"}, "de") == [
        ("frequency", "Takt", "", "items", [(REMOVED, "Täglich"), (ADDED, "Wöchentlich")])
    ]


def test_lists_differ_by_items() -> None:
    """What went and what came; the order alone is no difference."""
    assert shown({"language": ["fr", "de"]}, {"language": ["lb", "fr"]}) == [
        ("language", "Langues", "", "items", [(REMOVED, "de"), (ADDED, "lb")])
    ]
    assert shown({"language": ["fr", "de"]}, {"language": ["de", "fr"]}) == []


def test_compound_values_are_shown_by_their_subfields() -> None:
    """A contact is shown as the form names its parts."""
    assert shown({}, {"contact": [{"name": "Mairie"}]}, "de") == [
        ("contact", "Kontakt", "", "items", [(ADDED, "Name: Mairie")])
    ]


@pytest.mark.parametrize(("before", "after"), [({}, {}), ({"language": []}, {}), ({"frequency": ""}, {})])
def test_nothing_differs_from_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    """An empty value and none are the same."""
    assert shown(before, after) == []


def test_a_huge_text_is_compared_whole() -> None:
    """Comparing two long texts word by word would take minutes."""
    parts = differences.words("a " * 5_000, "b " * 5_000)
    assert [part.change for part in parts] == [REMOVED, ADDED]


def test_passages_far_from_a_change_are_left_out() -> None:
    """The reader sees a change with its surroundings."""
    parts = differences.words("un " * 300 + "fin", "un " * 300 + "suite")
    assert parts[0].text.startswith(" …")
    assert len(parts[0].text) < 200


def test_resources_are_named() -> None:
    """Added, removed and changed ones."""
    old = [{"id": "1", "name": "A", "language": ["fr"]}, {"id": "2", "name": "B"}]
    new = [{"id": "1", "name": "A", "language": ["de"]}, {"id": "3", "name": "C"}]
    found = differences.resources({"resources": old}, {"resources": new}, SCHEMA, "fr")
    assert [(each.name, each.change) for each in found] == [("A", "changed"), ("B", REMOVED), ("C", ADDED)]


def test_a_resource_that_came_without_its_id_is_known_by_its_address() -> None:
    """Clients that send all resources anew do not seem to replace them."""
    old, new = (
        [{"id": "1", "url": "a", "name": "A"}],
        [{"id": "9", "url": "a", "name": "A", "language": ["de"]}],
    )
    found = differences.resources({"resources": old}, {"resources": new}, SCHEMA, "fr")
    assert [(each.name, each.change) for each in found] == [("A", "changed")]


def test_the_latest_change_of_a_dataset(town: Town) -> None:
    """By whom, when, and field by field."""
    made = town.make("admin", title="Eau potable", workflow="draft")
    town.act(
        "editor",
        "package_patch",
        id=made["id"],
        title="Eau usée",
        resources=[{"url": "https://example.org/a"}],
    )
    changed = town.act("editor", "ccphva_dataset_changes_show", id=made["id"])
    assert [version["kind"] for version in changed["versions"]] == ["changed", "new"]
    assert changed["versions"][0]["user"]
    [title] = [each for each in changed["fields"] if each["field"] == "title_translated"]
    assert (title["label"], title["language"]) == ("Titre", "fr")
    assert [part["text"] for part in title["parts"]] == ["Eau ", "potable", "usée"]
    assert [each["change"] for each in changed["resources"]] == [ADDED]


def test_the_version_of_a_moment(town: Town) -> None:
    """The latest that stood then, whether the moment bears a zone or is in UTC."""
    made = town.make("admin", title="Eau potable", workflow="draft")
    for title in ("Eau usée", "Eau de pluie"):
        town.act("editor", "package_patch", id=made["id"], title=title)
    versions = town.act("editor", "ccphva_dataset_changes_show", id=made["id"])["versions"]
    second = datetime.fromisoformat(versions[1]["at"])
    there = second.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=2)))
    for moment in (second.isoformat(), there.isoformat()):
        shown = town.act("editor", "ccphva_dataset_changes_show", id=made["id"], at=moment)
        assert (shown["before"], shown["after"]) == (versions[2]["id"], versions[1]["id"])


@pytest.mark.parametrize("person", ["member", "stranger", ""])
def test_only_editors_read_the_history(town: Town, person: str) -> None:
    """Older versions may hold what was never public."""
    made = town.make("admin")
    with pytest.raises(tk.NotAuthorized):
        town.act(person, "ccphva_dataset_changes_show", id=made["id"])


def test_a_version_of_another_dataset_is_not_shown(town: Town) -> None:
    """Nor does its id tell that it exists."""
    made, other = town.make("admin"), town.make("admin", name="autre")
    town.act("admin", "package_patch", id=made["id"], title="Neu")
    foreign = town.act("admin", "ccphva_dataset_changes_show", id=other["id"])["versions"][0]["id"]
    with pytest.raises(tk.ObjectNotFound):
        town.act("admin", "ccphva_dataset_changes_show", id=made["id"], before=foreign)
