"""What a form shows: the state of each translation, what was typed, and how that differs from what is stored.

No database and no request: arguments in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckan.lib.navl.dictization_functions import unflatten
from ckan.logic import clean_dict, parse_params, tuplize_dict
from ckanext.ccphva import freshness, languages
from ckanext.scheming.plugins import expand_form_composite

MISSING, FILLED, OUTDATED = "missing", "filled", "outdated"


def is_multilingual(field: Mapping[str, Any]) -> bool:
    """ckanext-dcat's rule: a validator whose name begins with `fluent`."""
    return any(name.startswith("fluent") for name in str(field.get("validators", "")).split())


def entries(field: Mapping[str, Any], data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each of the portal's languages, the main one first."""
    name = field["field_name"]
    stored = languages.parse(data.get(name)) or {}
    states = (languages.parse(data.get(freshness.FIELD)) or {}).get(name) or {}
    return [
        _entry(f"{name}-{code}", code, data, stored, states.get(code) or {}) for code in languages.LANGUAGES
    ]


def _entry(
    name: str, code: str, data: Mapping[str, Any], stored: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    text = data[name] if name in data else stored.get(code)
    outdated = bool(state.get("outdated")) and not languages.is_empty(text)
    return {
        "name": name,
        "code": code,
        "language": languages.NAMES[code],
        "main": code == languages.MAIN,
        "text": ", ".join(text) if isinstance(text, list) else text or "",
        "outdated": outdated,
        "state": MISSING if languages.is_empty(text) else OUTDATED if outdated else FILLED,
    }


def shown(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The dataset fields that the form has."""
    return [field for field in schema["dataset_fields"] if field.get("form_snippet", "") is not None]


def emptied(schema: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Fields of which a browser sends nothing when nothing is left of them."""
    return {
        field["field_name"]: []
        for field in shown(schema)
        if "repeating_subfields" in field or "multiple" in str(field.get("form_snippet", ""))
    }


def typed(form: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The form as core's views would hand it to `package_update`, repeating groups as lists."""
    data = clean_dict(unflatten(tuplize_dict(parse_params(form))))
    for name in ("save", "_ckan_phase", "pkg_name"):
        data.pop(name, None)
    expand_form_composite(
        data, {f["field_name"] for f in schema["dataset_fields"] if "repeating_subfields" in f}
    )
    return data


def differences(
    written: Mapping[str, Any], stored: Mapping[str, Any], schema: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Where typed and stored differ: the field's label, its language, both texts."""
    found = []
    for field in shown(schema):
        for name, language, there in _values(field, stored):
            mine, other = _text(written.get(name)), _text(there)
            if " ".join(mine.split()) != " ".join(other.split()):
                found.append({"label": field["label"], "language": language, "mine": mine, "stored": other})
    return found


def _values(field: Mapping[str, Any], stored: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    name = field["field_name"]
    if not is_multilingual(field):
        return [(name, "", stored.get(name))]
    texts = languages.parse(stored.get(name)) or {}
    return [(f"{name}-{code}", languages.NAMES[code], texts.get(code)) for code in languages.LANGUAGES]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_text(part) for part in value.values() if part)
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, map(_text, value)))
    return str(value or "")
