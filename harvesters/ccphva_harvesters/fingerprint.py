"""One hash for a dataset, the same however its source arranged it.

RDF knows no order, so every list is taken as a bag and every mapping by its keys: a document that comes
back reordered or with other blank-node labels gives the same hash (RDF 1.1 Concepts §3.4, §3.6). Values whose
order matters (geometries) are kept as strings by the formats. Problems do not count: they are our words.

Imports only ``model``.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import msgspec

from .model import Dataset

CATALOG_RECORD = "catalog_record"
"""Field for what a record says of itself; servers that stamp it at each request would change everything."""


def fingerprint(dataset: Dataset) -> str:
    """Hash of what the catalogue would store for ``dataset``."""
    content: dict[str, Any] = {
        "uri": dataset.uri,
        "identifier": dataset.identifier,
        "kind": dataset.kind,
        "fields": {name: value for name, value in dataset.fields.items() if name != CATALOG_RECORD},
        "resources": dataset.resources,
    }
    if dataset.tables:
        content["tables"] = msgspec.to_builtins(dataset.tables)
    if dataset.owner is not None:  # said only where a step chose it: other datasets keep their hash
        content["owner"] = dataset.owner
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON text of ``value`` with sorted keys and lists as sorted bags."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _ordered(item) for key, item in items}
    if isinstance(value, (list, tuple)):
        members = [_ordered(item) for item in cast("list[Any]", value)]
        return sorted(members, key=_sort_key)
    return value


def _sort_key(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def changed_fields(old: Dataset, new: Dataset) -> tuple[str, ...]:
    """Names of the fields in which two versions of a dataset differ (``resources`` and ``tables`` as one
    field each)."""
    names = sorted(old.fields.keys() | new.fields.keys())
    changed = [n for n in names if canonical(old.fields.get(n)) != canonical(new.fields.get(n))]
    if canonical(old.resources) != canonical(new.resources):
        changed.append("resources")
    if canonical(msgspec.to_builtins(old.tables)) != canonical(msgspec.to_builtins(new.tables)):
        changed.append("tables")
    if old.owner != new.owner:
        changed.append("owner")
    return tuple(changed)
