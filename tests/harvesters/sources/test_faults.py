"""Every source of catalogues against every fault: bounded in time, told with its reason, nothing lost.

Each source first reads two datasets from a good server; then the same address misbehaves: the run must end
soon, write nothing and withdraw nothing.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import pytest
from ccphva_harvesters import (
    Client,
    Format,
    Limits,
    MemoryCatalogue,
    RunReport,
    Source,
    harvest,
    load_mapping,
)

from harvesters import documents
from harvesters.conftest import LOOPBACK, Answer, Site
from harvesters.sources import test_csw as csw
from harvesters.sources import test_ogcapi_records as records
from harvesters.test_http import SPELLINGS, raw

MEDIA = {
    "dcat": "text/turtle",
    "csw": "application/xml",
    "ckan": "application/json",
    "ogcapi-records": "application/json",
}
FORMATS = {"dcat": "dcat-ap", "csw": "iso19139", "ckan": "ckan-json", "ogcapi-records": "ogc-record"}
SOURCES = sorted(FORMATS)
SLOWEST = 8.0
"""Seconds that a run may take here; the client's limits are 1 s a request and one attempt."""


def good(site: Site, kind: str) -> str:
    """A server of two datasets; gives its address."""
    if kind == "dcat":
        return site.serve("/", documents.catalog("a", "b"), "text/turtle")
    if kind == "csw":
        return csw.Catalogue(site, "a", "b").url
    if kind == "ckan":
        packages = [
            {"id": n, "name": n, "title": n, "metadata_modified": "2026-01-01T00:00:00"} for n in "ab"
        ]
        answer = json.dumps({"success": True, "result": {"count": 2, "results": packages}})
        site.serve("/api/3/action/package_search?*", answer, "application/json")
        return site.url("/")
    return records.serve(site, ("a", "b"))


class Parts(NamedTuple):
    """A source and its format, as a source file names them."""

    source: Source
    format: Format


def parts(kind: str, url: str, client: Client, **more: Any) -> Parts:
    """The parts of a source file of this kind."""
    document = {
        "source": {"type": kind, "url": url, **more},
        "format": {"type": FORMATS[kind]},
        "personal_data": "none",
    }
    file = load_mapping(document)
    return Parts(file.build_source(client), file.format)


def client(**limits: Any) -> Client:
    """A client that may reach loopback, in a hurry."""
    settings = {"backoff": 0.0, "attempts": 1, "read": 1.0, "total": 1.0, **limits}
    return Client(allow_networks=[LOOPBACK], limits=Limits(**settings), sleep=lambda _: None)


def misbehave(site: Site, handler: Callable[[BaseHTTPRequestHandler], Answer | None]) -> None:
    """From now on every address of the site is answered so."""
    site.routes.clear()
    site.posts.clear()
    site.routes["*"] = handler


def fixed(
    body: bytes, kind: str, status: int = 200, **headers: str
) -> Callable[[BaseHTTPRequestHandler], Answer]:
    """One answer to all."""
    sent = {"Content-Type": MEDIA[kind], **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda _: (status, sent, body)


def struck(
    site: Site, kind: str, handler: Callable[[BaseHTTPRequestHandler], Answer | None], **limits: Any
) -> RunReport:
    """A good run, then one of the fault: nothing may be lost, and it must end soon."""
    catalogue = MemoryCatalogue()
    url = good(site, kind)
    with client() as first:
        made = parts(kind, url, first)
        assert harvest(made.source, made.format, [], catalogue).added == 2
    misbehave(site, handler)
    began = time.monotonic()
    with client(**limits) as second:
        made = parts(kind, url, second)
        report = harvest(made.source, made.format, [], catalogue)
    assert time.monotonic() - began < SLOWEST
    assert report.error
    assert (report.complete, report.writes, len(catalogue.entries)) == (False, 0, 2)
    return report


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_server_in_trouble_may_come_back(site: Site, kind: str, status: int) -> None:
    """429 and 5xx end the run as one that may be tried again; its wish to wait is passed on."""
    report = struck(site, kind, fixed(b"", kind, status, Retry_After="3600"))
    assert (report.retriable, report.retry_after) == (True, 3600.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_refusal_is_final(site: Site, kind: str, status: int) -> None:
    """A refusal is told as it is."""
    report = struck(site, kind, fixed(b"", kind, status))
    assert (report.retriable, f"HTTP {status}" in str(report.error)) == (False, True)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize("kind", SOURCES)
def test_a_body_that_breaks_off(site: Site, kind: str) -> None:
    """A connection that ends in the middle of the body is no short catalogue."""
    assert struck(site, kind, raw(HEAD % MEDIA[kind].encode(), b"{" * 100)).retriable


@pytest.mark.parametrize("kind", SOURCES)
def test_a_server_that_drips(site: Site, kind: str) -> None:
    """A byte now and then keeps no worker."""
    drip = raw(HEAD % MEDIA[kind].encode(), *([b"<"] * 40), pause=0.2)
    assert struck(site, kind, drip, total=0.6).retriable


@pytest.mark.parametrize("kind", SOURCES)
def test_a_silent_server(site: Site, kind: str) -> None:
    """Nothing at all keeps no worker."""
    assert struck(site, kind, raw(b"", pause=2.0), total=0.6, read=0.3).retriable


@pytest.mark.parametrize("kind", SOURCES)
def test_a_compression_bomb(site: Site, kind: str) -> None:
    """Fifty megabytes in fifty kilobytes are not unfolded."""
    bomb = gzip.compress(b" " * 50_000_000)
    report = struck(site, kind, fixed(bomb, kind, Content_Encoding="gzip"), decoded_bytes=1_000_000)
    assert "unfolds to more" in str(report.error)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_body_without_end(site: Site, kind: str) -> None:
    """More bytes than allowed are not read."""
    report = struck(site, kind, fixed(b" " * 2_000_000, kind), wire_bytes=100_000)
    assert "more than" in str(report.error) or "larger" in str(report.error)


BOMBS: dict[str, bytes] = {
    "html": b"<!DOCTYPE html><html><body>Maintenance</body></html>",
    "lone html": b"<html><head></head></html>",
    "empty": b"",
    "nothing": b"\n\n",
    "doctype": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "external entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
    "laughs": b"<!DOCTYPE a ["
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha" * 50) for n in range(9))
    + b"]><a>&l8;</a>",
    "deep xml": b"<a>" * 50_000 + b"</a>" * 50_000,
    "deep json": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep list": b"[" * 50_000 + b"]" * 50_000,
    "many attributes": b"<a " + b" ".join(b'x%d="1"' % n for n in range(20_000)) + b"/>",
    "latin-1 as utf-8": '<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode("latin-1"),
    "json in latin-1": '{"é": 1}'.encode("latin-1"),
    "utf-16 without a word": "<a/>".encode("utf-16-le"),
    "zeros": b"\x00" * 10_000,
    "zip": b"PK\x03\x04" + b"\x00" * 1000,
    "truncated xml": b'<?xml version="1.0"?><a><b>',
    "truncated json": b'{"a": [1, 2',
    "remote context": b'{"@context": "http://127.0.0.2:9/context", "@graph": []}',
    "huge number": b'{"a": ' + b"9" * 100_000 + b"}",
    "not a number": b'{"success": true, "result": {"count": NaN, "results": []}}x',
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("kind", SOURCES)
def test_bad_documents(site: Site, kind: str, bomb: str) -> None:
    """Each is refused with a reason in words, soon, and costs nothing that is there."""
    report = struck(site, kind, fixed(BOMBS[bomb], kind))
    assert "unexpected" not in str(report.error)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", SOURCES)
def test_own_machine_is_out_of_reach(trap: Site, kind: str, spelling: str) -> None:
    """However loopback is written as the source's address, nothing connects to it."""
    with Client() as strict:
        made = parts(kind, spelling.format(port=trap.server.server_port), strict)
        report = harvest(made.source, made.format, [], MemoryCatalogue())
    assert report.error
    assert trap.connections == 0


@pytest.mark.parametrize("spelling", SPELLINGS[:-2])
@pytest.mark.parametrize("kind", SOURCES)
def test_no_redirect_leads_there(site: Site, trap: Site, kind: str, spelling: str) -> None:
    """Nor when an allowed server sends us there."""
    there = spelling.format(port=trap.server.server_port)
    url = good(site, kind)
    misbehave(site, fixed(b"", kind, 302, Location=there))
    with Client(allow_networks=["127.0.0.1/32"]) as strict:
        made = parts(kind, url, strict)
        report = harvest(made.source, made.format, [], MemoryCatalogue())
    assert report.error
    assert trap.connections == 0


@pytest.mark.parametrize(
    "address",
    ["127.0.0.2", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fd00::1", "64:ff9b::7f00:2"],
)
@pytest.mark.parametrize("kind", SOURCES)
def test_no_name_leads_there(trap: Site, kind: str, address: str) -> None:
    """Nor by a public name that resolves to a private address."""
    with Client(resolver=lambda *_: [address]) as strict:
        made = parts(kind, f"http://data.example.org:{trap.server.server_port}/", strict)
        report = harvest(made.source, made.format, [], MemoryCatalogue())
    assert "not a public address" in str(report.error)
    assert trap.connections == 0


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://x.fr/a", "gopher://x.fr/", "/etc/hostname", "", "http://"]
)
@pytest.mark.parametrize("kind", SOURCES)
def test_other_schemes(kind: str, url: str) -> None:
    """Only http and https, and never a file."""
    with Client() as strict:
        made = parts(kind, url, strict)
        report = harvest(made.source, made.format, [], MemoryCatalogue())
    assert report.error
    assert "unexpected" not in report.error
