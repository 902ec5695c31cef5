"""The licences that a dataset may have: the general ones (`schemas/licences.yaml`) and the territory's own.

CKAN reads its list from a JSON file; that file is written here, beside the uploads, when CKAN starts.
"""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from ckanext.ccphva import config, languages

Licence = dict[str, Any]


def load(territory: Path) -> list[Licence]:
    """All licences in the order in which forms offer them."""
    general = yaml.safe_load((files("ccphva_schemas") / "licences.yaml").read_text())["licences"]
    own = yaml.safe_load((territory / "territory.yaml").read_text()).get("licences") or []
    return [as_ckan(licence) for licence in [*general, *own]]


def as_ckan(licence: Licence) -> Licence:
    """One licence in the words of CKAN's list; the titles by language stay beside the main one."""
    conformance = "approved" if licence.get("open") else "not reviewed"
    return {
        "id": licence["id"],
        "title": languages.best(licence["title"]),
        "title_translated": licence["title"],
        "url": licence.get("url", ""),
        "status": "active",
        "family": "",
        "maintainer": "",
        "domain_content": False,
        "domain_data": True,
        "domain_software": False,
        "is_generic": not licence.get("url"),
        "od_conformance": conformance,
        "osd_conformance": "not reviewed",
    }


def configure(settings: Any) -> None:
    """Tell CKAN where its list is, unless the operator names one of his own."""
    if settings.get("licenses_group_url"):
        return
    folder = Path(settings.get("ckan.storage_path") or Path.cwd())
    path = folder / "licences.json"
    text = json.dumps(load(config.territory_folder()), ensure_ascii=False, indent=1)
    if not path.is_file() or path.read_text() != text:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(text)
        fresh.replace(path)
    settings["licenses_group_url"] = f"file://{path}"
