"""The schema files themselves: every word that a person reads is there in four languages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml

LANGUAGES = ["de", "en", "fr", "lb"]
WORDS = ("label", "help_text", "repeating_label")


def read(name: str) -> Any:
    return yaml.safe_load((files("ccphva_schemas") / name).read_text())


def fields(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every field of a schema, subfields too."""
    for group in ("dataset_fields", "resource_fields", "fields"):
        for field in schema.get(group, []):
            yield field
            yield from field.get("repeating_subfields", [])


@pytest.mark.parametrize("name", ["dataset.yaml", "organization.yaml"])
def test_labels_are_in_four_languages(name: str) -> None:
    """Labels, help texts and choices: four languages each, none empty."""
    checked = 0
    for field in fields(read(name)):
        texts = [field[word] for word in WORDS if word in field]
        texts += [choice["label"] for choice in field.get("choices", [])]
        assert "label" in field, field["field_name"]
        for text in texts:
            assert sorted(text) == LANGUAGES, field["field_name"]
            assert all(text.values()), field["field_name"]
            checked += 1
    assert checked > 10


def test_licences_are_in_four_languages() -> None:
    """The same for the titles of licences; and the ids that clients rely on are there."""
    licences = read("licences.yaml")["licences"]
    assert all(sorted(licence["title"]) == LANGUAGES for licence in licences)
    assert {"etalab-2.0", "odc-odbl", "cc-by-4.0", "cc0-1.0"} <= {licence["id"] for licence in licences}


def test_presets_and_fields_agree() -> None:
    """Every preset of ours that a field names exists, and every one that exists is used."""
    ours = {preset["preset_name"] for preset in read("presets.yaml")["presets"]}
    named = {
        field.get("preset") for name in ("dataset.yaml", "organization.yaml") for field in fields(read(name))
    }
    assert ours <= named


def test_the_schema_has_the_names_of_the_dcat_schema() -> None:
    """Fields that ckanext-dcat's full schema has too carry the same name; ours alone are these."""
    dcat = yaml.safe_load((files("ckanext.dcat") / "schemas" / "dcat_ap_full.yaml").read_text())
    theirs = {field["field_name"] for group in ("dataset_fields", "resource_fields") for field in dcat[group]}
    ours = {
        field["field_name"]
        for group in ("dataset_fields", "resource_fields")
        for field in read("dataset.yaml")[group]
    }
    assert ours - theirs == {
        "title_translated", "notes_translated", "tags_translated", "name_translated",
        "description_translated", "visibility", "personal_data", "hvd_category",
        "is_version_of", "related_resource", "sample", "source", "translation_state",
    }  # fmt: skip
