"""Every field has help in four languages, bounded; every article that is named stands in the table."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from ckanext.ccphva import codelists, law, suggestions
from test_schema_labels import LANGUAGES, fields, read

ROOT = Path(__file__).parents[2]
LONGEST_HELP = 200


@pytest.mark.parametrize(
    "name", ["dataset.yaml", "data_service.yaml", "dataset_series.yaml", "organization.yaml", "group.yaml"]
)
def test_every_field_has_help(name: str) -> None:
    """A field without help, or with help that nobody reads to the end, fails."""
    for field in fields(read(name)):
        if field.get("form_snippet", "") in (None, "ccphva_kept.html"):
            continue
        texts = field.get("help_text")
        assert texts, field["field_name"]
        assert sorted(texts) == LANGUAGES, field["field_name"]
        assert all(0 < len(text) <= LONGEST_HELP for text in texts.values()), field["field_name"]


def test_every_article_stands_in_the_table() -> None:
    """Code, templates, schemas and translations name no article that the table lacks."""
    for folder in ("ckanext-ccphva", "schemas", "themes"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".html", ".yaml", ".po"} and "built" not in path.parts:
                unknown = set(law.named(path.read_text())) - set(law.articles())
                assert not unknown, (path, unknown)
    assert all(sorted(each["says"]) == LANGUAGES for each in law.articles().values())
    assert law.unchecked("CRPA L324-3, art. 999") == ["L324-3"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Horaires des bus", "TRAN"),
        ("Müllabfuhr und Abfall", "ENVI"),
        ("Polling stations", "GOVE"),
        ("Schoulen an der Gemeng", "EDUC"),
        ("Qualité de l'eau", "ENVI"),
    ],
)
def test_themes_are_known_by_other_words(text: str, code: str) -> None:
    """Synonyms in four languages lead to a theme whose label shares no word with the text."""
    choices = suggestions.with_synonyms(codelists.choices("data-theme"), "data-theme")
    assert any(value.endswith(f"/{code}") for value in suggestions.themes(text, choices))


def test_synonyms_are_of_codes_that_exist() -> None:
    """A word for a code that no list has would never be suggested."""
    for name, known in suggestions.synonyms().items():
        assert set(known) <= {concept.code for concept in codelists.load(name)}
        assert all(sorted(words) == LANGUAGES for words in known.values())


def test_keywords_of_others_are_suggested_from_a_text() -> None:
    """Only those all of whose words are in the text."""
    known = ["eau potable", "eau", "vélo"]
    assert suggestions.keywords("Qualité de l'eau des fontaines", known) == ["eau"]


def test_the_law_is_shipped() -> None:
    assert (files("ccphva_schemas") / "law.yaml").is_file()
