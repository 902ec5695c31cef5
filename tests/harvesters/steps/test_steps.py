"""Steps: small, named, and honest about what they do not know."""

from __future__ import annotations

from typing import Any

import pytest
from ccphva_harvesters import Dataset, Step
from ccphva_harvesters.steps.keep import Keep, KeepConfig
from ccphva_harvesters.steps.licence import Licence, LicenceConfig
from ccphva_harvesters.steps.set import Set, SetConfig


def dataset(*licences: str | None, **fields: Any) -> Dataset:
    """A dataset with one resource for each licence."""
    return Dataset(guid="g", fields=fields, resources=[{"license": x} if x else {} for x in licences])


@pytest.mark.parametrize(
    ("raw", "id_"),
    [
        ("https://www.etalab.gouv.fr/licence-ouverte-open-licence", "etalab-2.0"),
        ("Licence Ouverte / Open Licence version 2.0", "etalab-2.0"),
        ("http://www.opendatacommons.org/licenses/odbl/1.0/", "odc-odbl"),
        ("https://creativecommons.org/licenses/by/4.0/", "cc-by-4.0"),
        ("http://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "cc-by-4.0"),
        ("http://publications.europa.eu/resource/authority/licence/CC0", "cc0-1.0"),
    ],
)
def test_known_licences(raw: str, id_: str) -> None:
    """Addresses and labels lead to our ids; the source's words stay."""
    found = Licence()(dataset(raw))
    assert found.resources == [{"license": raw, "license_id": id_}]
    assert found.fields["license_id"] == id_
    assert found.problems == ()


@pytest.mark.parametrize(
    "raw",
    [
        "https://creativecommons.org/licenses/by-nc/4.0/",
        "https://creativecommons.org/licenses/by/3.0/",
        "Licence Ouverte",
        "open",
    ],
)
def test_unknown_licences_are_kept_and_flagged(raw: str) -> None:
    """What only looks like one of ours is not taken for it, nor for the default."""
    found = Licence(LicenceConfig(default="etalab-2.0"))(dataset(raw))
    assert found.resources == [{"license": raw}]
    assert "license_id" not in found.fields
    assert [(p.code, p.message) for p in found.problems] == [("licence-unknown", raw)]


def test_resources_that_differ_leave_the_dataset_without() -> None:
    """The dataset's licence is said only where all its resources agree."""
    found = Licence()(dataset("cc0-1.0", "cc-by-4.0"))
    assert [r["license_id"] for r in found.resources] == ["cc0-1.0", "cc-by-4.0"]
    assert "license_id" not in found.fields


def test_no_licence_at_all() -> None:
    """A default is used only where nothing is said; without one it is a problem."""
    assert Licence(LicenceConfig(default="etalab-2.0"))(dataset(None)).fields["license_id"] == "etalab-2.0"
    assert [p.code for p in Licence()(dataset(None)).problems] == ["licence-missing"]


def test_a_source_may_teach_licences() -> None:
    """A source file can name what only this source writes."""
    step = Licence(LicenceConfig(licences={"etalab-2.0": ["Licence Ouverte"]}))
    assert step(dataset("licence  ouverte")).fields["license_id"] == "etalab-2.0"


def test_steps_do_not_change_what_they_are_given() -> None:
    """A step gives a new dataset."""
    given = dataset("cc0-1.0", theme="a")
    for step in (Licence(), Set(SetConfig(fields={"theme": "b"}, resources={"x": 1}))):
        step(given)
    assert given == dataset("cc0-1.0", theme="a")


def test_set() -> None:
    """Fixed values, over what is there or only where nothing is."""
    given = dataset(None, theme="a")
    assert Set(SetConfig(fields={"theme": "b"}, resources={"format": "CSV"}))(given).fields == {"theme": "b"}
    filled = Set(
        SetConfig(fields={"theme": "b", "status": "x"}, resources={"format": "CSV"}, only_empty=True)
    )(given)
    assert filled.fields == {"theme": "a", "status": "x"}
    assert filled.resources == [{"format": "CSV"}]


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        (KeepConfig(field="theme", values=("ENVI",)), True),
        (KeepConfig(field="theme", values=("TRAN",)), False),
        (KeepConfig(field="theme"), True),
        (KeepConfig(field="hvd_category"), False),
        (KeepConfig(field="publisher", values=("Audun",)), True),
        (KeepConfig(field="kind", values=("dataset",)), True),
        (KeepConfig(field="kind", values=("dataset_series",)), False),
    ],
)
def test_keep(config: KeepConfig, kept: bool) -> None:
    """Only what a field says we want."""
    given = dataset(theme=["ENVI", "ECON"], publisher=[{"name": "Audun"}])
    assert (Keep(config)(given) is not None) == kept


def test_they_are_steps() -> None:
    """They have the protocol's parts."""
    for step in (Licence(), Set(SetConfig()), Keep(KeepConfig(field="x"))):
        assert isinstance(step, Step)
