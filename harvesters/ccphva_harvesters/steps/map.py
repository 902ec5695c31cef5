"""Step ``map``: other values for those that a source writes, field by field."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from ccphva_harvesters.model import Dataset, Fields, Problem


class MapConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``map:``."""

    field: str
    """Field of the dataset, or of its resources with ``of: resources``."""
    values: dict[str, str]
    """New value by old one, compared without regard to case and outer blanks."""
    of: Literal["dataset", "resources"] = "dataset"
    others: Literal["keep", "drop"] = "keep"
    """What becomes of values that are not named; a dropped one is told as a problem."""


class Map:
    """Changes texts and lists of texts; what is of another kind stays."""

    name = "map"
    Config = MapConfig

    def __init__(self, config: MapConfig) -> None:
        self.config = config
        self._new = {_key(old): new for old, new in config.values.items()}

    def __call__(self, dataset: Dataset) -> Dataset:
        problems = list(dataset.problems)
        if self.config.of == "dataset":
            fields, resources = self._mapped(dataset.fields, problems), dataset.resources
        else:
            fields, resources = dataset.fields, [self._mapped(r, problems) for r in dataset.resources]
        return msgspec.structs.replace(dataset, fields=fields, resources=resources, problems=tuple(problems))

    def _mapped(self, fields: Fields, problems: list[Problem]) -> Fields:
        old: Any = fields.get(self.config.field)
        if isinstance(old, str):
            new: Any = self._value(old, problems)
        elif isinstance(old, list):
            found = [self._value(item, problems) for item in cast("list[Any]", old)]
            new = [item for at, item in enumerate(found) if item is not None and item not in found[:at]]
        else:
            return dict(fields)
        rest = {name: value for name, value in fields.items() if name != self.config.field}
        return {**rest, self.config.field: new} if new else rest

    def _value(self, old: Any, problems: list[Problem]) -> Any:
        if not isinstance(old, str):
            return old
        new = self._new.get(_key(old))
        if new is not None or self.config.others == "keep":
            return old if new is None else new
        problem = Problem("value-dropped", old, self.config.field)
        if problem not in problems:
            problems.append(problem)
        return None


def _key(value: str) -> str:
    return " ".join(value.split()).casefold()
