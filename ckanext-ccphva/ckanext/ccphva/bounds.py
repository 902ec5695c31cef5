"""Refuse what is too much before anything reads it: long values, long lists, many resources (`limits.py`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import form_texts, limits

Flat = dict[tuple[Any, ...], Any]


def check(data: Flat, schema: Mapping[str, Any], errors: Flat) -> None:
    """Put a fault beside each field that holds too much, and take its value out of the way.

    :raises ValidationError: too many items of a repeating field: each would be checked for nothing.
    """
    longest = _longest(schema)
    for key, value in list(data.items()):
        name = next((part for part in reversed(key) if isinstance(part, str)), "")
        most = longest.get(name, limits.LONGEST_VALUE)
        if isinstance(value, str) and len(value) > most:
            _refuse(data, errors, key, tk._("the text is longer than %d characters") % most)
        elif isinstance(value, (list, tuple)) and len(value) > limits.MOST_ITEMS:
            _refuse(data, errors, key, tk._("more than %d items") % limits.MOST_ITEMS)
    counts = Counter(key[0] for key in {key[:2] for key in data if len(key) > 2})
    for name, count in counts.items():
        most = limits.MOST_RESOURCES if name == "resources" else limits.MOST_ITEMS
        if count > most:
            raise tk.ValidationError({name: [tk._("more than %d items") % most]})


def _longest(schema: Mapping[str, Any]) -> dict[str, int]:
    """Own bounds of plain fields; multilingual ones check each language by themselves."""
    found = {}
    for group in ("dataset_fields", "resource_fields", "fields"):
        for field in schema.get(group, ()):
            for each in (field, *field.get("repeating_subfields", ())):
                if form_texts.is_multilingual(each):
                    found[each["field_name"]] = limits.LONGEST_GEOMETRY
                elif "ccphva_geometry" in str(each.get("validators", "")):
                    found[each["field_name"]] = limits.LONGEST_GEOMETRY + 1  # its own validator says it
                elif "max_length" in each:
                    found[each["field_name"]] = int(each["max_length"])
    return found


def _refuse(data: Flat, errors: Flat, key: tuple[Any, ...], fault: str) -> None:
    errors.setdefault(key, []).append(fault)
    data[key] = tk.missing
