"""The configuration as files: `ckan.ini`, the files it builds upon, and the territory's folder."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path

import ckan.plugins.toolkit as tk
from ckanext.ccphva import config


def path() -> Path:
    """The ini file that this process was started with."""
    return Path(tk.config["__file__"]).resolve()


def chain() -> list[Path]:
    """The ini file and those that it names by `use = config:…` (production: one of secrets)."""
    found = [path()]
    while True:
        parser = configparser.RawConfigParser()
        parser.read(found[-1])
        use = parser.get("app:main", "use", fallback="")
        if not use.startswith("config:"):
            return found
        found.append(found[-1].parent / use.removeprefix("config:"))


def configuration_files() -> Iterator[tuple[str, Path]]:
    """Name in an archive and path of each file of the configuration."""
    for file in chain():
        yield file.name, file
    territory = config.territory_folder()
    for file in sorted(p for p in territory.rglob("*") if p.is_file() and not p.is_symlink()):
        yield f"territory/{file.relative_to(territory).as_posix()}", file
