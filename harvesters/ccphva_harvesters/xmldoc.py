"""Reading XML that strangers wrote, safely, with lxml; names are compared without their namespace.

Refused: any DOCTYPE (XML 1.0 §2.8: entities can unfold without end), nesting deeper than ``MAX_DEPTH``,
HTML pages and what is not well formed. Nothing is ever fetched.

Imports only ``errors`` and ``rdf`` (for its bound on depth).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast

from .errors import ParseError, TooLargeError
from .rdf import MAX_DEPTH

etree: Any = import_module("lxml.etree")  # it bears no types
Element = Any
"""An ``lxml.etree._Element``."""
_DOCTYPE = re.compile(rb"^\s*(?:<\?.*?\?>|<!--.*?-->|\s)*<!DOCTYPE\s+(\w*)", re.DOTALL)
_HTML = re.compile(rb"^\s*<(?:!doctype\s+)?html\b", re.IGNORECASE)
_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def parse(body: bytes, url: str) -> Element:
    """The root element of a document, without comments and processing instructions.

    :raises ParseError: it is HTML, has a DOCTYPE or is not well formed; says the line where known
    :raises TooLargeError: it is nested too deeply
    """
    if not body.strip():
        raise ParseError(url, "the answer is empty, not XML")
    head = _head(body)
    if _HTML.match(head):
        raise ParseError(url, "it answers an HTML page, not XML")
    if _DOCTYPE.match(head):
        raise ParseError(url, "a DOCTYPE is refused")
    if body[:1] in b"{[":
        raise ParseError(url, "it answers JSON, not XML")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root: Element = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as exc:
        text = str(exc.msg or "not well formed")
        if "depth" in text:
            raise TooLargeError(url, f"line {exc.lineno}: nested deeper than {MAX_DEPTH}") from None
        raise ParseError(url, f"the XML is not well formed: {text}", exc.lineno) from None
    except (ValueError, LookupError) as exc:
        raise ParseError(url, f"the XML cannot be read: {exc}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ParseError(url, "a DOCTYPE is refused")
    _check_depth(root, url)
    return root


def _head(body: bytes) -> bytes:
    """The document's start, in ASCII for the eyes of the patterns."""
    head = body[:65536]
    for bom, encoding in _BOMS.items():
        if head.startswith(bom):
            return head[2:].decode(encoding, "replace").encode("ascii", "replace")
    return head.removeprefix(b"\xef\xbb\xbf")


def _check_depth(root: Element, url: str) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise TooLargeError(url, f"nested deeper than {MAX_DEPTH}")


def name(element: Element) -> str:
    """Local name of an element."""
    return cast("str", element.tag).rpartition("}")[2]


def namespace(element: Element) -> str:
    """Namespace of an element, empty for none."""
    return cast("str", element.tag).rpartition("}")[0].removeprefix("{")


def children(element: Element) -> list[Element]:
    """Child elements (an entity that was left unresolved is none)."""
    return [child for child in element if isinstance(child.tag, str)]


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """Elements below with one of the local names, in the document's order."""
    return (e for e in element.iter() if isinstance(e.tag, str) and e is not element and name(e) in names)


def text(element: Element) -> str:
    """All text inside an element, trimmed."""
    return "".join(cast("Iterator[str]", element.itertext())).strip()


def digest(element: Element) -> str:
    """Hash of what an element says, whatever prefixes, attribute order or indentation were used."""
    found = hashlib.sha256()
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        if event == "end":
            found.update(b"/")
        elif isinstance(inner.tag, str):
            said = [
                inner.tag,
                *(f"{key}={value}" for key, value in sorted(inner.attrib.items())),
                inner.text or "",
            ]
            found.update("\n".join(part.strip() for part in said).encode())
    return found.hexdigest()


def written(element: Element) -> bytes:
    """The element alone as a document."""
    return cast("bytes", etree.tostring(element, with_tail=False))
