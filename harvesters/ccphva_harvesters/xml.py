"""Paths through XML by names without namespaces; ``xmldoc`` reads the document.

Imports only ``xmldoc``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from lxml import etree  # type: ignore[reportUnknownVariableType]  # lxml carries no types

from . import xmldoc


class Element(Protocol):
    """What we use of an element of lxml."""

    tag: Any
    text: str | None
    attrib: Mapping[str, str]

    def __iter__(self) -> Iterator[Element]: ...
    def get(self, key: str) -> str | None: ...
    def iter(self, *tags: str) -> Iterator[Element]: ...
    def itertext(self) -> Iterator[str]: ...
    def getparent(self) -> Element | None: ...
    def getroottree(self) -> Any: ...
    def remove(self, element: Element) -> None: ...


_lxml = cast("Any", etree)


def parse(body: bytes, url: str) -> Element:
    """Root of a document, read by ``xmldoc.parse``: what that refuses is refused here.

    :raises ParseError: a web page, a DOCTYPE or broken XML; names the line where it can
    :raises TooLargeError: it is nested too deeply
    """
    return cast("Element", xmldoc.parse(body, url))


def serialized(root: Element) -> bytes:
    """The document as bytes in UTF-8."""
    return cast("bytes", _lxml.tostring(root, encoding="UTF-8", xml_declaration=True))


def name(element: Element) -> str:
    """Name without its namespace."""
    return str(_lxml.QName(element).localname)


def children(element: Element, *names: str) -> Iterator[Element]:
    """Children of one of these names, in any namespace."""
    for child in element:
        if name(child) in names:
            yield child


def find(element: Element, *path: str) -> Element | None:
    """The first element down a path of names, in any namespace."""
    here: Element | None = element
    for step in path:
        here = None if here is None else next(children(here, step), None)
    return here


def text(element: Element, *path: str) -> str | None:
    """Text at the end of a path, without outer blanks; None where there is none."""
    found = find(element, *path)
    said = "" if found is None else "".join(str(part) for part in found.itertext()).strip()
    return said or None
