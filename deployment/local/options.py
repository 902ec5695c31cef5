"""Writes docs/operator/options.md from declarations and templates: `python -m local.options`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from local.settings import DEPLOYMENT, ROOT

PAGE = ROOT / "docs" / "operator" / "options.md"
PLUGINS = ROOT / "ckanext-ccphva" / "ckanext"
TEMPLATES = ("ckan.ini.j2", "secrets.ini.j2")
HEAD = """# Options

Page engendrée par `python -m local.options` à partir des déclarations ; ne pas la modifier à la main.

Chaque option se règle dans `ckan.ini` (`/etc/ccphva/ckan.ini` en production), section `[app:main]`, puis
`systemctl restart ccphva.target`. `ckan ccphva doctor --area configuration` dit si une
valeur ne convient pas.
"""
CORE = """
## Options de CKAN et de ses extensions que le portail fixe

`ckan config describe` les explique. Celles qui nomment un secret sont dans `secrets.ini`.

"""


def declarations() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Title and options of each plugin that declares some."""
    for path in sorted(PLUGINS.glob("*/config_declaration.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield group["annotation"], group["options"]


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, options in declarations():
        parts.append(f"\n## {title}\n\n| Option | Défaut | Exemple | Rôle |\n|---|---|---|---|\n")
        parts += [_row(option) for option in options]
    names = ", ".join(f"`{name}`" for name in template_options() if not name.startswith("ccphva."))
    return "".join([*parts, CORE, names, ".\n"])


def _row(option: dict[str, Any]) -> str:
    default = "obligatoire" if option.get("required") else _code(option.get("default"))
    description = " ".join(str(option.get("description", "")).split()).replace("|", "\\|")
    return f"| `{option['key']}` | {default} | {_code(option.get('example'))} | {description} |\n"


def _code(value: object) -> str:
    return f"`{value}`" if value not in (None, "") else ""


def template_options() -> list[str]:
    """Names of the options that the templates set."""
    names: set[str] = set()
    for template in TEMPLATES:
        text = (DEPLOYMENT / "templates" / template).read_text().split("[loggers]")[0]
        names |= set(re.findall(r"(?m)^([A-Za-z][\w.]+) *=", text)) - {"use", "debug"}
    return sorted(names)


def write(path: Path = PAGE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page())


if __name__ == "__main__":
    write()
