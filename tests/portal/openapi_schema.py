"""A value against the part of JSON Schema 2020-12 that the portal's OpenAPI documents use."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
KNOWN = {
    "type", "properties", "required", "items", "enum", "const", "$ref", "title", "description", "examples",
    "format", "minimum", "maximum", "default", "x-postgresql-type",
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "$") -> list[str]:
    """What of the value does not fit; a keyword that is not known here is a fault too."""
    if "$ref" in schema:
        part = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        return faults(value, part, document, where)
    found = [f"{where}: unknown keyword {name}" for name in schema if name not in KNOWN]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, name) for name in types):
        found.append(f"{where}: {value!r} is none of {types}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not in the list")
    return found + _parts(value, schema, document, where)


def _parts(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        found += [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                found += faults(value[name], part, document, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += faults(item, schema["items"], document, f"{where}[{number}]")
    return found


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])
