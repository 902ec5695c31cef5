"""oneM2M's HTTP binding (TS-0009): originator, request identifier and release on every request.

Imports only ``errors``, ``http`` and ``_described``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ccphva_harvesters.errors import ParseError, SourceError
from ccphva_harvesters.http import Client, Response
from ccphva_harvesters.sources._described import json_of, listing, mapping

AE, CONTAINER, INSTANCE, SUBSCRIPTION, FLEX, TIME_SERIES, TIME_INSTANCE, FLEX_INSTANCE = (
    2, 3, 4, 23, 28, 29, 30, 58,
)  # fmt: skip
"""Resource types (TS-0004 §6.3.4.2.1)."""
_EXISTS = 409


class Cse:
    """One CSE, addressed by its base, as ``https://iot.example.org/cse-in``."""

    def __init__(
        self, base: str, client: Client, originator: str, release: str, headers: Mapping[str, str]
    ) -> None:
        parts = urlsplit(base)
        self.root = f"{parts.scheme}://{parts.netloc}"
        self.name = parts.path.strip("/")
        self._client, self._originator, self._release, self._more = client, originator, release, dict(headers)

    def url(self, path: str, **query: str | int) -> str:
        """Address of a resource by its structured path."""
        return f"{self.root}/{quote(path.strip('/'), safe='/~_')}" + (f"?{urlencode(query)}" if query else "")

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """A resource, or an answer of discovery, as its JSON object."""
        response = self._client.get(
            self.url(path, **query), accept="application/json", headers=self._headers()
        )
        return self._object(response)

    def find(self, path: str, **query: str | int) -> Any:
        """The same, or None where there is nothing (404)."""
        try:
            return self.get(path, **query)
        except SourceError as exc:
            if exc.cause == "HTTP 404":
                return None
            raise

    def discover(self, path: str, type_: int, **query: str | int) -> list[str]:
        """Structured paths below ``path`` (TS-0001 §10.2.6), sorted. No limit is sent: CSEs count it
        wrongly."""
        found = self.get(path, fu=1, ty=type_, **query).get("m2m:uril")
        paths = found.split() if isinstance(found, str) else [str(item) for item in listing(found)]
        return sorted({one.strip("/") for one in paths})

    def create(self, path: str, type_: int, body: dict[str, Any]) -> dict[str, Any] | None:
        """Make a resource; None when one of its name is there already."""
        headers = self._headers() | {"Content-Type": f"application/json;ty={type_}"}
        response = self._client.send(
            "POST", self.url(path), json.dumps(body).encode(), accept="application/json", headers=headers,
            also=(_EXISTS, 500),
        )  # fmt: skip
        if (
            response.status == 500
        ):  # an answer, not an outage, as when our receiver did not take the handshake
            code, said = (
                response.headers.get("x-m2m-rsc", "none"),
                response.body[:200].decode(errors="replace"),
            )
            raise SourceError(response.url, f"RSC {code} (TS-0004 §6.6): {said}")
        return None if response.status == _EXISTS else self._object(response)

    def update(self, path: str, body: dict[str, Any]) -> None:
        """Change attributes of a resource."""
        headers = self._headers() | {"Content-Type": "application/json"}
        self._client.send(
            "PUT", self.url(path), json.dumps(body).encode(), accept="application/json", headers=headers
        )

    def delete(self, path: str) -> bool:
        """Remove a resource; false when it was not there."""
        response = self._client.send(
            "DELETE", self.url(path), accept="application/json", headers=self._headers(), also=(404,)
        )
        return response.status != 404

    def _headers(self) -> dict[str, str]:
        return {
            "X-M2M-Origin": self._originator,
            "X-M2M-RI": secrets.token_hex(8),
            "X-M2M-RVI": self._release,
            **self._more,
        }

    def _object(self, response: Response) -> dict[str, Any]:
        value = json_of(response)
        if not isinstance(value, dict):
            raise ParseError(response.url, "not a oneM2M answer: its JSON is no object")
        return mapping(value)


def only(answer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Type name and attributes of the one resource in an answer, as ``("m2m:cnt", {…})``."""
    for name, value in answer.items():
        if isinstance(value, dict):
            return name, mapping(value)
    return "", {}
