"""Licences and fees: each case of `fees/*.yaml` by each way into the catalogue."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import yaml
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckanext.ccphva import fees, licences, rights
from ckanext.ccphva.shared import harvesting
from fee_entries import ENTRIES, Action, Case, Refused

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")


def laid_over(base: Any, change: Any) -> Any:
    """`change` on `base`; None takes a thing away."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return copy.deepcopy(change)
    merged = {**base, **{key: laid_over(base.get(key), value) for key, value in change.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def cases() -> list[Case]:
    found = []
    for path in sorted((Path(__file__).parent / "fees").glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        for name, case in document["cases"].items():
            fields = laid_over(document["base"], case.get("change", {}))
            refused, elsewhere = case.get("refused", {}), case.get("elsewhere", False)
            found.append(
                Case(f"{path.stem}: {name}", fields, refused, case.get("owner", "operator"), elsewhere)
            )
    return found


CASES = cases()
EVERY = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@EVERY
def test_each_case_by_each_entry(app: Any, case: Case) -> None:
    """What the law refuses is an error of its field that names the article; the rest is stored as it came."""
    owner = factories.Organization(kind=case.owner)["id"]
    for entry in ENTRIES:
        if entry.takes(case):
            check_entry(entry(app, owner, case), case)


def check_entry(entry: Action, case: Case) -> None:
    expected = entry.refuses(case)
    if case.name == "personal: open" and entry.repeats_the_state:
        expected = {}  # it repeats the state that the dataset had: that makes it private
    stored, no = outcome(entry)
    if no is not None:
        assert expected, (entry.name, str(no))
        for where, article in expected.items():
            assert article in no.text_at(where), (entry.name, where, str(no))
        package = model.Package.get(entry.name)
        assert package is None or not {"fee", "licence_regime"} & set(package.extras), entry.name
        return
    assert not expected, (entry.name, stored)
    if "personal_data" in case.fields:
        assert stored["private"], entry.name
    for name in ("fee", "license_id"):
        assert as_texts(stored.get(name) or None) == as_texts(case.fields.get(name)), entry.name


def outcome(entry: Action) -> tuple[dict[str, Any], Refused | None]:
    """What is stored, or the refusal."""
    try:
        return entry.run(), None
    except Refused as no:
        return {}, no


def as_texts(value: Any) -> Any:
    """Forms know texts only."""
    if isinstance(value, dict):
        return {name: as_texts(each) for name, each in value.items()}
    return (
        [as_texts(each) for each in value]
        if isinstance(value, list)
        else value
        if value is None
        else str(value)
    )


@EVERY
def test_each_case_in_the_pure_check(case: Case) -> None:
    """The check without CKAN, as a bulk path calls it, finds the same."""
    dataset = {"visibility": "open", **case.fields}
    found = fees.check(dataset, licences.by_id(), case.owner)
    told = {".".join(str(step) for step in each.where): each.article for each in found}
    assert bool(told) == bool(case.refused), told
    for where, article in case.refused.items():
        if article:
            assert article in told[where]


def test_there_are_enough_cases() -> None:
    """At least thirty are refused and ten accepted."""
    refused = sum(bool(case.refused) for case in CASES)
    assert refused >= 30
    assert len(CASES) - refused >= 10


class TestDue:
    FEE = {"ground": "L324-1", "start": "2026-01-01", "review_date": "2026-12-31"}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("day", "due", "overdue"),
        [
            ("2025-12-31", False, False),
            ("2026-01-01", True, False),
            ("2026-12-31", True, False),
            ("2027-01-01", False, True),
        ],
    )
    def test_a_fee_is_due_from_its_start_to_its_review(self, day: str, due: bool, overdue: bool) -> None:
        """The day of the review is the last one."""
        assert fees.is_due(self.FEE, date.fromisoformat(day)) is due
        assert fees.is_overdue(self.FEE, date.fromisoformat(day)) is overdue

    def test_overdue_fees_are_listed_for_the_committee(self) -> None:
        """Of the dataset and of a file, the longest overdue first; strangers see no list."""
        late = next(case for case in CASES if case.name.endswith("a review that has passed"))
        later = laid_over(late.fields["fee"], {"review_date": "2021-06-30"})
        owner = factories.Organization(kind="operator")["id"]
        call_action("package_create", name="jeu", title="Jeu", owner_org=owner, **copy.deepcopy(late.fields))
        call_action("resource_create", package_id="jeu", url="https://example.org/a", fee=later)
        listed = call_action("ccphva_fee_review_list")
        assert [each["fee"]["review_date"] for each in listed] == ["2021-06-30", "2022-12-31"]
        assert listed[0]["resource_id"]
        assert listed[1]["dataset"] == "jeu"
        with pytest.raises(tk.NotAuthorized):
            tk.get_action("ccphva_fee_review_list")({"user": factories.User()["name"]}, {})


def test_fields_of_a_form_make_one_object() -> None:
    """Empty fields and a line that says only its currency are left out."""
    parts = {
        "fee-ground": "L324-1",
        "fee-body": "",
        "fee-tariff-0-amount": " 12 ",
        "fee-tariff-0-currency": "EUR",
        "fee-tariff-1-currency": "EUR",
        "fee-exclusivity-end": "2030-01-01",
    }
    assert rights.from_form(parts) == {
        "ground": "L324-1",
        "tariff": [{"amount": "12", "currency": "EUR"}],
        "exclusivity": {"end": "2030-01-01"},
    }


@pytest.mark.parametrize("kind", ["data_service", "dataset_series"])
def test_licences_of_services_and_series(kind: str) -> None:
    """What may not be said of a dataset may not be said of these either; a harvest passes on."""
    owner = factories.Organization(kind="commune")["id"]

    own = {"endpoint_url": ["https://example.org/api"]} if kind == "data_service" else {}

    def make(licence: str, **more: Any) -> dict[str, Any]:
        given = {"type": kind, "owner_org": owner, "title_translated": {"fr": "Service"}, **own}
        return call_action("package_create", **given, license_id=licence, **more)

    for licence in ("cc-by-nc-4.0", "nothing", "cc-by-4.0"):
        with pytest.raises(tk.ValidationError) as refused:
            make(licence, name=f"no-{kind}")
        assert "L323-2" in refused.value.error_dict["license_id"][0]
    made = make("etalab-2.0", name=f"good-{kind}")
    with pytest.raises(tk.ValidationError):
        call_action("package_patch", id=made["id"], license_id="cc-by-4.0")
    with harvesting():
        theirs = make("cc-by-4.0", name=f"theirs-{kind}", uri="https://x.example/s")
    assert (
        call_action("package_patch", id=theirs["id"], title_translated={"fr": "Autre"})["license_id"]
        == "cc-by-4.0"
    )
