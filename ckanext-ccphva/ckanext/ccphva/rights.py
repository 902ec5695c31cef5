"""The law's findings in CKAN's flattened data: gathered from a payload, checked, told beside the field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckanext.ccphva import elsewhere, fees, languages, licences

Flat = dict[tuple[Any, ...], Any]
FIELD = "fee"
DATASET = (
    "license_id", "licence_regime", "homologation_reference", "homologation_date", "fee", "uri", "state",
    "visibility", "personal_data", "hvd_category", "applicable_legislation",
)  # fmt: skip
RESOURCE = ("license_id", "fee", "format", "access_services", "download_url")


def gather(data: Flat) -> None:
    """One object a fee, whatever form the client chose: an object, its JSON, or the fields of a form."""
    for prefix in [(), *_resources(data)]:
        value, extras = _value(data, (*prefix, FIELD)), data.get((*prefix, "__extras"))
        if isinstance(extras, dict):
            parts = {name: extras.pop(name) for name in list(extras) if name.startswith(f"{FIELD}-")}
            value = from_form(parts) if parts and value is None else value
        if isinstance(value, str):
            value = _parsed(value)
        data[(*prefix, FIELD)] = tk.missing if value in (None, {}) else value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text


def from_form(parts: Mapping[str, Any]) -> dict[str, Any] | None:
    """`fee-body`, `fee-tariff-0-amount`, `fee-exclusivity-end`, … as one object; empty ones left out."""
    fee: dict[str, Any] = {}
    lines: dict[str, dict[str, Any]] = {}
    exclusivity: dict[str, Any] = {}
    for name, value in sorted(parts.items()):
        text = value.strip() if isinstance(value, str) else value
        if text in ("", None):
            continue
        match name.split("-")[1:]:
            case ["tariff", number, column]:
                lines.setdefault(number, {})[column] = text
            case ["exclusivity", column]:
                exclusivity[column] = text
            case [column, *_]:
                fee[column] = text
    # A form offers EUR in each line; a line that says no more than that is an empty one.
    tariff = [line for _, line in sorted(lines.items()) if set(line) - {"currency"}]
    return (
        fee | ({"tariff": tariff} if tariff else {}) | ({"exclusivity": exclusivity} if exclusivity else {})
    )


Rules = Callable[..., list[fees.Finding]]


def check(data: Flat, errors: Flat, stored: Any = None, rules: Rules = fees.check) -> None:
    """Tell what the law has against the dataset in this payload, each beside its field.

    :param rules: `fees.check`, or `fees.check_licence` for what bears a licence only.
    :param stored: the dataset (`model.Package`) that this write changes, None for a new one.
        A payload without resources, as that of the form, keeps those that there are.
    """
    nested: dict[tuple[Any, ...], dict[str, Any]] = {}
    dataset = _dataset(data)
    if stored is not None and ("resources",) not in data and not dataset["resources"]:
        dataset["resources"] = [_stored_file(each) for each in stored.resources]
    passed_on = None if elsewhere.is_harvesting() else _licences_of(stored)
    for finding in rules(dataset, licences.by_id(), _owner_kind(data), passed_on):
        text = tk._(finding.message) % dict(finding.values) if finding.values else tk._(finding.message)
        text = f"{text} ({finding.article})" if finding.article else text
        key, rest = _split(finding.where)
        if key == ("visibility",) and errors.get(key):
            continue
        if rest:
            _put(nested.setdefault(key, {}), rest, text)
        else:
            errors.setdefault(key, []).append(text)
    for key, found in nested.items():
        errors.setdefault(key, []).append(found)


def _licences_of(package: Any) -> set[str]:
    """The licences that a dataset and its resources have now."""
    if package is None:
        return set()
    named = [package.license_id, *(each.extras.get("license_id") for each in package.resources)]
    return {name for name in named if name}


def _split(where: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The flat key of a field, and the way inside its object."""
    at = where.index(FIELD) + 1 if FIELD in where else len(where)
    return where[:at], where[at:]


def _put(found: dict[str, Any], rest: tuple[Any, ...], text: str) -> None:
    """Errors of an object inside a fee are a list of one dict, those of a list's items a dict each.

    CKAN goes through nested errors and knows no other shape.
    """
    if len(rest) == 1:
        found.setdefault(str(rest[0]), []).append(text)
        return
    number = rest[1] if isinstance(rest[1], int) else 0
    items = found.setdefault(str(rest[0]), [])
    items += [{} for _ in range(number + 1 - len(items))]
    _put(items[number], rest[2:] if isinstance(rest[1], int) else rest[1:], text)


def _dataset(data: Flat) -> dict[str, Any]:
    """The part of the payload that the law looks at."""
    dataset = {name: value for name in DATASET if (value := _value(data, (name,))) is not None}
    for name in ("hvd_category", "applicable_legislation"):
        dataset[name] = _several(dataset.get(name))
    dataset["resources"] = [
        {name: value for name in RESOURCE if (value := _value(data, (*prefix, name))) is not None}
        | ({"access_services": True} if (*prefix, "access_services", 0, "endpoint_url") in data else {})
        for prefix in _resources(data)
    ]
    return dataset


def _stored_file(resource: Any) -> dict[str, Any]:
    """The same of a stored resource."""
    extras = {name: resource.extras.get(name) for name in RESOURCE}
    return {
        **extras,
        "format": resource.format,
        FIELD: languages.parse(extras[FIELD]) if extras[FIELD] else None,
    }


def _several(value: Any) -> Any:
    """A list, its JSON or a single value, as scheming takes it."""
    return _parsed(value) if isinstance(value, str) and value.startswith("[") else value


def _owner_kind(data: Flat) -> str | None:
    owner = _value(data, ("owner_org",))
    group: Any = (model.Session.get(model.Group, owner) or model.Group.get(owner)) if owner else None
    return (group.extras or {}).get("kind") if group else None


def _resources(data: Flat) -> list[tuple[Any, ...]]:
    numbers = {key[1] for key in data if len(key) > 2 and key[0] == "resources"}
    return [("resources", number) for number in sorted(numbers)]


def _value(data: Flat, key: tuple[Any, ...]) -> Any:
    value = data.get(key, tk.missing)
    return None if value is tk.missing or value is None or value == "" else value


def stored(value: Any) -> Any:
    """The object of a stored fee."""
    return languages.parse(value) if value else None
