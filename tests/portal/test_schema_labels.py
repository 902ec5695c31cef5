"""The schema files themselves: every word that a person reads is there in four languages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from ckanext.ccphva import codelists

LANGUAGES = ["de", "en", "fr", "lb"]
SCHEMAS = ["dataset.yaml", "data_service.yaml", "dataset_series.yaml", "organization.yaml"]
WORDS = ("label", "help_text", "repeating_label")


def read(name: str) -> Any:
    return yaml.safe_load((files("ccphva_schemas") / name).read_text())


def fields(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every field of a schema, subfields too, with what its preset gives it."""
    presets = {preset["preset_name"]: preset["values"] for preset in read("presets.yaml")["presets"]}
    for group in ("dataset_fields", "resource_fields", "fields"):
        for field in schema.get(group) or []:
            whole = presets.get(field.get("preset"), {}) | field
            yield whole
            for subfield in whole.get("repeating_subfields", []):
                yield presets.get(subfield.get("preset"), {}) | subfield


@pytest.mark.parametrize("name", SCHEMAS)
def test_labels_are_in_four_languages(name: str) -> None:
    """Labels, help texts, page titles and choices: four languages each, none empty."""
    checked = 0
    for field in fields(read(name)):
        texts = [field[word] for word in WORDS if word in field]
        texts += [choice["label"] for choice in field.get("choices", [])]
        texts += [field["start_form_page"]["title"]] if "start_form_page" in field else []
        assert "label" in field, field["field_name"]
        for text in texts:
            assert sorted(text) == LANGUAGES, field["field_name"]
            assert all(text.values()), field["field_name"]
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("name", SCHEMAS)
def test_code_lists_that_fields_name_exist(name: str) -> None:
    """A field with a code list names one that is there."""
    named = {field["codelist"] for field in fields(read(name)) if "codelist" in field}
    assert named <= set(codelists.names())


@pytest.mark.parametrize("name", codelists.names())
def test_code_lists_are_in_four_languages(name: str) -> None:
    """Title and every concept of a list have a name in each language, no value stands twice."""
    found = codelists.load(name)
    for texts in (found.title, *(concept.labels for concept in found)):
        assert sorted(texts) == LANGUAGES
        assert all(texts.values())
    values = [concept.value for concept in found]
    assert len(set(values)) == len(values) > 2


def test_licences_are_in_four_languages() -> None:
    """The same for the titles of licences; and the ids that clients rely on are there."""
    licences = read("licences.yaml")["licences"]
    assert all(sorted(licence["title"]) == LANGUAGES for licence in licences)
    assert {"etalab-2.0", "odc-odbl", "cc-by-4.0", "cc0-1.0"} <= {licence["id"] for licence in licences}


def test_presets_and_fields_agree() -> None:
    """Every preset of ours is used."""
    ours = {preset["preset_name"] for preset in read("presets.yaml")["presets"]}
    named = {field.get("preset") for name in SCHEMAS for field in fields(read(name))}
    assert ours <= named


def test_the_schema_has_the_names_of_the_dcat_schema() -> None:
    """Fields that ckanext-dcat's full schema has too carry the same name; ours alone are these."""
    dcat = yaml.safe_load((files("ckanext.dcat") / "schemas" / "dcat_ap_full.yaml").read_text())
    groups = ("dataset_fields", "resource_fields")
    theirs = {field["field_name"] for group in groups for field in dcat[group]}
    ours = {field["field_name"] for group in groups for field in read("dataset.yaml")[group]}
    assert ours - theirs == {
        "title_translated", "notes_translated", "tags_translated", "name_translated",
        "description_translated", "visibility", "personal_data", "hvd_category",
        "is_version_of", "related_resource", "sample", "source",
        "local_theme", "inspire_theme", "topic_category", "purpose", "created", "conformity",
        "reference_system", "spatial_resolution_text", "quality_measurement", "resource_type",
        "representation_technique", "character_encoding", "in_series",
        "licence_regime", "homologation_reference", "homologation_date", "fee",
        "translation_state", "workflow",
    }  # fmt: skip
