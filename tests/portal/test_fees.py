"""Licences and fees: each case of `fees/*.yaml` by each way into the catalogue."""

from __future__ import annotations

import copy
import json
from copy import deepcopy
from dataclasses import dataclass
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

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
Errors = dict[str, Any]


@dataclass(frozen=True)
class Case:
    name: str
    fields: dict[str, Any]
    refused: dict[str, str]
    owner: str
    elsewhere: bool


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


class Entries:
    """The ways into the catalogue for whole datasets; each makes or changes one of its own."""

    def __init__(self, owner: str, fields: dict[str, Any]) -> None:
        self.owner, self._fields = owner, fields

    @property
    def fields(self) -> dict[str, Any]:
        """A copy: CKAN writes ids into what it is given."""
        return deepcopy(self._fields)

    def base(self, name: str) -> dict[str, Any]:
        return {"name": name, "title": "Jeu", "owner_org": self.owner}

    def made(self, name: str) -> str:
        return call_action("package_create", **self.base(name))["id"]

    def create(self, name: str) -> None:
        call_action("package_create", **self.base(name), **self.fields)

    def as_json(self, name: str) -> None:
        """A fee as JSON text, as clients of flat forms send it."""
        fields = dict(self.fields)
        if isinstance(fields.get("fee"), dict):
            fields["fee"] = json.dumps(fields["fee"])
        call_action("package_create", **self.base(name), **fields)

    def update(self, name: str) -> None:
        call_action("package_update", id=self.made(name), **self.base(name), **self.fields)

    def patch(self, name: str) -> None:
        call_action("package_patch", id=self.made(name), **self.fields)

    def revise(self, name: str) -> None:
        call_action("package_revise", match={"id": self.made(name)}, update=self.fields)


@EVERY
def test_each_case_by_each_action(case: Case) -> None:
    """What the law refuses is an error of its field that names the article; the rest is stored."""
    entries = Entries(factories.Organization(kind=case.owner)["id"], case.fields)
    for name in ("create", "as_json", "update", "patch", "revise"):
        if case.name == "personal: open" and name in ("update", "patch", "revise"):
            getattr(entries, name)(name)  # it repeats the state that the dataset had: that makes it private
            assert model.Package.get(name).private
            continue
        try:
            getattr(entries, name)(name)
        except tk.ValidationError as error:
            model.Session.rollback()
            refused(case, error.error_dict, name)
        else:
            assert not case.refused, name
            shown = call_action("package_show", id=name)
            assert shown.get("fee") == case.fields.get("fee")
            assert shown.get("license_id") == case.fields.get("license_id")


def refused(case: Case, told: Errors, name: str) -> None:
    """The errors are those of the case, and nothing of it is stored."""
    assert case.refused, (name, told)
    for where, article in case.refused.items():
        assert article in text_at(told, where), (name, where, told)
    stored = model.Package.get(name)
    assert stored is None or not {"fee", "licence_regime"} & set(stored.extras)


def text_at(errors: Errors, where: str) -> str:
    """All that is said of a field; an object's errors are a list of one."""
    found: Any = errors
    for step in where.split("."):
        if isinstance(found, list) and not step.isdigit():
            found = found[0]
        found = found[int(step)] if isinstance(found, list) else found[step]
    return " ".join(str(each) for each in found)


OF_FILES = [
    case for case in CASES if isinstance(case.fields.get("fee"), dict) and "hvd_category" not in case.fields
]


@pytest.mark.parametrize("case", OF_FILES, ids=[case.name for case in OF_FILES])
def test_each_fee_on_a_file(case: Case) -> None:
    """The same rules hold for a resource, and the error is of the resource's own field."""
    made = Entries(factories.Organization(kind=case.owner)["id"], {}).made("jeu")
    wanted = {"url": "https://example.org/a.csv", "fee": case.fields["fee"]}
    if case.fields.get("license_id"):
        wanted["license_id"] = case.fields["license_id"]
    for action in ("resource_create", "resource_update", "resource_patch"):
        target = {"package_id": made}
        if action != "resource_create":
            target = {
                "id": call_action("resource_create", package_id=made, url="https://example.org/b")["id"]
            }
        errors: Errors = {}
        try:
            stored = call_action(action, **target, **wanted)
        except tk.ValidationError as error:
            model.Session.rollback()
            errors = error.error_dict
        assert bool(errors) == bool(case.refused), (action, errors)
        for where, article in case.refused.items():
            assert article in text_at(errors, where), (action, errors)
        assert errors or stored["fee"] == case.fields["fee"]


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
        Entries(factories.Organization(kind="operator")["id"], late.fields).create("jeu")
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
