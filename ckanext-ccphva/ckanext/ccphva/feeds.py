"""Atom feeds in the reader's language (CKAN's IFeed): core has `en` for all, and French texts only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.views.feed import CKANFeed
from ckanext.ccphva import helpers, languages, narrative, storage

GROUPS = {"feeds.organization", "feeds.group"}


class PortalFeed(CKANFeed):
    """A feed whose language, titles and subtitle are those of its address (`/de/feeds/…`)."""

    def __init__(self, feed_title: str, feed_link: str, feed_description: str, **options: Any) -> None:
        language = helpers.language()
        title = feed_title.replace(
            str(tk.config.get("ckan.site_title")), narrative.territory_text("title", language)
        )
        if name := _group(language):
            title = f"{narrative.territory_text('title', language)} – {name}"
        elif not title.strip():
            title = feed_title
        subtitle = narrative.territory_text("subtitle", language) or feed_description
        super().__init__(title, feed_link, subtitle, **options | {"language": language})

    def add_item(self, *, texts: Mapping[str, Any] | None = None, **core: Any) -> None:
        """An entry; `texts` are those of `item`, in the place of core's."""
        super().add_item(**core | dict(texts or {}))


def item(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says of a dataset in the reader's language, as `add_item` takes it."""
    _, words = helpers.keywords(dataset)
    owner = dataset.get("organization") or {}
    texts = {
        "title": helpers.ccphva_translated(dataset, "title") or str(dataset.get("name") or ""),
        "description": _printable(helpers.ccphva_translated(dataset, "notes")),
        "categories": words,
        "author_name": dataset.get("author") or helpers.ccphva_translated(owner, "title"),
    }
    return {"texts": texts}


def _group(language: str) -> str | None:
    """The name of the organisation or group whose feed this is."""
    if tk.request.endpoint not in GROUPS:
        return None
    wanted = str((tk.request.view_args or {}).get("id") or "")
    known = storage.group_titles({wanted}, {wanted}).values()
    return next((str(languages.best(each.translated, language) or each.title) for each in known), None)


def _printable(text: str) -> str:
    """Without control characters, which XML refuses (XML 1.0 §2.2); lines stay lines."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")
