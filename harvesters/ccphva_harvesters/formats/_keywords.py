"""What every format does with keywords and places: CKAN's tags and the geometry to search by.

Private to the formats. Imports only ``model``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ccphva_harvesters.model import Fields

_TAG_BAD = re.compile(r"[^\w \-.]+")
_TAG_LONGEST = 100


def tags(problem: Callable[[str, str, str], None], words: Sequence[str]) -> list[dict[str, str]]:
    """Keywords under CKAN's rule for tags: letters, digits, space, ``-_.``, 2 to 100 long, each once."""
    found: dict[str, str] = {}
    for word in words:
        name = " ".join(_TAG_BAD.sub(" ", word).split())[:_TAG_LONGEST].strip()
        if len(name) < 2:
            problem("keyword", f"{word!r} cannot be a tag", "tags")
            continue
        found.setdefault(name.casefold(), name)
    return [{"name": found[key]} for key in sorted(found)]


def first_geometry(places: Sequence[Fields]) -> str | None:
    """The geometry to search by: the first place's own, else its box."""
    for key in ("geom", "bbox"):
        for place in places:
            if place.get(key):
                return place[key]
    return None
