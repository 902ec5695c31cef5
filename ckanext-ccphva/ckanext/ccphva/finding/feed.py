"""A search as a feed: Atom (RFC 4287), in pages by cursor (RFC 5005 §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
# Characters that XML 1.0 §2.2 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ElementTree.register_namespace("", ATOM)


def atom(
    title: str, links: Mapping[str, str], entries: Sequence[Mapping[str, Any]], language: str, host: str
) -> bytes:
    """The feed as a document.

    :param links: addresses by relation: `self`, `alternate` (the page), `next` where there is more.
    :param entries: `id` (a UUID), `title`, `summary`, `author`, `url`, `updated` (ISO 8601).
    :param host: what names the portal in identifiers (RFC 4151).
    """
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {"xml:lang": language})
    _put(feed, "id", f"tag:{host},2026:{links['alternate'].partition('://')[2] or links['alternate']}")
    _put(feed, "title", title)
    _put(feed, "updated", max((_time(each["updated"]) for each in entries), default=_time("")))
    for relation, address in links.items():
        kind = "text/html" if relation == "alternate" else MEDIA_TYPE
        ElementTree.SubElement(
            feed, f"{{{ATOM}}}link", {"rel": relation, "href": _clean(address), "type": kind}
        )
    for each in entries:
        _entry(feed, each, host)
    return ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)


def _entry(feed: ElementTree.Element, given: Mapping[str, Any], host: str) -> None:
    entry = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
    _put(entry, "id", f"tag:{host},2026:dataset/{given['id']}")
    _put(entry, "title", given["title"])
    _put(entry, "updated", _time(given["updated"]))
    ElementTree.SubElement(
        entry, f"{{{ATOM}}}link", {"rel": "alternate", "href": _clean(given["url"]), "type": "text/html"}
    )
    _put(ElementTree.SubElement(entry, f"{{{ATOM}}}author"), "name", given["author"] or host)
    if given["summary"]:
        _put(entry, "summary", given["summary"])


def _put(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = _clean(text)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _time(text: str) -> str:
    """A date and time with a zone (RFC 3339); the first of all where there is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime(1970, 1, 1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
