"""Multilingual fields inside CKAN's flattened data: found, gathered, and kept equal with core's own fields.

A field `x_translated` goes with CKAN's `x`: `title`, `notes`, `name`, `description`.
`docs/developer/schema.md` has the rule for clients that write only one of the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import form_texts, freshness, languages

Flat = dict[tuple[Any, ...], Any]
SUFFIX = "_translated"
KEYWORDS = "tags_translated"
_NO_TAG = re.compile(r"[^\w \-.]")


def core_name(field: str) -> str | None:
    """CKAN's own field of a multilingual one; keywords have tags instead."""
    return field.removesuffix(SUFFIX) if field.endswith(SUFFIX) and field != KEYWORDS else None


def fields_of(schema: Mapping[str, Any], *groups: str) -> list[Mapping[str, Any]]:
    """The multilingual fields of a schema: those with a validator that ckanext-dcat takes for one, too."""
    return [field for group in groups for field in schema.get(group, ()) if form_texts.is_multilingual(field)]


def stored_thing(data: Flat, context: Mapping[str, Any]) -> Any:
    """The dataset or organisation that this write changes, as it was; None when it makes a new one."""
    for name in ("package", "group"):
        thing = context.get(name)
        if thing is not None and data.get(("id",)) in (thing.id, thing.name):
            return thing
    return None


def gather(data: Flat, schema: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Put one value a multilingual field into the data, for the thing itself and for each resource."""
    stored = stored_thing(data, context)
    for prefix, thing, fields in _things(data, schema, stored):
        before = dict(thing.extras or {}) if thing is not None else None
        checked = _checked(data, prefix, fields)
        states = {}
        for field in fields:
            name = field["field_name"]
            old = (languages.parse(before.get(name)) or {}) if before is not None else None
            if name == KEYWORDS:
                value = languages.merge(_keywords(data), _tags(data), old, _stored_tags(thing))
            else:
                value = _merged(data, prefix, name, old, thing)
                if value is None and field.get("required"):
                    value = old  # as CKAN does: an update that names no title keeps it
            data[(*prefix, name)] = tk.missing if value is None else value
            if state := _state(name, value, old, before, checked):
                states[name] = state
        if fields:
            data[(*prefix, freshness.FIELD)] = json.dumps(states) if states else tk.missing


def _state(
    name: str,
    value: Any,
    old: Mapping[str, Any] | None,
    before: Mapping[str, Any] | None,
    checked: Mapping[str, list[str]],
) -> freshness.State:
    """The state of one field's translations; none for what the field's own validator will refuse."""
    texts = languages.split_known(languages.parse(value) or {})[0]
    if name == KEYWORDS:
        texts = {code: _words(words) for code, words in texts.items()}
    states = languages.parse((before or {}).get(freshness.FIELD)) or {}
    return freshness.follow(texts, old or {}, states.get(name) or {}, checked.get(name, []))


def _words(words: Any) -> Any:
    return [word for word in words.split(",") if word.strip()] if isinstance(words, str) else words


def _checked(
    data: Flat, prefix: tuple[Any, ...], fields: Iterable[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """The translations that the payload declares still right, by field: a dict, or boxes of the form."""
    extras = data.get((*prefix, "__extras"))
    if not isinstance(extras, dict):
        return {}
    said = languages.parse(extras.pop(freshness.CHECKED, None)) or {}
    found: dict[str, list[str]] = {}
    for name in (field["field_name"] for field in fields):
        codes = extras.pop(f"{name}-checked", None) or said.get(name) or []
        found[name] = [codes] if isinstance(codes, str) else [str(code) for code in codes]
    return found


def _merged(data: Flat, prefix: tuple[Any, ...], name: str, old: Any, thing: Any) -> Any:
    """Texts of a field that goes with one of CKAN's; those of another may come as one plain text."""
    given, core = _given(data, prefix, name), core_name(name)
    if core is None:
        plain = isinstance(given, str) and given.strip() and languages.parse(given) is None
        return {languages.MAIN: given} if plain else given
    return languages.merge(given, _present(data, (*prefix, core)), old, getattr(thing, core, None) or "")


def _things(data: Flat, schema: Mapping[str, Any], stored: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The thing itself and each of its resources: key prefix, what is stored of it, its fields."""
    yield (), stored, fields_of(schema, "dataset_fields", "fields")
    fields = fields_of(schema, "resource_fields")
    known = {resource.id: resource for resource in getattr(stored, "resources", ())}
    for number in sorted({key[1] for key in data if len(key) == 3 and key[0] == "resources"}):
        prefix = ("resources", number)
        yield prefix, known.get(data.get((*prefix, "id"))), fields


def _present(data: Flat, key: tuple[Any, ...]) -> Any:
    value = data.get(key, tk.missing)
    return None if value is tk.missing or value is None else value


def _given(data: Flat, prefix: tuple[Any, ...], field: str) -> Any:
    """A dict, its JSON, or one form field a language (`title_translated-fr`)."""
    value = _present(data, (*prefix, field))
    extras = data.get((*prefix, "__extras"))
    if isinstance(extras, dict):
        parts = {name: extras.pop(name) for name in list(extras) if name.startswith(f"{field}-")}
        if parts:  # beside them a form that patches sends back what was stored
            typed = {name.removeprefix(f"{field}-"): text for name, text in parts.items()}
            return {**(languages.parse(value) or {}), **typed}
    return value


def _keywords(data: Flat) -> Any:
    """The field itself, or `keywords_translated`: the name that DCAT has for them."""
    extras = data.get(("__extras",))
    other = extras.pop("keywords_translated", None) if isinstance(extras, dict) else None
    given = _given(data, (), KEYWORDS)
    return other if given is None else given


def _tags(data: Flat) -> list[str] | None:
    """CKAN's free tags of the payload, None where it has none."""
    found = [
        str(data[key]) for key in data if key[0] == "tags" and key[2:] == ("name",) and _is_free(data, key[1])
    ]
    text = _present(data, ("tag_string",))
    if isinstance(text, str):
        found += [word.strip() for word in text.split(",") if word.strip()]
    return sorted(set(found)) if found or text is not None else None


def _is_free(data: Flat, number: int) -> bool:
    return data.get(("tags", number, "vocabulary_id")) in (None, "", tk.missing)


def _stored_tags(thing: Any) -> list[str]:
    return sorted(tag.name for tag in thing.get_tags()) if hasattr(thing, "get_tags") else []


def replace_tags(data: Flat, keywords: Mapping[str, list[str]]) -> None:
    """CKAN's free tags from the main language's keywords, under CKAN's rule for tags.

    Only after the main run: CKAN's own validators miss a tag that goes away before they have seen it.
    """
    numbers = {key[1] for key in data if key[0] == "tags" and len(key) == 3}
    free = {number for number in numbers if _is_free(data, number)}
    for key in [key for key in data if key[0] == "tags" and len(key) == 3 and key[1] in free]:
        del data[key]
    tags = dict.fromkeys(
        " ".join(_NO_TAG.sub(" ", word).split()) for word in keywords.get(languages.MAIN, [])
    )
    for number, tag in enumerate((tag for tag in tags if len(tag) >= 2), max(numbers, default=-1) + 1):
        data[("tags", number, "name")] = tag
