"""Records of sources that describe their datasets themselves.

Imports only ``errors``, ``fingerprint``, ``http`` and ``model``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from ccphva_harvesters.errors import ParseError
from ccphva_harvesters.fingerprint import fingerprint
from ccphva_harvesters.http import Response
from ccphva_harvesters.model import Dataset, Record, Table

_DEEPEST = 200


def record(dataset: Dataset, url: str | None = None) -> Record:
    """The record that holds ``dataset``."""
    return Record(
        id=dataset.guid, guid=dataset.guid, content=dataset, url=url, fingerprint=fingerprint(dataset)
    )


def dataset(
    guid: str,
    title: str,
    tables: Iterable[Table],
    *,
    language: str = "fr",
    notes: str | None = None,
    keywords: Iterable[str] = (),
    url: str | None = None,
    bbox: dict[str, Any] | None = None,
    kind: Any = "dataset",
) -> Dataset:
    """A dataset in our schema's words; what is not known is left out."""
    words = sorted({word.strip() for word in keywords if word.strip()})
    fields: dict[str, Any] = {
        "title_translated": {language: title.strip() or guid},
        "notes_translated": {language: notes.strip()} if notes and notes.strip() else None,
        "keywords_translated": {language: words} if words else None,
        "identifier": guid,
        "url": url,
        "spatial": json.dumps(bbox, separators=(",", ":")) if bbox else None,
    }
    return Dataset(
        guid=guid,
        uri=guid if guid.startswith("http") else None,
        identifier=guid,
        kind=kind,
        fields={name: value for name, value in fields.items() if value is not None},
        tables=tuple(tables),
    )


def json_of(response: Response) -> Any:
    """The JSON of an answer (RFC 8259), or an error that says what came instead.

    NaN and Infinity, which Python would take, are no JSON; UTF-8 with a byte order mark is forgiven.
    """
    body = response.body.removeprefix(b"\xef\xbb\xbf")
    start = body.lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise ParseError(response.url, f"a web page came instead of JSON (HTTP {response.status})")
    if not start:
        raise ParseError(response.url, "the answer is empty")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        text = _other_charset(response, exc)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ParseError(response.url, f"JSON nested deeper than {_DEEPEST}") from None
    except ValueError as exc:
        line = exc.lineno if isinstance(exc, json.JSONDecodeError) else None
        raise ParseError(response.url, f"not JSON: {exc}"[:300], line) from None
    return value


def _other_charset(response: Response, exc: UnicodeDecodeError) -> str:
    """JSON is UTF-8 (RFC 8259 §8.1); what a server names otherwise in its header is believed."""
    named = response.headers.get("content-type", "").lower().partition("charset=")[2].strip(' "')
    if named in ("iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252", "utf-16"):
        return response.body.decode(named, errors="strict" if named == "utf-16" else "replace")
    raise ParseError(response.url, f"not UTF-8 at byte {exc.start}, and its header names no other charset")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def mapping(value: Any) -> dict[str, Any]:
    """``value`` where it is an object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """``value`` where it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []
