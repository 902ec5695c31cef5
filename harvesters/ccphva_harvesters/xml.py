"""XML from strangers: no DOCTYPE, no entities, no network, bounded depth.

Imports only ``errors``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from lxml import etree  # type: ignore[reportUnknownVariableType]  # lxml carries no types

from .errors import ParseError


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
_DOCTYPE = re.compile(rb"<\s*!\s*DOCTYPE", re.IGNORECASE)


def parse(body: bytes, url: str) -> Element:
    """Root of a document.

    :raises ParseError: a web page, a DOCTYPE, broken or too deep XML; names the line where it can
    """
    head = body[:1_000_000].replace(b"\x00", b"")  # UTF-16 too
    if re.search(rb"<\s*html\b", head[:2000], re.IGNORECASE):
        raise ParseError(url, "a web page came instead of XML")
    if _DOCTYPE.search(head):
        raise ParseError(url, "a DOCTYPE is not accepted")
    if not body.strip():
        raise ParseError(url, "the answer is empty")
    parser = _lxml.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = cast("Element", _lxml.fromstring(body, parser))
    except (_lxml.XMLSyntaxError, ValueError) as exc:
        raise ParseError(url, f"the XML is wrong: {exc}"[:300], getattr(exc, "lineno", None)) from None
    if root.getroottree().docinfo.doctype:
        raise ParseError(url, "a DOCTYPE is not accepted")
    return root


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
