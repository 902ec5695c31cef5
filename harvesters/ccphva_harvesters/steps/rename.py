"""Step ``rename``: a field's value under another name, where the new one is still empty."""

from __future__ import annotations

import msgspec

from ccphva_harvesters.model import Dataset, Fields


class RenameConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``rename:``."""

    fields: dict[str, str] = {}
    """New name by old one."""
    resources: dict[str, str] = {}


class Rename:
    """Moves values; one that is there already is never overwritten, and the old field goes in any case."""

    name = "rename"
    Config = RenameConfig

    def __init__(self, config: RenameConfig) -> None:
        self.config = config

    def __call__(self, dataset: Dataset) -> Dataset:
        resources = [_renamed(resource, self.config.resources) for resource in dataset.resources]
        fields = _renamed(dataset.fields, self.config.fields)
        return msgspec.structs.replace(dataset, fields=fields, resources=resources)


def _renamed(fields: Fields, names: dict[str, str]) -> Fields:
    found = {name: value for name, value in fields.items() if name not in names}
    for old, new in names.items():
        if old in fields:
            found.setdefault(new, fields[old])
    return found
