"""Reading RDF that strangers wrote, safely, into a small graph of our own.

Refused before a parser sees it: any DOCTYPE in XML (entities can unfold without end), JSON-LD contexts that
would have to be fetched (JSON-LD 1.1 §3.1; a harvest must not call third parties), nesting deeper than
``MAX_DEPTH``. The only module that knows which RDF library is used.

Imports only ``errors``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import xml.parsers.expat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import pyoxigraph
import rdflib
from rdflib import BNode, Literal, URIRef
from rdflib.namespace import RDF
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.plugins.stores.memory import Memory

from .errors import FatalError, ParseError, SourceError, TooLargeError

Term = URIRef | BNode | Literal
Triple = tuple[Term, str, Term]
MAX_DEPTH = 100
_DIGEST_STEPS = 100_000

ACCEPT = (
    "application/rdf+xml, text/turtle;q=0.9, application/ld+json;q=0.8, application/n-triples;q=0.7, "
    "application/trig;q=0.6, text/n3;q=0.5, application/xml;q=0.3, application/json;q=0.2, */*;q=0.1"
)

FORMATS = ("xml", "turtle", "json-ld", "nt", "n3", "trig", "nquads")
_BY_TYPE = {
    "application/rdf+xml": "xml",
    "text/turtle": "turtle",
    "application/x-turtle": "turtle",
    "application/ld+json": "json-ld",
    "application/n-triples": "nt",
    "text/n3": "n3",
    "text/rdf+n3": "n3",
    "application/trig": "trig",
    "application/x-trig": "trig",
    "application/n-quads": "nquads",
}
_BY_SUFFIX = {
    "rdf": "xml",
    "xml": "xml",
    "owl": "xml",
    "ttl": "turtle",
    "jsonld": "json-ld",
    "json": "json-ld",
    "nt": "nt",
    "n3": "n3",
    "trig": "trig",
    "nq": "nquads",
}

_BRACKET = re.compile(rb"[\[\]()]")
_STRING = "http://www.w3.org/2001/XMLSchema#string"
_FAST = {
    "xml": pyoxigraph.RdfFormat.RDF_XML,
    "turtle": pyoxigraph.RdfFormat.TURTLE,
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "trig": pyoxigraph.RdfFormat.TRIG,
    "nquads": pyoxigraph.RdfFormat.N_QUADS,
}

# rdflib reports each odd literal with a traceback; what matters of it reaches the operator as a problem.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)


class Graph:
    """Triples by subject and predicate, in the order they were read."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self._out: dict[Term, dict[str, list[Term]]] = {}
        self._typed: dict[str, list[Term]] = {}
        self._digests: dict[Term, str] = {}
        self._into: dict[str, dict[Term, list[Term]]] = {}
        self.size = 0
        type_ = str(RDF.type)
        for s, p, o in triples:
            self._out.setdefault(s, {}).setdefault(p, []).append(o)
            self.size += 1
            if p == type_:
                self._typed.setdefault(str(o), []).append(s)

    def __contains__(self, node: Term) -> bool:
        return node in self._out

    def objects(self, node: Term, predicate: str) -> list[Term]:
        """Objects of ``node`` and ``predicate`` as read."""
        return self._out.get(node, {}).get(predicate, [])

    def properties(self, node: Term) -> Mapping[str, list[Term]]:
        """All predicates of ``node`` with their objects."""
        return self._out.get(node, {})

    def typed(self, *types: str) -> list[Term]:
        """Subjects of any of the classes, each once."""
        return list(dict.fromkeys(s for t in types for s in self._typed.get(t, ())))

    def subjects(self, predicate: str, value: Term) -> list[Term]:
        """Subjects that point to ``value``, by an index made at the first question."""
        index = self._into.get(predicate)
        if index is None:
            index = self._into[predicate] = {}
            for subject, properties in self._out.items():
                for o in properties.get(predicate, ()):
                    index.setdefault(o, []).append(subject)
        return index.get(value, [])

    def triples(self) -> Iterator[Triple]:
        """All triples."""
        return ((s, p, o) for s, props in self._out.items() for p, objects in props.items() for o in objects)

    def language_tags(self) -> set[str]:
        """Every language tag in it, in lower case as RDF compares them (RDF 1.1 Concepts §3.3)."""
        return {o.language.lower() for _, _, o in self.triples() if isinstance(o, Literal) and o.language}

    def digest(self, node: Term) -> str:
        """Hash of what is said of ``node``, following blank nodes, independent of order and labels."""
        return self._digest(node, (), [_DIGEST_STEPS])[0]

    def _digest(self, node: Term, path: tuple[Term, ...], budget: list[int]) -> tuple[str, int]:
        """Hash of a node and how far up its path it refers; what refers to itself alone is remembered."""
        known = self._digests.get(node)
        if known is not None:
            return known, len(path)
        if len(path) >= MAX_DEPTH or budget[0] < 0:
            return "…", 0
        lines: list[str] = []
        highest = len(path)
        for predicate, objects in self.properties(node).items():
            for o in objects:
                budget[0] -= 1
                if not isinstance(o, BNode):
                    lines.append(f"{predicate} {_written(o)}")
                elif o == node or o in path:
                    at = len(path) if o == node else path.index(o)
                    highest = min(highest, at)
                    lines.append(f"{predicate} ^{len(path) - at}")
                else:
                    inner, reach = self._digest(o, (*path, node), budget)
                    highest = min(highest, reach)
                    lines.append(f"{predicate} {inner}")
        value = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
        if highest >= len(path):
            self._digests[node] = value
        return value, highest


def _written(term: Term) -> str:
    if isinstance(term, Literal):
        datatype = None if str(term.datatype) == _STRING else term.datatype  # one and the same in RDF 1.1
        return f'"{term}"@{(term.language or "").lower()}^^{datatype}'
    return f"<{term}>"


class Node:
    """A node together with the graph that speaks of it: what a DCAT source hands to the format."""

    __slots__ = ("graph", "term")

    def __init__(self, graph: Graph, term: Term) -> None:
        self.graph = graph
        self.term = term


def detect(body: bytes, media_type: str = "", url: str = "") -> str:
    """RDF syntax of a document: by content type, then suffix, then a look at its first bytes.

    :raises ParseError: it is HTML or nothing that we know
    """
    head = body[:2048].lstrip(b"\xef\xbb\xbf").lstrip()
    if (head[:9].lower() == b"<!doctype" and b"html" in head[:60].lower()) or head[:5].lower() == b"<html":
        raise ParseError(url, "it answers an HTML page, not RDF")
    known = _BY_TYPE.get(media_type.lower())
    if known is not None:
        return known
    suffix = urlsplit(url).path.rpartition(".")[2].lower()
    known = _BY_SUFFIX.get(suffix)
    if known is not None:
        return known
    if head[:1] in (b"{", b"["):
        return "json-ld"
    if head[:5] == b"<?xml" or head[:4] == b"<rdf" or b"xmlns" in head:
        return "xml"
    if head[:1] in (b"@", b"<", b"#", b"_") or head[:6].lower() in (b"prefix", b"base <"):
        return "turtle"
    raise ParseError(url, f"nothing in it looks like RDF (content type {media_type or 'none'})")


def parse(body: bytes, syntax: str, url: str, *, contexts: Mapping[str, Any] | None = None) -> Graph:
    """Parse ``body`` (named graphs are merged). ``url`` is the base for relative addresses.

    :param contexts: JSON-LD contexts that may be named by address, already loaded
    :raises ParseError: with the line where the syntax tells one
    """
    if syntax not in FORMATS:
        raise SourceError(url, f"syntax {syntax!r} is not one of {', '.join(FORMATS)}")
    if syntax == "xml":
        check_xml(body, url)
    elif syntax == "json-ld":
        body = _checked_json(body, url, contexts or {})
    triples = _fast(body, syntax, url)
    return Graph(_thorough(body, syntax, url) if triples is None else triples)


def _fast(body: bytes, syntax: str, url: str) -> Iterable[Triple] | None:
    """Triples by pyoxigraph, some ten times faster; None when it has not the syntax or refuses the document.

    What it refuses is read again by rdflib, which forgives more and tells faults better. It would unfold
    entities without end: ``check_xml`` comes before it.
    """
    format_ = _FAST.get(syntax)
    if format_ is None or (syntax in ("turtle", "trig") and _nests_deeply(body)):
        return None
    terms = _Terms()
    found: dict[Triple, None] = {}
    try:
        for quad in pyoxigraph.parse(body, format=format_, base_iri=url, lenient=True):
            found[terms.of(quad.subject), str(quad.predicate.value), terms.of(quad.object)] = None
    except (SyntaxError, ValueError):
        return None
    return found


def _nests_deeply(body: bytes) -> bool:
    """True when brackets may nest deeper than ``MAX_DEPTH``; those inside texts are counted too."""
    depth = 0
    for bracket in _BRACKET.finditer(body):
        depth += 1 if bracket[0] in b"[(" else -1
        if depth > MAX_DEPTH:
            return True
    return False


class _Terms:
    """rdflib's terms for pyoxigraph's; each address is made once."""

    def __init__(self) -> None:
        self._named: dict[str, URIRef] = {}
        self._blank: dict[str, BNode] = {}
        self._types: dict[str, URIRef] = {}

    def of(self, term: Any) -> Term:
        """The same term."""
        value: str = term.value
        if isinstance(term, pyoxigraph.NamedNode):
            known = self._named.get(value)
            if known is None:
                known = self._named[value] = URIRef(value)
            return known
        if isinstance(term, pyoxigraph.BlankNode):
            blank = self._blank.get(value)
            if blank is None:
                blank = self._blank[value] = BNode()
            return blank
        if term.language:
            return Literal(value, lang=term.language)
        datatype = term.datatype.value
        return Literal(value) if datatype == _STRING else Literal(value, datatype=self._type(datatype))

    def _type(self, address: str) -> URIRef:
        if address not in self._types:
            self._types[address] = URIRef(address)
        return self._types[address]


def _thorough(body: bytes, syntax: str, url: str) -> Iterable[Triple]:
    """Triples by rdflib.

    :raises ParseError: with the line where the syntax tells one
    """
    log = _Log()
    many = syntax in ("json-ld", "trig", "nquads", "n3")
    sink = rdflib.Dataset(log, default_union=True) if many else rdflib.Graph(log, bind_namespaces="none")
    try:
        sink.parse(data=body, format=syntax, publicID=url)
    except BadSyntax as exc:
        raise _bad_turtle(exc, url) from None
    except RecursionError:
        raise TooLargeError(url, "it is nested too deeply") from None
    except IndexError:  # rdflib's Turtle parser runs off the end
        raise ParseError(url, f"the {syntax} breaks off", body.count(b"\n") + 1) from None
    except FatalError:
        raise
    except Exception as exc:  # rdflib's parsers raise whatever their libraries raise
        raise ParseError(url, f"{syntax} cannot be read: {_short(exc)}") from exc
    return log.triples_in_order


class _Log(Memory):
    """A store that only notes what a parser says, once and in the document's order (rdflib's lose it)."""

    def __init__(self) -> None:
        super().__init__()
        self.triples_in_order: dict[Triple, None] = {}

    def add(self, triple: Any, context: Any, quoted: bool = False) -> None:  # noqa: ARG002
        s, p, o = triple
        if not quoted:
            self.triples_in_order[s, str(p), o] = None


def check_xml(body: bytes, url: str) -> None:
    """Refuse XML with a DOCTYPE, too deep or not well formed (XML 1.0 §2.8); says the line."""
    parser = xml.parsers.expat.ParserCreate()
    depth = 0

    def doctype(*_: object) -> None:
        raise ParseError(url, "a DOCTYPE is refused", parser.CurrentLineNumber)

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise TooLargeError(url, f"line {parser.CurrentLineNumber}: nested deeper than {MAX_DEPTH}")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(body, True)
    except xml.parsers.expat.ExpatError as exc:
        cause = xml.parsers.expat.ErrorString(exc.code)
        raise ParseError(url, f"the XML is not well formed: {cause}", exc.lineno) from None


def _checked_json(body: bytes, url: str, contexts: Mapping[str, Any]) -> bytes:
    """JSON-LD with every named context replaced by its bundled copy, or a refusal."""
    try:
        document = json.loads(body)
    except RecursionError:
        raise TooLargeError(url, f"nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as exc:
        raise ParseError(url, f"the JSON is not well formed: {exc.msg}", exc.lineno) from None
    except UnicodeDecodeError as exc:
        raise ParseError(url, f"the JSON is not UTF-8: {exc.reason}") from None
    if not isinstance(document, (dict, list)):
        raise ParseError(url, "the JSON is neither an object nor a list")
    return json.dumps(_local(document, url, contexts, 0), ensure_ascii=False).encode()


def _local(value: Any, url: str, contexts: Mapping[str, Any], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise TooLargeError(url, f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [_local(item, url, contexts, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return {
            key: _context(item, url, contexts, depth + 1)
            if key in ("@context", "@import")
            else _local(item, url, contexts, depth + 1)
            for key, item in members
        }
    return value


def _context(value: Any, url: str, contexts: Mapping[str, Any], depth: int) -> Any:
    if isinstance(value, str):
        if value in contexts:
            return contexts[value]
        raise SourceError(url, f"its JSON-LD @context is remote ({value}) and contexts are never fetched")
    if isinstance(value, list):
        return [_context(item, url, contexts, depth) for item in cast("list[Any]", value)]
    return _local(value, url, contexts, depth)


def _bad_turtle(exc: BadSyntax, url: str) -> ParseError:
    reason = str(getattr(exc, "_why", "bad syntax"))
    line = int(getattr(exc, "lines", 0)) + 1
    return ParseError(url, f"the Turtle is wrong: {reason}", line)


def _short(exc: Exception) -> str:
    text = " ".join(str(exc).split())
    return f"{type(exc).__name__}: {text[:200]}"
