"""DCAT catalogues over HTTP, in every RDF syntax, with Hydra paging.

Standards: DCAT 3 §6 (catalogues, datasets, series), Hydra Core §5 (``hydra:PartialCollectionView``,
``hydra:next``) and its older ``PagedCollection`` with ``nextPage``, which data portals still serve. One
record a dataset or dataset series; each page is read, given out and forgotten.

Imports only ``errors``, ``http``, ``model`` and ``rdf``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as Choice
from urllib.parse import urljoin

import msgspec
from rdflib import Literal, URIRef

from ccphva_harvesters import rdf
from ccphva_harvesters.errors import FatalError, NotModifiedError, PageLoopError, ParseError, TooLargeError
from ccphva_harvesters.http import Client, Response, same_server
from ccphva_harvesters.model import Record

DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
CATALOGS = (DCAT + "Catalog", DCAT + "Catalogue")
_NEXT = (HYDRA + "next", HYDRA + "nextPage")
_BARREN_PAGES = 5
_VIEWS = (HYDRA + "PartialCollectionView", HYDRA + "PagedCollection")


class DcatConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: dcat``."""

    url: str
    """Address of the catalogue document."""
    syntax: Choice["xml", "turtle", "json-ld", "nt", "n3", "trig", "nquads"] | None = None
    """RDF syntax when the server names it wrongly."""
    base: str | None = None
    """Base for relative addresses; the document's own address otherwise."""
    catalogs: bool = False
    """Read also the catalogues that this one names with ``dcat:catalog`` and does not describe itself."""
    max_pages: int = 10_000
    headers: dict[str, str] = {}


class DcatSource:
    """Source of DCAT records. After a full read of a single document ``etag`` and ``last_modified`` hold its
    validators for the next run."""

    Config = DcatConfig

    def __init__(
        self, config: DcatConfig, client: Client, *, etag: str | None = None, last_modified: str | None = None
    ) -> None:
        self.config = config
        self.client = client
        self.etag = etag
        self.last_modified = last_modified

    def check(self) -> str:
        """Read the first page and count what it holds."""
        response = self._get(self.config.url)
        graph = self._parse(response)
        nodes = dataset_nodes(graph)
        more = " and more pages" if _next_page(graph, response.url) else ""
        return f"{len(nodes)} datasets on the first page{more}, {graph.size} triples"

    def records(self) -> Iterator[Record]:
        """One record a dataset, page by page."""
        waiting = [self.config.url]
        seen: set[str] = set()
        guids: set[str] = set()
        barren = pages = 0
        while waiting:
            url = waiting.pop(0)
            if pages >= self.config.max_pages:
                raise TooLargeError(self.config.url, f"it has more than {self.config.max_pages} pages")
            seen.add(url)
            response = self._get(url, self.etag, self.last_modified) if not pages else self._get(url)
            if response.not_modified:
                raise NotModifiedError(url)
            seen.add(response.url)
            graph = self._parse(response)
            after = _next_page(graph, response.url)
            if after is not None and after in seen:
                raise PageLoopError(url, after)
            others = _other_catalogs(graph, response.url) if self.config.catalogs else []
            waiting[:0] = [after] if after is not None else []
            waiting += [other for other in others if other not in seen and other not in waiting]
            if not pages:
                alone = not waiting
                self.etag = response.etag if alone else None
                self.last_modified = response.last_modified if alone else None
            pages += 1
            nodes = dataset_nodes(graph)
            fresh = [node for node in nodes if guid_of(graph, node) not in guids]
            barren = 0 if fresh or after is None else barren + 1
            if barren > _BARREN_PAGES:
                raise TooLargeError(url, f"its last {barren} pages brought nothing new")
            for node in nodes:
                record = record_of(graph, node)
                guids.add(record.id)
                yield record

    def _get(self, url: str, etag: str | None = None, last_modified: str | None = None) -> Response:
        headers = self.config.headers if same_server(url, self.config.url) else {}  # they may be secrets
        return self.client.get(
            url, accept=rdf.ACCEPT, headers=headers, etag=etag, last_modified=last_modified
        )

    def _parse(self, response: Response) -> rdf.Graph:
        syntax = self.config.syntax or rdf.detect(response.body, response.media_type, response.url)
        try:
            graph = rdf.parse(response.body, syntax, self.config.base or response.url)
        except FatalError:
            raise
        if not graph.size:
            raise ParseError(response.url, "the document says nothing (0 triples)")
        return graph


def dataset_nodes(graph: rdf.Graph) -> list[rdf.Term]:
    """Datasets and series of a graph, and services that have an address of their own.

    What is also a catalogue is a catalogue (DCAT 3 §6.3); a service that a distribution names belongs to that
    distribution, unless the catalogue lists it.
    """
    catalogs = set(graph.typed(*CATALOGS))
    found = graph.typed(DCAT + "Dataset", DCAT + "DatasetSeries")
    services = [
        node
        for node in graph.typed(DCAT + "DataService")
        if isinstance(node, URIRef)
        and (graph.subjects(DCAT + "service", node) or not graph.subjects(DCAT + "accessService", node))
    ]
    return [node for node in dict.fromkeys([*found, *services]) if node not in catalogs]


def record_of(graph: rdf.Graph, node: rdf.Term) -> Record:
    """The record of one dataset: its node, under its guid."""
    guid = guid_of(graph, node)
    return Record(
        id=guid,
        guid=guid,
        content=rdf.Node(graph, node),
        url=_page_of(graph, node),
        fingerprint=graph.digest(node),
    )


def guid_of(graph: rdf.Graph, node: rdf.Term) -> str:
    """Stable key: the URI, for a blank node its identifier, else a hash of all that is said of it."""
    if isinstance(node, URIRef):
        return str(node)
    identifiers = sorted(str(o).strip() for o in graph.objects(node, DCT + "identifier") if str(o).strip())
    return identifiers[0] if identifiers else f"sha256:{graph.digest(node)}"


def _page_of(graph: rdf.Graph, node: rdf.Term) -> str | None:
    pages = sorted(str(o) for o in graph.objects(node, DCAT + "landingPage") if str(o).startswith("http"))
    if pages:
        return pages[0]
    return str(node) if isinstance(node, URIRef) and str(node).startswith("http") else None


def _other_catalogs(graph: rdf.Graph, url: str) -> list[str]:
    """Addresses of catalogues that this document only names (DCAT 3 §6.3.1, ``dcat:catalog``)."""
    found: list[str] = []
    for subject, predicate, value in graph.triples():
        if predicate not in (DCAT + "catalog", DCT + "hasPart") or not isinstance(value, URIRef):
            continue
        if predicate == DCT + "hasPart" and subject not in graph.typed(*CATALOGS):
            continue
        address = urljoin(url, str(value))
        described = any(graph.objects(value, DCAT + part) for part in ("dataset", "service", "record"))
        if not described and address.startswith(("http://", "https://")) and address not in found:
            found.append(address)
    return found


def _next_page(graph: rdf.Graph, url: str) -> str | None:
    """Address of the next page, if the document speaks of one."""
    views = graph.typed(*_VIEWS) or [s for s, p, _ in graph.triples() if p in _NEXT]
    for view in views:
        for predicate in _NEXT:
            for target in graph.objects(view, predicate):
                if isinstance(target, (URIRef, Literal)) and str(target).strip():
                    return urljoin(url, str(target).strip())
    return None
