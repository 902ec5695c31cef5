"""The licences that a dataset may have: the general ones (`schemas/licences.yaml`) and the territory's own.

CKAN reads its list from a JSON file; that file is written here, beside the uploads, when CKAN starts.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from ckanext.ccphva import config, languages

Licence = dict[str, Any]


def load(territory: Path) -> list[Licence]:
    """All licences in the order in which forms offer them, in the words of CKAN's list."""
    return [as_ckan(licence) for licence in read(territory)]


def read(territory: Path) -> tuple[Licence, ...]:
    """All licences as their files have them."""
    return _read(territory, (territory / "territory.yaml").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(territory: Path, _changed: int) -> tuple[Licence, ...]:
    general = yaml.safe_load((files("ccphva_schemas") / "licences.yaml").read_text())["licences"]
    own = yaml.safe_load((territory / "territory.yaml").read_text()).get("licences") or []
    return (*general, *own)


def by_id() -> dict[str, Licence]:
    """The portal's licences by id."""
    return {licence["id"]: licence for licence in read(config.territory_folder())}


def uri(licence: Licence, base: str) -> str | None:
    """What RDF names a licence by: that of the EU's table, else our page of it; None for no licence.

    :param base: base of the URIs of this portal's things.
    """
    if licence.get("crpa") == "none":
        return None
    return licence.get("uri") or page_uri(licence, base)


def page_uri(licence: Licence, base: str) -> str:
    return f"{base.rstrip('/')}/licences/{licence['id']}"


def of_uri(address: str, base: str) -> str | None:
    """The id of the licence that an address names: its URI, our page of it, the EU's match or its text."""
    wanted = _plain(address)
    for licence in read(config.territory_folder()):
        names = (uri(licence, base), page_uri(licence, base), licence.get("exact"), licence.get("url"))
        spdx = licence.get("spdx")
        if wanted in {
            _plain(name) for name in (*names, spdx and f"https://spdx.org/licenses/{spdx}") if name
        }:
            return licence["id"]
    return None


def _plain(address: str) -> str:
    return address.strip().removeprefix("https://").removeprefix("http://").rstrip("/").casefold()


def shown(licence: Licence, language: str, base: str) -> dict[str, Any]:
    """A licence as a reader of a language sees it."""
    texts = {part: languages.best(licence.get(part), language) or [] for part in ("may", "must", "must_not")}
    return {
        **{name: licence.get(name) for name in ("id", "url", "spdx", "exact", "close", "homologation")},
        **texts,
        "title": languages.best(licence["title"], language),
        "uri": uri(licence, base),
        "crpa": licence.get("crpa", "homologation"),
        "open": bool(licence.get("open")),
        "hvd": bool(licence.get("hvd")),
        "to_be_reviewed": bool(licence.get("to_be_reviewed")),
    }


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
