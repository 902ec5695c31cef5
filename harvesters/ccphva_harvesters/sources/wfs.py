"""WFS 2.0, 1.1 and 1.0: each feature type is a dataset, its features a table with their geometry.

Standards: WFS 2.0 (09-025r2) §7.6–7.9 for paging and hits, OWS Common (06-121r9) §8 for exceptions, which
come with 200 too. GeoJSON where the server offers it, else GML by GDAL. Servers that ignore ``startIndex``
are found out.

Imports only ``errors``, ``geometry``, ``http``, ``model``, ``projection``, ``xml`` and the modules beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from ccphva_harvesters import geometry, xml
from ccphva_harvesters.errors import (
    ConfigError,
    FatalError,
    HarvestError,
    ParseError,
    SourceError,
    TooLargeError,
)
from ccphva_harvesters.http import Client, Response
from ccphva_harvesters.model import ColumnType, Record, Row, Table
from ccphva_harvesters.projection import Axis, Extent, Projection, ProjectionError, code_of, extent_of
from ccphva_harvesters.sources import _described, _features, _gml
from ccphva_harvesters.sources._described import json_of, listing, mapping

_VERSIONS = ("2.0.0", "1.1.0", "1.0.0")
_JSON_NAMES = ("application/json", "json", "geojson", "application/geo+json", "application/vnd.geo+json")
_TYPES: dict[str, ColumnType] = {
    **dict.fromkeys(
        ("int", "integer", "long", "short", "byte", "nonNegativeInteger", "positiveInteger"), "integer"
    ),
    **dict.fromkeys(("double", "float", "decimal"), "number"),
    "boolean": "boolean",
    "date": "date",
    "dateTime": "timestamp",
    "string": "text",
}  # type: ignore[reportAssignmentType]


class WfsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: wfs``."""

    url: str
    """Address of the service, with or without a query of its own."""
    types: tuple[str, ...] = ()
    """Only these feature types; all without any."""
    version: Literal["2.0.0", "1.1.0", "1.0.0"] | None = None
    """Only this version; else the newest that the server speaks."""
    bbox: tuple[float, float, float, float] | None = None
    """Only features in this box: west, south, east, north."""
    srs: str | None = None
    """Reference system to ask for (``srsName``); stored is WGS 84 anyway."""
    axis: Axis = "auto"
    gml: bool = False
    """Ask for GML although the server offers GeoJSON."""
    page_size: int = 1000
    max_pages: int = 10_000
    rows: bool = True
    language: str = "fr"
    headers: dict[str, str] = {}


class _Type(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    notes: str | None
    keywords: tuple[str, ...]
    crs: str
    extent: Extent | None


class _Service(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    title: str
    json: str | None
    """Name of its GeoJSON format."""
    types: dict[str, _Type]


class WfsSource:
    """Feature types of one service."""

    Config = WfsConfig

    def __init__(self, config: WfsConfig, client: Client, **_state: Any) -> None:
        self.config, self.client = config, client
        try:
            code_of(config.srs or "CRS84")
        except ProjectionError as exc:
            raise ConfigError("$.source.srs", str(exc)) from None
        self._service: _Service | None = None
        self._types: dict[str, _Type] = {}

    def check(self) -> str:
        """Read the capabilities."""
        service = self._capabilities()
        as_ = "GeoJSON" if service.json else "GML"
        return f"{service.title}: WFS {service.version}, {len(service.types)} feature types as {as_}"

    def records(self) -> Iterator[Record]:
        """One record a feature type."""
        self._service = service = self._capabilities()
        self._types = {}
        missing = [name for name in self.config.types if name not in service.types]
        if missing:
            raise SourceError(self.config.url, f"it has no feature type {missing[0]!r}")
        for name in self.config.types or service.types:
            yield self._record(service, service.types[name])

    def _record(self, service: _Service, one: _Type) -> Record:
        guid = f"{self.config.url.partition('?')[0]}#{one.name}"
        self._types[guid] = one
        tables: list[Table] = []
        if self.config.rows:
            types = self._described(service, one)
            sample = [] if types else listing(self._page(service, one, 0, 50)[1].get("features"))
            columns = _features.columns_of([mapping(f) for f in sample], types, {})
            tables.append(
                Table(
                    id=guid,
                    title=one.title,
                    columns=columns,
                    key=(_features.ID,),
                    geometry=_features.GEOMETRY,
                    source_crs=self.config.srs or one.crs,
                )
            )
        dataset = _described.dataset(
            guid, one.title, tables, language=self.config.language, notes=one.notes, keywords=one.keywords,
            bbox=geometry.bbox(*one.extent) if one.extent else None,
        )  # fmt: skip
        return _described.record(msgspec.structs.replace(dataset, uri=None), self.config.url)

    # -- what the service says of itself ---------------------------------------------------------------------

    def _capabilities(self) -> _Service:
        """Capabilities in the newest version that the server speaks."""
        versions = (self.config.version,) if self.config.version else _VERSIONS
        last: SourceError | None = None
        for version in versions:
            try:
                response = self._ask(version, request="GetCapabilities")
                return capabilities(xml.parse(response.body, response.url), response.url)
            except SourceError as exc:
                last = exc
        raise last or SourceError(self.config.url, "no version of WFS")

    def _described(self, service: _Service, one: _Type) -> dict[str, ColumnType]:
        """Column types by DescribeFeatureType; nothing where the server cannot say."""
        try:
            response = self._ask(service.version, request="DescribeFeatureType", **_names(service, one))
            root = xml.parse(response.body, response.url)
            _raise_exception(root, response.url)
        except HarvestError:
            return {}
        types: dict[str, ColumnType] = {}
        for element in root.iter("{*}element"):
            type_ = str(element.get("type") or "").rpartition(":")[2]
            if "PropertyType" not in type_ and (name := element.get("name")) and type_ in _TYPES:
                types[str(name)] = _TYPES[type_]
        return types

    # -- rows ------------------------------------------------------------------------------------------------

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:  # noqa: ARG002  (replaced as a whole)
        """All features of a type, page by page; all at once where the server knows no pages."""
        one, service = self._types.get(table.id), self._service
        if one is None or service is None:
            raise FatalError(f"{table.id} was not described by this run")
        total = self.hits(service, one)
        seen: set[str] = set()
        at = 0
        place: Projection | None = None
        prints: set[str] = set()
        size: int | None = self.config.page_size if service.version != "1.0.0" else None
        for number in range(self.config.max_pages + 1):
            if number == self.config.max_pages:
                raise TooLargeError(self.config.url, f"{one.name} has more than {number} pages")
            response, page = self._page(service, one, at if size else 0, size)
            features = listing(page.get("features"))
            print_ = _print(features)
            if features and print_ in prints:  # startIndex is ignored: one answer must hold all
                if size is None or (total is not None and at >= total):
                    return
                size, at = None, 0
                prints.clear()
                continue
            prints.add(print_)
            place = place or self._place(response, page, one)
            fresh = 0
            for feature in features:
                at += 1
                row = _features.row_of(feature, place, at)
                if row.values[_features.ID] in seen:
                    continue
                seen.add(row.values[_features.ID])
                fresh += 1
                yield row
            whole = total is not None and len(seen) >= total
            if size is None or not features or whole or (total is None and len(features) < size):
                break
        if total is not None and len(seen) < total:
            raise SourceError(
                self.config.url, f"{one.name}: it gave {len(seen)} of the {total} features it counts"
            )

    def hits(self, service: _Service, one: _Type) -> int | None:
        """Number of features by ``resultType=hits``, where the server counts (1.1 and 2.0)."""
        if service.version == "1.0.0":
            return None
        try:
            response = self._ask(
                service.version,
                request="GetFeature",
                resultType="hits",
                **_names(service, one),
                **self._bbox(service),
            )
            root = xml.parse(response.body, response.url)
            _raise_exception(root, response.url)
        except SourceError:
            return None
        said = root.get("numberMatched") or root.get("numberOfFeatures") or ""
        return int(said) if said.isdigit() else None

    def _page(
        self, service: _Service, one: _Type, start: int, size: int | None
    ) -> tuple[Response, dict[str, Any]]:
        query = {"request": "GetFeature", **_names(service, one), **self._bbox(service)}
        if size is not None:
            query["count" if service.version == "2.0.0" else "maxFeatures"] = str(size)
            if service.version != "1.0.0" and start:
                query["startIndex"] = str(start)
        if self.config.srs:
            query["srsName"] = _srs_name(self.config.srs, service.version)
        as_json = None if self.config.gml else service.json
        if as_json:
            query["outputFormat"] = as_json
        response = self._ask(service.version, **query)
        if response.body.lstrip()[:1] == b"<":
            root = xml.parse(response.body, response.url)
            _raise_exception(root, response.url)
            return response, _gml.collection(root, response)
        page = mapping(json_of(response))
        if not isinstance(page.get("features"), list):
            raise ParseError(response.url, "its JSON is no feature collection")
        return response, page

    def _place(self, response: Response, page: dict[str, Any], one: _Type) -> Projection:
        """Reference system of an answer. GeoJSON of WFS servers is x, y whatever its ``crs`` member promises;
        GML's own order was put right by its reader."""
        said = mapping(mapping(page.get("crs")).get("properties")).get("name")
        crs = str(said or self.config.srs or (one.crs if page.get("gml") else "CRS84"))
        try:
            code = code_of(crs)
            return Projection("CRS84" if code is None else f"EPSG:{code}", self.config.axis, one.extent)
        except ProjectionError as exc:
            raise ParseError(response.url, str(exc)) from None

    def _bbox(self, service: _Service) -> dict[str, str]:
        if self.config.bbox is None:
            return {}
        west, south, east, north = self.config.bbox
        if service.version == "1.0.0":
            return {"bbox": f"{west:g},{south:g},{east:g},{north:g}"}
        return {"bbox": f"{south:g},{west:g},{north:g},{east:g},urn:ogc:def:crs:EPSG::4326"}

    def _ask(self, version: str, **query: str) -> Response:
        parts = urlsplit(self.config.url)
        ours = {"service": "WFS", "version": version, **query}
        lower = {name.lower() for name in ours}
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() not in lower]
        url = urlunsplit(parts._replace(query=urlencode([*kept, *ours.items()])))
        return self.client.get(url, headers=self.config.headers)


def capabilities(root: xml.Element, url: str) -> _Service:
    """What a capabilities document says.

    :raises SourceError: it is an exception, or another document
    """
    _raise_exception(root, url)
    if xml.name(root) != "WFS_Capabilities":
        raise ParseError(url, f"no WFS capabilities but {xml.name(root)}")
    version = root.get("version") or "1.0.0"
    if version not in _VERSIONS:
        version = "2.0.0" if version.startswith("2") else "1.1.0" if version.startswith("1.1") else "1.0.0"
    service = xml.find(root, "ServiceIdentification")
    service = service if service is not None else xml.find(root, "Service")
    listed = xml.find(root, "FeatureTypeList")
    types = [] if listed is None else [_type(one) for one in xml.children(listed, "FeatureType")]
    return _Service(
        version=version,
        title=(None if service is None else xml.text(service, "Title")) or url,
        json=_json_format(root),
        types={one.name: one for one in types if one.name},
    )


def _type(element: xml.Element) -> _Type:
    name = xml.text(element, "Name") or ""
    words = xml.find(element, "Keywords")
    keywords = () if words is None else tuple(
        word
        for one in ([*xml.children(words, "Keyword")] or [words])
        for word in (xml.text(one) or "").split(",")
    )  # fmt: skip
    crs = next(
        (said for tag in ("DefaultCRS", "DefaultSRS", "SRS") if (said := xml.text(element, tag))), "EPSG:4326"
    )
    return _Type(
        name=name,
        title=xml.text(element, "Title") or name,
        notes=xml.text(element, "Abstract"),
        keywords=tuple(word.strip() for word in keywords if word.strip()),
        crs=crs,
        extent=_extent(element),
    )


def _extent(element: xml.Element) -> Extent | None:
    box = xml.find(element, "WGS84BoundingBox")
    old = xml.find(element, "LatLongBoundingBox")
    try:
        if box is not None:
            corners = f"{xml.text(box, 'LowerCorner')} {xml.text(box, 'UpperCorner')}".split()
            return extent_of([float(number) for number in corners])
        if old is not None:
            return extent_of([float(str(old.get(side))) for side in ("minx", "miny", "maxx", "maxy")])
    except ValueError:
        return None
    return None


def _json_format(root: xml.Element) -> str | None:
    """The name under which GetFeature gives GeoJSON."""
    offered: list[str] = []
    for operation in root.iter("{*}Operation"):
        if operation.get("name") == "GetFeature":
            for parameter in xml.children(operation, "Parameter"):
                if str(parameter.get("name")).lower() == "outputformat":
                    offered += [str(value.text).strip() for value in parameter.iter("{*}Value")]
    for element in root.iter("{*}ResultFormat"):
        offered += [xml.name(child) for child in element]
    for wanted in _JSON_NAMES:
        for name in offered:
            if name.lower().partition(";")[0].strip() == wanted:
                return name
    return None


def _raise_exception(root: xml.Element, url: str) -> None:
    """OWS exceptions come with any status."""
    if xml.name(root) not in ("ExceptionReport", "ServiceExceptionReport"):
        return
    texts = [" ".join("".join(map(str, one.itertext())).split()) for one in root if isinstance(one.tag, str)]
    codes = [
        str(one.get("exceptionCode") or one.get("code") or "") for one in root if isinstance(one.tag, str)
    ]
    said = "; ".join(f"{code}: {text}".strip(": ") for code, text in zip(codes, texts, strict=True))
    raise SourceError(url, f"the service says {said[:300] or 'nothing but that it failed'}")


def _names(service: _Service, one: _Type) -> dict[str, str]:
    return {"typeNames" if service.version == "2.0.0" else "typeName": one.name}


def _srs_name(crs: str, version: str) -> str:
    """A reference system in the form that a version wants: since 1.1 strict servers know only the URN."""
    code = code_of(crs)
    if code is None:
        return crs
    return f"EPSG:{code}" if version == "1.0.0" else f"urn:ogc:def:crs:EPSG::{code}"


def _print(features: list[Any]) -> str:
    """Hash of a page, to see one that comes again."""
    return hashlib.sha256(msgspec.json.encode(features, order="sorted")).hexdigest()
