"""Sitemaps (Sitemaps protocol 0.9) of what everybody may see, each page in its four languages (hreflang).

Datasets are asked of the search engine as somebody without an account: what such a reader does not find
stands in no sitemap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import ckan.plugins.toolkit as tk
from ckanext.ccphva import codelists, languages, licences, narrative, storage
from ckanext.ccphva.browsing import LISTS
from ckanext.ccphva.finding import places

A_FILE = 1000
"""Datasets a file: what CKAN gives in one answer; the protocol lets pass 50,000."""
KINDS = ("dataset", "data_service", "dataset_series")
_NAMES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
Address = Callable[..., str]


def index(address: Address) -> str:
    """The sitemap of sitemaps: one of pages, then of datasets by the thousand."""
    last = -(-_found(rows=0)["count"] // A_FILE)
    names = ["pages", *(f"datasets-{number}" for number in range(1, last + 1))]
    files = [address("ccphva_discovery.sitemap_file", name=name, locale="default") for name in names]
    entries = "".join(f"<sitemap><loc>{escape(file)}</loc></sitemap>\n" for file in files)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex {_NAMES}>\n{entries}</sitemapindex>\n'


def pages(address: Address) -> str:
    """Home, lists, themes, communes, licences, organisations, the territory's texts."""
    found: list[tuple[str, dict[str, Any]]] = [
        ("home.index", {}),
        ("dataset.search", {}),
        ("organization.index", {}),
        ("ccphva_browsing.themes", {}),
        ("ccphva_browsing.communes", {}),
        ("ccphva_pages.licence_list", {}),
    ]
    found += [
        ("ccphva_browsing.theme", {"code": concept.code})
        for name in LISTS
        for concept in codelists.load(name)
    ]
    found += [("ccphva_browsing.commune", {"code": code}) for code in places.names()]
    found += [("ccphva_pages.licence_read", {"name": name}) for name in licences.by_id()]
    found += [("organization.read", {"id": each["name"]}) for each in storage.organizations()]
    found += [("ccphva_pages.page", {"name": name}) for name in narrative.names() if name != narrative.ABOUT]
    return _urls(address, ((route, values, "") for route, values in found))


def datasets(address: Address, number: int) -> str | None:
    """The datasets of a file, the oldest first; None for a file that is not there."""
    found = _found(rows=A_FILE, start=(number - 1) * A_FILE)["results"] if number > 0 else []
    if not found:
        return None
    return _urls(
        address,
        (
            (f"{each['dataset_type']}.read", {"id": each["name"]}, str(each["metadata_modified"]))
            for each in found
        ),
    )


def _found(rows: int, start: int = 0) -> dict[str, Any]:
    kinds = " OR ".join(KINDS)
    asked = {
        "q": "*:*",
        "fq": f"+dataset_type:({kinds})",
        "fl": ["name", "metadata_modified", "dataset_type"],
        "sort": "metadata_created asc, id asc",
        "rows": rows,
        "start": start,
        "facet": False,
        "include_private": False,
    }
    return tk.get_action("package_search")({"user": "", "auth_user_obj": None, "for_view": False}, asked)


def _urls(address: Address, things: Iterable[tuple[str, dict[str, Any], str]]) -> str:
    body = "".join(
        text for route, values, changed in things for text in _url(address, route, values, changed)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {_NAMES} '
        f'xmlns:xhtml="http://www.w3.org/1999/xhtml">\n{body}</urlset>\n'
    )


def _url(address: Address, route: str, values: dict[str, Any], changed: str) -> Iterator[str]:
    """One entry: the page without a language is the French one, the others are said beside it."""
    others = {code: address(route, locale=code, **values) for code in languages.LANGUAGES}
    yield f"<url><loc>{escape(address(route, locale='default', **values))}</loc>"
    if changed:
        yield f"<lastmod>{escape(changed[:10])}</lastmod>"
    for code, url in others.items():
        yield f'<xhtml:link rel="alternate" hreflang="{code}" href={quoteattr(url)}/>'
    yield "</url>\n"
