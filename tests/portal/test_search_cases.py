"""What readers of four languages type, and whether the demonstration's catalogue gives it to them at
the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import yaml
from ckan.tests.helpers import CKANTestApp, _get_test_app
from demo_catalogue import PREFIX, demo_catalogue

CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[1] / "search_cases.yaml").read_text()
)
FIRST, LEAST_SHARE = 3, 0.9
KINDS = {"accent", "plural", "elision", "compound", "typo", "synonym", "theme", "organisation", "plain"}


@pytest.fixture(scope="module")
def app(reset_db: Any, reset_index: Any) -> Iterator[CKANTestApp]:
    with demo_catalogue(reset_db, reset_index):
        yield _get_test_app()


def top(app: CKANTestApp, language: str, words: str) -> list[dict[str, Any]]:
    """The first datasets that CKAN's own action gives to a reader of a language."""
    with app.flask_app.test_request_context(
        f"/{language}/dataset/", environ_overrides={"CKAN_LANG": language}
    ):
        wanted = {"q": words, "fq": "+dataset_type:dataset", "rows": FIRST}
        return tk.get_action("package_search")({"user": ""}, wanted)["results"]


def is_met(case: dict[str, Any], found: list[dict[str, Any]]) -> bool:
    if "theme" in case:
        return bool(found) and all(
            any(uri.endswith(f"/{case['theme']}") for uri in each.get("theme", ())) for each in found
        )
    expected = case["expect"] if isinstance(case["expect"], list) else [case["expect"]]
    return bool({PREFIX + name for name in expected} & {each.get("identifier") for each in found})


def test_the_cases_are_enough() -> None:
    """Twenty a language, each of a known kind, and every kind occurs in some language."""
    assert {language: len(cases) for language, cases in CASES.items()} == dict.fromkeys(
        ("fr", "de", "en", "lb"), 20
    )
    assert {case["kind"] for cases in CASES.values() for case in cases} == KINDS


@pytest.mark.parametrize("language", CASES)
def test_readers_find_it_among_the_first_three(app: CKANTestApp, language: str) -> None:
    """Of the searches of a language, nine in ten give what was expected at the top."""
    missed = {
        case["words"]: [each.get("identifier") for each in found]
        for case in CASES[language]
        if not is_met(case, found := top(app, language, case["words"]))
    }
    print(language, len(CASES[language]) - len(missed), "of", len(CASES[language]), missed)
    assert len(missed) <= len(CASES[language]) * (1 - LEAST_SHARE), missed
