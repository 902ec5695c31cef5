"""The four languages: complete, with the same placeholders, really Luxembourgish, and shown on the pages."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import ckan
import ckanext.harvest as register
import polib
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping
from bs4 import BeautifulSoup
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests.helpers import CKANTestApp, _get_test_app
from local import luxembourgish

ROOT = Path(__file__).parents[2]
OWN = ROOT / "ckanext-ccphva" / "ckanext" / "ccphva" / "i18n"
CORE = Path(ckan.__file__).parent / "i18n"
LANGUAGES = ("fr", "de", "en", "lb")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%[sdr]")
MARKUP = re.compile(r"</?\w+")

SAME_IN_LUXEMBOURGISH = frozenset(
    [
        "API",
        "Amount",
        "CKAN API",
        "CKAN Association",
        "Code",
        "Currency",
        "Data API",
        "Date format",
        "East",
        "Facebook",
        "Field",
        "File",
        "Format",
        "Groups",
        "ID",
        "Image",
        "License",
        "Licenses",
        "Licence",
        "Licences",
        "Link",
        "Median",
        "Member",
        "North",
        "Private",
        "Relevance",
        "Resources",
        "Tariff",
        "South",
        "Text",
        "Theme",
        "Themes",
        "Title",
        "Type",
        "URL",
        "URL:",
        "VAT",
        "West",
        "X",
        "file format",
        "title",
        "{num} Member",
        "{number} row",
        "{kibibytes} KiB",
        "{mebibytes} MiB",
        "{gibibytes} GiB",
        "{tebibytes} TiB",
    ]
)
"""Their Luxembourgish is rightly that of French, German or English: names, signs, words in common."""


def read(path: Path) -> dict[tuple[str, str], polib.POEntry]:
    return {(e.msgid, e.msgid_plural): e for e in polib.pofile(str(path)) if not e.obsolete}


def own(language: str) -> dict[tuple[str, str], polib.POEntry]:
    return read(OWN / language / "LC_MESSAGES" / "ckanext-ccphva.po")


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def signs(text: str) -> Counter[str]:
    """Placeholders and elements of a text, with how often each stands in it."""
    return Counter(PLACEHOLDER.findall(text) + MARKUP.findall(text))


def extracted() -> set[tuple[str, str]]:
    """Strings in code and templates, with their plural, that core does not have.

    Those of ckanext-harvest are among them: it has no language of ours, and agents work on its pages.
    """
    methods, options = parse_mapping((OWN / "babel.cfg").open())
    found: set[tuple[str, str]] = set()
    for folder in (ROOT / "ckanext-ccphva/ckanext", ROOT / "themes", Path(register.__file__).parent):
        for _, _, message, _, _ in extract_from_dir(str(folder), methods, options):
            found.add((message[0], message[1]) if isinstance(message, tuple) else (message, ""))
    return found - set(read(CORE / "ckan.pot"))


def catalogues() -> list[Any]:
    paths = [OWN / "core-lb.po", OWN / "core-fr.po"]
    paths += [OWN / language / "LC_MESSAGES" / "ckanext-ccphva.po" for language in LANGUAGES]
    return [pytest.param(path, id=str(path.relative_to(OWN))) for path in paths]


def test_the_template_holds_what_code_and_templates_say() -> None:
    """ckanext-ccphva.pot is what babel finds, but for strings of core."""
    kept = set(read(OWN / "ckanext-ccphva.pot"))
    assert kept == extracted()
    assert len(kept) > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_strings_are_translated(language: str) -> None:
    """Each language has each string, none empty, none fuzzy, none left over."""
    catalogue = own(language)
    assert set(catalogue) == set(read(OWN / "ckanext-ccphva.pot"))
    assert [key for key, entry in catalogue.items() if not all(texts(entry)) or entry.fuzzy] == []


@pytest.mark.parametrize("path", catalogues())
def test_placeholders_and_markup_agree(path: Path) -> None:
    """A translation has the placeholders and the elements of its original, however often it is plural."""
    pairs = [
        pair
        for (msgid, plural), entry in read(path).items()
        for pair in zip((msgid, plural or msgid), texts(entry), strict=False)
    ]
    assert [pair for pair in pairs if signs(pair[0]) != signs(pair[1])] == []


@pytest.mark.parametrize("name", ["lb", "fr"])
def test_supplements_name_strings_of_core(name: str) -> None:
    """Every string of a supplement is one of core's, so that it takes effect."""
    core = set(read(CORE / "ckan.pot"))
    supplement = read(OWN / f"core-{name}.po")
    assert set(supplement) <= core
    assert [key for key, entry in supplement.items() if not entry.translated()] == []


def test_luxembourgish_is_not_another_language() -> None:
    """Luxembourgish equals French, German or English for the named strings only; it has 250 and more."""
    ours = read(OWN / "core-lb.po") | own("lb")
    others = {
        language: read(CORE / language / "LC_MESSAGES" / "ckan.po") | own(language)
        for language in ("fr", "de")
    }
    same = set()
    for key, entry in ours.items():
        elsewhere = {
            key[0],
            *(text for other in others.values() if key in other for text in texts(other[key])),
        }
        if set(texts(entry)) & elsewhere:
            same.add(key[0])
    assert same == SAME_IN_LUXEMBOURGISH
    assert len(read(OWN / "core-lb.po")) >= 250


def test_overlay(tmp_path: Path) -> None:
    """`lb` is French where ours is silent; French says what core leaves in English; German is core's."""
    luxembourgish.build(CORE, OWN, tmp_path)
    lb = read(tmp_path / "lb" / "LC_MESSAGES" / "ckan.po")
    fr = read(tmp_path / "fr" / "LC_MESSAGES" / "ckan.po")
    assert lb["Search", ""].msgstr == "Sichen"
    assert fr["Search", ""].msgstr == "Rechercher"
    assert fr["Skip to main content", ""].msgstr == "Aller au contenu principal"
    silent = next(key for key in fr if fr[key].translated() and key not in read(OWN / "core-lb.po"))
    assert texts(lb[silent]) == texts(fr[silent])
    assert (tmp_path / "de").resolve() == (CORE / "de").resolve()
    assert polib.mofile(str(tmp_path / "lb" / "LC_MESSAGES" / "ckan.mo")).find("Search").msgstr == "Sichen"


WORDS = {
    "/lb": [
        "Datesätz",
        "Organisatiounen",
        "Iwwer",
        "Umellen",
        "Wat sicht Dir?",
        "Lescht Datesätz",
        "1 Datesaz",
    ],
    "/lb/dataset/": ["1 Datesaz fonnt", "Sortéieren no", "Relevanz", "Lizenz", "Op der Kaart", "Aktualitéit"],
    "/lb/dataset/?q=nix-esou": [
        "Keen Datesaz fir „nix-esou“ fonnt",
        "Keen Datesaz huet dat alles. Dir kënnt:",
    ],
    "/lb/dataset/bornes": ["Daten a Ressourcen", "Am Detail", "Publizéiert vun", "Entdecken"],
    "/lb/organization/": ["1 Organisatioun fonnt", "Wie publizéiert hei?", "Numm vun A bis Z"],
    "/lb/organization/gemeng": ["1 Datesaz", "Datesätz sichen…"],
    "/lb/user/login": ["Benotzernumm oder E-Mail", "Passwuert", "Passwuert vergiess?", "Ugemellt bleiwen"],
    "/lb/about": ["Wat Dir hei fannt", "Fir Entwéckler", "Gebaut op CKAN"],
    "/lb/nothing-here": ["Dës Säit gëtt et net", "Haaptsäit", "All d’Datesätz"],
}
ENGLISH = re.compile(
    r"\b(Search|Datasets?|Organizations|Skip to|Log in|Home|About|Filter by|Order by|License)\b"
)
ENGLISH_LABEL = re.compile(
    r"\b(Search|Submit|Navigate|Filter by|Toggle|Breadcrumb|Account|Remove|Organizations)\b"
)
LABELS = ("aria-label", "title", "placeholder", "alt")


class TestPages:
    @pytest.fixture(scope="class")
    def application(self, plugins_loaded: None, reset_db: Any, reset_index: Any) -> Any:  # noqa: F811
        """The portal with one dataset of one organisation."""
        application = _get_test_app().app
        reset_db()
        reset_index()
        call_action("organization_create", name="gemeng", title_translated={"fr": "Commune", "lb": "Gemeng"})
        call_action(
            "package_create",
            name="bornes",
            owner_org="gemeng",
            license_id="etalab-2.0",
            title_translated={"fr": "Bornes à verre", "lb": "Glascontaineren"},
            tags=[{"name": "verre"}],
            resources=[{"url": "https://example.org/bornes.csv", "name": "Bornes", "format": "CSV"}],
        )
        return application

    @pytest.mark.parametrize("path", WORDS)
    def test_luxembourgish_on_the_page(self, application: Any, path: str) -> None:
        """The words that lead through a page are Luxembourgish, and no English one of core shows."""
        body = CKANTestApp(application).get(path, expect_errors=True).body
        page = BeautifulSoup(body, "html.parser")
        fields = " ".join(each.get("placeholder", "") for each in page.find_all("input"))
        text = " ".join(f"{page.text} {fields}".split())
        assert [word for word in WORDS[path] if word not in text] == []
        assert ENGLISH.findall(text) == []

    @pytest.mark.parametrize(
        "path", ["", "/dataset/", "/dataset/bornes", "/organization/", "/organization/gemeng"]
    )
    def test_no_string_of_core_is_english_in_french(self, application: Any, path: str) -> None:
        """Labels for screen readers and the like are French on French pages."""
        body = CKANTestApp(application).get(f"/fr{path}").body
        page = BeautifulSoup(body, "html.parser")
        labels = [each[name] for name in LABELS for each in page.select(f"[{name}]")]
        assert labels
        assert [label for label in labels if ENGLISH_LABEL.search(label)] == []
