"""OGC API Records: the items of a catalogue's collections, followed by their ``next`` links.

Standard: OGC 20-004r1 (Records, part 1) on OGC 17-069r4 (Features, part 1) §7.15. A record is a GeoJSON
feature. The landing page, a collection or its items may be named; without a collection all whose
``itemType`` is ``record`` are read.

Imports only ``errors``, ``http``, ``jsondoc`` and ``model``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

from ccphva_harvesters import jsondoc
from ccphva_harvesters.errors import PageLoopError, ParseError, SourceError, TooLargeError
from ccphva_harvesters.http import Client, same_server
from ccphva_harvesters.model import Record

_ACCEPT = "application/geo+json, application/json;q=0.9"
_BARREN_PAGES = 3
_RECORDS = "/ogcapi-records-"


class OgcApiRecordsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: ogcapi-records``."""

    url: str
    """Address of the landing page."""
    collections: tuple[str, ...] = ()
    """Collections to read; none means all that hold records."""
    page_size: int = 100
    """Records to ask for at once; the server may give fewer."""
    bbox: tuple[float, float, float, float] | None = None
    """Only what touches this box: west, south, east, north."""
    exact: bool = True
    """Fewer records read than the server counts is an incomplete read, which withdraws nothing."""
    max_pages: int = 10_000
    headers: dict[str, str] = {}


class OgcApiRecordsSource:
    """Source of GeoJSON records, as JSON text."""

    Config = OgcApiRecordsConfig

    def __init__(
        self,
        config: OgcApiRecordsConfig,
        client: Client,
        *,
        etag: str | None = None,  # noqa: ARG002  (each page has its own)
        last_modified: str | None = None,  # noqa: ARG002
    ) -> None:
        self.config = config
        self.client = client

    def check(self) -> str:
        """Read the conformance and name the collections."""
        declared = self._get(f"{self._base}/conformance").get("conformsTo")
        classes = cast("list[Any]", declared) if isinstance(declared, list) else []
        known = any(_RECORDS in str(uri) for uri in classes)
        names = list(self._collections())
        counts = [self._get(self._items(name, 1)).get("numberMatched") for name in names]
        told = ", ".join(
            f"{name} ({count if count is not None else '?'})"
            for name, count in zip(names, counts, strict=True)
        )
        return f"{'OGC API Records' if known else 'OGC API, Records not declared'}: {told}"

    def records(self) -> Iterator[Record]:
        """One record an item of each collection, each identifier once."""
        seen: set[str] = set()
        for name in self._collections():
            yield from self._collection(name, seen)

    def _collection(self, name: str, seen: set[str]) -> Iterator[Record]:
        url: str | None = self._items(name, self.config.page_size)
        visited: set[str] = set()
        read = barren = matched = 0
        while url is not None:
            if len(visited) >= self.config.max_pages:
                raise TooLargeError(self.config.url, f"{name} has more than {self.config.max_pages} pages")
            visited.add(url)
            page = self._get(url)
            features = page.get("features")
            if not isinstance(features, list):
                raise ParseError(url, "it answers no GeoJSON FeatureCollection")
            listed = cast("list[Any]", features)
            found = [self._record(name, cast("dict[str, Any]", f)) for f in listed if isinstance(f, dict)]
            fresh = [record for record in found if record.id not in seen]
            seen.update(record.id for record in fresh)
            yield from fresh
            read += len(fresh)
            told = page.get("numberMatched")
            matched = told if isinstance(told, int) else matched
            barren = 0 if fresh else barren + 1
            after = _next(page, url)
            if after is not None and after in visited:
                raise PageLoopError(url, after)
            if barren >= _BARREN_PAGES:
                raise TooLargeError(url, f"its last {barren} pages brought nothing new")
            url = after
        if self.config.exact and read < matched:
            raise SourceError(
                self.config.url, f"{name} counts {matched} records and gave {read}; see the key exact"
            )

    def _record(self, collection: str, feature: dict[str, Any]) -> Record:
        text = json.dumps(feature, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        print_ = hashlib.sha256(text).hexdigest()
        given = feature.get("id")
        name = str(given) if given not in (None, "") else f"sha256:{print_}"
        return Record(
            id=name,
            guid=name,
            content=text,
            url=f"{self._base}/collections/{quote(collection, safe='')}/items/{quote(name, safe='')}",
            media_type="application/geo+json",
            fingerprint=print_,
        )

    # -- asking ------------------------------------------------------------------------------------------

    @property
    def _base(self) -> str:
        return urlunsplit(urlsplit(self.config.url)._replace(query="", fragment="")).rstrip("/")

    def _collections(self) -> list[str]:
        if self.config.collections:
            return list(self.config.collections)
        listed = self._get(f"{self._base}/collections").get("collections")
        if not isinstance(listed, list):
            raise ParseError(self.config.url, "its list of collections cannot be read")
        found = [cast("dict[str, Any]", c) for c in cast("list[Any]", listed) if isinstance(c, dict)]
        names = [str(c["id"]) for c in found if c.get("id") and c.get("itemType") == "record"]
        if not names:
            raise SourceError(self.config.url, "none of its collections holds records (itemType record)")
        return names

    def _items(self, collection: str, limit: int) -> str:
        asked = {"f": "json", "limit": str(limit)}
        if self.config.bbox is not None:
            asked["bbox"] = ",".join(f"{number:g}" for number in self.config.bbox)
        return f"{self._base}/collections/{quote(collection, safe='')}/items?{urlencode(asked)}"

    def _get(self, url: str) -> dict[str, Any]:
        headers = self.config.headers if same_server(url, self.config.url) else {}  # they may be secrets
        response = self.client.get(url, accept=_ACCEPT, headers=headers)
        return jsondoc.parse(response.body, response.url)


def _next(page: dict[str, Any], url: str) -> str | None:
    """Address of the next page (17-069r4 §7.15.8)."""
    links = page.get("links")
    for link in cast("list[Any]", links) if isinstance(links, list) else []:
        if isinstance(link, dict):
            fields = cast("dict[str, Any]", link)
            if fields.get("rel") == "next" and isinstance(fields.get("href"), str):
                return urljoin(url, fields["href"])
    return None
