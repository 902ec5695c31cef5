"""A dataset's way through several hands, in a real browser, from a draft to a restored one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from content import Api
from playwright.sync_api import Browser, Locator, Page, expect
from stack import wait_for
from test_browser import AXE

pytestmark = pytest.mark.stack

TITLE, CORRECTED = "Relevés de la nappe", "Relevés de la nappe 2024"
COMMENT = "Le titre doit dire l'année."


@pytest.fixture
def accounts(stack_home: Path) -> dict[str, dict[str, str]]:
    """The demo's people by role."""
    return {each["role"]: each for each in json.loads((stack_home / "accounts.json").read_text())}


@pytest.fixture
def name(stack_url: str, stack_home: Path, accounts: dict[str, Any]) -> Iterator[str]:
    """Name of the dataset to make; meanwhile administrators publish in the agent's organisation."""
    api = Api(stack_url, stack_home)
    agent = api.call("organization_list_for_user", {"id": accounts["agent"]["name"]})[0]["id"]
    api.call("organization_patch", {"id": agent, "publishing": "admins"})
    yield f"e2e-nappe-{int(time.time())}"
    api.call("organization_patch", {"id": agent, "publishing": "editors"})


def sign_in(browser: Browser, url: str, account: dict[str, str]) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce").new_page()
    page.goto(f"{url}/user/login")
    page.locator("#field-login").fill(account["name"])
    page.locator("#field-password").fill(account["password"])
    page.locator("#field-password").press("Enter")
    page.wait_for_url("**/dashboard/**")
    return page


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical in the body of a page; the signed-in header is core's."""
    page.evaluate(AXE.read_text())  # a script tag would be refused by the content policy
    found: dict[str, Any] = page.evaluate("axe.run('.main', {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def state(page: Page) -> str:
    return page.locator(".t-publication-state strong").inner_text()


def send(button: Locator) -> None:
    """Press a button that sends a form, and wait for the answer: going elsewhere before would cancel it."""
    with button.page.expect_navigation():
        button.click()


def test_from_draft_to_restored(
    browser: Browser, stack_url: str, accounts: dict[str, dict[str, str]], name: str
) -> None:
    """An agent makes, submits, corrects; an administrator returns, publishes, deletes, restores."""
    agent = sign_in(browser, stack_url, accounts["agent"])
    admin = sign_in(browser, stack_url, accounts["committee"])
    visitor = browser.new_page()
    address = f"{stack_url}/dataset/{name}"

    agent.goto(f"{stack_url}/dataset/new")
    agent.locator("[name='title_translated-fr']").fill(TITLE)
    if agent.locator(".slug-preview button").is_visible():
        agent.locator(".slug-preview button").click()
    agent.locator("[name='name']").fill(name)
    send(agent.locator("button[name='save']").first)
    agent.locator("[name='url']").first.wait_for(state="attached")
    agent.evaluate("document.querySelector(\"[name='url']\").value = 'https://example.org/nappe.csv'")
    send(agent.locator("button[name='save'][value='go-metadata']"))
    agent.goto(address)
    assert state(agent) == "Brouillon"
    assert serious(agent) == []

    send(agent.get_by_role("button", name="Soumettre à publication"))
    assert state(agent) == "Soumis"
    assert visitor.goto(address).status == 404  # type: ignore[union-attr]

    admin.goto(f"{stack_url}/dashboard/tasks")
    assert serious(admin) == []
    send(admin.get_by_role("link", name=TITLE))
    admin.get_by_label("Commentaire").fill(COMMENT)
    send(admin.get_by_role("button", name="Renvoyer avec ce commentaire"))
    assert state(admin) == "Renvoyé"

    agent.goto(f"{stack_url}/dashboard/tasks")
    expect(agent.locator("#returned")).to_contain_text("Renvoyés vers moi")
    expect(agent.get_by_text(COMMENT)).to_be_visible()
    agent.goto(f"{stack_url}/dataset/edit/{name}")
    agent.locator("[name='title_translated-fr']").fill(CORRECTED)
    send(agent.locator("button[name='save']").last)
    agent.goto(f"{address}/history")
    expect(agent.locator(".t-difference ins").first).to_contain_text("2024")
    assert serious(agent) == []
    agent.goto(address)
    send(agent.get_by_role("button", name="Soumettre à publication"))

    admin.goto(address)
    send(admin.get_by_role("button", name="Publier le jeu de données"))
    assert visitor.goto(address).status == 200  # type: ignore[union-attr]

    admin.goto(f"{stack_url}/dataset/delete/{name}")
    expect(admin.get_by_text("peut le restaurer")).to_be_visible()
    send(admin.locator("button[name='delete']"))
    admin.goto(address)
    assert state(admin) == "Supprimé"
    assert wait_for(lambda: visitor.goto(address).status == 404, 5)  # type: ignore[union-attr]
    send(admin.get_by_role("button", name="Restaurer"))
    expect(admin.get_by_text("est restauré")).to_be_visible()
    assert visitor.goto(address).status == 200  # type: ignore[union-attr]
