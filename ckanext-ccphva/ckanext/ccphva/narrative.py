"""The territory's own words: names in `territory.yaml`, pages in `pages/<name>.<language>.md`. No database.

A page's first line is its title (`# …`). French stands in for a language that a page lacks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import ckan.plugins.toolkit as tk
from ckanext.ccphva import config, territory

FALLBACK = "fr"
ABOUT = "about"
FILE = re.compile(r"^([a-z][a-z0-9-]*)\.([a-z]{2})\.md$")


@dataclass(frozen=True)
class Page:
    """:param language: the one in which the text is, which may not be the one asked for."""

    name: str
    language: str
    title: str
    body: str


def territory_text(field: str, language: str) -> str:
    """A text of `territory.yaml`, which is either one for all languages or one a language."""
    value = territory.load().data.get(field, "")
    return str(value.get(language) or value[FALLBACK]) if isinstance(value, dict) else str(value)


def page(name: str, language: str) -> Page | None:
    """The page in the language, else in French, else None."""
    found = _folder_index()
    for candidate in (language, FALLBACK):
        if (name, candidate) in found:
            return _read(name, candidate, *found[name, candidate])
    return None


def pages(language: str) -> list[Page]:
    """All pages, `about` first."""
    ordered = sorted(names(), key=lambda name: name != ABOUT)
    return [found for name in ordered if (found := page(name, language))]


def names() -> list[str]:
    """The names of all pages, whatever languages they are in."""
    return sorted({name for name, _ in _folder_index()})


def url(name: str) -> str:
    if name == ABOUT:
        return str(tk.h.url_for("home.about"))
    return str(tk.h.url_for("ccphva_pages.page", name=name))


def _folder_index() -> dict[tuple[str, str], tuple[Path, int]]:
    folder = config.territory_folder() / "pages"
    files = folder.iterdir() if folder.is_dir() else ()
    matches = ((FILE.match(path.name), path) for path in files)
    return {(m[1], m[2]): (path, path.stat().st_mtime_ns) for m, path in matches if m}


@lru_cache(maxsize=64)
def _read(name: str, language: str, path: Path, _changed: int) -> Page:
    heading, _, body = path.read_text().partition("\n")
    return Page(name, language, heading.lstrip("# ").strip(), body.strip())
