"""CKAN portals by their API (``package_search``), of any version from 2.2 on.

The search is sorted by ``metadata_modified`` and walked by that date and not by an offset, so that a
dataset which changes meanwhile moves to the end and is read again, and none is passed over. After a
complete read ``last_modified`` holds the latest date; the next run then fetches what changed since, and of
all others only the ids, which tell what is gone.

Imports only ``errors``, ``http``, ``jsondoc`` and ``model``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlencode

import msgspec

from ccphva_harvesters import jsondoc
from ccphva_harvesters.errors import ParseError, RecordError, SourceError, TooLargeError
from ccphva_harvesters.http import Client
from ccphva_harvesters.model import Record

_ACCEPT = "application/json"
_SORT = "metadata_modified asc, id asc"
_BARREN_PAGES = 3
_IDS_A_PAGE = 1000


class CkanConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: ckan``."""

    url: str
    """Address of the portal, with its path where it has one."""
    fq: str | None = None
    """Solr filter, as ``organization:ville``, when only some datasets are wanted."""
    page_size: int = 100
    incremental: bool = True
    """Fetch only what changed since the last complete run; false reads everything each time."""
    exact: bool = True
    """Fewer datasets read than the portal counts is an incomplete read, which withdraws nothing."""
    max_records: int = 1_000_000
    headers: dict[str, str] = {}


class CkanSource:
    """Source of package dicts, as JSON text."""

    Config = CkanConfig

    def __init__(
        self,
        config: CkanConfig,
        client: Client,
        *,
        etag: str | None = None,  # noqa: ARG002  (the API has no validators)
        last_modified: str | None = None,
    ) -> None:
        self.config = config
        self.client = client
        self.etag: str | None = None
        self.last_modified = last_modified
        """Latest ``metadata_modified`` of the last complete read."""

    def check(self) -> str:
        """Ask for the number of datasets."""
        result = self._search(0, 1, None)
        self._packages(result)
        return f"CKAN with {_count(result)} datasets"

    def records(self) -> Iterator[Record]:
        """Each dataset once: those that changed in full, oldest change first, the others by name only."""
        since = self.last_modified if self.config.incremental else None
        seen: set[str] = set()
        latest = since or ""
        for package in self._walk(since, seen):
            latest = max(latest, str(package.get("metadata_modified") or ""))
            if not _hidden(package):
                yield self._record(package)
        if since is not None:
            for name in self._ids():
                if name not in seen:
                    seen.add(name)
                    yield Record(id=name, guid=name, content=None, unchanged=True)
        self.last_modified = latest or None

    def fetch(self, name: str) -> Record:
        """One dataset in full, which a run must have although it did not change."""
        answer = self._action("package_show", {"id": name})
        if not isinstance(answer, dict) or _hidden(package := cast("dict[str, Any]", answer)):
            raise RecordError(name, "the portal does not show it")
        return self._record(package)

    def _walk(self, since: str | None, seen: set[str]) -> Iterator[dict[str, Any]]:
        """Datasets changed since a date, or all; each once."""
        bound = f"metadata_modified:[{_solr(since)} TO *]" if since else None
        start = barren = fruitful = 0
        total: int | None = None
        while True:
            result = self._search(start, self.config.page_size, bound)
            total = _count(result) if total is None else total
            packages = self._packages(result)
            fresh = [package for package in packages if str(package["id"]) not in seen]
            for package in fresh:
                seen.add(str(package["id"]))
                yield package
            if fresh:
                fruitful += 1
            elif packages:
                barren += 1  # what changed meanwhile comes again, but not more often than it came
            if barren > fruitful + _BARREN_PAGES:
                raise TooLargeError(self.config.url, f"{barren} of its pages brought nothing new")
            if len(seen) > self.config.max_records:
                raise TooLargeError(self.config.url, f"it has more than {self.config.max_records} datasets")
            if not packages or start + len(packages) >= _count(result):
                self._check_count(total, len(seen))
                return
            after = _after(packages[-1])
            if after is not None and after == bound:
                raise TooLargeError(self.config.url, "its search leads nowhere: the same page comes again")
            bound, start = (after, 0) if after else (bound, start + len(packages))

    def _ids(self) -> Iterator[str]:
        """Ids of all datasets, walked by the last id, so that nothing deleted meanwhile hides another."""
        last = ""
        while True:
            bound = f'id:{{"{last}" TO *]' if last else None
            asked = {"q": "*:*", "sort": "id asc", "rows": str(_IDS_A_PAGE), "fl": "id"}
            result = self._result({**asked, **self._filter(bound)})
            names = [str(package["id"]) for package in self._packages(result)]
            yield from names
            if not names or len(names) >= _count(result):
                return
            if max(names) <= last:
                raise TooLargeError(self.config.url, "its list of ids leads nowhere")
            last = names[-1]

    def _check_count(self, total: int, read: int) -> None:
        if self.config.exact and read < total:
            raise SourceError(
                self.config.url, f"it counts {total} datasets and gave {read}; see the key exact"
            )

    def _record(self, package: dict[str, Any]) -> Record:
        text = json.dumps(package, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        return Record(
            id=str(package["id"]),
            guid=str(package["id"]),
            content=text,
            url=f"{self._base}/dataset/{package.get('name') or package['id']}",
            media_type="application/json",
            fingerprint=hashlib.sha256(text).hexdigest(),
        )

    # -- asking ------------------------------------------------------------------------------------------

    @property
    def _base(self) -> str:
        return self.config.url.rstrip("/").removesuffix("/api/3").removesuffix("/api").rstrip("/")

    def _search(self, start: int, rows: int, bound: str | None) -> dict[str, Any]:
        asked = {"q": "*:*", "sort": _SORT, "rows": str(rows), "start": str(start)}
        return self._result({**asked, **self._filter(bound)})

    def _filter(self, bound: str | None) -> dict[str, str]:
        filters = [part for part in (self.config.fq, bound) if part]
        return {"fq": " AND ".join(f"({part})" for part in filters)} if filters else {}

    def _result(self, asked: dict[str, str]) -> dict[str, Any]:
        result = self._action("package_search", asked)
        if not isinstance(result, dict):
            raise ParseError(self.config.url, "its answer has no result")
        return cast("dict[str, Any]", result)

    def _action(self, name: str, asked: dict[str, str]) -> Any:
        address = f"{self._base}/api/3/action/{name}?{urlencode(asked)}"
        response = self.client.get(address, accept=_ACCEPT, headers=self.config.headers)
        answer = jsondoc.parse(response.body, response.url)
        if answer.get("success") is not True:
            raise SourceError(self.config.url, f"the portal says: {_error(answer)}")
        return answer.get("result")

    def _packages(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        found = result.get("results")
        if not isinstance(found, list):
            raise ParseError(self.config.url, "its result has no list of datasets")
        packages = [cast("dict[str, Any]", p) for p in cast("list[Any]", found) if isinstance(p, dict)]
        for package in packages:
            if not package.get("id"):
                raise ParseError(self.config.url, "it gives a dataset without id")
        return packages


def _after(package: dict[str, Any]) -> str | None:
    """Solr filter of what comes after a package in our order; None where the portal tells no dates."""
    moment = str(package.get("metadata_modified") or "")
    if not moment:
        return None
    date = _solr(moment)
    return (
        f"metadata_modified:{{{date} TO *]"
        f' OR (metadata_modified:[{date} TO {date}] AND id:{{"{package["id"]}" TO *])'
    )


def _hidden(package: dict[str, Any]) -> bool:
    """True for what is not meant for the public: a key of its own may see more than it should pass on."""
    return bool(package.get("private")) or package.get("state", "active") != "active"


def _count(result: dict[str, Any]) -> int:
    count = result.get("count")
    return count if isinstance(count, int) else 0


def _solr(moment: str) -> str:
    """A moment as Solr keeps it: UTC to the millisecond. CKAN writes microseconds and no zone."""
    return f"{moment.partition('+')[0].removesuffix('Z')[:23]}Z"


def _error(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    if isinstance(error, dict):
        words = cast("dict[str, Any]", error)
        return str(words.get("message") or words.get("__type") or words)[:300]
    return str(error or "no success")[:300]
