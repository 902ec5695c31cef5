"""The one way out: a guarded HTTP client.

Only http and https; the address is checked when the connection is opened and on every redirect; connect,
read and total time, wire bytes and decoded bytes are bounded; 429 and 5xx are tried again with growing
pauses that honour Retry-After (RFC 9110 §10.2.3); no proxy, cookie or password of the environment is used.

Imports only ``_connect``, ``addresses`` and ``errors``.
"""

from __future__ import annotations

import email.utils
import random
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal, NoReturn, Protocol
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import msgspec
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, ReadTimeoutError, SSLError
from urllib3.response import BaseHTTPResponse

from ._connect import Dialer, RefusedAddressError, Resolver, pool_manager, resolve
from .addresses import networks
from .errors import BlockedError, RetriableError, SourceError, TooLargeError

USER_AGENT = "ccphva-harvest/1 (open data catalogue)"
"""Default; a portal passes its own with its address."""
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_ANYBODY = frozenset(
    {"user-agent", "accept", "accept-encoding", "accept-language", "if-none-match", "if-modified-since"}
)
_CHUNK = 65536


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request may take; seconds and bytes."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 300.0
    wire_bytes: int = 64 * 1024 * 1024
    decoded_bytes: int = 128 * 1024 * 1024
    redirects: int = 5
    attempts: int = 4
    backoff: float = 1.0
    longest_pause: float = 60.0


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A finished answer, decoded."""

    status: int
    url: str
    """Address after redirects, without secrets: it stands in errors and records."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def not_modified(self) -> bool:
        """True for 304: the body is the one of the run whose validators were sent."""
        return self.status == 304

    @property
    def media_type(self) -> str:
        """Content type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def etag(self) -> str | None:
        """Validator for the next run."""
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        """Weaker validator for the next run."""
        return self.headers.get("last-modified")


class _Request(msgspec.Struct, frozen=True):
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    also: frozenset[int] = frozenset()


class Client:
    """Guarded client for one source; used by one thread at a time. A context manager."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        allow_networks: Iterable[str] = (),
        user_agent: str = USER_AGENT,
        resolver: Resolver = resolve,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits or Limits()
        self.user_agent = user_agent
        self._sleep = sleep
        self._dialer = Dialer(networks(allow_networks), resolver)
        self._secrets: set[str] = set()
        self._pools: urllib3.PoolManager = pool_manager(self._dialer)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._pools.clear()
        self._dialer.hang_up()

    def get(
        self,
        url: str,
        *,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Response:
        """The answer to GET, after redirects and retries.

        :param etag: sent as If-None-Match (RFC 9110 §13.1.2); the answer may then be ``not_modified``
        :param last_modified: sent as If-Modified-Since
        :raises BlockedError: the address, or one it redirects to, is not allowed
        :raises TooLargeError: the answer is larger than the limits
        :raises RetriableError: no good answer after all attempts; may carry ``retry_after``
        :raises SourceError: any other answer than 2xx (or 304 when asked conditionally)
        """
        sent = {"User-Agent": self.user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        sent.update(headers or {})
        if etag is not None:
            sent["If-None-Match"] = etag
        if last_modified is not None:
            sent["If-Modified-Since"] = last_modified
        return self._tried(_Request("GET", url, sent))

    def send(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        url: str,
        body: bytes = b"",
        *,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> Response:
        """The answer to another method; tried again as GET is, so only for what may be done twice.

        :param also: statuses beyond 2xx that are an answer too, as 409 for what exists already
        :raises: as ``get``; a redirect is not followed but an error
        """
        sent = {"User-Agent": self.user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        return self._tried(_Request(method, url, sent | dict(headers or {}), body, frozenset(also)))

    def hide(self, secret: str) -> None:
        """Never show ``secret`` in an error's text, as when a source wants its key in the address."""
        if secret:
            self._secrets |= {secret, quote(secret, safe=""), quote_plus(secret)}

    def _tried(self, request: _Request) -> Response:
        try:
            for attempt in range(1, self.limits.attempts + 1):
                try:
                    return self._follow(request)
                except RetriableError as exc:
                    pause = self._pause(attempt, exc.retry_after)
                    if pause is None:
                        raise
                    self._sleep(pause)
        except (SourceError, RetriableError) as exc:
            if self._secrets:
                self._veil(exc)
            raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _veil(self, exc: SourceError | RetriableError) -> None:
        """Take the secrets out of an error, and leave its causes behind: they hold the address too."""
        exc.url, exc.cause = self.veiled(exc.url), self.veiled(exc.cause)
        exc.args = (self.veiled(str(exc)),)
        exc.__cause__ = exc.__context__ = None

    def veiled(self, text: str) -> str:
        """``text`` without the secrets that were given to ``hide``."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "…")
        return text

    def _pause(self, attempt: int, wish: float | None) -> float | None:
        """Seconds before the next attempt, or None to give up."""
        if attempt >= self.limits.attempts or (wish is not None and wish > self.limits.longest_pause):
            return None
        if wish is not None:
            return wish
        pause = self.limits.backoff * 2 ** (attempt - 1)
        return min(self.limits.longest_pause, pause * random.uniform(0.8, 1.2))  # noqa: S311  (jitter, no secret)

    def _follow(self, request: _Request) -> Response:
        for _ in range(self.limits.redirects + 1):
            response = self._once(request)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or not location or request.method != "GET":
                return _accepted(response, request)
            there = urljoin(request.url, location)
            sent = request.headers
            if _origin(there) != _origin(request.url):  # a key in any header is for the one it was given for
                sent = {name: value for name, value in sent.items() if name.lower() in _FOR_ANYBODY}
            request = msgspec.structs.replace(request, url=there, headers=sent)
        raise SourceError(request.url, f"more than {self.limits.redirects} redirects")

    def _once(self, request: _Request) -> Response:
        """One request and its whole answer, within the total time."""
        url = request.url
        _check_url(url)
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._dialer.hang_up()

        watchdog = threading.Timer(self.limits.total, expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            timeout = urllib3.Timeout(connect=self.limits.connect, read=self.limits.read)
            raw = self._pools.urlopen(
                request.method,
                url,
                body=request.body or None,
                headers=dict(request.headers),
                timeout=timeout,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                body = self._body(raw, url)
            except BaseException:
                raw.close()
                raise
            raw.release_conn()
            if expired.is_set():
                raise RetriableError(url, f"no full answer within {self.limits.total:g} s")
            names = {name.lower(): value for name, value in raw.headers.items()}
            return Response(status=raw.status, url=self.veiled(url), headers=names, body=body)
        except RefusedAddressError as exc:
            raise BlockedError(url, str(exc)) from None
        except (HTTPError, OSError) as exc:
            if expired.is_set():
                raise RetriableError(url, f"no full answer within {self.limits.total:g} s") from exc
            _translate(url, exc)
        finally:
            watchdog.cancel()

    def _body(self, raw: BaseHTTPResponse, url: str) -> bytes:
        decoder = _Decoder(raw.headers.get("content-encoding", ""), url, self.limits.decoded_bytes)
        wire = 0
        while chunk := raw.read(_CHUNK, decode_content=False):
            wire += len(chunk)
            if wire > self.limits.wire_bytes:
                raise TooLargeError(url, f"the answer is larger than {self.limits.wire_bytes} bytes")
            decoder.feed(chunk)
        return decoder.finish()


class _Inflater(Protocol):
    """What ``zlib.decompressobj`` gives; the class itself has no public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int = 0) -> bytes: ...


class _Decoder:
    """Decodes gzip and deflate piece by piece and stops at the limit, so that a bomb never unfolds."""

    def __init__(self, encoding: str, url: str, limit: int) -> None:
        self.url, self.limit = url, limit
        self.parts: list[bytes] = []
        self.size = 0
        self.encoding = encoding.strip().lower()
        if self.encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise SourceError(url, f"content encoding {encoding!r} was not asked for")
        self.plain = self.encoding in ("", "identity")
        self.inflate: _Inflater | None = None

    def _new(self, start: bytes) -> _Inflater:
        if self.encoding != "deflate":
            return zlib.decompressobj(zlib.MAX_WBITS | 16)
        # RFC 9110 §8.4.1.2 means zlib; some servers send raw deflate
        wrapped = start[:1] in (b"\x78", b"\x58", b"\x68", b"\x48", b"\x38")
        return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)

    def feed(self, chunk: bytes) -> None:
        if self.plain:
            self._keep(chunk)
            return
        if self.inflate is None:
            self.inflate = self._new(chunk)
        try:
            while chunk:
                self._keep(self.inflate.decompress(chunk, self.limit - self.size + 1))
                chunk = self.inflate.unconsumed_tail
                if self.inflate.eof and self.inflate.unused_data:  # gzip members follow each other
                    chunk = self.inflate.unused_data
                    self.inflate = self._new(chunk)
        except zlib.error as exc:
            raise SourceError(self.url, f"the {self.encoding} coding is broken: {exc}") from exc

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self.limit:
            raise TooLargeError(self.url, f"the answer unfolds to more than {self.limit} bytes")
        self.parts.append(data)

    def finish(self) -> bytes:
        if self.inflate is not None and not self.inflate.eof:
            raise RetriableError(self.url, f"the {self.encoding} answer was cut short")
        return b"".join(self.parts)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError as exc:
        raise BlockedError(url, f"not an address: {exc}") from None
    if parts.scheme not in ("http", "https"):
        raise BlockedError(url, f"scheme {parts.scheme or '(none)'!r} is not http or https")
    if parts.username is not None or parts.password is not None:
        raise BlockedError(f"{parts.scheme}://…@{parts.hostname}", "a password does not belong in an address")
    if not parts.hostname or not port_ok:
        raise BlockedError(url, "it names no host")


def same_server(first: str, second: str) -> bool:
    """True when two addresses lead to one server: what is secret for the first may be sent to the second."""
    return _origin(first) == _origin(second)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return "", None, None


def _accepted(response: Response, request: _Request) -> Response:
    status = response.status
    conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
    if 200 <= status < 300 or (status == 304 and conditional) or status in request.also:
        return response
    if status in _RETRIED:
        raise RetriableError(
            response.url, f"HTTP {status}", _retry_after(response.headers.get("retry-after"))
        )
    raise SourceError(response.url, f"HTTP {status}")


def _retry_after(value: str | None) -> float | None:
    """Seconds from Retry-After, which is a number or a date (RFC 9110 §10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None
    return max(0.0, then - time.time())


def _translate(url: str, exc: Exception) -> NoReturn:
    if isinstance(exc, NameResolutionError):
        raise RetriableError(url, "its name cannot be resolved") from exc
    if isinstance(exc, ConnectTimeoutError):
        raise RetriableError(url, "no connection in time") from exc
    if isinstance(exc, ReadTimeoutError):
        raise RetriableError(url, "it fell silent") from exc
    if isinstance(exc, SSLError):
        raise SourceError(url, f"its certificate or TLS is not good: {exc}") from exc
    raise RetriableError(url, f"the connection failed: {exc}") from exc
