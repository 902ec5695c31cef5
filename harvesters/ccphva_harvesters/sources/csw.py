"""CSW 2.0.2 catalogues: GetRecords page by page, by POST or GET, as ISO 19139 or DCAT.

Standards: OGC 07-006r1 §10.8 (GetRecords), 07-045 (ISO profile). What servers do in practice is expected:
pages smaller than asked, counts that lie, ``nextRecord`` that is 0, absent or wrong, exceptions with HTTP
200, pages that fail when they are big. The address of the source file is the one asked, never one that the
capabilities name.

Imports only ``errors``, ``http``, ``model``, ``rdf``, ``xmldoc`` and ``sources.dcat`` (what a DCAT record
is).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape, quoteattr

import msgspec

from ccphva_harvesters import rdf, xmldoc
from ccphva_harvesters.errors import ParseError, RetriableError, SourceError, TooLargeError
from ccphva_harvesters.http import Client, Response
from ccphva_harvesters.model import Record
from ccphva_harvesters.xmldoc import Element

from .dcat import dataset_nodes, record_of

CSW = "http://www.opengis.net/cat/csw/2.0.2"
SCHEMAS = {"iso": "http://www.isotc211.org/2005/gmd", "dcat": "http://www.w3.org/ns/dcat#"}
_METADATA = ("MD_Metadata", "CHE_MD_Metadata", "MI_Metadata")
_BARREN_PAGES = 3
_SMALLER = 2
"""How often pages may be made smaller in a run: a server that is down must not be asked for ever."""
_ACCEPT = "application/xml, text/xml;q=0.9, */*;q=0.1"


class CswConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: csw``."""

    url: str
    """Address of the service."""
    schema: Literal["iso", "dcat"] = "iso"
    """Output schema to ask for; the format must fit (``iso19139`` or ``dcat-ap``)."""
    output_schema: str | None = None
    """Its URI, when the server has another one for it."""
    method: Literal["auto", "post", "get"] = "auto"
    """How to ask; auto posts, and falls back to GET when the server refuses POST."""
    type_names: str = "csw:Record"
    page_size: int = 50
    """Records to ask for at once; halved when a page fails."""
    cql: str | None = None
    """CQL filter, when only some records are wanted."""
    sort_by: str | None = None
    """Property to sort by, as ``dc:identifier``, where the server's order changes between pages."""
    exact: bool = True
    """Read fewer records than the server counts is an incomplete read, which withdraws nothing; false
    trusts the end of the pages instead."""
    max_records: int = 1_000_000
    headers: dict[str, str] = {}


class Page(NamedTuple):
    """One answer to GetRecords."""

    elements: list[Element]
    """Records as they are: MD_Metadata elements, or one rdf:RDF."""
    records: int
    """Number of records on the page, counted and not as told."""
    matched: int | None
    next: int | None


class CswSource:
    """Source of ISO 19139 or DCAT records of a CSW."""

    Config = CswConfig

    def __init__(
        self,
        config: CswConfig,
        client: Client,
        *,
        etag: str | None = None,  # noqa: ARG002  (a search has no validators)
        last_modified: str | None = None,  # noqa: ARG002
    ) -> None:
        self.config = config
        self.client = client
        self.posts = config.method != "get"
        self.answered = False
        """True when a page came by POST: later faults of the server are no refusal of the method."""

    def check(self) -> str:
        """Read the capabilities and ask for one record."""
        root = self._answer(
            self.client.get(self._address(_CAPABILITIES), accept=_ACCEPT, headers=self.config.headers)
        )
        if xmldoc.name(root) != "Capabilities":
            raise ParseError(self.config.url, f"it answers {xmldoc.name(root)!r}, not CSW capabilities")
        title = next((text for e in xmldoc.descendants(root, "Title") if (text := xmldoc.text(e))), "CSW")
        page = self._page(1, 1)
        return f"{title}: {'?' if page.matched is None else page.matched} records"

    def records(self) -> Iterator[Record]:
        """One record a metadata record, page by page; each identifier once."""
        seen: set[str] = set()
        position, size, barren, smaller = 1, max(1, self.config.page_size), 0, _SMALLER
        while True:
            try:
                page = self._page(position, size)
            except (RetriableError, TooLargeError):
                if size == 1 or not smaller:
                    raise
                size, smaller = max(1, size // 4), smaller - 1  # the same place again, with less at once
                continue
            fresh = [record for record in self._records(page) if record.id not in seen]
            seen.update(record.id for record in fresh)
            yield from fresh
            barren = 0 if fresh else barren + 1
            if barren >= _BARREN_PAGES:
                raise TooLargeError(self.config.url, f"its last {barren} pages brought nothing new")
            if len(seen) > self.config.max_records:
                raise TooLargeError(self.config.url, f"it has more than {self.config.max_records} records")
            after = _next(page, position, size)
            if after is None:
                self._check_count(page, len(seen))
                return
            position = after

    def _check_count(self, page: Page, read: int) -> None:
        if self.config.exact and page.matched is not None and read < page.matched:
            raise SourceError(
                self.config.url, f"it counts {page.matched} records and gave {read}; see the key exact"
            )

    def _records(self, page: Page) -> Iterator[Record]:
        for element in page.elements:
            if xmldoc.name(element) == "RDF":
                yield from self._rdf(element)
            else:
                yield self._iso(element)

    def _iso(self, element: Element) -> Record:
        print_ = xmldoc.digest(element)
        guid = _identifier(element)
        name = guid or f"sha256:{print_}"
        return Record(
            id=name,
            guid=name,
            content=element,
            url=self._address({**_BY_ID, "id": guid, "outputSchema": self._schema}) if guid else None,
            media_type="application/xml",
            fingerprint=print_,
        )

    def _rdf(self, element: Element) -> Iterator[Record]:
        graph = rdf.parse(xmldoc.written(element), "xml", self.config.url)
        for node in dataset_nodes(graph):
            yield record_of(graph, node)

    # -- asking ------------------------------------------------------------------------------------------

    @property
    def _schema(self) -> str:
        return self.config.output_schema or SCHEMAS[self.config.schema]

    def _page(self, position: int, size: int) -> Page:
        if self.posts:
            try:
                page = self._read(self._post(position, size))
                self.answered = True
                return page
            except (SourceError, RetriableError):
                if self.config.method == "post" or self.answered:
                    raise
            page = self._read(self._get(position, size))  # its error is the one to tell
            self.posts = False
            return page
        return self._read(self._get(position, size))

    def _post(self, position: int, size: int) -> Response:
        return self.client.send(
            "POST",
            self.config.url,
            self._request(position, size).encode(),
            accept=_ACCEPT,
            headers={"Content-Type": "application/xml", **self.config.headers},
        )

    def _get(self, position: int, size: int) -> Response:
        asked = {
            "service": "CSW",
            "version": "2.0.2",
            "request": "GetRecords",
            "typeNames": self.config.type_names,
            "resultType": "results",
            "elementSetName": "full",
            "outputSchema": self._schema,
            "startPosition": str(position),
            "maxRecords": str(size),
        }
        if self.config.cql:
            asked |= {"constraintLanguage": "CQL_TEXT", "constraint_language_version": "1.1.0"}
            asked["constraint"] = self.config.cql
        if self.config.sort_by:
            asked["sortBy"] = f"{self.config.sort_by}:A"
        return self.client.get(self._address(asked), accept=_ACCEPT, headers=self.config.headers)

    def _request(self, position: int, size: int) -> str:
        """The GetRecords document (07-006r1 §10.8.2)."""
        constraint = sort = ""
        if self.config.cql:
            text = f"<csw:CqlText>{escape(self.config.cql)}</csw:CqlText>"
            constraint = f'<csw:Constraint version="1.1.0">{text}</csw:Constraint>'
        if self.config.sort_by:
            name = f"<ogc:PropertyName>{escape(self.config.sort_by)}</ogc:PropertyName>"
            prop = f"<ogc:SortProperty>{name}<ogc:SortOrder>ASC</ogc:SortOrder></ogc:SortProperty>"
            sort = f"<ogc:SortBy>{prop}</ogc:SortBy>"
        return (
            f'<csw:GetRecords xmlns:csw="{CSW}" xmlns:ogc="http://www.opengis.net/ogc" '
            'xmlns:gmd="http://www.isotc211.org/2005/gmd" service="CSW" version="2.0.2" resultType="results" '
            f'outputFormat="application/xml" outputSchema={quoteattr(self._schema)} '
            f'startPosition="{position}" maxRecords="{size}">'
            f"<csw:Query typeNames={quoteattr(self.config.type_names)}>"
            f"<csw:ElementSetName>full</csw:ElementSetName>{constraint}{sort}</csw:Query></csw:GetRecords>"
        )

    def _address(self, asked: dict[str, str]) -> str:
        """The service's address with parameters added; those of its own stay, but the protocol's."""
        parts = urlsplit(self.config.url)
        own = [p for p in parts.query.split("&") if p and p.partition("=")[0].lower() not in _PROTOCOL]
        return urlunsplit(parts._replace(query="&".join([*own, urlencode(asked)])))

    # -- reading -----------------------------------------------------------------------------------------

    def _answer(self, response: Response) -> Element:
        root = xmldoc.parse(response.body, response.url)
        if xmldoc.name(root) in ("ExceptionReport", "ServiceExceptionReport"):
            raise SourceError(self.config.url, f"the service says: {_exception(root)}")
        if xmldoc.name(root) == "Envelope":
            raise SourceError(self.config.url, "the service answers SOAP, which was not asked for")
        return root

    def _read(self, response: Response) -> Page:
        root = self._answer(response)
        if xmldoc.name(root) != "GetRecordsResponse":
            raise ParseError(self.config.url, f"it answers {xmldoc.name(root)!r}, not GetRecordsResponse")
        results = next(xmldoc.descendants(root, "SearchResults"), None)
        if results is None:
            raise ParseError(self.config.url, "its GetRecordsResponse has no SearchResults")
        elements = xmldoc.children(results)
        names = {xmldoc.name(element) for element in elements}
        wanted = {"RDF"} if self.config.schema == "dcat" else set(_METADATA)
        if names - wanted - {"RDF"} - set(_METADATA):
            found = ", ".join(sorted(names))
            raise SourceError(
                self.config.url, f"it gives {found}, not the schema that was asked for ({self._schema})"
            )
        count = sum(_records_in(element) for element in elements)
        return Page(
            elements,
            count,
            _number(results.get("numberOfRecordsMatched")),
            _number(results.get("nextRecord")),
        )


_CAPABILITIES = {"service": "CSW", "version": "2.0.2", "request": "GetCapabilities"}
_BY_ID = {"service": "CSW", "version": "2.0.2", "request": "GetRecordById", "elementSetName": "full"}
_PROTOCOL = frozenset({"service", "version", "request", "acceptversions"})


def _next(page: Page, position: int, size: int) -> int | None:
    """Where the next page begins, or None at the end.

    The server's ``nextRecord`` counts only when it leads onward and not past what was asked for; else the
    records themselves are counted. 0 or none before the counted end is not believed.
    """
    if page.records == 0:
        return None
    told = page.next
    after = told if told is not None and position < told <= position + size else position + page.records
    if page.matched is None:
        return after if told or (told is None and page.records >= size) else None
    return after if after <= page.matched else None


def _records_in(element: Element) -> int:
    """Number of records that an element stands for: in RDF, that of its datasets."""
    if xmldoc.name(element) != "RDF":
        return 1
    described = [{xmldoc.name(child), *_types(child)} for child in xmldoc.children(element)]
    return max(1, sum(1 for types in described if types & {"Dataset", "DatasetSeries", "DataService"}))


def _types(element: Element) -> set[str]:
    """Local names of the rdf:type of an rdf:Description."""
    found = [child.attrib for child in xmldoc.children(element) if xmldoc.name(child) == "type"]
    return {str(value).rpartition("#")[2] for attributes in found for value in attributes.values()}


def _identifier(element: Element) -> str | None:
    """fileIdentifier, or metadataIdentifier's code in ISO 19115-3."""
    for child in xmldoc.children(element):
        if xmldoc.name(child) == "fileIdentifier":
            return xmldoc.text(child) or None
        if xmldoc.name(child) == "metadataIdentifier":
            return next((text for e in xmldoc.descendants(child, "code") if (text := xmldoc.text(e))), None)
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() else None


def _exception(root: Element) -> str:
    """Code and words of an OWS exception (06-121r3 §8)."""
    said: list[str] = []
    for exception in xmldoc.descendants(root, "Exception", "ServiceException"):
        code = exception.get("exceptionCode") or exception.get("code") or ""
        locator = exception.get("locator") or ""
        said.append(
            " ".join(part for part in (code, locator, " ".join(xmldoc.text(exception).split())) if part)
        )
    return "; ".join(said)[:500] or "an exception without words"
