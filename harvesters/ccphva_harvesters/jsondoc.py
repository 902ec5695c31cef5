"""Reading JSON that strangers wrote: what is no JSON object says what it is instead.

Imports only ``errors`` and ``rdf`` (for its bound on depth).
"""

from __future__ import annotations

import json
from typing import Any, cast

from .errors import ParseError, TooLargeError
from .rdf import MAX_DEPTH


def parse(body: bytes, url: str) -> dict[str, Any]:
    """The JSON object of an answer.

    :raises ParseError: it is HTML, another thing or not well formed
    :raises TooLargeError: it is nested too deeply
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    head = body[:512].lstrip().lower()
    if not head:
        raise ParseError(url, "the answer is empty, not JSON")
    if head.startswith(b"<"):
        raise ParseError(url, f"it answers {'an HTML page' if b'html' in head else 'XML'}, not JSON")
    try:
        value = json.loads(body)
    except RecursionError:
        raise TooLargeError(url, f"nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as exc:
        raise ParseError(url, f"the JSON is not well formed: {exc.msg}", exc.lineno) from None
    except (UnicodeDecodeError, ValueError) as exc:
        raise ParseError(url, f"the JSON cannot be read: {exc}") from None
    if not isinstance(value, dict):
        raise ParseError(url, "the JSON is no object")
    if _depth(value) > MAX_DEPTH:
        raise TooLargeError(url, f"nested deeper than {MAX_DEPTH}")
    return cast("dict[str, Any]", value)


def _depth(value: Any) -> int:
    """Deepest nesting, without recursion."""
    deepest, level = 0, [value]
    while level and deepest <= MAX_DEPTH:
        deepest += 1
        level = [
            inner
            for item in level
            for inner in (
                cast("dict[str, Any]", item).values()
                if isinstance(item, dict)
                else cast("list[Any]", item)
                if isinstance(item, list)
                else ()
            )
        ]
    return deepest
