"""Step ``organisation``: the dataset goes to its publisher's organisation, by a table of names.

Who may give datasets to an organisation is the catalogue's business: the portal checks it when a source is
saved. A publisher that the table lacks leaves the dataset to the organisation of the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from ccphva_harvesters.errors import ConfigError
from ccphva_harvesters.model import Dataset


class OrganisationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``organisation:``."""

    organisations: dict[str, list[str]]
    """Addresses, identifiers (as SIREN) and names of publishers, by the organisation that they are here."""


class Organisation:
    """Sets the owner of a dataset by its publisher: by address, else by identifier, else by name."""

    name = "organisation"
    Config = OrganisationConfig

    def __init__(self, config: OrganisationConfig) -> None:
        self.organisations = tuple(config.organisations)
        """Every organisation that this step may give datasets to."""
        self._owner: dict[str, str] = {}
        for organisation, names in config.organisations.items():
            for name in names:
                other = self._owner.setdefault(_key(name), organisation)
                if other != organisation:
                    where = f"$.steps.organisation.organisations.{organisation}"
                    raise ConfigError(where, f"{name!r} already stands for {other}")

    def __call__(self, dataset: Dataset) -> Dataset:
        owner = next((self._owner[key] for key in _keys(dataset) if key in self._owner), None)
        return dataset if owner is None else msgspec.structs.replace(dataset, owner=owner)


def _keys(dataset: Dataset) -> Iterator[str]:
    """What the publisher is called, the surest first."""
    publishers: Any = dataset.fields.get("publisher")
    if isinstance(publishers, dict):
        publishers = [publishers]
    for publisher in cast("list[Mapping[str, Any]]", publishers or []):
        names: Any = publisher.get("name_translated") or {}
        for said in (
            publisher.get("uri"),
            publisher.get("identifier"),
            publisher.get("name"),
            *names.values(),
        ):
            if isinstance(said, str) and said.strip():
                yield _key(said)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
