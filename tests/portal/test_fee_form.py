"""A fee in the form: an error beside each field, in the reader's language, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests import factories

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")


@pytest.mark.parametrize(("language", "word"), [("", "tous les 5 ans"), ("/de", "alle 5 Jahre")])
def test_a_refused_fee_keeps_what_was_typed(app: Any, language: str, word: str) -> None:
    """The article stands beside its field, the amount is still there, and no shape of data is shown."""
    headers = {"Authorization": factories.SysadminWithToken()["token"]}
    form = {
        "title_translated-fr": "Payant",
        "name": "payant",
        "owner_org": factories.Organization()["id"],
        "license_id": "odc-odbl",
        "fee-ground": "L324-1",
        "fee-body": "Régie des eaux",
        "fee-start": "2026-04-01",
        "fee-review_date": "2040-01-01",
        "fee-tariff-0-amount": "cher",
        "fee-tariff-0-currency": "EUR",
        "save": "",
    }
    answer = app.post(f"{language}/dataset/new", data=form, headers=headers)
    page = BeautifulSoup(answer.body, "html.parser")
    assert page.find("input", {"name": "fee-tariff-0-amount"})["value"] == "cher"
    assert page.find("input", {"name": "fee-body"})["value"] == "Régie des eaux"
    field = page.find("input", {"name": "fee-review_date"}).find_parent(class_="control-full")
    assert "L324-3" in field.text
    assert word in field.text
    summary = page.find(class_="error-explanation").text
    assert "L324-3" in summary
    assert "[{" not in summary


def test_a_form_without_a_fee_is_free(app: Any) -> None:
    """The empty fields of the form, and the currency that it offers, make no fee."""
    headers = {"Authorization": factories.SysadminWithToken()["token"]}
    form = {
        "title_translated-fr": "Gratuit",
        "name": "gratuit",
        "owner_org": factories.Organization()["id"],
        "license_id": "etalab-2.0",
        "fee-ground": "",
        "fee-body": "",
        "fee-tariff-0-currency": "EUR",
        "fee-tariff-1-currency": "EUR",
        "save": "",
    }
    app.post("/dataset/new", data=form, headers=headers, follow_redirects=False)
    assert "fee" not in call_action("package_show", id="gratuit")


def test_a_high_value_dataset_is_edited_by_the_form(app: Any) -> None:
    """The form of the dataset sends no files; those that it has count."""
    headers = {"Authorization": factories.SysadminWithToken()["token"]}
    fields = {
        "license_id": "etalab-2.0",
        "hvd_category": ["http://data.europa.eu/bna/c_b79e35eb"],
        "applicable_legislation": ["http://data.europa.eu/eli/reg_impl/2023/138/oj"],
    }
    owner = factories.Organization()["id"]
    files = [
        {"url": "https://example.org/wfs", "format": "WFS"},
        {"url": "https://example.org/all.zip", "format": "ZIP"},
    ]
    call_action("package_create", name="hvd", title="HVD", owner_org=owner, resources=files, **fields)
    sent = {"title_translated-fr": "Autre", "name": "hvd", "owner_org": owner, "save": "", **fields}
    answer = app.post("/dataset/edit/hvd", data=sent, headers=headers, follow_redirects=False)
    assert answer.status_code == 302
    assert call_action("package_show", id="hvd")["title"] == "Autre"
