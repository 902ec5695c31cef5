"""The demonstration's own document: what a harvest of it does not keep, each triple counted once."""

from __future__ import annotations

from pathlib import Path

import yaml
from ccphva_harvesters import Record, rdf
from ccphva_harvesters.formats import _known as known
from ccphva_harvesters.formats.dcat_ap import DcatAp

DEMO = Path(__file__).parents[2] / "deployment" / "territories" / "ccphva" / "demo" / "catalogue.ttl"
FORMAT = DcatAp()
MOST_LOST = 0.025
CLASSES = ("Dataset", "DatasetSeries", "DataService")


def weighed() -> tuple[set[rdf.Triple], set[rdf.Triple]]:
    """Triples that describe a dataset, and those of them that no dataset keeps."""
    graph = rdf.parse(DEMO.read_bytes(), "turtle", "http://127.0.0.1/demo-source/catalogue.ttl")
    said: set[rdf.Triple] = set()
    kept: set[rdf.Triple] = set()
    for term in graph.typed(*(f"http://www.w3.org/ns/dcat#{name}" for name in CLASSES)):
        node = rdf.Node(graph, term)
        own = set(FORMAT._reader(node).reachable(term))
        said |= own
        kept |= own - set(FORMAT.losses(Record(id=str(term), content=node)))
    return said, said - kept


def test_little_is_lost() -> None:
    """At least 97.5 of 100 triples are kept; what is lost is named in `losses.yaml`."""
    said, lost = weighed()
    print(f"{len(lost)} of {len(said)} triples lost")
    assert len(said) > 4000
    assert len(lost) / len(said) <= MOST_LOST
    groups = yaml.safe_load((Path(__file__).parent / "losses.yaml").read_text()).values()
    named = {predicate for group in groups for predicate in group.get("predicates", ())}
    assert {predicate for _, predicate, _ in lost} - named == set()


def test_what_is_known_is_what_we_publish() -> None:
    """Only concepts of an authority's list of ours are known, and only their names, list and class."""
    french = "http://publications.europa.eu/resource/authority/language/FRA"
    label, scheme = (
        "http://www.w3.org/2004/02/skos/core#prefLabel",
        "http://www.w3.org/2004/02/skos/core#inScheme",
    )
    assert known.is_known(french, label)
    assert known.is_known(french, scheme)
    assert not known.is_known(french, "http://purl.org/dc/terms/relation")
    assert not known.is_known("https://example.org/concept", label)
    assert known.is_known(
        "http://publications.europa.eu/resource/authority/language", "http://purl.org/dc/terms/title"
    )
