"""Where the explorer's links lead: each changes one thing and keeps the others. No queries, no CKAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ckanext.ccphva_datastore.exploring.query import Query

CHART = ("x", "y", "function", "bucket", "from", "to")
"""Parameters of the views of figures."""


@dataclass(frozen=True)
class Place:
    """Where a resource's pages are.

    :ivar page: the resource's own; `part`: the explorer alone, for scripts that put it in place.
    """

    resource: Mapping[str, Any]
    page: str
    part: str
    api: str


class Address:
    """Links that change one thing and keep the others."""

    def __init__(self, place: Place, query: Query, asked: Mapping[str, list[str]]) -> None:
        self.place, self.query = place, query
        self.asked = {n: asked[n][-1] for n in ("view", *CHART, "about") if asked.get(n)}

    def to(self, query: Query | None = None, /, **changes: str) -> str:
        kept = {n: v for n, v in (self.asked | changes).items() if (n, v) != ("view", "table")}
        pairs = (query or self.query).arguments(kept)
        return f"{self.place.page}{'?' if pairs else ''}{urlencode(pairs)}#explorer"

    def without(self, *names: str) -> str:
        return self.to(**dict.fromkeys(names, ""))

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """What a form sends along."""
        return [pair for pair in self.query.arguments(self.asked) if pair[0] not in without]
