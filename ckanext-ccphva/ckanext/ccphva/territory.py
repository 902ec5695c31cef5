"""The territory that this portal shows, read from the folder that `ccphva.territory` names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from ckanext.ccphva import config


@dataclass(frozen=True)
class Territory:
    folder: Path
    data: dict[str, Any]

    @property
    def main_organization(self) -> str:
        return self.data["organizations"][0]["name"]

    def organizations(self) -> list[dict[str, Any]]:
        """Payloads for `organization_create`."""
        return [dict(organization) for organization in self.data["organizations"]]


def load() -> Territory:
    folder = config.territory_folder()
    return _read(folder, (folder / "territory.yaml").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(folder: Path, _changed: int) -> Territory:
    return Territory(folder, yaml.safe_load((folder / "territory.yaml").read_text()))


def organization_of(identifier: Any) -> dict[str, Any] | None:
    """The territory's organisation that an official number (SIREN) names, or None."""
    number = str(identifier or "").replace(" ", "")[:9]  # a SIRET begins with its SIREN
    return next((each for each in load().data["organizations"] if each.get("siren") == number), None)
