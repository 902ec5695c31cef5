"""Reads values out of a graph and remembers which triples it used, so that what was not mapped can be told.

Private to the RDF formats. Imports only ``_known``, ``languages``, ``model``, ``rdf`` and ``_terms``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from rdflib import BNode, Literal, URIRef

from ccphva_harvesters import languages
from ccphva_harvesters.model import Fields, Problem
from ccphva_harvesters.rdf import Graph, Term, Triple

from . import _terms as t
from ._known import is_known

Predicates = Sequence[str]
_STOP = (t.DCAT + "Dataset", t.DCAT + "DatasetSeries", t.DCAT + "Catalog", t.DCAT + "CatalogRecord")
_DATE = re.compile(
    r"^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?(Z|[+-]\d{2}:\d{2})?$"
)


class Reader:
    """One dataset's view of its graph."""

    def __init__(self, graph: Graph, kept: Sequence[str] | None, default: str) -> None:
        self.graph = graph
        self.kept = kept
        """Languages to keep; None keeps all."""
        self.default = default
        """Language of texts that name none."""
        self.used: set[Triple] = set()
        self.problems: list[Problem] = []

    # -- triples -----------------------------------------------------------------------------------------

    def objects(self, node: Term, predicates: Predicates) -> list[tuple[str, Term]]:
        """Objects of the first predicate that has any, as (predicate, object)."""
        said = self.graph.properties(node)
        for predicate in predicates:
            if predicate in said:
                found = [(predicate, o) for o in said[predicate] if str(o).strip()]
                if found:
                    return found
        return []

    def every(self, node: Term, predicates: Predicates) -> list[tuple[str, Term]]:
        """Objects of all the predicates."""
        said = self.graph.properties(node)
        return [(p, o) for p in predicates if p in said for o in said[p] if str(o).strip()]

    def use(self, node: Term, predicate: str, value: Term) -> None:
        """Note that a triple was mapped; the class of a mapped thing is mapped with it."""
        self.used.add((node, predicate, value))
        self.visit(value)

    def visit(self, node: Term) -> None:
        """Note the classes of a node as mapped."""
        if isinstance(node, Literal):
            return
        for kind in self.graph.objects(node, t.RDF + "type"):
            self.used.add((node, t.RDF + "type", kind))

    def problem(self, code: str, message: str, field: str | None = None) -> None:
        """Keep a problem with the dataset, once."""
        found = Problem(code, message, field)
        if found not in self.problems:
            self.problems.append(found)

    def reachable(self, root: Term) -> Iterable[Triple]:
        """Triples that describe ``root``: its own and those of what it points to, up to other datasets."""
        queue, seen = [root], {root}
        while queue:
            node = queue.pop()
            for predicate, objects in self.graph.properties(node).items():
                for o in objects:
                    yield node, predicate, o
                    if (
                        not isinstance(o, Literal)
                        and o not in seen
                        and o in self.graph
                        and not self._foreign(o)
                    ):
                        seen.add(o)
                        queue.append(o)

    def _foreign(self, node: Term) -> bool:
        return any(str(k) in _STOP for k in self.graph.objects(node, t.RDF + "type"))

    def losses(self, root: Term) -> list[Triple]:
        """Triples that describe ``root`` and were not mapped.

        An empty text says nothing, and what a code list of ours says of its concepts we know already.
        """
        return [
            (subject, predicate, value)
            for subject, predicate, value in self.reachable(root)
            if (subject, predicate, value) not in self.used
            and str(value).strip()
            and not is_known(str(subject), predicate)
        ]

    # -- texts -------------------------------------------------------------------------------------------

    def text(self, node: Term, predicates: Predicates, field: str) -> dict[str, str]:
        """Text by language, over the first predicate that has any in a language we keep.

        Machine translations are left out, untagged text goes to the default language unless a tagged one
        is there, and a text in none of our languages is kept under the default one with a problem.
        """
        tagged: dict[str, list[tuple[str, Literal]]] = {}
        for predicate, value in self.every(node, predicates):
            if not isinstance(value, Literal) or self._machine(value):
                continue
            language = languages.fold(value.language) if value.language else None
            tagged.setdefault(language or "", []).append((predicate, value))
        untagged = tagged.pop("", [])
        if untagged:
            tagged.setdefault(self.default, untagged)
        chosen: dict[str, str] = {}
        for language in self._kept(tagged, field):
            predicate = tagged[language][0][0]
            value = min((v for p, v in tagged[language] if p == predicate), key=str)
            for p, v in tagged[language]:
                if str(v).strip() == str(value).strip():  # the same said twice, or by two predicates
                    self.use(node, p, v)
            target = language if self.kept is None or language in self.kept else self.default
            chosen[target] = str(value).strip()
        return chosen

    def _kept(self, tagged: dict[str, Any], field: str) -> list[str]:
        found = sorted(tagged)
        if self.kept is None:
            return found
        kept = [language for language in found if language in self.kept]
        if kept or not found:
            return kept
        only = "en" if "en" in found else found[0]
        self.problem("language", f"only in {', '.join(found)}; kept as it is under {self.default}", field)
        return [only]

    def _machine(self, value: Literal) -> bool:
        if not value.language or not languages.is_machine_translated(value.language):
            return False
        self.problem("machine-translation", "machine translations of the source are not taken over")
        return True

    def plain(self, node: Term, predicates: Predicates, field: str) -> str | None:
        """One text in the best language; a described thing gives its name."""
        before = set(self.used) if len(self.objects(node, predicates)) > 1 else self.used
        texts = self.text(node, predicates, field)
        if not texts:
            return self.ref(node, predicates)
        best = self.best(texts)
        if len(texts) > 1:  # what another language said is lost, and must be told as lost
            others = {triple for triple in self.used - before if str(triple[2]).strip() != best}
            self.used -= others
        return best

    def tagged(self, node: Term, predicates: Predicates) -> dict[str, str]:
        """Texts that name their language, in languages we keep."""
        found: dict[str, str] = {}
        for predicate, value in sorted(self.every(node, predicates), key=lambda pair: str(pair[1])):
            if not isinstance(value, Literal) or not value.language or self._machine(value):
                continue
            language = languages.fold(value.language)
            if language and (self.kept is None or language in self.kept):
                self.use(node, predicate, value)
                found.setdefault(language, str(value).strip())
        return found

    def statement(self, node: Term, predicates: Predicates, field: str) -> dict[str, str]:
        """Texts by language of a property that has literals, or nodes that bear them (dct:provenance).

        Several statements of a language stand one under the other, in an order that is not the document's.
        """
        found = {language: {text} for language, text in self.text(node, predicates, field).items()}
        for value in self.described(node, predicates):
            if isinstance(value, Literal):
                continue
            said = self.text(value, (t.RDFS + "label", t.DCT + "description", t.DCT + "title"), field)
            if not said and (name := self.name(value)):
                said = {self.default: name}
            for language, text in said.items():
                found.setdefault(language, set()).add(text)
        return {language: "\n\n".join(sorted(texts)) for language, texts in sorted(found.items())}

    def best(self, texts: dict[str, Any]) -> Any:
        """The value in the best language of a mapping by language."""
        for language in (*languages.PORTAL[:1], self.default, *languages.PORTAL):
            if language in texts:
                return texts[language]
        return texts[min(texts)]

    def keywords(self, node: Term, predicates: Predicates) -> dict[str, list[str]]:
        """Keywords by language, sorted, each once."""
        found: dict[str, set[str]] = {}
        for predicate, value in self.every(node, predicates):
            word = self.label(value)
            if word is None:
                continue
            tag = value.language if isinstance(value, Literal) else None
            if isinstance(value, Literal) and self._machine(value):
                continue
            language = (languages.fold(tag) if tag else None) or self.default
            if self.kept is None or language in self.kept:
                found.setdefault(language, set()).add(" ".join(word.split()))
                self.use(node, predicate, value)
        return {language: sorted(words) for language, words in sorted(found.items())}

    # -- single values -----------------------------------------------------------------------------------

    def ref(self, node: Term, predicates: Predicates) -> str | None:
        """One URI, or the name of a blank node, or a literal; the smallest, so that order does not matter."""
        best: tuple[str, str, Term] | None = None
        for predicate, value in self.objects(node, predicates):
            name = self.name(value)
            if name is not None and (best is None or (name, predicate) < best[:2]):
                best = (name, predicate, value)
        if best is None:
            return None
        self.use(node, best[1], best[2])
        return best[0]

    def refs(self, node: Term, predicates: Predicates) -> list[str]:
        """All URIs, names and literals, sorted, each once."""
        found: set[str] = set()
        for predicate, value in self.every(node, predicates):
            name = self.name(value)
            if name is not None:
                self.use(node, predicate, value)
                found.add(name)
        return sorted(found)

    def name(self, value: Term) -> str | None:
        """A URI as it is, a literal's text, a blank node's name."""
        return self.label(value) if isinstance(value, BNode) else str(value).strip() or None

    def label(self, value: Term) -> str | None:
        """What a person would call the value: a literal's text or the name of a described thing."""
        if isinstance(value, Literal):
            return str(value).strip() or None
        for predicate in t.LABELS:
            texts = {
                languages.fold(o.language) or self.default: (o, predicate)
                for o in sorted(self.graph.objects(value, predicate), key=str, reverse=True)
                if isinstance(o, Literal)
                and str(o).strip()
                and not languages.is_machine_translated(o.language or "")
            }
            if texts:
                chosen, source = self.best(texts)
                self.use(value, source, chosen)
                return str(chosen).strip()
        return None if isinstance(value, BNode) else str(value)

    def date(self, node: Term, predicates: Predicates, field: str) -> str | None:
        """An ISO 8601 date or time; the latest of several."""
        good: list[tuple[str, str, Term]] = []
        for predicate, value in self.objects(node, predicates):
            text = str(value).strip()
            if _DATE.match(text):
                good.append((text, predicate, value))
            else:
                self.problem("date", f"{text[:60]!r} is not a date", field)
        if not good:
            return None
        text, predicate, value = max(good)
        self.use(node, predicate, value)
        return text

    def number(self, node: Term, predicates: Predicates, field: str) -> int | None:
        """A whole number, as a byte size is; written with an exponent or decimals by some."""
        for predicate, value in sorted(self.objects(node, predicates), key=lambda pair: str(pair[1])):
            try:
                number = int(float(str(value)))
            except (ValueError, OverflowError):
                self.problem("number", f"{str(value)[:60]!r} is not a number", field)
                continue
            if number >= 0:
                self.use(node, predicate, value)
                return number
        return None

    def described(self, node: Term, predicates: Predicates) -> list[Term]:
        """Things that a property points to, marked as used, in the order read."""
        found: list[Term] = []
        for predicate, value in self.every(node, predicates):
            self.use(node, predicate, value)
            if value not in found:
                found.append(value)
        return found


def compact(fields: Fields) -> Fields:
    """The mapping without its empty values."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def uri(node: Term) -> str | None:
    """The address of a node that has one."""
    return str(node) if isinstance(node, URIRef) else None
