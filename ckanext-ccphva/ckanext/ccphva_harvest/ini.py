"""Options that Celery's own processes need before CKAN is loaded, or without it. Imports nothing of CKAN."""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path


def option(key: str, default: str = "") -> str:
    """An option of the CKAN at work here, or, where none is (beat), of the file that CKAN_INI names."""
    common = sys.modules.get("ckan.common")
    if common is not None and (value := common.config.get(key)):
        return str(value)
    return _options(Path(os.environ.get("CKAN_INI", ""))).get(key, default)


def _options(path: Path) -> dict[str, str]:
    """What the file says, over what the file says that it names by `use = config:…`, as CKAN reads it."""
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(defaults={"here": str(path.parent)})
    parser.read(path)
    own = dict(parser["app:main"]) if parser.has_section("app:main") else {}
    kind, _, other = own.get("use", "").partition(":")
    return (_options(path.parent / other) if kind == "config" else {}) | own
