"""XML from strangers: no DOCTYPE, no entities, no network, bounded depth.

Imports only ``errors``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from .errors import ParseError

Element = etree._Element  # type: ignore[reportPrivateUsage]  # lxml gives its class no public name
_DEEPEST = 200
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
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        line = exc.lineno if isinstance(exc, etree.XMLSyntaxError) else None
        raise ParseError(url, f"the XML is wrong: {exc}"[:300], line) from None
    if root.getroottree().docinfo.doctype:
        raise ParseError(url, "a DOCTYPE is not accepted")
    return root


def name(element: Element) -> str:
    """Name without its namespace."""
    return etree.QName(element).localname


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
