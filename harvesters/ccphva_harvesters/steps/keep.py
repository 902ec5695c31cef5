"""Step ``keep``: take only the datasets that a field says we want; the others are left out."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from ccphva_harvesters.model import Dataset


class KeepConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``keep:``."""

    field: str
    """Name of a field; ``kind`` means dataset, dataset_series or data_service."""
    values: tuple[str, ...] = ()
    """Values that are wanted; none means any value."""


class Keep:
    """Leaves out datasets whose field holds none of the wanted values."""

    name = "keep"
    Config = KeepConfig

    def __init__(self, config: KeepConfig) -> None:
        self.config = config

    def __call__(self, dataset: Dataset) -> Dataset | None:
        value = dataset.kind if self.config.field == "kind" else dataset.fields.get(self.config.field)
        found = set(_texts(value))
        wanted = found & set(self.config.values) if self.config.values else found
        return dataset if wanted else None


def _texts(value: Any) -> list[str]:
    """Every text inside a value: of lists, of texts by language, of described things."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [text for item in cast("dict[str, Any]", value).values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in cast("list[Any]", value) for text in _texts(item)]
    return [str(value)]
