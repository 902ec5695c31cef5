"""An agent's forms in a real browser: accessible, by keyboard alone, narrow, and nothing typed is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from content import ORGANIZATION, WASTE, Api, table_path
from playwright.sync_api import Browser, BrowserContext, Page, expect
from stack import wait_for
from test_browser import findings, serious

pytestmark = pytest.mark.stack

PATHS = {
    "new": "/dataset/new",
    "edit": f"/dataset/edit/{WASTE}",
    "organisation": f"/organization/edit/{ORGANIZATION}",
    "group": "/group/new",
    "resource": f"/dataset/{WASTE}/resource/new",
    "series": "/dataset_series/new",
    "service": "/data_service/new",
    "tasks": "/dashboard/tasks",
    "conflicts": "/dashboard/conflicts",
    "sources": "/dashboard/sources",
    "profile": "/user/edit",
}
Open = Callable[..., Page]


def sign_in(page: Page, url: str, home: Path) -> None:
    """Sign in as the demo's administrator."""
    accounts = json.loads((home / "accounts.json").read_text())
    account = next(each for each in accounts if each["role"] == "sysadmin")
    page.goto(url + "/user/login")
    page.fill("#field-login", account["name"])
    page.fill("#field-password", account["password"])
    page.press("#field-password", "Enter")
    page.wait_for_url(lambda address: "/user/login" not in address)


@pytest.fixture
def signed_in(browser: Browser, stack_url: str, stack_home: Path, content: None) -> Iterator[Open]:
    """Opens a page as the demo's administrator; everything is closed at the end."""
    contexts: list[BrowserContext] = []

    def open_(path: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        sign_in(page, stack_url, stack_home)
        page.goto(stack_url + path)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "de"])
@pytest.mark.parametrize("name", PATHS)
def test_forms_are_accessible(signed_in: Open, name: str, language: str, scheme: str) -> None:
    """axe-core finds nothing at all: in no step of a form, nor in the header of who is signed in."""
    page = signed_in(f"/{language}{PATHS[name]}", color_scheme=scheme)
    found = findings(page)
    for step in page.locator("[data-steps] a").all():
        step.click()
        found += findings(page)
    assert found == []


@pytest.mark.parametrize("part", ["feed", "load", "dictionary"])
def test_pages_of_a_resource_are_accessible(
    signed_in: Open, stack_url: str, stack_home: Path, part: str
) -> None:
    """So are the pages where an agent makes a resource live, loads its file and describes its columns."""
    path = table_path(stack_url, stack_home)
    resource = path.rsplit("/", 1)[1]
    dictionary = f"/dataset/{path.split('/')[2]}/dictionary/{resource}"
    assert findings(signed_in(f"/fr{dictionary if part == 'dictionary' else f'{path}/{part}'}")) == []


@pytest.mark.parametrize("language", ["fr", "de"])
def test_a_refused_form_is_accessible_and_leads_to_the_fault(signed_in: Open, language: str) -> None:
    """The list of faults has the focus; its link opens the step and the language of the field."""
    page = signed_in(f"/{language}/dataset/new")
    page.fill("#field-title_translated-fr", "Essai de faute")
    page.locator("#field-title_translated details summary").first.click()
    page.fill("#field-title_translated-de", "<b>fett</b>")
    page.locator(".form-actions button[type=submit]").click()
    faults = page.locator("#form-faults")
    expect(faults).to_be_focused()
    assert serious(page) == []
    faults.get_by_role("link").first.click()
    expect(page.locator("#field-title_translated-de")).to_be_focused()
    expect(page.locator("#field-title_translated-de")).to_have_value("<b>fett</b>")


@pytest.mark.parametrize("name", PATHS)
def test_forms_fit_a_narrow_screen(signed_in: Open, name: str) -> None:
    page = signed_in(f"/de{PATHS[name]}", viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_by_keyboard_alone(signed_in: Open) -> None:
    """Tab reaches the title, a language is opened with Enter, the next step with its button."""
    page = signed_in("/fr/dataset/new")
    page.focus("#field-title_translated-fr")
    page.keyboard.type("Au clavier")
    summary = page.locator("#field-title_translated details summary").first
    for _ in range(4):
        page.keyboard.press("Tab")
        if summary.evaluate("each => each === document.activeElement"):
            break
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Mit der Tastatur")
    expect(page.locator("#field-title_translated-de")).to_have_value("Mit der Tastatur")
    page.locator(".t-step:not([hidden]) .t-step-buttons button").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#step-2 h2")).to_be_focused()
    expect(page.locator("#step-1")).to_be_hidden()


def test_communes_are_chosen_without_a_mouse(signed_in: Open) -> None:
    """The map's panel writes GeoJSON from ticked communes and from figures."""
    page = signed_in("/fr/dataset/new")
    page.get_by_role("link", name="Où et quand").click()
    page.locator("#field-spatial_coverage > [data-add-group]").press("Enter")
    page.locator("[data-open-map]").first.press("Enter")
    box = page.locator(".t-outline input[type=checkbox]").first
    box.press("Space")
    field = page.locator("textarea[data-outline]").first
    assert json.loads(field.input_value())["type"] in {"Polygon", "MultiPolygon"}
    for input_, degrees in zip(
        page.locator(".t-outline-box input").all(), ["5.8", "49.4", "6.0", "49.5"], strict=True
    ):
        input_.fill(degrees)
    page.get_by_role("button", name="Prendre ce rectangle").press("Enter")
    assert json.loads(field.input_value())["coordinates"][0][0] == [5.8, 49.4]


def test_a_draft_survives_a_closed_window(signed_in: Open, stack_url: str) -> None:
    """What was typed, groups included, is offered again, and is gone after it was thrown away."""
    page = signed_in("/fr/dataset/new")
    page.fill("#field-title_translated-fr", "À reprendre")
    page.get_by_role("link", name="Contacts", exact=True).click()
    page.locator("#field-contact > [data-add-group]").click()
    page.fill("[name=contact-0-name]", "Service voirie")
    kept = (
        "Object.entries(localStorage).some(([key, kept]) => key.startsWith('ccphva-draft:')"
        " && kept.includes('voirie'))"
    )
    assert wait_for(lambda: page.evaluate(kept), 10)  # the page itself may not evaluate texts
    page.goto(stack_url + "/fr/dataset/new")
    page.get_by_role("button", name="Le reprendre").click()
    expect(page.locator("#field-title_translated-fr")).to_have_value("À reprendre")
    expect(page.locator("[name=contact-0-name]")).to_have_value("Service voirie")
    page.locator("a[href*='logout'], form[action*='logout'] button").first.click()
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('ccphva-draft:'))") == []


def test_a_draft_survives_an_expired_session(signed_in: Open, stack_url: str, stack_home: Path) -> None:
    """A form sent without a session is offered again after signing in."""
    page = signed_in("/fr/dataset/new")
    page.fill("#field-title_translated-fr", "Session expirée")
    page.context.clear_cookies()
    page.locator(".form-actions button[type=submit]").click()
    page.wait_for_load_state()
    sign_in(page, stack_url, stack_home)
    page.goto(stack_url + "/fr/dataset/new")
    page.get_by_role("button", name="Le reprendre").click()
    expect(page.locator("#field-title_translated-fr")).to_have_value("Session expirée")


def test_a_saved_draft_is_gone(signed_in: Open, stack_url: str, stack_home: Path) -> None:
    """After a save nothing is offered."""
    page = signed_in(f"/fr/dataset/edit/{WASTE}")
    page.fill("#field-notes_translated-fr", "Par mois et par **flux**, depuis 2018.")
    page.locator(".form-actions button.btn-primary").click()
    page.wait_for_url(f"**/dataset/{WASTE}")
    page.goto(stack_url + f"/fr/dataset/edit/{WASTE}")
    expect(page.locator("#field-notes_translated-fr")).to_have_value("Par mois et par **flux**, depuis 2018.")
    expect(page.locator(".t-draft")).to_have_count(0)
    notes = {"fr": "Par mois et par **flux**, depuis 2019."}
    stored = Api(stack_url, stack_home).call("package_show", {"id": WASTE})["notes_translated"]
    Api(stack_url, stack_home).call("package_patch", {"id": WASTE, "notes_translated": {**stored, **notes}})


def test_without_scripts(signed_in: Open) -> None:
    """All steps stand below each other and a group of a repeating field can be filled."""
    page = signed_in("/fr/dataset/new", java_script_enabled=False)
    expect(page.locator(".t-step").last).to_be_visible()
    expect(page.locator("[name=contact-0-name]")).to_be_visible()
