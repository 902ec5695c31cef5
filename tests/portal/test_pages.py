"""The public pages: what they show in each language, and that they leave nothing in the reader's browser."""

from __future__ import annotations

import re
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp, _get_test_app

pytestmark = pytest.mark.usefixtures("dataset")

LANGUAGES = ("fr", "de", "en", "lb")
TITLE = {"fr": "Bornes à verre", "de": "Glascontainer", "en": "Glass containers", "lb": "Glascontaineren"}
SITE = {
    "fr": "Données du Pays Haut Val d'Alzette",
    "de": "Daten des Pays Haut Val d'Alzette",
    "en": "Data of the Pays Haut Val d'Alzette",
    "lb": "Daten vum Pays Haut Val d'Alzette",
}
NOT_FOUND = {
    "fr": "Cette page n’existe pas",
    "de": "Diese Seite gibt es nicht",
    "en": "This page does not exist",
    "lb": "Dës Säit gëtt et net",
}


def soup(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.body, "html.parser")


@pytest.fixture(scope="module")
def application(plugins_loaded: None) -> Any:  # noqa: F811
    """One application for the whole module: CKAN's fixture makes one a test."""
    return _get_test_app().app


@pytest.fixture
def app(application: Any) -> CKANTestApp:
    """A browser without cookies."""
    return CKANTestApp(application)


@pytest.fixture(scope="module")
def dataset(application: Any, reset_db: Any, reset_index: Any) -> dict[str, Any]:
    """A public dataset of a commune, a private one beside it, and a name that looks like markup."""
    reset_db()
    reset_index()
    organization = call_action(
        "organization_create",
        name="commune",
        title_translated={"fr": "Commune d'essai & co", "de": "Probegemeinde"},
        kind="commune",
        insee="57038",
    )
    call_action("package_create", name="cache", owner_org="commune", title="Caché", visibility="private")
    return call_action(
        "package_create",
        name="bornes",
        owner_org=organization["id"],
        title_translated=TITLE,
        notes_translated={"fr": "Où **sont** les bornes.", "de": "Wo sie stehen."},
        tags=[{"name": "verre"}],
        resources=[{"url": "https://example.org/bornes.csv", "name": "Bornes", "format": "CSV"}],
    )


class TestHome:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_in_four_languages(self, app: Any, dataset: dict[str, Any], language: str) -> None:
        """Title, language of the document and newest dataset are in the reader's language."""
        page = soup(app.get(f"/{language}"))
        assert page.html["lang"] == language
        assert page.title.text.strip() == SITE[language]
        assert [heading.text for heading in page.find_all("h1")] == [SITE[language]]
        assert TITLE[language] in page.select_one(".t-latest").text

    def test_root_is_french(self, app: Any) -> None:
        """Without a language in the address the page is French."""
        assert soup(app.get("/")).html["lang"] == "fr"

    def test_figures_and_organizations(self, app: Any, dataset: dict[str, Any]) -> None:
        """The numbers are those of public datasets; each organisation stands with its own."""
        page = soup(app.get("/"))
        assert [each.text for each in page.select(".t-figures strong")] == ["1", "1", "1"]
        line = page.select_one(".t-organizations li").text.split()
        assert line == ["Commune", "d'essai", "&", "co", "1", "Jeu", "de", "données"]
        assert "Caché" not in page.text

    def test_private_is_not_shown_to_the_signed_in(self, app: Any, dataset: dict[str, Any]) -> None:
        """The home page shows an administrator what it shows everyone."""
        headers = {"Authorization": factories.SysadminWithToken()["token"]}
        assert "Caché" not in soup(app.get("/", headers=headers)).select_one("[role=main]").text

    def test_map(self, app: Any, dataset: dict[str, Any]) -> None:
        """The map draws each commune once and links the one whose INSEE code an organisation has."""
        page = soup(app.get("/de"))
        assert len(page.select(".t-map path")) == 8
        links = page.select(".t-map a")
        assert [(each["href"], each["aria-label"]) for each in links] == [
            ("/de/organization/commune", "Audun-le-Tiche: 1 Datensatz")
        ]

    def test_search_engine_away(
        self, app: Any, dataset: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without its search engine the portal still greets, lists organisations and says what is missing."""
        monkeypatch.setitem(tk.config, "solr_url", "http://127.0.0.1:9/solr/none")
        page = soup(app.get("/en"))
        assert page.select_one(".t-latest [role=status]").text.startswith("The search engine is resting")
        assert "Commune d'essai" in page.select_one(".t-organizations").text
        assert page.select_one(".t-figures") is None


class TestNothingLeftBehind:
    @pytest.mark.parametrize(
        "path",
        ["/", "/lb", "/dataset/", "/de/dataset/?q=verre", "/dataset/bornes", "/organization/",
         "/organization/commune", "/en/organization/about/commune", "/about", "/pages/legal", "/no"],
    )  # fmt: skip
    def test_no_cookie_no_token(self, app: Any, dataset: dict[str, Any], path: str) -> None:
        """A reader without an account gets neither cookie nor CSRF token, so any cache may keep the page."""
        response = app.get(path, expect_errors=True)
        assert "Set-Cookie" not in response.headers
        assert "csrf" not in response.body.lower()
        assert not soup(response).find_all("form", method=lambda value: value and value.lower() == "post")

    def test_resource_page(self, app: Any, dataset: dict[str, Any]) -> None:
        """The page of a resource leaves nothing behind either."""
        response = app.get(f"/dataset/bornes/resource/{dataset['resources'][0]['id']}")
        assert "Set-Cookie" not in response.headers
        assert "csrf" not in response.body.lower()

    def test_the_login_form_still_has_its_token(self, app: Any) -> None:
        """A form that writes carries a token, and with it the cookie."""
        response = app.get("/user/login")
        assert soup(response).select_one("form[method=post] input[name=_csrf_token]")["value"]
        assert "Set-Cookie" in response.headers

    def test_signed_in_pages_have_the_token(self, app: Any) -> None:
        """Core's scripts find the token on the pages of the signed-in."""
        page = soup(app.get("/", headers={"Authorization": factories.UserWithToken()["token"]}))
        name = page.select_one("meta[name=csrf_field_name]")["content"]
        assert page.select_one(f"meta[name={name}]")["content"]

    @pytest.mark.parametrize("path", ["/", "/dataset/bornes", "/organization/commune"])
    def test_nothing_is_fetched_from_elsewhere(self, app: Any, dataset: dict[str, Any], path: str) -> None:
        """Scripts, styles, pictures and frames come from the portal itself."""
        page = soup(app.get(path))
        addresses = [
            each.get("src") or each.get("href")
            for each in page.select("script[src], img, iframe, link[rel=stylesheet]")
        ]
        assert addresses
        assert [each for each in addresses if not each.startswith("/") or each.startswith("//")] == []


class TestDataset:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_in_four_languages(self, app: Any, dataset: dict[str, Any], language: str) -> None:
        """The heading is the title in the reader's language."""
        page = soup(app.get(f"/{language}/dataset/bornes"))
        assert page.h1.text.strip() == TITLE[language]

    def test_text_falls_back_to_french(self, app: Any, dataset: dict[str, Any]) -> None:
        """Where a language is missing, the French text stands; Markdown is rendered."""
        assert soup(app.get("/lb/dataset/bornes")).select_one(".notes strong").text == "sont"
        assert "Wo sie stehen." in soup(app.get("/de/dataset/bornes")).select_one(".notes").text

    def test_only_what_is_known(self, app: Any, dataset: dict[str, Any]) -> None:
        """Neither the facts nor the details have a name without a value."""
        page = soup(app.get("/dataset/bornes"))
        rows = page.select(".t-key-facts > div, .t-details dl > div")
        assert len(rows) > 3
        assert [row.dt.text for row in rows if not row.dd.text.strip()] == []

    def test_only_what_is_known_of_a_resource(self, app: Any, dataset: dict[str, Any]) -> None:
        """The table of a resource has no empty rows either, and no raw keys."""
        page = soup(app.get(f"/dataset/bornes/resource/{dataset['resources'][0]['id']}"))
        rows = page.select(".module-content table tbody tr")
        assert page.h1.text == "Bornes"
        assert "CSV" in [row.td.text.strip() for row in rows]
        assert [row.th.text for row in rows if not row.td.text.strip()] == []
        assert "Package id" not in page.text

    @pytest.mark.parametrize("path", ["/", "/dataset/bornes", "/organization/", "/organization/commune"])
    def test_a_name_is_text(self, app: Any, path: str) -> None:
        """What an agent writes into a name never becomes markup."""
        page = app.get(path).body
        assert "essai &amp; co" in page
        assert "essai & co" not in page


class TestTexts:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("path", ["about", "pages/legal", "pages/accessibility"])
    def test_pages_of_the_territory(self, app: Any, path: str, language: str) -> None:
        """Each page of the territory stands in each language, under one heading."""
        page = soup(app.get(f"/{language}/{path}"))
        assert len(page.find_all("h1")) == 1
        assert page.select_one(".t-prose")["lang"] == language
        assert page.title.text.strip().startswith(page.h1.text)

    def test_action_refuses_another_language(self) -> None:
        """A language that the portal does not speak is an error of the field."""
        with pytest.raises(tk.ValidationError) as caught:
            call_action("ccphva_page_show", name="about", language="it")
        assert list(caught.value.error_dict) == ["language"]

    def test_unknown_text(self, app: Any) -> None:
        """A text that there is not is a missing page."""
        assert app.get("/pages/nothing", expect_errors=True).status_code == 404


class TestErrors:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_missing_page(self, app: Any, language: str) -> None:
        """A missing page says so in the reader's language and shows three ways on and a search."""
        response = app.get(f"/{language}/nothing-here", expect_errors=True)
        page = soup(response)
        assert response.status_code == 404
        assert page.h1.text == NOT_FOUND[language]
        assert page.select_one("form[role=search] input[name=q]")
        assert len(page.select(".t-ways a")) == 3
        assert "requested URL was not found" not in response.body

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_broken_page(self, app: Any, language: str) -> None:
        """An exception's page is rendered in the reader's language, as core asks for it, without details."""
        with app.flask_app.test_request_context(f"/{language}/", environ_base={"CKAN_LANG": language}):
            app.flask_app.preprocess_request()
            page = BeautifulSoup(
                tk.render(
                    "error_document_template.html", {"code": [500], "content": "Internal server error"}
                ),
                "html.parser",
            )
        expected = {"fr": "Un incident", "de": "Bei uns", "en": "Something broke", "lb": "Bei eis"}
        assert page.h1.text.startswith(expected[language])
        assert page.select_one(".t-error-code").text == "500"
        assert "Internal server error" not in page.text


class TestRestricted:
    def test_is_said_wherever_the_dataset_stands(self, app: Any, dataset: dict[str, Any]) -> None:
        """A restricted dataset is told from an open one in lists and on its page, with or without files."""
        made = {"name": "reserve", "title": "Réservé", "visibility": "restricted", "owner_org": "commune"}
        call_action("package_create", **made)
        try:
            for path in ("/", "/dataset/"):
                heading = soup(app.get(path)).find("a", string=re.compile("Réservé")).parent
                assert "Accès restreint" in heading.text
            assert "Accès restreint" in soup(app.get("/dataset/reserve")).h1.text
            assert "Accès restreint" not in soup(app.get("/dataset/bornes")).h1.text
        finally:
            call_action("dataset_purge", id="reserve")
