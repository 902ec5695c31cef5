"""What a reader does and sees in a real browser: pages, search, keyboard, narrow screens, accessibility."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Visit
from content import ORGANIZATION, WASTE
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.stack

AXE = Path(__file__).parents[2] / "var" / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = ("fr", "de", "en", "lb")
PATHS = {
    "home": "",
    "search": "/dataset/",
    "dataset": f"/dataset/{WASTE}",
    "organisation": f"/organization/{ORGANIZATION}",
    "organisations": "/organization/",
    "developers": "/developers",
    "themes": "/themes",
    "theme": "/themes/household-waste",
    "commune": "/communes/57038",
    "about": "/about",
    "login": "/user/login",
}
TITLES = {
    "fr": "Tonnages de déchets collectés",
    "de": "Gesammelte Abfallmengen",
    "en": "Tonnages of collected waste",
    "lb": "Gesammelten Offall an Tonnen",
}


def findings(page: Page, *impacts: str) -> list[str]:
    """Violations that axe-core finds, of any impact where none is named."""
    page.evaluate(AXE.read_text())  # a script tag would be refused by the content policy
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        if not impacts or each["impact"] in impacts
        for node in each["nodes"]
    ]


def serious(page: Page) -> list[str]:
    """Violations that axe-core calls serious or critical."""
    return findings(page, "serious", "critical")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PATHS)
def test_pages_show_without_fault(visit: Visit, name: str, language: str) -> None:
    """Each page shows in each language, without an error in the console or a request to another host."""
    page = visit.open(f"/{language}{PATHS[name]}")
    page.wait_for_load_state("networkidle")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("h1").first).to_be_visible()
    assert visit.faults == []
    assert visit.elsewhere == []


def test_reading_sets_no_cookie(visit: Visit) -> None:
    """After home, search and dataset the browser holds no cookie."""
    for path in ("/", "/de/dataset/", f"/dataset/{WASTE}"):
        visit.open(path)
    assert visit.page.context.cookies() == []


def test_from_home_to_a_dataset(visit: Visit) -> None:
    """A reader types a word on the home page, finds the dataset and opens it."""
    page = visit.open("/")
    page.get_by_label("Que cherchez-vous ?").fill("Tonnages de déchets collectés")
    page.get_by_role("button", name="Rechercher").click()
    page.locator("#search-results").get_by_role("link", name=TITLES["fr"]).first.click()
    expect(page.locator("h1")).to_contain_text(TITLES["fr"])
    expect(page.get_by_role("link", name="Tonnages 2019–2025")).to_be_visible()


def test_filters_of_the_search(visit: Visit) -> None:
    """A filter narrows the results, and taking it away widens them again."""
    page = visit.open("/dataset/?organization=" + ORGANIZATION)
    everything = page.locator("#search-results .dataset-item").count()
    page.locator(".nav-facet").get_by_role("link", name="XLSX").click()
    expect(page.locator("#search-results .dataset-item")).to_have_count(1)
    page.locator(".t-chip", has_text="XLSX").click()
    expect(page.locator("#search-results .dataset-item")).to_have_count(everything)
    assert visit.faults == []


def test_languages_lead_to_the_same_page(visit: Visit) -> None:
    """The four language links change the text and keep the place."""
    page = visit.open(f"/dataset/{WASTE}")
    for name, language in (
        ("Deutsch", "de"),
        ("Lëtzebuergesch", "lb"),
        ("English", "en"),
        ("Français", "fr"),
    ):
        page.locator(".t-languages").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_contain_text(TITLES[language])
        expect(page.locator(".t-languages [aria-current]")).to_have_text(name)


def test_the_map_leads_to_a_commune(visit: Visit) -> None:
    """A commune of the map is a link that the keyboard reaches and Enter follows."""
    page = visit.open("/")
    link = page.locator(".t-map a").first
    link.focus()
    expect(link).to_be_focused()
    address = link.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def test_skip_link_comes_first(visit: Visit) -> None:
    """The first Tab shows the link to the content, and Enter goes there."""
    page = visit.open("/dataset/")
    page.keyboard.press("Tab")
    skip = page.locator(".t-skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")


def test_focus_is_visible(visit: Visit) -> None:
    """Each of the first stops of the keyboard draws an outline."""
    page = visit.open("/")
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))"
        )
        assert style[0] == "solid"
        assert float(style[1].removesuffix("px")) >= 2


@pytest.mark.parametrize("width", [320, 390, 768])
@pytest.mark.parametrize("name", PATHS)
def test_no_sideways_scroll(browser: Browser, stack_url: str, content: None, name: str, width: int) -> None:
    """No page is wider than a narrow screen, in the language with the longest words."""
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    page.goto(f"{stack_url}/de{PATHS[name]}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert wide <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["home", "search", "dataset", "organisation", "organisations", "about", "login"]
)
def test_accessible(browser: Browser, stack_url: str, content: None, name: str, scheme: Any) -> None:
    """axe-core finds nothing serious or critical, by day and by night."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{stack_url}/fr{PATHS[name]}")
    found = serious(page)
    context.close()
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_resource_accessible(browser: Browser, stack_url: str, content: None, scheme: Any) -> None:
    """The page of a file, reached from its dataset, has no serious fault and fits a narrow screen."""
    context = browser.new_context(viewport={"width": 320, "height": 700}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{stack_url}/de/dataset/{WASTE}")
    page.get_by_role("link", name="Tonnages 2019–2025").click()
    expect(page.locator("h1")).to_have_text("Tonnages 2019–2025")
    found, wide = serious(page), page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert found == []
    assert wide <= 320


def test_works_without_scripts(browser: Browser, stack_url: str, content: None) -> None:
    """Search and languages work in a browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stack_url + "/")
    page.locator("#field-main-search").fill("Tonnages de déchets collectés")
    page.get_by_role("button", name="Rechercher").click()
    page.locator(".t-languages").get_by_role("link", name="Deutsch").click()
    expect(page.locator("#search-results").get_by_role("link", name=TITLES["de"]).first).to_be_visible()
    context.close()
