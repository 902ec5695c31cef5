"""The shapes of DCAT-AP 3.0.1, HVD 3.0.0 and GeoDCAT-AP 3.0.0: their list of properties, and their verdict.

The shapes are not part of the project. The list that is generated from them is (`dcat_properties.tsv`); where
the shapes are at hand, `python tests/portal/shapes.py` writes it anew, with the table of the documentation.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyshacl
import yaml
from ccphva_harvesters.formats import _rules as rules
from rdflib import Graph, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, ORG, OWL, PROV, RDF, SKOS, TIME, NamespaceManager

HERE = Path(__file__).parent
LIST = HERE / "dcat_properties.tsv"
LOSSES = HERE / "losses.yaml"
TABLE = HERE.parents[1] / "docs" / "developer" / "properties.md"
FOLDER = Path(os.environ.get("CCPHVA_SHARED") or HERE.parents[2] / "shared") / "yardsticks" / "shacl"
ABSENT = "needs the shapes of ../shared/yardsticks/shacl, which are not part of the project"
SHAPES = {
    "DCAT-AP 3.0.1": "dcat-ap-3.0.1/dcat-ap-SHACL.ttl",
    "HVD 3.0.0": "dcat-ap-hvd-3.0.0/hvd-SHACL.ttl",
    "GeoDCAT-AP 3.0.0": "geodcat-ap-3.0.0/geodcat-ap-SHACL.ttl",
}
LUXEMBOURG = "dcat-ap-lu/dcat_ap_lu_CM_shapes.ttl"
CODES = "dcat-ap-3.0.1/mdr-vocabularies.shape.ttl"
HIGH_VALUE = {
    "dcat-ap-hvd-3.0.0/hvd-SHACL.ttl": "rdfs",
    "dcat-ap-hvd-3.0.0/hvd-SHACL-base.ttl": "none",
    "dcat-ap-hvd-3.0.0/hvd-SHACL-ranges.ttl": "rdfs",
}
"""Shapes of the profile for high-value datasets, which speak of every dataset of a document."""
RUNS = {
    "dcat-ap-3.0.1/dcat-ap-SHACL.ttl": "none",
    "dcat-ap-3.0.1/shapes.ttl": "none",
    "dcat-ap-3.0.1/range.ttl": "none",
    CODES: "none",
    "geodcat-ap-3.0.0/geodcat-ap-SHACL.ttl": "rdfs",
    LUXEMBOURG: "none",
}
"""Shapes to run, with the inference that their README asks for."""
_NO_RESOURCE = "sh:datatype rdfs:Resource: no literal has that datatype and an address is no literal"
FALSE_POSITIVES = {
    ("dcat-ap-3.0.1/shapes.ttl", "locn:geometry"): (
        "wants a literal; dcat-ap-SHACL.ttl, GeoDCAT-AP and DCAT-AP-LU want a node of class locn:Geometry"
    ),
    (LUXEMBOURG, "dcat:accessURL"): _NO_RESOURCE,
    (LUXEMBOURG, "dcat:downloadURL"): _NO_RESOURCE,
    (LUXEMBOURG, "dct:relation"): _NO_RESOURCE,
    (LUXEMBOURG, "dct:isReferencedBy"): _NO_RESOURCE,
    (CODES, "dct:type"): "wants the licence types of ADMS 1.0; the table that is in force is 1.1",
    (CODES, "spdx:algorithm"): "wants https://spdx.org/rdf/terms; SPDX and DCAT-AP itself write http",
}
"""Findings that nothing can satisfy, by shapes and property, with the reason."""
SH = Namespace("http://www.w3.org/ns/shacl#")
PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#", "cnt": "http://www.w3.org/2011/content#", "dcat": str(DCAT),
    "dcatap": "http://data.europa.eu/r5r/", "dct": str(DCTERMS), "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": str(FOAF), "geodcatap": "http://data.europa.eu/930/", "locn": "http://www.w3.org/ns/locn#",
    "odrl": "http://www.w3.org/ns/odrl/2/", "org": str(ORG), "owl": str(OWL), "prov": str(PROV),
    "rdf": str(RDF), "sdmx": "http://purl.org/linked-data/sdmx/2009/attribute#", "skos": str(SKOS),
    "spdx": "http://spdx.org/rdf/terms#", "time": str(TIME), "vcard": "http://www.w3.org/2006/vcard/ns#",
}  # fmt: skip


class Property(NamedTuple):
    """A property that a profile knows for a class."""

    subject: str
    predicate: str
    profiles: str


def shapes(path: str) -> Graph:
    """Shapes without the dangling property shapes that pyshacl stumbles over."""
    graph = Graph().parse(FOLDER / path)
    for shape, inner in list(graph.subject_objects(SH.property)):
        if (inner, SH.path, None) not in graph:
            graph.remove((shape, SH.property, inner))
    return graph


def names() -> NamespaceManager:
    """Prefixes as the specifications write them."""
    graph = Graph(bind_namespaces="none")
    for prefix, address in PREFIXES.items():
        graph.bind(prefix, address, replace=True)
    return graph.namespace_manager


def expand(name: str) -> URIRef:
    """The URI of a prefixed name."""
    if name.startswith("http"):
        return URIRef(name)
    prefix, _, local = name.partition(":")
    return URIRef(PREFIXES[prefix] + local)


def generated() -> list[Property]:
    """Every class and path of the shapes."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    manager = names()
    for profile, path in SHAPES.items():
        graph = shapes(path)
        for shape, target in graph.subject_objects(SH.targetClass):
            for inner in graph.objects(shape, SH.property):
                predicate = graph.value(inner, SH.path)
                key = (_short(manager, target), _short(manager, predicate))
                if profile not in found[key]:
                    found[key].append(profile)
    return [Property(*key, ", ".join(profiles)) for key, profiles in sorted(found.items())]


def listed() -> list[Property]:
    """The list as it was last generated."""
    with LIST.open(encoding="utf-8") as lines:
        return [Property(**row) for row in csv.DictReader(lines, delimiter="\t")]


def losses() -> dict[str, Any]:
    """What is left out and what changes on the way, each with its reason."""
    return yaml.safe_load(LOSSES.read_text())


def left_out(row: Property) -> str | None:
    """Why a property is not written, if it is not."""
    key = f"{row.subject} {row.predicate}"
    return next((group["reason"] for group in losses()["left out"] if key in group["properties"]), None)


def fields(row: Property) -> str:
    """Where people fill it in: fields of the schema, or what the portal derives it from."""
    tables = {
        "dcat:Dataset": rules.DATASET,
        "dcat:DatasetSeries": rules.DATASET,
        "dcat:DataService": rules.DATA_SERVICE,
        "dcat:Distribution": rules.DISTRIBUTION,
    }
    address = str(expand(row.predicate))
    found = [rule.field for rule in tables.get(row.subject, ()) if address in rule.predicates]
    found = ["qualified_attribution" if field in rules.ROLES else field for field in found]
    derived: dict[str, str] = losses()["filled in by"]
    known = derived.get(f"{row.subject} {row.predicate}") or derived.get(f"* {row.predicate}")
    known = known or (f"`{found[0]}`" if found else None)
    return known or derived.get(row.subject, "")


def table() -> Iterator[str]:
    """The documentation's table, generated."""
    yield "# Properties of DCAT-AP, HVD and GeoDCAT-AP\n"
    yield "Generated by `python tests/portal/shapes.py` from the shapes of the three profiles: do not edit."
    yield "Each property goes form → store → RDF → harvest → equal graph (`tests/portal/test_rdf.py`)."
    yield "`tests/portal/losses.yaml` has the reasons of what is left out.\n"
    yield "| class | property | profile | field |"
    yield "|---|---|---|---|"
    for row in listed():
        reason = left_out(row)
        cell = f"left out: {reason}" if reason else fields(row)
        yield f"| `{row.subject}` | `{row.predicate}` | {row.profiles} | {cell} |"


def write() -> None:
    """Write the list and the table anew."""
    with LIST.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        writer.writerow(Property._fields)
        writer.writerows(generated())
    TABLE.write_text("\n".join(table()) + "\n")


def violations(data: Graph, path: str) -> list[tuple[str, ...]]:
    """What the shapes say against a graph, but for `FALSE_POSITIVES` and the authorities' own tables."""
    unsatisfiable = {str(expand(name)) for shapes_, name in FALSE_POSITIVES if shapes_ == path}
    return [
        (*says, message)
        for severity, *says, message in findings(data, path)
        if severity == SH.Violation
        and "publications.europa.eu" not in says[0]
        and says[1] not in unsatisfiable
    ]


def findings(data: Graph, path: str) -> list[tuple[Any, ...]]:
    """All findings: severity, focus node, path, value and message."""
    graph = Graph()
    for part in (data, *(Graph().parse(file) for file in sorted((FOLDER / "background").iterdir()))):
        graph += part
    if path == CODES:  # a table that the background lacks
        graph.parse(FOLDER.parent / "vocabularies" / "full-distribution-status.rdf")
    _, report, _ = pyshacl.validate(
        graph, shacl_graph=shapes(path), inference=(RUNS | HIGH_VALUE)[path], allow_warnings=True
    )
    found: list[tuple[Any, ...]] = []
    validation = report.value(None, RDF.type, SH.ValidationReport)  # type: ignore[union-attr]
    for result in report.objects(validation, SH.result):  # type: ignore[union-attr]
        says = [str(report.value(result, SH[name])) for name in ("focusNode", "resultPath", "value")]
        found.append(
            (report.value(result, SH.resultSeverity), *says, str(report.value(result, SH.resultMessage)))
        )
    return sorted(found)


def said(graph: Graph) -> set[tuple[str, str]]:
    """Classes and properties that a graph has."""
    manager = names()
    found: set[tuple[str, str]] = set()
    for subject, kind in graph.subject_objects(RDF.type):
        for predicate in graph.predicates(subject):
            found.add((_short(manager, kind), _short(manager, predicate)))
    return found


def _short(manager: NamespaceManager, predicate: Any) -> str:
    known = any(str(predicate).startswith(address) for address in PREFIXES.values())
    return manager.qname(str(predicate)) if known else str(predicate)


if __name__ == "__main__":
    write()
