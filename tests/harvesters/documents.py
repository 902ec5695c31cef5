"""Documents for the tests: the yardsticks, and small ones made on the spot."""

from __future__ import annotations

import csv
import os
import random
import re
from pathlib import Path
from typing import NamedTuple

from ccphva_harvesters import Client, Record
from ccphva_harvesters import rdf as our_rdf
from ccphva_harvesters.sources.dcat import DcatConfig, DcatSource, dataset_nodes, record_of
from rdflib import BNode, Literal

HERE = Path(__file__).parent
BASE = "http://data.test.org/catalog"
"""Base for relative addresses, so that results do not depend on the test's port."""
MEDIA = {
    "rdf": "application/rdf+xml",
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "json": "application/json",
    "nt": "application/n-triples",
}


_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


class Fact(NamedTuple):
    """One line of FACTS.tsv, which was computed with rdflib, not with our code."""

    path: Path
    parse: str
    triples: int
    datasets: int
    series: int
    distributions: int
    languages: frozenset[str]

    @property
    def media_type(self) -> str:
        """What a server would call it."""
        return MEDIA[self.path.suffix[1:]]


def yardsticks() -> Path:
    """The folder of the full set where it is at hand, else the small one kept with the tests."""
    shared = os.environ.get("CCPHVA_SHARED") or HERE.parents[2] / "shared"
    full = Path(shared) / "yardsticks" / "dcat"
    return full if (full / "FACTS.tsv").exists() else HERE / "data"


def facts(folder: Path | None = None) -> list[Fact]:
    """Facts of each yardstick."""
    folder = folder or yardsticks()
    with (folder / "FACTS.tsv").open(encoding="utf-8") as lines:
        return [_fact(folder, row) for row in csv.DictReader(lines, delimiter="\t")]


def _fact(folder: Path, row: dict[str, str | None]) -> Fact:
    def number(name: str) -> int:
        return int(row.get(name) or 0)

    return Fact(
        folder / str(row["file"]),
        str(row["parse"]),
        number("triples"),
        number("datasets"),
        number("series"),
        number("distributions"),
        frozenset((row.get("language tags") or "").split()),
    )


def graph(path: Path) -> our_rdf.Graph:
    """A yardstick as our graph."""
    body = path.read_bytes()
    return our_rdf.parse(body, our_rdf.detect(body, MEDIA[path.suffix[1:]], str(path)), BASE)


def source(url: str, client: Client, **config: object) -> DcatSource:
    """A DCAT source with the fixed base."""
    return DcatSource(DcatConfig(**{"url": url, "base": BASE, **config}), client)  # type: ignore[arg-type]


def rearranged(path: Path, seed: int) -> bytes:
    """The same triples as N-Triples in another order, with other blank-node labels."""
    luck = random.Random(seed)
    names: dict[BNode, str] = {}

    def written(term: object) -> str:
        if isinstance(term, Literal):
            text = str(term).translate(_ESCAPES)
            kind = f"@{term.language}" if term.language else f"^^<{term.datatype}>" if term.datatype else ""
            return f'"{text}"{kind}'
        if isinstance(term, BNode):
            return names.setdefault(term, f"_:x{luck.randrange(10**12)}n{len(names)}")
        return "<" + re.sub(r"[\x00-\x20<>\"{}|^`\\]", lambda m: f"\\u{ord(m[0]):04X}", str(term)) + ">"

    lines = [f"{written(s)} <{p}> {written(o)} ." for s, p, o in graph(path).triples()]
    luck.shuffle(lines)
    return ("\n".join(lines) + "\n").encode()


def catalog(*datasets: str, more: str = "") -> str:
    """A Turtle catalogue of datasets named by their last part, each with one distribution."""
    head = (
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
        "@prefix hydra: <http://www.w3.org/ns/hydra/core#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        "<http://x.org/catalog> a dcat:Catalog ."
    )
    parts = [
        f'<http://x.org/d/{name}> a dcat:Dataset ; dct:title "Jeu {name}"@fr ; '
        f"dcat:distribution [ a dcat:Distribution ; dcat:accessURL <http://x.org/f/{name}.csv> ] ."
        for name in datasets
    ]
    return "\n".join([head, *parts, more])


def records(graph_: our_rdf.Graph) -> list[Record]:
    """Records of a graph, as the source makes them."""
    return [record_of(graph_, node) for node in dataset_nodes(graph_)]
