"""Reads values out of an ISO 19139 tree and remembers which leaves it used, so that losses can be told.

ISO's trees alternate between properties (``citation``) and the classes that hold them (``CI_Citation``). A
path names the properties only; classes are passed through, so the same path reads ISO 19139, the Swiss CHE
profile and most of ISO 19115-3. Private to the format. Imports only ``languages``, ``model`` and ``xmldoc``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ccphva_harvesters import languages
from ccphva_harvesters.model import Problem
from ccphva_harvesters.xmldoc import Element, children, name

XLINK = "{http://www.w3.org/1999/xlink}"
_DATE = re.compile(
    r"^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?(Z|[+-]\d{2}:\d{2})?$"
)


class IsoReader:
    """One record and what was read of it."""

    def __init__(self, root: Element, kept: Sequence[str] | None, default: str | None) -> None:
        self.root = root
        self.kept = kept
        """Languages to keep; None keeps all."""
        self.used: set[Element] = set()
        self.problems: list[Problem] = []
        self.locales = self._locales()
        own = languages.of_value(
            self.code(root, "language") or self.code(root, "defaultLocale/language") or ""
        )
        fits = own is not None and (kept is None or own in kept)
        self.own = own
        """Language of the texts that name none, as the record says it."""
        self.default = default or (own if own is not None and fits else languages.PORTAL[0])

    def _locales(self) -> dict[str, str | None]:
        """Language by the name that texts call it (ISO/TS 19139 §A.6: PT_Locale)."""
        found: dict[str, str | None] = {}
        for locale in [*self.all(self.root, "locale"), *self.all(self.root, "otherLocale")]:
            for holder in children(locale):
                language = self.code(holder, "languageCode") or self.code(holder, "language")
                if language and holder.get("id"):
                    found[str(holder.get("id"))] = languages.fold(language)
        return found

    # -- elements ----------------------------------------------------------------------------------------

    def all(self, node: Element, path: str) -> list[Element]:
        """Elements at a path of property names; classes in between are passed through."""
        found = [node]
        for step in path.split("/"):
            found = [match for element in found for match in _below(element, step)]
        return found

    def first(self, node: Element, path: str) -> Element | None:
        """The first of them."""
        return next(iter(self.all(node, path)), None)

    def leaves(self) -> Iterator[Element]:
        """Every element that says something itself: a text, a code or a link, and has none below."""
        return (e for e in self.root.iter() if isinstance(e.tag, str) and not children(e) and said(e))

    def losses(self) -> list[str]:
        """Paths of the leaves that were not mapped."""
        return [path_of(leaf, self.root) for leaf in self.leaves() if leaf not in self.used]

    def problem(self, code: str, message: str, field: str | None = None) -> None:
        """Keep a problem with the dataset, once."""
        found = Problem(code, message, field)
        if found not in self.problems:
            self.problems.append(found)

    # -- single values -----------------------------------------------------------------------------------

    def value(self, node: Element | None) -> str | None:
        """What a property says: its own text, a code, an anchor's or file name's text."""
        if node is None:
            return None
        for element in [node, *(e for e in node.iter() if e is not node and isinstance(e.tag, str))]:
            if _in_free_text(element, node) or children(element):
                continue
            text = said(element)
            if text:
                self.used.add(element)
                self._same(node, text)
                return text
        localised = self._localised(node)
        return next(iter(localised.values()), None) if localised else None

    def _same(self, node: Element, text: str) -> None:
        """Note translations that say the same again, as those of names and numbers do."""
        for inner in node.iter():
            localised = isinstance(inner.tag, str) and name(inner).startswith("Localised")
            if localised and (inner.text or "").strip() == text:
                self.used.add(inner)

    def code(self, node: Element, path: str) -> str | None:
        """The first value at a path."""
        for element in self.all(node, path):
            text = self.value(element)
            if text:
                return text
        return None

    def values(self, node: Element, path: str) -> list[str]:
        """All values at a path, each once, in order."""
        found = [self.value(element) for element in self.all(node, path)]
        return list(dict.fromkeys(text for text in found if text))

    def link(self, node: Element | None) -> str | None:
        """The address that an anchor inside a property (or the property itself) points to."""
        if node is None:
            return None
        for element in node.iter():
            if isinstance(element.tag, str) and (address := (element.get(XLINK + "href") or "").strip()):
                self.used.add(element)
                return address
        return None

    def date(self, node: Element, path: str, field: str) -> str | None:
        """A date or time at a path, when it is one (ISO 8601)."""
        text = self.code(node, path)
        if text is None or _DATE.match(text):
            return text
        self.problem("date", f"{text[:60]!r} is not a date", field)
        return None

    # -- texts -------------------------------------------------------------------------------------------

    def texts(self, node: Element, path: str, field: str) -> dict[str, str]:
        """Text by language of the first property at a path that has any in a language we keep."""
        for element in self.all(node, path):
            found = self.text(element, field)
            if found:
                return found
        return {}

    def text(self, element: Element, field: str) -> dict[str, str]:
        """Text by language of one property (PT_FreeText, ISO/TS 19139 §A.6).

        The plain text is in the record's own language. A text in none of our languages is kept under the
        default one with a problem.
        """
        said_ = self._localised(element)
        plain = self._plain(element)
        if plain:
            said_[self.own or self.default] = plain
        if self.kept is None or not said_:
            return said_
        kept = {language: text for language, text in said_.items() if language in self.kept}
        if kept:
            return kept
        only = "en" if "en" in said_ else min(said_)
        self.problem(
            "language", f"only in {', '.join(sorted(said_))}; kept as it is under {self.default}", field
        )
        return {self.default: said_[only]}

    def best(self, texts: dict[str, str]) -> str | None:
        """One text: French, else the record's language, else any."""
        for language in (languages.PORTAL[0], self.default, *languages.PORTAL, *sorted(texts)):
            if language in texts:
                return texts[language]
        return None

    def _plain(self, element: Element) -> str | None:
        for inner in element.iter():
            if isinstance(inner.tag, str) and not children(inner) and not _in_free_text(inner, element):
                text = said(inner)
                if text:
                    self.used.add(inner)
                    return text
        return None

    def _localised(self, element: Element) -> dict[str, str]:
        """Texts that name their locale; a machine's translations are left out."""
        found: dict[str, str] = {}
        for inner in element.iter():
            if not isinstance(inner.tag, str) or not name(inner).startswith("Localised"):
                continue
            text = (inner.text or "").strip()
            key = (inner.get("locale") or "").removeprefix("#")
            language = self.locales.get(key) or languages.fold(key.lower().removeprefix("locale-"))
            if not text:
                continue
            if languages.is_machine_translated(key):
                self.problem("machine-translation", "machine translations of the source are not taken over")
                continue
            if language is not None:
                self.used.add(inner)  # a language that the portal has not is left out by its own wish
                found.setdefault(language, text)
        return found


def said(element: Element) -> str:
    """What a leaf says: its code, else its text, else where it points."""
    text = (element.get("codeListValue") or "").strip() or (element.text or "").strip()
    for attribute in (XLINK + "href", "uuidref"):
        text = text or (element.get(attribute) or "").strip()
    return text


def path_of(element: Element, root: Element) -> str:
    """Names of the properties down to an element, without the classes."""
    names: list[str] = []
    while element is not None and element is not root:
        if not is_class(name(element)):
            names.append(name(element))
        element = element.getparent()
    return "/".join(reversed(names))


def is_class(local: str) -> bool:
    """True for the name of a class or a value, which begin with a capital letter."""
    return local[:1].isupper() and local != "DCP"


def _below(element: Element, step: str) -> Iterator[Element]:
    for child in children(element):
        if name(child) == step:
            yield child
        elif is_class(name(child)):
            yield from _below(child, step)


def _in_free_text(element: Element, top: Element) -> bool:
    while element is not None and element is not top:
        if name(element).startswith(("PT_FreeText", "PT_FreeURL")):
            return True
        element = element.getparent()
    return False
