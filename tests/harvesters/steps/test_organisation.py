"""Step `organisation`: whose dataset it is, by what its publisher is called."""

from __future__ import annotations

from typing import Any

import pytest
from ccphva_harvesters import ConfigError, Dataset, fingerprint, load_mapping
from ccphva_harvesters.steps.organisation import Organisation, OrganisationConfig

STEP = Organisation(
    OrganisationConfig(
        organisations={
            "villerupt": ["https://x.example/#villerupt", "215405804"],
            "regie": ["Régie  des réseaux"],
            "thil": ["Commune de Thil"],
        }
    )
)


def owner(*publishers: dict[str, Any]) -> str | None:
    return STEP(Dataset(guid="g", fields={"publisher": list(publishers)})).owner


@pytest.mark.parametrize(
    ("publisher", "expected"),
    [
        ({"uri": "https://x.example/#villerupt"}, "villerupt"),
        ({"identifier": "215405804", "name": "Autre"}, "villerupt"),
        ({"name": "régie des RÉSEAUX"}, "regie"),
        ({"name_translated": {"de": "Netz", "fr": "Régie des réseaux"}}, "regie"),
        ({"uri": "https://x.example/#villerupt", "name": "Commune de Thil"}, "villerupt"),
        ({"name": "Commune de Thillot"}, None),
        ({"name": "  "}, None),
        ({}, None),
    ],
)
def test_publishers(publisher: dict[str, Any], expected: str | None) -> None:
    """Address before identifier before name; nothing is guessed from a similar name."""
    assert owner(publisher) == expected


def test_no_publisher_at_all() -> None:
    """A dataset without publisher stays with the source's organisation."""
    assert STEP(Dataset(guid="g")).owner is None


def test_one_name_for_two_organisations() -> None:
    """A name that stands for two organisations is an error that says where."""
    config = {"a": ["Mairie"], "b": ["mairie "]}
    with pytest.raises(ConfigError, match=r"organisations\.b: 'mairie ' already stands for a"):
        Organisation(OrganisationConfig(organisations=config))


def test_a_wrong_configuration_says_its_path() -> None:
    """Names that are no list are refused with their path."""
    document = {
        "source": {"type": "dcat", "url": "https://x.example/c"},
        "format": {"type": "dcat-ap"},
        "steps": [{"organisation": {"organisations": {"a": "Mairie"}}}],
        "personal_data": "none",
    }
    with pytest.raises(ConfigError, match=r"\$\.steps\[0\]\.organisation\.organisations"):
        load_mapping(document)


def test_only_a_chosen_owner_counts_in_the_hash() -> None:
    """Datasets whose owner no step chose keep the hash that they had; a new owner is a change."""
    plain = Dataset(guid="g", fields={"publisher": [{"name": "Commune de Thil"}]})
    assert fingerprint(STEP(plain)) != fingerprint(plain)
    assert fingerprint(STEP(Dataset(guid="g"))) == fingerprint(Dataset(guid="g"))
