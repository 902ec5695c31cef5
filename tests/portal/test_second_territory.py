"""The software serves another territory, and holds no word of the first one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ckan.lib.search.common import make_connection

ROOT = Path(__file__).parents[2]
FICTIVE = ROOT / "deployment" / "territories" / "fictif"
WORDS = (
    "CCPHVA", "Alzette", "Villerupt", "Audun", "Ottange", "Aumetz", "Boulange", "Thil", "Russange", "Rédange",
    "donnees.ccphva.fr",
)  # fmt: skip
FIRST = re.compile(r"\b(" + "|".join(re.escape(word) for word in WORDS) + r")\b")
"""Words of the first territory. The product's own id, `ccphva` in small letters, is not one of them."""
CODE = (
    "ckanext-ccphva",
    "harvesters",
    "schemas",
    "themes",
    "deployment",
    "portal",
    "setup.py",
    "package.json",
)
TITLES = {
    "fr": "Données du Val des Brumes",
    "de": "Daten des Nebeltals",
    "en": "Data of the Valley of Mists",
    "lb": "Daten aus dem Niwweldall",
}


def test_no_word_of_the_territory_in_the_code() -> None:
    """Only the territory's own folder names the territory, its communes and its address."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *CODE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [
        name
        for name in listed.stdout.split("\0")
        if name and not name.startswith("deployment/territories/ccphva/")
    ]
    assert len(files) > 100
    found = []
    for name in files:
        try:
            text = (ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        found += [f"{name}: {match[0]}" for match in FIRST.finditer(text)]
    assert found == []


class TestFictiveTerritory:
    @pytest.fixture(scope="class")
    def pages(
        self, reset_db: Any, reset_index: Any, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[dict[str, list[Any]]]:
        """Status and body of each public page of a portal with other options."""
        reset_db()
        reset_index()
        folder = tmp_path_factory.mktemp("fictive")
        text = Path(os.environ["CKAN_INI"]).read_text()
        options = {
            "ccphva.territory": str(FICTIVE),
            "ckan.site_title": "Val des Brumes",
            "ckan.site_description": "",
            "ckan.feeds.author_name": "Val des Brumes",
            "ckanext.dcat.base_uri": "https://donnees.val-des-brumes.example",
            "ckan.site_id": "fictif",
        }
        for key, value in options.items():
            text, count = re.subn(
                rf"(?m)^{re.escape(key)} *=.*$", lambda _, k=key, v=value: f"{k} = {v}", text
            )
            assert count == 1, key
        ini = folder / "ckan.ini"
        ini.touch(mode=0o600)
        ini.write_text(text)
        command = [sys.executable, str(Path(__file__).with_name("fictive_pages.py")), str(ini)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        yield json.loads(done.stdout)
        # `reset_index` of other tests forgets what bears their own site's id only.
        make_connection().delete(q="site_id:fictif", commit=True)

    def test_every_page_answers(self, pages: dict[str, list[Any]]) -> None:
        """All pages and files are there, and the missing one is missing."""
        expected = {address: 404 if address.endswith("nothing-here") else 200 for address in pages}
        assert {address: status for address, (status, _) in pages.items()} == expected
        assert len(pages) > 30

    def test_no_word_of_the_first(self, pages: dict[str, list[Any]]) -> None:
        """No page, file or feed names the first territory, its communes or its address."""
        assert [
            (address, FIRST.findall(body)) for address, (_, body) in pages.items() if FIRST.search(body)
        ] == []

    @pytest.mark.parametrize("language", TITLES)
    def test_its_own_words(self, pages: dict[str, list[Any]], language: str) -> None:
        """Title, organisations and map are the second territory's, in the reader's language."""
        page = BeautifulSoup(pages[f"/{language}"][1], "html.parser")
        assert page.title.text.strip() == TITLES[language]
        assert len(page.select(".t-organizations li")) == 3
        assert [each["href"] for each in page.select(".t-map a")] == [
            f"/{language}/organization/brumeville",
            f"/{language}/organization/sources-sur-brume",
        ]

    @pytest.mark.parametrize("name", ["logo.svg", "favicon.svg", "territory.css"])
    def test_its_own_looks(self, pages: dict[str, list[Any]], name: str) -> None:
        """Logo, icon and colours are the files of its folder."""
        assert pages[f"/{name}"][1] == (FICTIVE / "public" / name).read_text()

    def test_only_its_own_pages(self, pages: dict[str, list[Any]]) -> None:
        """The footer links the licences and the texts that the territory has, and no other."""
        footer = BeautifulSoup(pages["/de"][1], "html.parser").select_one(".t-footer nav")
        assert [each["href"] for each in footer.find_all("a")] == ["/de/licences", "/de/about"]
