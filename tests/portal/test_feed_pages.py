"""The page of a feed's contract, as an agent uses it: make, change, end, and what is told of mistakes."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp
from ckanext.ccphva_datastore.feeds import contract, forms

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")
GOOD = {
    "rows": "4", "time": "1",
    "column-0-id": "capteur", "column-0-type": "text", "column-0-key": "on",
    "column-1-id": "quand", "column-1-type": "timestamptz",
    "column-2-id": "niveau", "column-2-type": "float", "column-2-unit": "m", "column-2-min": "0",
    "column-2-max": "20",
    "column-3-id": "", "column-3-type": "text",
    "freshness": "900", "retention": "", "late": "", "future": "300",
}  # fmt: skip


class Agent:
    """An editor at a resource's page."""

    def __init__(self, app: CKANTestApp) -> None:
        self.app = app
        person = factories.UserWithToken()
        self.headers = {"Authorization": person["token"]}
        owner = factories.Organization(users=[{"name": person["name"], "capacity": "editor"}])
        dataset = call_action("package_create", name="capteurs", title="Capteurs", owner_org=owner["id"])
        resource = call_action(
            "resource_create", package_id=dataset["id"], url="https://x.example", name="Flux"
        )
        self.id = resource["id"]
        self.address = f"/dataset/capteurs/resource/{self.id}/feed"

    def page(self, language: str = "") -> BeautifulSoup:
        answer = self.app.get(f"{language}{self.address}", headers=self.headers)
        return BeautifulSoup(answer.body, "html.parser")

    def send(self, form: dict[str, str], language: str = "", end: bool = False) -> BeautifulSoup:
        token = self.page().select_one("form input[name=_csrf_token]")["value"]
        address = f"{language}{self.address}" + ("/end" if end else "")
        answer = self.app.post(address, data=form | {"_csrf_token": token}, headers=self.headers)
        return BeautifulSoup(answer.body, "html.parser")


@pytest.fixture
def agent(app: CKANTestApp) -> Agent:
    return Agent(app)


def test_from_a_form_to_a_feed_and_back(agent: Agent) -> None:
    """Made, shown with an address and a line to copy, changed in its promises, ended; the resource stays."""
    shown = agent.send(GOOD)
    feed = call_action("ccphva_feed_show", resource_id=agent.id)["contract"]
    assert feed["key"] == ["capteur"]
    assert feed["time"] == "quand"
    assert feed["freshness"] == 900
    assert feed["fields"][2] == {
        "id": "niveau",
        "type": "double precision",
        "unit": "m",
        "min": 0.0,
        "max": 20.0,
    }
    assert f"/live/{agent.id}" in shown.select_one("pre").text
    assert "capteur" in shown.select_one("pre").text
    assert not shown.select("input[name=column-0-id]")  # columns stay as they are
    agent.send({"freshness": "", "retention": "30", "late": "", "future": "60"})
    feed = call_action("ccphva_feed_show", resource_id=agent.id)["contract"]
    assert (feed["freshness"], feed["retention"], feed["future"]) == (None, 30, 60)
    agent.send({}, end=True)
    assert agent.page().select_one("input[name=column-0-id]")
    assert call_action("resource_show", id=agent.id)["state"] == "active"


@pytest.mark.parametrize(
    ("language", "text"),
    [("", "seuls les nombres"), ("/de", "nur Zahlen"), ("/en", "only numbers"), ("/lb", "nëmmen Zuelen")],
)
def test_mistakes_stand_beside_their_fields(agent: Agent, language: str, text: str) -> None:
    """In the reader's language, and nothing that was typed is lost."""
    wrong = GOOD | {"column-0-min": "5", "column-2-id": "<script>", "freshness": "bald", "time": "0"}
    del wrong["column-0-key"]
    page = agent.send(wrong, language)
    row = page.select_one("input[name=column-0-id]")
    assert row["aria-invalid"] == "true"
    assert text in page.select_one(f"#{row['aria-describedby']}").text
    freshness = page.select_one("#freshness")
    assert freshness["value"] == "bald"
    assert "fault-freshness-1" in freshness["aria-describedby"]
    assert page.select_one("#fault-freshness-1")
    assert page.select_one("#fault-key-1")
    assert page.select_one("#fault-time-1")
    assert page.select_one("input[name=column-2-id]")["value"] == "<script>"
    assert page.select_one("input[name=column-2-unit]")["value"] == "m"
    with pytest.raises(tk.ObjectNotFound):
        call_action("ccphva_feed_show", resource_id=agent.id)


def test_more_columns_without_a_script(agent: Agent) -> None:
    """The button gives more rows and keeps what was typed."""
    page = agent.send(GOOD | {"more": "1"})
    assert len(page.select("input[name^=column-][name$=-id]")) == 8
    assert page.select_one("input[name=column-2-unit]")["value"] == "m"


def test_who_may_not_edit_sees_nothing(agent: Agent) -> None:
    stranger = {"Authorization": factories.UserWithToken()["token"]}
    for headers in ({}, stranger):
        assert agent.app.get(agent.address, headers=headers, status=403)
    assert agent.app.get(agent.address.replace("capteurs", "other"), headers=agent.headers, status=404)


def test_every_field_has_a_name_and_help(agent: Agent) -> None:
    page = agent.page("/de")
    for field in page.select("form.t-feed-form input:not([type=hidden]), form.t-feed-form select"):
        label = field.get("aria-label") or page.select_one(f"label[for={field.get('id')}]")
        assert label, field
    for name in ("freshness", "retention", "late", "future"):
        assert page.select_one(f"#help-{name}").text


class TestForms:
    @pytest.mark.parametrize("rows", ["", "x", "-1", "9999", "٣"])
    def test_any_number_of_rows(self, rows: str) -> None:
        assert len(forms.typed({"rows": rows})["columns"]) == forms.ROWS

    def test_a_form_means_its_contract(self) -> None:
        """Form to contract to form: the same."""
        made = contract.read(forms.document(forms.typed(GOOD)))
        again = forms.of(made.as_dict())
        assert [column["id"] for column in again["columns"]] == ["capteur", "quand", "niveau"]
        assert again["time"] == "1"
        assert contract.read(forms.document(again)) == made

    def test_blank_is_a_contract(self) -> None:
        """What stands in an empty form would do as it is."""
        assert contract.read(forms.document(forms.blank())).key == ("sensor",)
