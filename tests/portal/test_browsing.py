"""Themes and communes as ways into the catalogue, on the demonstration's datasets and a real Solr."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action
from ckan.tests.helpers import CKANTestApp, _get_test_app
from demo_catalogue import demo_catalogue

CANARY = "zinkenblende"
MOBILITY = {"fr": "Mobilité", "de": "Mobilität", "en": "Mobility", "lb": "Mobilitéit"}


@pytest.fixture(scope="module")
def app(reset_db: Any, reset_index: Any) -> Iterator[CKANTestApp]:
    """The demonstration's catalogue and one private dataset of the theme mobility in the commune of Thil."""
    with demo_catalogue(reset_db, reset_index):
        call_action(
            "package_create",
            name=f"prive-{CANARY}",
            owner_org="thil",
            visibility="private",
            title_translated={"fr": CANARY},
            local_theme=["mobility"],
        )
        yield _get_test_app()


def soup(app: CKANTestApp, path: str, status: int = 200) -> BeautifulSoup:
    return BeautifulSoup(app.get(path, status=status).body, "html.parser")


def ask(action: str, **data: Any) -> Any:
    return tk.get_action(action)({"user": ""}, data)


def test_themes_count_what_a_search_finds(app: CKANTestApp) -> None:
    """The number beside each theme and commune is the search's own, and private datasets are in none."""
    for action, name in (("ccphva_theme_list", "theme"), ("ccphva_commune_list", "commune")):
        listed = ask(action)
        assert sum(each["count"] for each in listed)
        for each in listed:
            found = ask("ccphva_dataset_search", filters={name: [each["code"]]}, facets=False, rows=1)
            assert found["count"] == each["count"], each


@pytest.mark.parametrize("language", MOBILITY)
def test_the_page_of_a_theme_speaks_four_languages(app: CKANTestApp, language: str) -> None:
    page = soup(app, f"/{language}/themes/mobility")
    assert page.h1.text == MOBILITY[language]
    assert page.select_one("link[type='application/atom+xml']")["href"].endswith(
        "/search/feed.atom?theme=mobility"
    )


def test_a_theme_with_datasets(app: CKANTestApp) -> None:
    """The latest datasets stand there with a way to all of them; what is private does not."""
    listed = max(ask("ccphva_theme_list", language="de"), key=lambda each: each["count"])
    page = soup(app, f"/de/themes/{listed['code']}")
    assert len(page.select(".dataset-item")) == min(listed["count"], 12)
    assert page.select_one("a.t-more")["href"] == f"/de/dataset/?theme={listed['code']}"
    assert CANARY not in page.text


def test_a_commune_with_its_map(app: CKANTestApp) -> None:
    """The commune is marked on the map, its own organisation is linked, private datasets are not told of."""
    page = soup(app, "/communes/54521")
    assert page.h1.text == "Thil"
    assert page.select_one("svg a[aria-current] ")["aria-label"] == "Thil"
    assert page.select_one(".t-lead a")["href"] == "/organization/thil"
    assert page.select(".dataset-item")
    assert CANARY not in page.text


@pytest.mark.parametrize("path", ["/themes", "/lb/communes"])
def test_lists_of_ways(app: CKANTestApp, path: str) -> None:
    assert len(soup(app, path).select(".t-tiles li a")) >= 8


@pytest.mark.parametrize(
    "path", ["/themes/nothing", "/communes/99999", "/communes/x'><script>", "/themes/%00"]
)
def test_ways_that_there_are_not(app: CKANTestApp, path: str) -> None:
    """Anything else is a missing page, whatever it holds."""
    assert "<script>x" not in app.get(path, status=404).body


def test_home_shows_the_themes(app: CKANTestApp) -> None:
    """The themes of local life stand on the home page with their numbers."""
    tiles = soup(app, "/de").select("section[aria-labelledby=themes] .t-tiles li")
    assert MOBILITY["de"] in [tile.a.text for tile in tiles]
    assert all(tile.span.text.split()[0].isdigit() for tile in tiles)


def test_home_shows_what_is_live(app: CKANTestApp) -> None:
    """Datasets whose rows come as they are measured stand on the home page, with a way to all of them."""
    section = soup(app, "/lb").select_one("section[aria-labelledby=live]")
    found = ask("ccphva_dataset_search", filters={"live": ["yes"]}, facets=False, rows=100)
    assert len(section.select(".dataset-item")) == min(found["count"], 3)
    assert section.select_one("a.t-more")["href"] == "/lb/dataset/?live=yes"


def test_without_the_search_engine(app: CKANTestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages still stand, and say what is missing."""
    monkeypatch.setitem(tk.config, "solr_url", "http://127.0.0.1:9/solr/none")
    assert "Mobility" in soup(app, "/en/themes").text
    assert soup(app, "/en/communes/54521").select_one("[role=status]").text.startswith("The search engine")
