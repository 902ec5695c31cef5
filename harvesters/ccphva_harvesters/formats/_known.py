"""What we know without being told: the names of concepts of the code lists that we publish ourselves.

A document that repeats them loses nothing when we read the concept alone: its labels, list and class are in
``ccphva_schemas`` in four languages. Private to the RDF formats. Imports only ``_terms`` and the data of the
schemas.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml

from . import _terms as t

SAID_OF_A_CONCEPT = frozenset(
    {t.SKOS + "prefLabel", t.SKOS + "inScheme", t.SKOS + "notation", t.SKOS + "topConceptOf", t.RDF + "type"}
)
SAID_OF_A_LIST = frozenset({t.DCT + "title", t.SKOS + "prefLabel", t.RDFS + "label", t.RDF + "type"})


@cache
def concepts() -> frozenset[str]:
    """Addresses of the concepts of all authorities' lists that we have."""
    return frozenset(
        f"{codelist['base']}{code}"
        for codelist in _lists()
        if codelist.get("base")
        for code in cast("dict[str, Any]", codelist["concepts"])
    )


@cache
def schemes() -> frozenset[str]:
    """Addresses of their lists."""
    return frozenset(str(codelist["scheme"]) for codelist in _lists() if codelist.get("scheme"))


@cache
def _lists() -> tuple[dict[str, Any], ...]:
    folder = files("ccphva_schemas") / "codelists"
    found = (
        yaml.safe_load(path.read_text("utf-8")) for path in folder.iterdir() if path.name.endswith(".yaml")
    )
    return tuple(found)


def is_known(subject: str, predicate: str) -> bool:
    """Whether a triple about a concept or its list says only what we publish of it."""
    return (predicate in SAID_OF_A_CONCEPT and subject in concepts()) or (
        predicate in SAID_OF_A_LIST and subject in schemes()
    )
