"""How datasets are found and told of elsewhere: sitemaps, citations, pictures, Open Graph, robots."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from xml.etree import ElementTree

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action
from ckan.tests.helpers import CKANTestApp, _get_test_app
from ckanext.ccphva import outlines
from ckanext.ccphva.config import territory_folder
from ckanext.ccphva.discovery import citation, picture
from demo_catalogue import demo_catalogue
from PIL import Image

CANARY = "zinkenblende"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


@pytest.fixture(scope="module")
def app(reset_db: Any, reset_index: Any) -> Iterator[CKANTestApp]:
    """The demonstration's catalogue and a private dataset."""
    with demo_catalogue(reset_db, reset_index):
        call_action(
            "package_create", name=f"prive-{CANARY}", owner_org="thil", title=CANARY, visibility="private"
        )
        yield _get_test_app()


def xml(app: CKANTestApp, path: str) -> ElementTree.Element:
    answer = app.get(path)
    assert answer.headers["Content-Type"].startswith("application/xml")
    return ElementTree.fromstring(answer.body)  # noqa: S314 -- our own


def public_names() -> set[str]:
    found = tk.get_action("package_search")(
        {"user": ""},
        {"q": "*:*", "rows": 1000, "fq": "+dataset_type:(dataset OR data_service OR dataset_series)"},
    )
    return {each["name"] for each in found["results"]}


class TestSitemaps:
    def test_every_public_dataset_once_and_no_private_one(self, app: CKANTestApp) -> None:
        files = [each.text or "" for each in xml(app, "/sitemap.xml").iter(f"{MAP}loc")]
        paths = ["/" + file.split("/", 3)[3] for file in files]
        assert paths[0] == "/sitemaps/pages.xml"
        listed = [each.text or "" for path in paths[1:] for each in xml(app, path).iter(f"{MAP}loc")]
        assert sorted(each.rsplit("/", 1)[1] for each in listed) == sorted(public_names())
        assert CANARY not in "".join(listed)

    def test_each_page_with_its_languages(self, app: CKANTestApp) -> None:
        """Each entry names its four languages, and each page of the portal answers."""
        for entry in xml(app, "/sitemaps/pages.xml"):
            links = {each.get("hreflang"): each.get("href") for each in entry.iter(LINK)}
            assert set(links) == {"fr", "de", "en", "lb"}
            path = "/" + str(entry.findtext(f"{MAP}loc")).split("/", 3)[3]
            assert app.get(path, follow_redirects=True).status_code == 200, path

    @pytest.mark.parametrize(
        "name", ["datasets-0", "datasets-99", "datasets--1", "datasets-1e9", "datasets-٣", "x"]
    )
    def test_files_that_there_are_not(self, app: CKANTestApp, name: str) -> None:
        assert app.get(f"/sitemaps/{name}.xml", expect_errors=True).status_code == 404

    def test_without_the_search_engine(self, app: CKANTestApp, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine is told to come back."""
        monkeypatch.setitem(tk.config, "solr_url", "http://127.0.0.1:9/solr/none")
        answer = app.get("/sitemap.xml", expect_errors=True)
        assert answer.status_code == 503
        assert answer.headers["Cache-Control"].startswith("no-store")
        assert int(answer.headers["Retry-After"]) > 0

    def test_robots_are_shown_the_way(self, app: CKANTestApp) -> None:
        lines = app.get("/robots.txt").body.split("\n")
        assert lines[0] == "User-agent: *"
        assert [line for line in lines if line.startswith("Sitemap: http") and line.endswith("/sitemap.xml")]


def cited(**given: Any) -> citation.Citation:
    dataset = {"name": "eau", "modified": "2025-03-04", "version": "2", "creator": [{"name": "A & B"}, {}]}
    return citation.of(
        dataset | given, title="L'eau_à 50 % {x}\nÜ", portal="Portail", address="https://example.org/d",
        organization="Org", language="fr", today=date(2026, 11, 25),
    )  # fmt: skip


class TestCitation:
    def test_for_programs(self) -> None:
        """What BibLaTeX gives a meaning to is escaped; a line end cannot begin another field."""
        text = citation.bibtex(cited())
        assert text.startswith("@dataset{eau-2025,\n")
        assert "title = {{L'eau\\_à 50 \\% \\{x\\} Ü}}" in text
        assert "author = {{A \\& B}}" in text
        lines = citation.ris(cited()).split("\r\n")
        assert lines[0] == "TY  - DATA"
        assert lines[-2] == "ER  - "
        assert "TI  - L'eau_à 50 % {x} Ü" in lines

    def test_csl(self) -> None:
        item = json.loads(citation.csl(cited(modified="2025")))[0]
        assert (item["type"], item["issued"]) == ("dataset", {"date-parts": [[2025]]})
        assert item["author"] == [{"literal": "A & B"}]

    def test_an_organisation_stands_in_for_authors(self) -> None:
        assert cited(creator=None).authors == ("Org",)
        assert cited(creator=None, publisher=[{"name": "P"}]).authors == ("P",)

    @pytest.mark.parametrize("ending", citation.FORMS)
    def test_over_http(self, app: CKANTestApp, ending: str) -> None:
        """A file by its name; what is private does not exist."""
        name = min(public_names())
        answer = app.get(f"/dataset/{name}/citation.{ending}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{ending}"'
        assert f"/dataset/{name}" in answer.body or f"/{name}" in answer.body
        assert app.get(f"/dataset/prive-{CANARY}/citation.{ending}", expect_errors=True).status_code == 404

    def test_on_the_page(self, app: CKANTestApp) -> None:
        page = BeautifulSoup(app.get("/de/dataset/arrets-de-bus").body, "html.parser")
        text = " ".join(page.select_one(".t-citation").text.split())
        assert text.startswith("Régie des réseaux (organisation inventée) (2026). Bushaltestellen.")
        assert len(page.select(".t-doors a[href*=citation]")) == 3
        assert page.select_one(".t-doors a[href^=mailto]")["href"].startswith(
            "mailto:?subject=Bushaltestellen&"
        )


class TestPicture:
    def test_of_a_dataset(self, app: CKANTestApp) -> None:
        answer = app.get("/dataset/arrets-de-bus/picture.png")
        with Image.open(io.BytesIO(answer.data)) as image:
            assert (image.format, image.size) == ("PNG", (1200, 630))

    def test_nothing_of_what_is_private(self, app: CKANTestApp) -> None:
        assert app.get(f"/dataset/prive-{CANARY}/picture.png", expect_errors=True).status_code == 404

    @pytest.mark.parametrize("title", ["", "é", "mot " * 900, "x" * 5000, "عربي 漢字 \u200b\x07"])
    def test_any_title(self, title: str) -> None:
        """Too long, without spaces, of another script: there is a picture, and soon."""
        assert picture.draw(title, title, "Portail", None, None).startswith(b"\x89PNG")

    def test_the_place_is_drawn(self) -> None:
        """A place within the territory changes the picture, one that is all of it or none does not."""
        drawing = outlines.load(territory_folder())
        assert drawing

        def drawn(*place: float) -> bytes:
            return picture.draw("t", "", "", (place[0], place[1], place[2], place[3]), drawing)

        plain = picture.draw("t", "", "", None, drawing)
        assert drawn(5.93, 49.45, 5.95, 49.47) != plain
        assert drawn(5.94, 49.46, 5.94, 49.46) != plain
        assert drawn(-180, -90, 180, 90) == plain
        assert drawn(2, 48, 3, 49) == plain


def test_open_graph(app: CKANTestApp) -> None:
    """A link to a dataset shows its title, text and picture; a private one none."""
    page = BeautifulSoup(app.get("/lb/dataset/arrets-de-bus").body, "html.parser")
    said = {each["property"]: each["content"] for each in page.select("meta[property^='og:']")}
    assert said["og:locale"] == "lb_LU"
    assert said["og:url"].endswith("/lb/dataset/arrets-de-bus")
    assert said["og:image"].endswith("/dataset/arrets-de-bus/picture.png")
    assert said["og:title"].startswith("Busarrêten")
