"""OGC API Features: each collection is a dataset, its features a table with their geometry.

Standards: Part 1 Core (17-069r4) §7.13–7.16 for collections, items and ``next`` links; Part 2 (18-058r1)
§6.2 for ``Content-Crs``. Servers that name a next page already read, or pages without end, are stopped.

Imports only ``errors``, ``geometry``, ``http``, ``model``, ``projection`` and the modules beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

from ccphva_harvesters import geometry
from ccphva_harvesters.errors import FatalError, PageLoopError, ParseError, SourceError, TooLargeError
from ccphva_harvesters.http import Client, Response
from ccphva_harvesters.model import ColumnType, Record, Row, Table
from ccphva_harvesters.projection import CRS84, Axis, Extent, Projection, ProjectionError, extent_of
from ccphva_harvesters.sources import _described, _features
from ccphva_harvesters.sources._described import json_of, listing, mapping

_JSON, _GEOJSON = "application/json", "application/geo+json, application/json;q=0.8"
_TYPES: dict[str, ColumnType] = {"integer": "integer", "number": "number", "boolean": "boolean"}
_FORMATS: dict[str, ColumnType] = {"date": "date", "date-time": "timestamp"}


class FeaturesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: ogcapi-features``."""

    url: str
    """Address of the landing page."""
    collections: tuple[str, ...] = ()
    """Only these; all of type feature without any."""
    bbox: tuple[float, float, float, float] | None = None
    """Only features in this box: west, south, east, north."""
    crs: str | None = None
    """Reference system to ask for (Part 2), when the server's CRS84 is not good; stored is WGS 84 anyway."""
    axis: Axis = "auto"
    page_size: int = 1000
    max_pages: int = 10_000
    rows: bool = True
    """Bring the features too, not only the description."""
    language: str = "fr"
    headers: dict[str, str] = {}
    """More request headers; a link to another host does not take them along."""


class _Collection(msgspec.Struct, frozen=True):
    id: str
    items: str
    extent: Extent | None


class FeaturesSource:
    """Collections of one server."""

    Config = FeaturesConfig

    def __init__(self, config: FeaturesConfig, client: Client, **_state: Any) -> None:
        self.config, self.client = config, client
        self._collections: dict[str, _Collection] = {}

    def check(self) -> str:
        """Read the list of collections."""
        found = self._listed()
        return f"{len(found)} collections: {', '.join(str(one.get('id')) for one in found[:10])}"

    def records(self) -> Iterator[Record]:
        """One record a collection."""
        self._collections = {}
        for one in self._listed():
            yield self._record(one)

    def _listed(self) -> list[dict[str, Any]]:
        """Descriptions of the wanted collections; the list may have pages too."""
        found: dict[str, dict[str, Any]] = {}
        for _, page in self._pages(f"{self.config.url.rstrip('/')}/collections", "collections", _JSON):
            for one in listing(page.get("collections")):
                described = mapping(one)
                id_ = described.get("id")
                if isinstance(id_, str) and described.get("itemType", "feature") == "feature":
                    found[id_] = described
        missing = [name for name in self.config.collections if name not in found]
        if missing:
            raise SourceError(self.config.url, f"it has no collection {missing[0]!r}")
        return [found[id_] for id_ in self.config.collections or found]

    def _record(self, one: dict[str, Any]) -> Record:
        id_ = str(one["id"])
        base = f"{self.config.url.rstrip('/')}/collections/{quote(id_, safe='')}"
        spatial = mapping(mapping(one.get("extent")).get("spatial"))
        extent = extent_of(next(iter(listing(spatial.get("bbox"))), None))
        tables: list[Table] = []
        if self.config.rows:
            tables.append(self._table(id_, base, one, extent))
        dataset = _described.dataset(
            base,
            str(one.get("title") or id_),
            tables,
            language=self.config.language,
            notes=str(one.get("description") or ""),
            keywords=[str(word) for word in listing(one.get("keywords"))],
            bbox=geometry.bbox(*extent) if extent else None,
        )
        return _described.record(dataset, base)

    def _table(self, id_: str, base: str, one: dict[str, Any], extent: Extent | None) -> Table:
        address = _link(one, "items", base) or f"{base}/items"
        items = _with(address, limit=str(self.config.page_size), **self._query())
        response = self._get(items, _GEOJSON)
        first = listing(self._object(response).get("features"))
        self._collections[base] = _Collection(id_, items, extent)
        types, titles = self._schema(one, base)
        return Table(
            id=base,
            title=str(one.get("title") or id_),
            columns=_features.columns_of([mapping(f) for f in first], types, titles),
            key=(_features.ID,),
            mode="replace",
            geometry=_features.GEOMETRY,
            source_crs=self.config.crs or CRS84,
        )

    def _query(self) -> dict[str, str]:
        query: dict[str, str] = {}
        if self.config.bbox:
            query["bbox"] = ",".join(f"{number:g}" for number in self.config.bbox)
        if self.config.crs:
            query["crs"] = self.config.crs
        return query

    def _schema(self, one: dict[str, Any], base: str) -> tuple[dict[str, ColumnType], dict[str, str]]:
        """Types and titles of properties from the schema or the queryables, where the server has them."""
        for rel in (
            "http://www.opengis.net/def/rel/ogc/1.0/schema",
            "http://www.opengis.net/def/rel/ogc/1.0/queryables",
        ):
            address = _link(one, rel, base)
            if address is None:
                continue
            try:
                properties = mapping(
                    self._object(self._get(address, "application/schema+json")).get("properties")
                )
            except SourceError:
                continue
            described = {name: mapping(p) for name, p in properties.items() if "$ref" not in mapping(p)}
            plain = {name: p for name, p in described.items() if "geometry" not in str(p.get("format"))}
            types: dict[str, ColumnType] = {}
            for name, p in plain.items():
                type_ = _FORMATS.get(str(p.get("format"))) or _TYPES.get(str(p.get("type")))
                if type_ is not None and name != "id":
                    types[name] = type_
            return types, {name: str(p["title"]) for name, p in plain.items() if p.get("title")}
        return {}, {}

    # -- rows ------------------------------------------------------------------------------------------------

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:  # noqa: ARG002  (replaced as a whole)
        """All features of a collection."""
        collection = self._collections.get(table.id)
        if collection is None:
            raise FatalError(f"{table.id} was not described by this run")
        at = 0
        matched: Any = None
        place: Projection | None = None
        seen: set[str] = set()
        for response, page in self._pages(collection.items, "features", _GEOJSON):
            matched = page.get("numberMatched", matched)
            place = place or self._place(response, page, collection)
            for feature in listing(page.get("features")):
                at += 1
                row = _features.row_of(feature, place, at)
                if row.values[_features.ID] in seen:
                    row = msgspec.structs.replace(row, problem="its identifier came before")
                seen.add(row.values[_features.ID])
                yield row
        if isinstance(matched, int) and at < matched and not self.config.bbox:
            raise SourceError(collection.items, f"it gave {at} of the {matched} features it speaks of")

    def _place(self, response: Response, page: dict[str, Any], collection: _Collection) -> Projection:
        """Reference system of an answer: its header, a ``crs`` member of old GeoJSON, else CRS84."""
        old = mapping(mapping(page.get("crs")).get("properties")).get("name")
        crs = response.headers.get("content-crs") or old or CRS84
        try:
            return Projection(str(crs), self.config.axis, collection.extent)
        except ProjectionError as exc:
            raise ParseError(response.url, str(exc)) from None

    def _pages(self, url: str, what: str, accept: str) -> Iterator[tuple[Response, dict[str, Any]]]:
        """Answers by their ``next`` links."""
        following: str | None = url
        seen: set[str] = set()
        while following is not None:
            if len(seen) >= self.config.max_pages:
                raise TooLargeError(url, f"it has more than {self.config.max_pages} pages")
            seen.add(following)
            response = self._get(following, accept)
            page = self._object(response)
            if not isinstance(page.get(what), list):
                raise ParseError(response.url, f"its JSON has no list {what!r}")
            after = _link(page, "next", response.url)
            if after is not None and after in seen:
                raise PageLoopError(following, after)
            yield response, page
            if after is not None and not page[what]:
                raise TooLargeError(following, "an empty page names a next one")
            following = after

    def _get(self, url: str, accept: str) -> Response:
        ours = urlsplit(url)[:2] == urlsplit(self.config.url)[:2]
        return self.client.get(url, accept=accept, headers=self.config.headers if ours else {})

    def _object(self, response: Response) -> dict[str, Any]:
        value = json_of(response)
        if not isinstance(value, dict):
            raise ParseError(response.url, "its JSON is no object")
        return mapping(value)


def _link(thing: Mapping[str, Any], rel: str, base: str) -> str | None:
    """Address of a link; one to JSON is preferred."""
    links = [mapping(link) for link in listing(thing.get("links"))]
    found = [link for link in links if link.get("rel") == rel and isinstance(link.get("href"), str)]
    for kind in ("geo+json", "json", ""):
        for link in found:
            if kind in str(link.get("type") or "json"):
                return urljoin(base, str(link["href"]))
    return None


def _with(url: str, **query: str) -> str:
    """``url`` with these parameters in place of its own of the same names."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in query]
    return urlunsplit(parts._replace(query=urlencode([*kept, *query.items()])))
