"""The territory's folder: facts that are facts, files that agree, licences that CKAN offers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import yaml
from catalogue_support import plugins_loaded  # noqa: F401
from ckanext.ccphva import identifiers, languages, licences
from shapely.geometry import shape

FOLDER = Path(__file__).parents[2] / "deployment" / "territories" / "ccphva"


@pytest.fixture(scope="module")
def territory() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "territory.yaml").read_text())


@pytest.fixture(scope="module")
def communes(territory: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in territory["organizations"] if each.get("kind") == "commune"]


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / "demo" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_epci_and_its_eight_communes_are_there(
    territory: dict[str, Any], communes: list[dict[str, Any]]
) -> None:
    """One EPCI, eight communes under it, whose populations add up to its own."""
    (epci,) = (each for each in territory["organizations"] if each.get("kind") == "epci")
    assert (epci["siren"], epci["population"]) == ("245701404", 29856)
    assert len(communes) == 8
    assert {each["parent"] for each in communes} == {epci["name"]}
    assert sum(each["population"] for each in communes) == epci["population"]


def test_codes_are_well_formed(territory: dict[str, Any], communes: list[dict[str, Any]]) -> None:
    """Every SIREN has the right check digit; a commune's SIREN holds its INSEE code."""
    assert all(identifiers.siren(each["siren"]) for each in territory["organizations"])
    for each in communes:
        assert identifiers.insee(each["insee"])
        assert each["siren"].startswith(f"21{each['insee'][:2]}0{each['insee'][2:]}")


@pytest.mark.parametrize("digits", ["245701405", "24570140", "2457014044", "", "abcdefghi"])
def test_a_wrong_siren_is_known(digits: str) -> None:
    """A digit changed, left out or added is no SIREN."""
    assert identifiers.siren(digits) is None


def test_names_are_in_four_languages(territory: dict[str, Any]) -> None:
    """Titles of organisations and of licences lack no language."""
    for each in territory["organizations"]:
        assert tuple(each["title_translated"]) == languages.LANGUAGES, each["name"]
    assert all(tuple(each["title"]) == languages.LANGUAGES for each in territory["licences"])


def test_outlines_are_those_of_the_communes(communes: list[dict[str, Any]]) -> None:
    """One valid outline a commune, and they touch one another."""
    features = json.loads((FOLDER / "communes.geojson").read_text())["features"]
    outlines = {feature["properties"]["code"]: shape(feature["geometry"]) for feature in features}
    assert set(outlines) == {each["insee"] for each in communes}
    assert all(outline.is_valid and outline.area > 0 for outline in outlines.values())
    for row in rows("voisinages.csv"):
        shared = outlines[row["insee_a"]].boundary.intersection(outlines[row["insee_b"]].boundary)
        assert shared.length > 0.01, row
    for row in rows("emprises.csv"):
        bounds = tuple(float(row[side]) for side in ("ouest", "sud", "est", "nord"))
        assert bounds == outlines[row["insee"]].bounds


def test_all_pairs_of_neighbours_are_listed() -> None:
    """Whoever touches another commune of the territory stands in the list."""
    features = json.loads((FOLDER / "communes.geojson").read_text())["features"]
    outlines = {feature["properties"]["code"]: shape(feature["geometry"]) for feature in features}
    touching = {
        frozenset((a, b))
        for a in outlines
        for b in outlines
        if a < b and outlines[a].distance(outlines[b]) < 1e-6
    }
    assert {frozenset((row["insee_a"], row["insee_b"])) for row in rows("voisinages.csv")} == touching


def test_the_files_of_the_demo_say_what_the_territory_says(communes: list[dict[str, Any]]) -> None:
    """Populations and codes of the data files are those of the organisations."""
    facts = {each["insee"]: each for each in communes}
    assert {row["insee"]: int(row["population_totale"]) for row in rows("population.csv")} == {
        code: each["population"] for code, each in facts.items()
    }
    assert {row["insee"]: row["siren"] for row in rows("identifiants.csv")} == {
        code: each["siren"] for code, each in facts.items()
    }


class TestLicences:
    @pytest.mark.usefixtures("plugins_loaded")
    def test_ckan_offers_the_general_ones_and_the_territorys(self) -> None:
        """CKAN's list is ours, in our order, and says which are open."""
        listed = {each["id"]: each for each in tk.get_action("license_list")({}, {})}
        assert list(listed) == [
            "etalab-2.0",
            "odc-odbl",
            "cc-by-4.0",
            "cc0-1.0",
            "notspecified",
            "partner-ccphva-lu",
        ]
        assert listed["etalab-2.0"]["od_conformance"] == "approved"
        assert listed["partner-ccphva-lu"]["od_conformance"] != "approved"

    def test_the_operators_own_list_wins(self, tmp_path: Path) -> None:
        """A list that the operator names is left as it is, and nothing is written."""
        settings = {"licenses_group_url": "file:///srv/list.json", "ckan.storage_path": str(tmp_path)}
        licences.configure(settings)
        assert settings["licenses_group_url"] == "file:///srv/list.json"
        assert list(tmp_path.iterdir()) == []

    def test_the_list_is_written_once(self, tmp_path: Path) -> None:
        """A second start finds the file as it must be and leaves it."""
        settings = {"ckan.storage_path": str(tmp_path)}
        licences.configure(settings)
        path = tmp_path / "licences.json"
        assert settings["licenses_group_url"] == f"file://{path}"
        before = path.stat().st_mtime_ns
        licences.configure({"ckan.storage_path": str(tmp_path)})
        assert path.stat().st_mtime_ns == before
        assert json.loads(path.read_text())[0]["id"] == "etalab-2.0"
