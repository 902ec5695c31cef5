"""Languages of texts."""

from __future__ import annotations

import pytest
from ccphva_harvesters import languages


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("fr", "fr"), ("fr-FR", "fr"), ("fr_LU", "fr"), ("FRE", "fr"), ("fra", "fr"), ("deu", "de"), ("ger", "de"),  # noqa: E501
        ("de-LU", "de"), ("ltz", "lb"), ("lb", "lb"), ("en-GB", "en"), ("rm", "rm"), ("zh-Hant-TW", "zh"),
        ("fr-t-de-t0-mtec", None), ("en-t-de", None), ("", None), (None, None), ("not a tag", None), ("français", None),  # noqa: E501
    ],
)  # fmt: skip
def test_tags_are_folded(tag: str | None, language: str | None) -> None:
    """Regions and three letters fold to two; machine translations and nonsense are nobody's language."""
    assert languages.fold(tag) == language


@pytest.mark.parametrize(
    ("value", "language"),
    [
        ("fr", "fr"), ("http://publications.europa.eu/resource/authority/language/FRA", "fr"),
        ("http://publications.europa.eu/resource/authority/language/FRE", "fr"), ("http://id.loc.gov/vocabulary/iso639-1/de", "de"),  # noqa: E501
        ("http://lexvo.org/id/iso639-3/ltz", "lb"), ("French", "fr"), ("Deutsch", "de"), ("http://example.org/dataset-001", None), ("", None),  # noqa: E501
    ],
)  # fmt: skip
def test_values_of_dct_language(value: str, language: str | None) -> None:
    """Tags, names and authorities' addresses are understood."""
    assert languages.of_value(value) == language
