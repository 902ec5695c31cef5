"""What people corrected of harvested datasets, field by field: a layer above what the source says. Pure.

A place is written as a path: `theme`; `title_translated/de` for one language of a text; `resources/<id>/url`
for a field of a resource; `resources/<id>` for a resource that people added or took away. Values are as
`package_show` gives them; None is nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Values = dict[str, Any]
RESOURCES = "resources"
OTHER_NAMES = {"keywords_translated": "tags_translated"}
"""Fields that sources bring under another name than the stored one."""
NEVER = frozenset(
    {"name", "access_rights", "translation_state", "translations_checked", "private", "uri", "owner_org_name",
     "comment", "name_or_id", "tag_string"}
)  # fmt: skip
"""Fields that follow from others, or that are no word of the source."""
KEPT_OF_RESOURCE = frozenset(
    {"id", "package_id", "position", "revision_id", "created", "metadata_modified", "last_modified", "state",
     "datastore_active", "datastore_contains_all_records_of_source_file", "translation_state", "hash", "size",
     "cache_last_updated", "cache_url", "mimetype_inner", "uri"}
)  # fmt: skip
"""Fields of a resource that CKAN or its data keep by themselves."""


class Layer(NamedTuple):
    """One place where the catalogue says something else than the source."""

    path: str
    ours: Any
    source: Any


def difference(before: Mapping[str, Any], after: Mapping[str, Any], fields: Iterable[str]) -> list[Layer]:
    """What a person changed, between two versions as `package_show` gives them.

    :param fields: names of the dataset's fields.
    """
    found = [
        layer
        for name in (*fields, "state")
        if name not in NEVER
        for layer in _of_field(name, before.get(name), after.get(name))
    ]
    old, new = _resources(before), _resources(after)
    for id_ in {**old, **new}:
        path = f"{RESOURCES}/{id_}"
        if id_ not in new:
            found.append(Layer(path, None, old[id_]))
        elif id_ not in old:
            found.append(Layer(path, new[id_], None))
        else:
            names = sorted(({*old[id_], *new[id_]}) - KEPT_OF_RESOURCE)
            for name in names:
                found += _of_field(f"{path}/{name}", old[id_].get(name), new[id_].get(name))
    return found


def lay(wanted: Values, layers: Sequence[Layer], present: Mapping[str, Any]) -> Values:
    """The payload of a harvest with what people corrected laid over it.

    :param wanted: what the source says; its resources have the ids of former ones.
    :param present: the dataset as it is, for resources that people added.
    :returns: a new payload; `wanted` stays as it is.
    """
    laid = copy.deepcopy(wanted)
    for given, stored in OTHER_NAMES.items():
        if given in laid and any(layer.path.split("/")[0] == stored for layer in layers):
            laid[stored] = laid.pop(given)
    kept = _resources(present)
    for layer in layers:
        place = layer.path.split("/")
        if place[0] != RESOURCES:
            _set(laid, place, layer.ours)
        elif len(place) == 2:
            _add_or_drop(laid, place[1], layer.ours, kept)
        elif resource := _resources(laid).get(place[1]):
            _set(resource, place[2:], layer.ours)
    if any(layer.path == "visibility" for layer in layers):
        laid["private"] = laid.get("visibility") == "private"
    return laid


def said(wanted: Mapping[str, Any], path: str) -> Any:
    """What a source says at a place; None for nothing."""
    place = path.split("/")
    if place[0] == RESOURCES:
        resource = _resources(wanted).get(place[1])
        return resource if len(place) == 2 or resource is None else _get(resource, place[2:])
    other = next((given for given, stored in OTHER_NAMES.items() if stored == place[0]), None)
    if other in wanted and place[0] not in wanted:
        place = [str(other), *place[1:]]
    return _get(wanted, place)


def _of_field(path: str, old: Any, new: Any) -> list[Layer]:
    old, new = _plain(old), _plain(new)
    if old == new:
        return []
    name = path.rsplit("/", 1)[-1]
    if name.endswith("_translated") and isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
        before, after = old or {}, new or {}
        return [
            Layer(f"{path}/{code}", _plain(after.get(code)), _plain(before.get(code)))
            for code in sorted({*before, *after})
            if _plain(before.get(code)) != _plain(after.get(code))
        ]
    return [Layer(path, new, old)]


def _plain(value: Any) -> Any:
    """Nothing is None, however it is written."""
    return None if value in ("", [], {}) else value


def _resources(dataset: Mapping[str, Any]) -> dict[str, Values]:
    return {each["id"]: each for each in dataset.get(RESOURCES) or () if each.get("id")}


def _get(values: Mapping[str, Any], place: Sequence[str]) -> Any:
    found: Any = values
    for name in place:
        found = found.get(name) if isinstance(found, Mapping) else None
    return _plain(found)


def _set(values: Values, place: Sequence[str], ours: Any) -> None:
    *outer, last = place
    for name in outer:
        inner = values.get(name)
        values[name] = inner = dict(inner) if isinstance(inner, Mapping) else {}
        values = inner
    if ours is None:
        values.pop(last, None)
    else:
        values[last] = ours


def _add_or_drop(laid: Values, id_: str, ours: Any, kept: Mapping[str, Values]) -> None:
    others = [each for each in laid.get(RESOURCES) or () if each.get("id") != id_]
    if ours is None:
        laid[RESOURCES] = others
    elif id_ in kept and len(others) == len(laid.get(RESOURCES) or ()):
        laid[RESOURCES] = [*others, dict(kept[id_])]
