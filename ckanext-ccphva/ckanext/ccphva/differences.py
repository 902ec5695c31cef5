"""What differs between two versions of a dataset, by field and in a reader's words. Imports nothing of CKAN.

Labels come from the dataset schema: a field, a choice and a subfield are named as the form names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from ckanext.ccphva import languages

SAME, ADDED, REMOVED = "same", "added", "removed"
MOST_WORDS = 4_000
"""Words of both texts together beyond which they are shown whole: comparing takes their product."""
CONTEXT = 120
"""Characters of an unchanged passage that are shown on either side of a change."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_HIDDEN = frozenset({"access_rights", "name_or_id"})

Field = Mapping[str, Any]


class Part(NamedTuple):
    """A passage of a text, or an item of a list, and what became of it."""

    change: str
    text: str


class Difference(NamedTuple):
    """One field that differs; `language` is that of a translated text, else empty."""

    field: str
    label: str
    language: str
    kind: str
    """`text`: passages in their order; `items`: what came and what went."""
    parts: list[Part]


class ResourceDifference(NamedTuple):
    """One resource that came, went or changed."""

    name: str
    change: str
    fields: list[Difference]


def fields(
    before: Mapping[str, Any], after: Mapping[str, Any], schema: Sequence[Field], language: str
) -> list[Difference]:
    """Fields of a schema that differ, in the order of the form."""
    found: list[Difference] = []
    for field in schema:
        name = field["field_name"]
        if name not in _HIDDEN:
            found += _field(field, before.get(name), after.get(name), language)
    return found


def resources(
    before: Mapping[str, Any], after: Mapping[str, Any], schema: Sequence[Field], language: str
) -> list[ResourceDifference]:
    """Resources that were added, removed or changed, by name."""
    old = {each["id"]: each for each in before.get("resources", ())}
    new = _under_known_ids(after.get("resources", ()), old)
    found = []
    for id_, resource in {**old, **new}.items():
        changed = fields(old.get(id_, {}), new.get(id_, {}), schema, language)
        if id_ not in old:
            found.append(ResourceDifference(_name(resource, language), ADDED, changed))
        elif id_ not in new:
            found.append(ResourceDifference(_name(resource, language), REMOVED, []))
        elif changed:
            found.append(ResourceDifference(_name(resource, language), "changed", changed))
    return found


def _under_known_ids(resources: Iterable[Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Resources by id; one that a client sent without its id is known by its address."""
    resources = list(resources)
    gone = set(old) - {each["id"] for each in resources}
    by_address = {old[id_]["url"]: id_ for id_ in gone if old[id_].get("url")}
    return {
        each["id"] if each["id"] in old else by_address.pop(each.get("url"), each["id"]): each
        for each in resources
    }


def _name(resource: Mapping[str, Any], language: str) -> str:
    texts = languages.parse(resource.get("name_translated"))
    return str(
        languages.best(texts, language) or resource.get("name") or resource.get("url") or resource["id"]
    )


def _field(field: Field, before: Any, after: Any, language: str) -> Iterator[Difference]:
    name, label = field["field_name"], languages.best(_texts(field.get("label")), language)
    if name.endswith("_translated"):
        old, new = languages.parse(before) or {}, languages.parse(after) or {}
        for code in dict.fromkeys([*languages.LANGUAGES, *old, *new]):
            if changed := _difference(field, old.get(code), new.get(code), language):
                yield Difference(name, label, code, *changed)
    elif changed := _difference(field, before, after, language):
        yield Difference(name, label, "", *changed)


def _texts(label: Any) -> dict[str, Any]:
    return dict(label) if isinstance(label, Mapping) else {languages.MAIN: label}


def _difference(field: Field, before: Any, after: Any, language: str) -> tuple[str, list[Part]] | None:
    if (before in (None, "", [], {}) and after in (None, "", [], {})) or before == after:
        return None
    if isinstance(before, list) or isinstance(after, list):
        old, new = _items(field, before, language), _items(field, after, language)
        parts = [Part(REMOVED, item) for item in old if item not in new]
        parts += [Part(ADDED, item) for item in new if item not in old]
        return ("items", parts) if parts else None
    old_text, new_text = shown_value(field, before, language), shown_value(field, after, language)
    if old_text == new_text:
        return None
    if field.get("choices"):
        return "items", [Part(c, t) for c, t in ((REMOVED, old_text), (ADDED, new_text)) if t]
    return "text", words(old_text, new_text)


def _items(field: Field, value: Any, language: str) -> list[str]:
    values = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return [shown_value(field, each, language) for each in values]


def shown_value(field: Field, value: Any, language: str) -> str:
    """A value as a reader knows it: a choice by its label, a compound one by its subfields."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        labels = {sub["field_name"]: sub for sub in field.get("repeating_subfields", ())}
        pairs = [
            (
                languages.best(_texts(labels[key].get("label")), language),
                shown_value(labels[key], item, language),
            )
            for key, item in value.items()
            if key in labels and item not in (None, "", [])
        ]
        return ", ".join(f"{label}: {text}" for label, text in pairs)
    for choice in field.get("choices", ()):
        if choice["value"] == value:
            return str(languages.best(_texts(choice["label"]), language))
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def words(before: str, after: str) -> list[Part]:
    """A text with the words that came and went; unchanged passages far from a change are left out."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        return [Part(change, text) for change, text in ((REMOVED, before), (ADDED, after)) if text]
    parts: list[Part] = []
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            parts.append(Part(SAME, "".join(old[a:b])))
            continue
        parts += [Part(k, t) for k, t in ((REMOVED, "".join(old[a:b])), (ADDED, "".join(new[c:d]))) if t]
    last = len(parts) - 1
    return [
        Part(SAME, _shortened(part.text, number > 0, number < last)) if part.change == SAME else part
        for number, part in enumerate(parts)
    ]


def _shortened(text: str, after_change: bool, before_change: bool) -> str:
    if len(text) <= 2 * CONTEXT + 20:
        return text
    head = text[:CONTEXT] if after_change else ""
    tail = text[-CONTEXT:] if before_change else ""
    return f"{head} … {tail}"
