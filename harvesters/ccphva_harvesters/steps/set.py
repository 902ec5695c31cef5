"""Step ``set``: give fields a fixed value, for all datasets or only where they are empty."""

from __future__ import annotations

from typing import Any

import msgspec

from ccphva_harvesters.model import Dataset


class SetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``set:``."""

    fields: dict[str, Any] = {}
    resources: dict[str, Any] = {}
    only_empty: bool = False


class Set:
    """Sets the configured fields of the dataset and of each of its resources."""

    name = "set"
    Config = SetConfig

    def __init__(self, config: SetConfig) -> None:
        self.config = config

    def __call__(self, dataset: Dataset) -> Dataset:
        fields = self._with(dataset.fields, self.config.fields)
        resources = [self._with(resource, self.config.resources) for resource in dataset.resources]
        return msgspec.structs.replace(dataset, fields=fields, resources=resources)

    def _with(self, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        return {**new, **old} if self.config.only_empty else {**old, **new}
