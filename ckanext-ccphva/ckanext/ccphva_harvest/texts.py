"""Texts of other catalogues as ours may hold them: markup becomes text and Markdown. Imports nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LONGEST_KEYWORD = 100
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--")
_BLOCKS = {
    "p",
    "div",
    "br",
    "ul",
    "ol",
    "table",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "section",
    "blockquote",
}
_SILENT = {"script", "style"}


def plain(text: str) -> str:
    """The text without HTML; paragraphs, list items and links are kept as Markdown writes them."""
    if not _TAG.search(text):
        return text
    reader = _Reader()
    reader.feed(text)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).splitlines()]
    # What only looked like text may be markup once its entities are read.
    return _TAG.sub("", re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


def keyword(text: str) -> str:
    """A keyword on one line and not longer than the catalogue allows."""
    return " ".join(plain(text).split())[:LONGEST_KEYWORD].strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in _BLOCKS:
            self.parts.append("\n" if tag == "br" else "\n\n")
        elif tag == "a":
            target = dict(attrs).get("href") or ""
            target = target if re.fullmatch(r"(https?://|mailto:)[^\s()<>]+", target) else ""
            self._links.append(target)
            self.parts.append("[" if target else "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n\n")
        elif tag == "a" and self._links and (target := self._links.pop()):
            self.parts.append(f"]({target})")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
