"""Reading RDF that means harm, or is not RDF."""

from __future__ import annotations

import json
import time

import pytest
from ccphva_harvesters import ParseError, SourceError, TooLargeError, fingerprint, rdf
from ccphva_harvesters.formats.dcat_ap import DcatAp, DcatApConfig
from rdflib import BNode, URIRef

from harvesters import documents

URL = "http://x.org/doc"
RDF_XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:d="http://x.org/">{}</rdf:RDF>'
)
LAUGHS = (
    '<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>\n'
) + RDF_XML.format('<rdf:Description rdf:about="#x"><d:p>&c;</d:p></rdf:Description>')


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS.encode(),
        LAUGHS.replace('"1.0"?', '"1.0" encoding="utf-16"?').encode("utf-16"),
        b'<!DOCTYPE rdf:RDF SYSTEM "http://127.0.0.2/x.dtd">' + RDF_XML.format("").encode(),
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + RDF_XML.format("&e;").encode(),
    ],
    ids=["laughs", "laughs in UTF-16", "outside DTD", "outside entity"],
)
def test_a_doctype_is_refused(body: bytes) -> None:
    """No DOCTYPE reaches a parser, whatever its encoding."""
    with pytest.raises(ParseError, match="DOCTYPE is refused"):
        rdf.parse(body, "xml", URL)


def test_truncated_xml_names_its_line() -> None:
    """XML that breaks off says where."""
    with pytest.raises(ParseError, match="line 3: the XML is not well formed") as caught:
        rdf.parse(b'<?xml version="1.0"?>\n<a>\n<b>', "xml", URL)
    assert caught.value.line == 3


def test_deep_xml_is_refused() -> None:
    """Nesting has a limit."""
    with pytest.raises(TooLargeError, match="nested deeper"):
        rdf.parse(b"<a>" * 5000 + b"</a>" * 5000, "xml", URL)


@pytest.mark.parametrize("depth", [150, 3000, 200_000])
def test_deep_json_is_refused_at_once(depth: int) -> None:
    """However deep, it is an error and not a crash."""
    started = time.monotonic()
    with pytest.raises(TooLargeError, match="nested deeper"):
        rdf.parse(b'{"a":' * depth + b"1" + b"}" * depth, "json-ld", URL)
    assert time.monotonic() - started < 5


def test_deep_turtle_is_refused() -> None:
    """A recursive parser meets its limit."""
    with pytest.raises(SourceError):
        rdf.parse(b"<a> <b> " + b"[<b> " * 5000 + b"<c>" + b"]" * 5000 + b".", "turtle", URL)


@pytest.mark.parametrize(
    "context",
    [
        "http://127.0.0.2/context.jsonld",
        "file:///etc/passwd",
        ["http://x.org/c"],
        {"@import": "http://x.org/c"},
        {"term": {"@id": "http://x.org/t", "@context": "http://x.org/c"}},
    ],
)
def test_remote_contexts_are_refused(context: object) -> None:
    """No JSON-LD document makes us fetch or open anything."""
    with pytest.raises(SourceError, match="@context is remote"):
        rdf.parse(json.dumps({"@context": context, "@id": "http://x.org/a"}).encode(), "json-ld", URL)


def test_bundled_contexts_are_used() -> None:
    """A context that was loaded beforehand may be named."""
    document = {"@context": "http://x.org/c", "@id": "http://x.org/a", "name": "x"}
    contexts = {"http://x.org/c": {"name": "http://x.org/name"}}
    graph = rdf.parse(json.dumps(document).encode(), "json-ld", URL, contexts=contexts)
    assert [str(o) for o in graph.objects(URIRef("http://x.org/a"), "http://x.org/name")] == ["x"]


@pytest.mark.parametrize(
    ("body", "syntax", "cause"),
    [
        (b"{", "json-ld", "JSON is not well formed"),
        (b'"text"', "json-ld", "neither an object nor a list"),
        (b"\xff\xfe\xfa{", "json-ld", "JSON"),
        (b"<a>\n<b>", "turtle", "line 2: the turtle breaks off"),
        (b"<a> b:c <d> .", "turtle", "line 1: the Turtle is wrong"),
        (b"nonsense here .\n", "nt", "nt cannot be read"),
        (b"", "xml", "not well formed"),
    ],
)
def test_broken_documents_say_why(body: bytes, syntax: str, cause: str) -> None:
    """Every broken document is one clear sentence with its address."""
    with pytest.raises(SourceError, match=f"^{URL}: .*{cause}"):
        rdf.parse(body, syntax, URL)


@pytest.mark.parametrize(
    ("body", "media_type", "url", "syntax"),
    [
        (b"x", "text/turtle", "http://x/a.rdf", "turtle"),
        (b"x", "application/octet-stream", "http://x/a.ttl?x=1", "turtle"),
        (b"x", "text/plain", "http://x/a.nt", "nt"),
        (b' {"@id": 1}', "text/plain", "http://x/a", "json-ld"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "text/html", "http://x/a", "xml"),
        (b"@prefix a: <b> .", "", "http://x/a", "turtle"),
        (b"PREFIX a: <b>", "", "http://x/a", "turtle"),
        (b"x", "application/trig", "http://x/a", "trig"),
    ],
)
def test_syntax_is_found(body: bytes, media_type: str, url: str, syntax: str) -> None:
    """By content type, then suffix, then a look inside."""
    assert rdf.detect(body, media_type, url) == syntax


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b"\n<html><body>", b"Maintenance"])
def test_a_page_for_people_is_refused(body: bytes) -> None:
    """HTML with status 200, whatever its content type says."""
    with pytest.raises(ParseError, match=r"HTML page|nothing in it looks like RDF"):
        rdf.detect(body, "", "http://x/a")


@pytest.mark.parametrize(
    ("syntax", "body"),
    [
        ("turtle", "<a:s> <a:p> <a:o> ."),
        ("nt", "<a:s> <a:p> <a:o> ."),
        ("n3", "<a:s> <a:p> <a:o> ."),
        ("trig", "<a:g> { <a:s> <a:p> <a:o> . }"),
        ("nquads", "<a:s> <a:p> <a:o> <a:g> ."),
        ("json-ld", '{"@id": "a:s", "a:p": {"@id": "a:o"}}'),
        (
            "xml",
            RDF_XML.format(
                '<rdf:Description rdf:about="a:s"><p xmlns="a:" rdf:resource="a:o"/></rdf:Description>'
            ),
        ),
    ],
)
def test_every_syntax_is_read(syntax: str, body: str) -> None:
    """One triple in each syntax, named graphs merged."""
    assert list(rdf.parse(body.encode(), syntax, URL).triples()) == [(URIRef("a:s"), "a:p", URIRef("a:o"))]


def test_digests_ignore_labels_and_order_but_not_content() -> None:
    """Blank nodes count by what is said of them, in circles too."""
    one = rdf.parse(b"_:a <x:p> _:b . _:b <x:q> _:a , 'v' . <x:s> <x:r> _:a .", "turtle", URL)
    two = rdf.parse(b"<x:s> <x:r> _:n . _:m <x:q> 'v' , _:n . _:n <x:p> _:m .", "turtle", URL)
    other = rdf.parse(b"<x:s> <x:r> _:n . _:m <x:q> 'w' , _:n . _:n <x:p> _:m .", "turtle", URL)
    subject = URIRef("x:s")
    assert one.digest(subject) == two.digest(subject) != other.digest(subject)


def test_a_digest_bomb_is_bounded() -> None:
    """Blank nodes that all point to each other cost a bounded time."""
    lines = [f"_:n{i} <x:p{k}> _:n{j} ." for i in range(40) for j in range(40) for k in range(2)]
    graph = rdf.parse("\n".join(lines).encode(), "nt", URL)
    started = time.monotonic()
    graph.digest(next(s for s, _, _ in graph.triples() if isinstance(s, BNode)))
    assert time.monotonic() - started < 10


FAST = [f for f in documents.facts() if f.parse == "ok" and f.path.suffix in (".rdf", ".ttl")]


@pytest.mark.parametrize("fact", FAST, ids=lambda f: f.path.name)
def test_both_parsers_say_the_same(fact: documents.Fact) -> None:
    """The fast parser gives the thorough one's triples and datasets, or leaves the document to it."""
    body = fact.path.read_bytes()
    syntax = rdf.detect(body, fact.media_type, str(fact.path))
    fast = rdf._fast(body, syntax, documents.BASE)
    if fast is None:
        return
    graphs = rdf.Graph(fast), rdf.Graph(rdf._thorough(body, syntax, documents.BASE))
    assert graphs[0].size == graphs[1].size == fact.triples
    format_ = DcatAp(DcatApConfig(languages=None))
    prints = [
        {r.id: (r.fingerprint, fingerprint(d)) for r in documents.records(g) for d in format_.datasets(r)}
        for g in graphs
    ]
    assert prints[0] == prints[1]


def test_most_documents_take_the_fast_parser() -> None:
    """What only the slow parser forgives is the exception."""
    syntaxes = {".rdf": "xml", ".ttl": "turtle"}
    slow = [
        f for f in FAST if rdf._fast(f.path.read_bytes(), syntaxes[f.path.suffix], documents.BASE) is None
    ]
    assert len(slow) <= len(FAST) // 10
