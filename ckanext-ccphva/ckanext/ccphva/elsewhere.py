"""Whether a write comes from a harvest: only that may say that a dataset is described elsewhere.

A dataset with a `uri` is described by another catalogue, whose licence and languages we pass on. The mark is
not in an action's payload or context, where a client or a plugin could lay it, but in the running code: a
harvest writes inside `with harvesting():`. Imports nothing of CKAN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

FIELD = "uri"
_harvesting: ContextVar[bool] = ContextVar("ccphva_harvesting", default=False)


@contextmanager
def harvesting() -> Iterator[None]:
    """Datasets written within come from another catalogue."""
    token = _harvesting.set(True)
    try:
        yield
    finally:
        _harvesting.reset(token)


def is_harvesting() -> bool:
    return _harvesting.get()


def may_be(uri: str, stored: Mapping[str, Any] | None) -> bool:
    """Whether a write may give a dataset this URI: a harvest any, everybody else the one that it has.

    :param stored: the dataset as it is stored, None for a new one.
    """
    return is_harvesting() or (stored is not None and stored.get(FIELD) == uri)
