"""Step ``drop``: leave out fields that are not wanted here, or datasets that a field says we do not want."""

from __future__ import annotations

import msgspec

from ccphva_harvesters.model import Dataset

from .keep import Keep, KeepConfig


class DropConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``drop:``."""

    fields: tuple[str, ...] = ()
    """Fields of the dataset to leave out."""
    resources: tuple[str, ...] = ()
    """Fields of its resources to leave out."""
    field: str | None = None
    """Datasets whose field of this name holds one of ``values`` (any value without them) are left out."""
    values: tuple[str, ...] = ()


class Drop:
    """Leaves out fields and datasets; a dataset that was there is then withdrawn."""

    name = "drop"
    Config = DropConfig

    def __init__(self, config: DropConfig) -> None:
        self.config = config
        self._wanted_elsewhere = None
        if config.field is not None:
            self._wanted_elsewhere = Keep(KeepConfig(field=config.field, values=config.values))

    def __call__(self, dataset: Dataset) -> Dataset | None:
        if self._wanted_elsewhere is not None and self._wanted_elsewhere(dataset) is not None:
            return None
        fields = {name: value for name, value in dataset.fields.items() if name not in self.config.fields}
        resources = [
            {name: value for name, value in resource.items() if name not in self.config.resources}
            for resource in dataset.resources
        ]
        return msgspec.structs.replace(dataset, fields=fields, resources=resources)
