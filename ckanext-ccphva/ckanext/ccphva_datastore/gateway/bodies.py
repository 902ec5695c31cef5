"""The rows in a request's body: NDJSON, a JSON array or CSV, plain or gzip, bounded in bytes and in time."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from ckanext.ccphva_datastore.feeds.reasons import Reason
from ckanext.ccphva_datastore.gateway.errors import Refusal
from ckanext.ccphva_datastore.gateway.settings import Settings
from starlette.requests import ClientDisconnect, Request

Rows = list[tuple[int, Any]]
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
JSON = ("application/json",)
CSV = ("text/csv",)


class Waiting:
    """Bytes of rows of all requests at work, so that many large ones do not fill the memory."""

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes = limit, 0

    def take(self, size: int) -> None:
        """:raises Refusal: 429, too much is waiting already."""
        if self.bytes + size > self.limit:
            raise Refusal(429, "busy")
        self.bytes += size


def reader(media_type: str) -> Callable[[bytes, Settings], Rows]:
    """What reads rows of that media type.

    :raises Refusal: 415, nothing does.
    """
    name = media_type.partition(";")[0].strip().lower()
    for names, found in ((NDJSON, ndjson), (JSON, array), (CSV, table)):
        if name in names:
            return found
    raise Refusal(415, "media_type")


async def read(request: Request, settings: Settings, waiting: Waiting) -> tuple[bytes, int]:
    """The whole body, unpacked, and how much it took of `waiting`: the caller gives it back.

    :raises Refusal: 400 it cannot be unpacked or broke off, 408 it is too slow, 413 too large, 429 busy.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > settings.body:
        raise Refusal(413, "too_large", limit=settings.body)
    unpack = _unpacker(request.headers.get("content-encoding", ""), settings)
    pieces, taken = list[bytes](), 0
    try:
        async with asyncio.timeout(settings.whole):
            async for piece in _pieces(request, settings.pause):
                plain = unpack(piece)
                if taken + len(plain) > settings.body:
                    raise Refusal(413, "too_large", limit=settings.body)
                waiting.take(len(plain))
                taken += len(plain)
                pieces.append(plain)
            unpack(b"")
    except TimeoutError:
        waiting.bytes -= taken
        raise Refusal(408, "too_slow") from None
    except ClientDisconnect:
        waiting.bytes -= taken
        raise Refusal(400, "encoding") from None  # nobody is there to read it
    except BaseException:
        waiting.bytes -= taken
        raise
    return b"".join(pieces), taken


async def _pieces(request: Request, pause: float) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        async with asyncio.timeout(pause):
            try:
                piece = await anext(stream)
            except StopAsyncIteration:
                return
        yield piece


def _unpacker(encoding: str, settings: Settings) -> Callable[[bytes], bytes]:
    """Unpacks piece by piece; an empty piece is the end.

    :raises Refusal: 415 for another encoding than gzip.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda piece: piece
    if name not in ("gzip", "x-gzip"):
        raise Refusal(415, "encoding")
    inflate = zlib.decompressobj(wbits=31)

    def unpack(piece: bytes) -> bytes:
        if not piece:
            if not inflate.eof:
                raise Refusal(400, "encoding")
            return b""
        try:
            plain = inflate.decompress(piece, settings.body + 1)
        except zlib.error:
            raise Refusal(400, "encoding") from None
        if inflate.unconsumed_tail:  # a bomb: no more of it is unpacked
            raise Refusal(413, "too_large", limit=settings.body)
        if inflate.unused_data:
            raise Refusal(400, "encoding")
        return plain

    return unpack


def ndjson(body: bytes, settings: Settings) -> Rows:
    """A JSON object a line; empty lines do not count."""
    rows: Rows = []
    for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if not line or line.isspace():
            continue
        number = len(rows) + 1
        if len(line) > settings.line:
            rows.append((number, Reason("line_too_long", {"limit": settings.line})))
            continue
        try:
            rows.append((number, _loads(line)))
        except ValueError:
            rows.append((number, Reason("not_json")))
    return rows


def _loads(text: bytes) -> Any:
    """JSON, and what some senders take for it: NaN, Infinity, 1e400, numbers of a hundred digits. Those
    become numbers that no column takes, so that the refusal names the field.

    :raises ValueError: it is neither.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError from None


def array(body: bytes, _: Settings) -> Rows:
    """An array of objects, or one object.

    :raises Refusal: 400, it is neither.
    """
    try:
        found = _loads(body)
    except ValueError:
        raise Refusal(400, "not_an_array") from None
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise Refusal(400, "not_an_array")
    return list(enumerate(found, 1))


def table(body: bytes, _: Settings) -> Rows:
    """CSV with a header (RFC 4180), in UTF-8; an empty cell is no value.

    :raises Refusal: 400, it is not UTF-8 or has no header.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(400, "encoding") from None
    lines = csv.reader(io.StringIO(text, newline=""), strict=False)
    rows: Rows = []
    header = _next(lines)
    if not isinstance(header, list) or len(set(header)) < len(header) or not all(header):
        raise Refusal(400, "csv_header")
    while (cells := _next(lines)) is not None:
        number = len(rows) + 1
        if isinstance(cells, Reason):
            rows.append((number, cells))
        elif len(cells) == len(header):
            rows.append((number, {n: c if c != "" else None for n, c in zip(header, cells, strict=True)}))
        elif cells:
            reason = Reason("csv_columns", {"found": len(cells), "expected": len(header)})
            rows.append((number, reason))
    return rows


def _next(lines: Any) -> list[str] | Reason | None:
    try:
        return next(lines, None)
    except csv.Error:  # a cell of more than 131,072 characters
        return Reason("line_too_long", {"limit": csv.field_size_limit()})
