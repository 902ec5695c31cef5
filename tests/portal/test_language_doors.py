"""The right language at every door: keywords on pages, feeds, search, RDF and API."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests.helpers import CKANTestApp, _get_test_app
from lxml import etree
from rdflib import DCAT, RDF, Graph
from rdflib.namespace import DCTERMS, FOAF

LANGUAGES = ("fr", "de", "en", "lb")
ATOM = {"a": "http://www.w3.org/2005/Atom"}
KEYWORDS = {"fr": ["déchets", "verre"], "de": ["Abfall", "Glas & Co"]}
TITLE = {"fr": "Bornes à verre", "de": "Glascontainer", "lb": "Glascontaineren"}
NOTES = {"fr": "Où elles sont.\nPartout.", "de": "Wo sie stehen."}
OWNER = {"fr": "Commune d'essai", "de": "Probegemeinde"}
SITE = {"fr": "Données du Pays", "de": "Daten des Pays", "en": "Data of the Pays", "lb": "Daten vum Pays"}


@pytest.fixture(scope="module")
def application(plugins_loaded: None, reset_db: Any, reset_index: Any) -> Any:  # noqa: F811
    """One dataset of one organisation, in some of the languages; a private one beside it."""
    reset_db()
    reset_index()
    call_action("organization_create", name="commune", title_translated=OWNER)
    call_action("package_create", name="cache", owner_org="commune", title="Caché", visibility="private")
    call_action(
        "package_create",
        name="bornes",
        owner_org="commune",
        title_translated=TITLE,
        notes_translated=NOTES,
        tags_translated=KEYWORDS,
        resources=[
            {"url": "https://example.org/a.csv", "name_translated": {"fr": "Fichier", "de": "Datei"}},
        ],
    )
    return _get_test_app().app


@pytest.fixture
def app(application: Any) -> CKANTestApp:
    return CKANTestApp(application)


def words(app: CKANTestApp, path: str, selector: str) -> list[str]:
    page = BeautifulSoup(app.get(path).body, "html.parser")
    return sorted(each.get_text(strip=True) for each in page.select(selector))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("fr", KEYWORDS["fr"]), ("de", KEYWORDS["de"]), ("en", KEYWORDS["fr"]), ("lb", KEYWORDS["fr"])],
)
@pytest.mark.parametrize(("path", "selector"), [("/", ".t-tags a"), ("/dataset/bornes", ".tag-list a")])
def test_keywords_are_the_readers(
    app: CKANTestApp, path: str, selector: str, language: str, expected: list[str]
) -> None:
    """Chips of the home page and keywords of a dataset, in French where the language has none."""
    assert words(app, f"/{language}{path}", selector) == sorted(expected)


@pytest.mark.parametrize("language", ["fr", "de"])
@pytest.mark.parametrize(("path", "selector"), [("/", ".t-tags a"), ("/dataset/bornes", ".tag-list a")])
def test_each_keyword_finds_its_datasets(app: CKANTestApp, path: str, selector: str, language: str) -> None:
    """The link behind a keyword leads to the datasets that bear it, and the page names the filter."""
    page = BeautifulSoup(app.get(f"/{language}{path}").body, "html.parser")
    links = [str(each["href"]) for each in page.select(selector)]
    assert len(links) == 2
    for link in links:
        found = BeautifulSoup(app.get(link, status=200).body, "html.parser")
        assert [each.get_text(strip=True) for each in found.select(".dataset-heading a")] == [TITLE[language]]
        assert "None" not in found.select_one(".search-form").get_text()
        assert "vocab_" not in found.select_one(".search-form").get_text()


def test_keywords_in_another_language_say_so(app: CKANTestApp) -> None:
    """A screen reader hears French words in French on an English page."""
    page = BeautifulSoup(app.get("/en/dataset/bornes").body, "html.parser")
    assert page.select_one("section.tags")["lang"] == "fr"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["dataset.atom", "organization/commune.atom", "custom.atom?q=verre"])
def test_feeds(app: CKANTestApp, path: str, language: str) -> None:
    """Language, titles, text and keywords of a feed and of its entries; nothing private."""
    feed = etree.fromstring(app.get(f"/{language}/feeds/{path}").body.encode())
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == language
    title = feed.findtext("a:title", namespaces=ATOM) or ""
    assert title.startswith(SITE[language])
    if path.startswith("organization"):
        assert title.endswith(OWNER.get(language, OWNER["fr"]))
    (entry,) = feed.findall("a:entry", ATOM)
    assert entry.findtext("a:title", namespaces=ATOM) == TITLE.get(language, TITLE["fr"])
    said = entry.findtext("a:content", namespaces=ATOM) or entry.findtext("a:summary", namespaces=ATOM)
    assert said == NOTES.get(language, NOTES["fr"])
    terms = [each.get("term") for each in entry.findall("a:category", ATOM)]
    assert terms == KEYWORDS.get(language, KEYWORDS["fr"])
    assert entry.findtext("a:author/a:name", namespaces=ATOM) == OWNER.get(language, OWNER["fr"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_api_says_all_languages(app: CKANTestApp, language: str) -> None:
    """Whatever the address: texts by language, core's fields in French, the organisation as well."""
    for action, query in (("package_show", "id=bornes"), ("package_search", "q=verre")):
        found = app.get(f"/{language}/api/3/action/{action}?{query}").json["result"]
        shown = found["results"][0] if action == "package_search" else found
        assert shown["title_translated"] == TITLE
        assert shown["title"] == TITLE["fr"]
        assert shown["tags_translated"] == KEYWORDS
        assert shown["organization"]["title_translated"] == OWNER
        assert shown["resources"][0]["name_translated"] == {"fr": "Fichier", "de": "Datei"}


def test_rdf_tags_every_text(app: CKANTestApp) -> None:
    """Keywords, names of files and of the publisher bear their language, at whatever address."""
    graph = Graph().parse(data=app.get("/de/dataset/bornes.ttl").body, format="turtle")
    dataset = graph.value(predicate=RDF.type, object=DCAT.Dataset)
    said = {(str(word), word.language) for word in graph.objects(dataset, DCAT.keyword)}
    assert said == {(word, language) for language, list_ in KEYWORDS.items() for word in list_}
    file = graph.value(predicate=RDF.type, object=DCAT.Distribution)
    assert {word.language for word in graph.objects(file, DCTERMS.title)} == {"fr", "de"}
    publisher = graph.value(dataset, DCTERMS.publisher)
    assert {word.language for word in graph.objects(publisher, FOAF.name)} == {"fr", "de"}
