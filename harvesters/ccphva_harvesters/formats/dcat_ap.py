"""DCAT-AP 2 and 3, with HVD and GeoDCAT basics: RDF about a dataset → our schema.

What to read is the table in ``_rules``; how is ``_reader`` and ``_things``. What was not mapped is told by
``losses()`` and, in short, in the dataset's problems.

Imports only ``errors``, ``languages``, ``model``, ``rdf`` and the private modules of ``formats``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from rdflib import BNode, Literal, URIRef

from ccphva_harvesters import languages, rdf
from ccphva_harvesters.errors import RecordError
from ccphva_harvesters.model import Dataset, Fields, Kind, Problem, Record

from . import _offers as offers
from . import _rules as rules
from . import _terms as t
from . import _things as things
from ._keywords import first_geometry, tags
from ._reader import Predicates, Reader, compact, uri
from ._rules import DATASET_FIELDS, RESOURCE_FIELDS, Rule

__all__ = ["DATASET_FIELDS", "RESOURCE_FIELDS", "DcatAp", "DcatApConfig"]


class DcatApConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``format:`` with ``type: dcat-ap``."""

    languages: tuple[str, ...] | None = languages.PORTAL
    """Languages of texts to keep; null keeps all."""
    default_language: str | None = None
    """Language of texts without a tag, when it is surer than the dataset's own ``dct:language``."""
    report_losses: bool = True
    """Name the predicates that were not mapped in the dataset's problems."""


class DcatAp:
    """Format of records whose content is an ``rdf.Node``, or bytes of a whole RDF document."""

    Config = DcatApConfig

    def __init__(self, config: DcatApConfig | None = None) -> None:
        self.config = config or DcatApConfig()

    def datasets(self, record: Record) -> Iterator[Dataset]:
        """The datasets that the record speaks of."""
        for node in self._nodes(record):
            yield self._dataset(node, record)

    def losses(self, record: Record) -> list[rdf.Triple]:
        """Triples that describe the record's datasets and were not mapped."""
        lost: list[rdf.Triple] = []
        for node in self._nodes(record):
            reader = self._reader(node)
            self._read(reader, node)
            lost += reader.losses(node.term)
        return lost

    def said(self, record: Record) -> int:
        """Number of triples that describe the record's datasets, to weigh the losses against."""
        return sum(1 for node in self._nodes(record) for _ in self._reader(node).reachable(node.term))

    def _nodes(self, record: Record) -> Iterable[rdf.Node]:
        if isinstance(record.content, rdf.Node):
            return [record.content]
        if not isinstance(record.content, bytes):
            raise RecordError(record.id, f"its content is {type(record.content).__name__}, not RDF")
        url = record.url or record.id
        syntax = rdf.detect(record.content, record.media_type or "", url)
        graph = rdf.parse(record.content, syntax, url)
        found = graph.typed(*(t.DCAT + name for name in ("Dataset", "DatasetSeries", "DataService")))
        return [rdf.Node(graph, term) for term in found]

    def _reader(self, node: rdf.Node) -> Reader:
        return Reader(
            node.graph, self.config.languages, self.config.default_language or self._own_language(node)
        )

    def _own_language(self, node: rdf.Node) -> str:
        """The dataset's language when it has just one that we know, else French."""
        values = node.graph.objects(node.term, t.DCT + "language")
        found = {languages.of_value(str(v)) for v in values} - {None}
        only = found.pop() if len(found) == 1 else None
        kept = self.config.languages
        return only if only is not None and (kept is None or only in kept) else languages.PORTAL[0]

    def _dataset(self, node: rdf.Node, record: Record) -> Dataset:
        reader = self._reader(node)
        fields, resources = self._read(reader, node)
        if "title_translated" not in fields:
            name = _last_part(fields.get("identifier") or fields.get("uri") or record.id)
            fields["title_translated"] = {reader.default: name}
            reader.problem("title", "it has no title; its identifier stands in", "title_translated")
        if self.config.report_losses:
            for predicate in sorted({p for _, p, _ in reader.losses(node.term)}):
                reader.problem("unmapped", predicate)
        identifier: Any = fields.get("identifier")
        return Dataset(
            guid=record.guid or fields.get("uri") or identifier or node.graph.digest(node.term),
            uri=fields.get("uri"),
            identifier=identifier,
            kind=_kind(node),
            fields=fields,
            resources=resources,
            problems=tuple(sorted(reader.problems, key=_problem_key)),
        )

    def _read(self, r: Reader, node: rdf.Node) -> tuple[Fields, list[Fields]]:
        r.visit(node.term)
        fields: Fields = {"uri": uri(node.term), "identifier": r.ref(node.term, rules.IDENTIFIER)}
        table = rules.DATA_SERVICE if _kind(node) == "data_service" else rules.DATASET
        fields.update(_apply(r, node.term, table))
        _gather_roles(fields)
        _part_themes(fields)
        words = r.keywords(node.term, rules.KEYWORDS)
        fields["keywords_translated"] = words
        fields["tags"] = tags(r.problem, r.best(words)) if words else []
        distributions = r.described(node.term, rules.DISTRIBUTIONS)
        resources = [_distribution(r, d) for d in distributions if d in r.graph]
        for named in distributions:
            if named not in r.graph:
                r.problem("distribution", f"{named} is named and not described", "resources")
        fields["spatial"] = first_geometry(fields.get("spatial_coverage", []))
        return compact(fields), resources


def _kind(node: rdf.Node) -> Kind:
    types = {str(o) for o in node.graph.objects(node.term, t.RDF + "type")}
    if t.DCAT + "DatasetSeries" in types:
        return "dataset_series"
    service = t.DCAT + "DataService" in types and t.DCAT + "Dataset" not in types
    return "data_service" if service else "dataset"


def _apply(r: Reader, node: rdf.Term, table: Iterable[Rule]) -> Fields:
    said = r.graph.properties(node)
    return compact(
        {
            rule.field: _READINGS[rule.reading](r, node, rule.predicates, rule.field)
            for rule in table
            if any(predicate in said for predicate in rule.predicates)
        }
    )


def _each(read: Callable[[Reader, rdf.Term], Any], most: int | None = None) -> Callable[..., list[Any]]:
    """A reading that gives one value for each described thing, equal ones once, in an order that is not
    the document's."""

    def reading(r: Reader, node: rdf.Term, predicates: Predicates, _field: str) -> list[Any]:
        found: dict[str, Any] = {}
        for value in r.described(node, predicates):
            result = read(r, value)
            if result:
                found.setdefault(msgspec.json.encode(result, order="sorted").decode(), result)
        return [found[key] for key in sorted(found)][:most]

    return reading


def _service(r: Reader, node: rdf.Term) -> Fields:
    if isinstance(node, Literal):
        return compact({"endpoint_url": [str(node).strip()]})
    r.visit(node)
    return compact({"uri": uri(node), **_apply(r, node, rules.SERVICE)})


def _day(r: Reader, node: rdf.Term, predicates: Predicates, field: str) -> str | None:
    """A date; the midnight without a zone that DCAT-AP-LU makes of a day is that day."""
    found = r.date(node, predicates, field)
    return found.removesuffix("T00:00:00") if found else None


_READINGS: dict[str, Callable[[Reader, rdf.Term, Predicates, str], Any]] = {
    "text": lambda r, n, p, f: r.text(n, p, f),
    "plain": lambda r, n, p, f: r.plain(n, p, f),
    "ref": lambda r, n, p, _: r.ref(n, p),
    "refs": lambda r, n, p, _: r.refs(n, p),
    "date": lambda r, n, p, f: r.date(n, p, f),
    "day": _day,
    "number": lambda r, n, p, f: r.number(n, p, f),
    "agent": _each(things.agent, 1),
    "agents": _each(things.agent),
    "contacts": _each(things.contact),
    "periods": _each(things.period),
    "places": _each(things.place),
    "relations": _each(things.relation),
    "attributions": _each(things.attribution),
    "activities": _each(things.activity),
    "identifiers": _each(things.identifier),
    "services": _each(_service),
    "statement": lambda r, n, p, f: r.statement(n, p, f),
    "conformities": _each(things.conformity),
    "measurements": _each(things.measurement),
}


def _distribution(r: Reader, node: rdf.Term) -> Fields:
    """dcat:Distribution (DCAT 3 §6.8) as a CKAN resource; ``url`` is the download address, else
    the access address."""
    r.visit(node)
    fields: Fields = {"uri": uri(node), **_apply(r, node, rules.DISTRIBUTION)}
    fields["url"] = fields.get("download_url") or fields.get("access_url")
    media_type = r.ref(node, rules.MEDIA_TYPE)
    fields["mimetype"] = _media_type(media_type)
    fields["format"] = _format(r, node, media_type)
    fields["compress_format"] = _media_type(r.ref(node, rules.COMPRESS))
    fields["package_format"] = _media_type(r.ref(node, rules.PACKAGE))
    for checksum in _each(things.checksum, 1)(r, node, rules.CHECKSUM, "hash"):
        fields.update(checksum)
    fields["fee"] = offers.fee(r, node)
    return compact(fields)


def _media_type(value: str | None) -> str | None:
    """``text/csv`` of an IANA address (DCAT-AP 3 §Distribution: media type), or the text itself."""
    if value is None:
        return None
    match = re.search(r"(?:media-types|mediatypes)/+(.+)$", value)
    return match[1] if match else value


def _format(r: Reader, node: rdf.Term, media_type: str | None) -> str | None:
    """Short name of a file type: the EU table's code, a label, else what the media type says."""
    named = [(_label_or_code(r, value), predicate, value) for predicate, value in r.every(node, rules.FORMAT)]
    for name, predicate, value in sorted(((n, p, v) for n, p, v in named if n), key=lambda item: item[0]):
        r.use(node, predicate, value)
        return name
    found = _media_type(media_type)
    return found.rpartition("/")[2].partition(";")[0].upper() if found and "/" in found else found


def _label_or_code(r: Reader, value: rdf.Term) -> str | None:
    if isinstance(value, URIRef):
        return _last_part(_media_type(str(value)) or str(value))
    found = r.label(value)
    if found is None and isinstance(value, BNode):
        return None
    return found


def _gather_roles(fields: Fields) -> None:
    """Agents in roles as attributions, each once, whichever of the two ways said it."""
    found: list[Fields] = fields.pop("qualified_attribution", [])
    for field, role in rules.ROLES.items():
        for agent in fields.pop(field, []):
            item = {**agent, "role": t.ROLE + role}
            if item not in found:
                found.append(item)
    fields["qualified_attribution"] = sorted(found, key=lambda a: msgspec.json.encode(a, order="sorted"))


def _part_themes(fields: Fields) -> None:
    """INSPIRE's themes in a field of their own."""
    themes = fields.pop("theme", [])
    fields["inspire_theme"] = [theme for theme in themes if theme.startswith(t.INSPIRE_THEME)]
    fields["theme"] = [theme for theme in themes if not theme.startswith(t.INSPIRE_THEME)]


def _last_part(address: str) -> str:
    return re.split(r"[/#]", address.rstrip("/#"))[-1] or address


def _problem_key(problem: Problem) -> tuple[str, str, str]:
    return problem.code, problem.field or "", problem.message
