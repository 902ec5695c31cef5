"""The explorer of a table in a real browser: order, filters, map, figures, keyboard, narrow screens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from conftest import Visit
from content import table_path
from playwright.sync_api import Browser, Page, expect
from test_browser import serious

pytestmark = pytest.mark.stack
LANGUAGES = ("fr", "de", "en", "lb")
VIEWS = ("table", "map", "time", "chart")
SECTION = "#explorer"


@pytest.fixture(scope="session")
def path(content: None, stack_url: str, stack_home: Path) -> str:
    return table_path(stack_url, stack_home)


def asked(page: Page) -> dict[str, list[str]]:
    """What the address says after its question mark."""
    return parse_qs(urlsplit(page.url).query)


def first_cells(page: Page, column: int) -> list[str]:
    return page.locator(f"{SECTION} .t-rows tbody tr td:nth-child({column})").all_inner_texts()


def test_the_first_load_has_neither_map_nor_charts(visit: Visit, path: str) -> None:
    """Code of maps and charts comes when they are shown: what comes before is small."""
    sizes: dict[str, int] = {}
    visit.page.on("response", lambda r: sizes.update({r.url: len(r.body())}) if "/built/" in r.url else None)
    visit.open(path)
    visit.page.wait_for_load_state("networkidle")
    assert sizes
    assert sum(sizes.values()) < 20_000
    assert visit.elsewhere == []


def test_order_filter_and_way_back(visit: Visit, path: str) -> None:
    """Sorting and filtering change rows and address without a new page; Back undoes them; the link works."""
    page = visit.open(path)
    page.evaluate("window.stayed = true")
    page.locator(f"{SECTION} thead").get_by_role("link", name="Température (°C)", exact=True).click()
    expect(page.locator('th[aria-sort="ascending"]')).to_contain_text("Température")
    coldest = first_cells(page, 3)[0]
    page.locator("summary", has_text="Filtrer").click()
    page.get_by_label("Colonne").select_option("station")
    page.get_by_label("Condition").select_option("eq")
    page.get_by_label("Valeur").fill("Thil")
    page.get_by_role("button", name="Ajouter le filtre").click()
    expect(page.locator(".t-chosen")).to_contain_text("Thil")
    assert set(first_cells(page, 1)) == {"Thil"}
    assert asked(page)["column"] == ["station"]
    assert page.evaluate("window.stayed")
    link = page.url
    page.go_back()
    expect(page.locator(".t-chosen")).to_have_count(0)
    assert first_cells(page, 3)[0] == coldest
    page.goto(link)
    assert set(first_cells(page, 1)) == {"Thil"}
    assert visit.faults == []


def test_pages_go_on_and_back(visit: Visit, path: str) -> None:
    page = visit.open(path)
    before = first_cells(page, 2)
    page.locator("#rows-after").click()
    expect(page.locator("#rows-before")).to_be_visible()
    assert first_cells(page, 2) != before
    page.locator("#rows-before").click()
    expect(page.locator("#rows-before")).to_have_count(0)
    assert first_cells(page, 2) == before


def test_what_is_downloaded_is_what_is_shown(visit: Visit, path: str) -> None:
    """The file of a filtered table has its rows and no others."""
    page = visit.open(f"{path}?column=station&op=eq&value=Thil&fields=station")
    address = page.locator(".t-downloads").get_by_role("link", name="JSON", exact=True).get_attribute("href")
    with urlopen(address) as answer:
        records = json.load(answer)["records"]
    assert records
    assert {record[0] for record in records} == {"Thil"}
    assert f"{len(records)} lignes" in page.locator(".t-count").inner_text()


def test_the_map_leads_to_the_row(visit: Visit, path: str) -> None:
    """A click on a point opens its row; the rows stand below the map."""
    page = visit.open(f"{path}?view=map&column=station&op=eq&value=Thil")
    drawn = page.locator(".t-map-table[data-drawn]")
    expect(drawn).to_be_visible(timeout=15_000)
    page.wait_for_timeout(500)
    expect(page.locator(".t-rows tbody tr").first).to_be_visible()
    drawn.scroll_into_view_if_needed()
    box = drawn.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#row-title")).to_be_focused()
    expect(page.locator(".t-row")).to_contain_text("Thil")
    assert visit.elsewhere == []


def test_figures_over_time_and_closer(visit: Visit, path: str) -> None:
    """The drawing shows the numbers of the table; a shorter time asks for finer steps."""
    page = visit.open(f"{path}?view=time")
    expect(page.locator(".t-chart svg")).to_be_visible(timeout=15_000)
    page.locator("#chart-y").select_option("température")
    expect(page.locator(".t-figures thead")).to_contain_text("Température")
    expect(page.locator(".t-chart svg")).to_be_visible()
    steps = page.locator(".t-figures tbody tr").count()
    points = json.loads(
        page.locator("[data-chart-data]").inner_text()
        or page.locator("[data-chart-data]").text_content()
        or ""
    )["points"]
    cells = page.locator(".t-figures tbody td:nth-child(2)").all_inner_texts()
    assert [point[3] for point in points] == cells
    page.get_by_label("Début", exact=True).fill("2026-01-10")
    page.get_by_label("Fin", exact=True).fill("2026-01-12")
    page.get_by_role("button", name="Afficher", exact=True).click()
    expect(page.locator("#chart-out")).to_be_visible()
    assert page.locator(".t-figures tbody tr").count() < steps
    assert asked(page)["from"] == ["2026-01-10"]
    assert visit.faults == []


def test_the_slider_zooms(visit: Visit, path: str) -> None:
    """The part chosen below the drawing becomes the time asked for."""
    page = visit.open(f"{path}?view=time")
    chart = page.locator(".t-chart")
    expect(chart.locator("svg")).to_be_visible(timeout=15_000)
    chart.evaluate(
        "each => each.scrollIntoView({block: 'center'})"
    )  # the mouse reaches what is on the screen
    page.wait_for_timeout(300)
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.4)
    closer = page.get_by_role("button", name="Regarder ce moment de plus près")
    page.keyboard.down("Control")
    for _ in range(20):  # a busy machine takes its time to draw
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(150)
        if closer.is_visible():
            break
    page.keyboard.up("Control")
    expect(closer).to_be_visible()
    closer.click()
    expect(page.locator("#chart-out")).to_be_visible()
    assert asked(page)["from"]


def test_statistics_by_the_keyboard(visit: Visit, path: str) -> None:
    """The sign beside a column's name is reached and followed by the keyboard, and the focus goes along."""
    page = visit.open(path)
    page.get_by_role("link", name="Statistiques de Température (°C)").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#about-column")).to_be_focused()
    expect(page.locator(".t-histogram tbody tr").first).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", VIEWS)
def test_no_barrier(visit: Visit, path: str, view: str, language: str) -> None:
    """axe-core finds nothing serious in any view, with statistics and a row open; the console is silent."""
    page = visit.open(f"/{language}{path}?view={view}&about=station&row=3")
    page.wait_for_load_state("networkidle")
    for summary in page.locator(f"{SECTION} summary").all():
        summary.click()
    assert serious(page) == []
    assert visit.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_narrow_and_dark(browser: Browser, stack_url: str, path: str, view: str, scheme: str) -> None:
    """320 px wide nothing but the table itself scrolls sideways; both colour schemes are without barrier."""
    context = browser.new_context(
        viewport={"width": 320, "height": 700}, color_scheme=scheme, reduced_motion="reduce"
    )  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{stack_url}/de{path}?view={view}&about=temp%C3%A9rature", wait_until="networkidle")
    for summary in page.locator(f"{SECTION} summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert serious(page) == []
    context.close()


def test_without_scripts(browser: Browser, stack_url: str, path: str) -> None:
    """Order, search and further rows by links and forms alone."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stack_url + path)
    page.get_by_role("link", name="Température (°C)", exact=True).click()
    expect(page.locator('th[aria-sort="ascending"]')).to_be_visible()
    page.get_by_role("searchbox", name="Rechercher dans les lignes").fill("villerupt")
    page.locator(SECTION).get_by_role("button", name="Rechercher").click()
    assert set(first_cells(page, 1)) == {"Villerupt"}
    page.locator("#rows-after").click()
    assert set(first_cells(page, 1)) == {"Villerupt"}
    page.goto(f"{stack_url}{path}?view=map")
    expect(page.locator("noscript")).not_to_be_empty()
    context.close()


def test_hostile_cells_never_run(visit: Visit, path: str) -> None:
    """Markup in a cell is text in the table, in the row, in a chart and on the map."""
    fired: list[str] = []
    visit.page.on("dialog", lambda dialog: (fired.append(dialog.message), dialog.dismiss()))
    for query in ("?search=img", "?view=chart&x=remarque", "?row=5", "?about=remarque"):
        page = visit.open(path + query)
        page.wait_for_load_state("networkidle")
        expect(page.locator(f"{SECTION} img")).to_have_count(0)
    chart = visit.open(f"{path}?view=chart&x=remarque").locator(".t-chart svg")
    expect(chart).to_be_visible(timeout=15_000)
    box = chart.bounding_box()
    assert box
    visit.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7)
    visit.page.wait_for_timeout(300)
    assert fired == []
    assert re.sub(r"\s", "", " ".join(visit.faults)) == ""
