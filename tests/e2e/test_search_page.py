"""Search in a real browser: suggestions by keyboard, filters, the map, a narrow screen, no scripts,
accessibility.
"""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Visit
from content import WASTE
from playwright.sync_api import Browser, Page, expect
from test_browser import serious

pytestmark = pytest.mark.stack

STATES = {
    "all": "/dataset/",
    "found": "/dataset/?q=d%C3%A9chets&format=CSV",
    "nothing": "/dataset/?q=qqqxxqq&format=CSV",
    "beyond": "/dataset/?page=1000000000",
}


def typed(page: Page, text: str) -> Any:
    """The list of suggestions after something was typed into the search field."""
    field = page.get_by_role("combobox").first
    field.fill("")
    field.press_sequentially(text)
    found = page.get_by_role("listbox")
    expect(found).to_be_visible()
    return found


def test_suggestions_by_keyboard(visit: Visit) -> None:
    """Arrows go through the suggestions and round, Escape closes them and keeps the words, Enter
    opens one.
    """
    page = visit.open("/fr/dataset/")
    field = page.locator("#field-finding")
    options = typed(page, "tonnages de déchets c").get_by_role("option")
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(options.first.get_attribute("id")))
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_have_value("tonnages de déchets c")
    typed(page, "tonnages de déchets coll")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/fr/dataset/{WASTE}")
    assert visit.faults == []
    assert visit.elsewhere == []


def test_suggestions_by_mouse_on_the_home_page(visit: Visit) -> None:
    """The home page's field suggests in the reader's language, and a click leads there."""
    page = visit.open("/de")
    typed(page, "abfallmeng").get_by_role("option", name="Gesammelte Abfallmengen").click()
    page.wait_for_url(f"**/de/dataset/{WASTE}")


def test_enter_without_a_choice_searches(visit: Visit) -> None:
    """Who takes no suggestion searches for what was typed."""
    page = visit.open("/fr/dataset/")
    typed(page, "déchets")
    page.keyboard.press("Enter")
    page.wait_for_url("**/fr/dataset/?q=d%C3%A9chets*")
    expect(page.locator(".dataset-item").first).to_be_visible()


def test_a_rectangle_on_the_map(visit: Visit) -> None:
    """Dragging on the map searches there; the chip takes the rectangle away."""
    page = visit.open("/fr/dataset/")
    box = page.locator("[data-draw-box]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 20, steps=5)
    page.mouse.up()
    page.wait_for_url("**ext_bbox=*")
    page.get_by_role("link", name="Rectangle sur la carte").click()
    page.wait_for_url("**/fr/dataset/")
    assert visit.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible(
    browser: Browser, stack_url: str, content: None, state: str, scheme: Any
) -> None:
    """axe-core finds nothing serious by day and by night, and nothing is wider than 320 pixels."""
    context = browser.new_context(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{stack_url}/de{STATES[state]}")
    found, wide = serious(page), page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert found == []
    assert wide <= 320


def test_open_suggestions_are_accessible(visit: Visit) -> None:
    """axe-core finds nothing serious while the list is open."""
    page = visit.open("/fr/dataset/")
    typed(page, "tonn")
    page.keyboard.press("ArrowDown")
    assert serious(page) == []


def test_without_scripts(browser: Browser, stack_url: str, content: None) -> None:
    """Words, order, filters, communes and the rectangle are forms and links."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{stack_url}/fr/dataset/")
    page.locator("#field-finding").fill("déchets")
    page.locator("#field-order").select_option("title")
    page.get_by_role("button", name="Trier").click()
    assert "sort=title" in page.url
    page.locator(".t-facet").get_by_role("link", name="CSV").click()
    assert "format=CSV" in page.url
    page.locator(".t-box summary").click()
    page.locator("#box").fill("5.8,49.3,6.1,49.6")
    page.get_by_role("button", name="Chercher ici").click()
    assert "ext_bbox=" in page.url
    context.close()
