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
    path = Path(os.environ.get("CKAN_INI", ""))
    parser = configparser.ConfigParser(defaults={"here": str(path.parent)}, interpolation=None)
    if path.is_file():
        parser.read(path)
    return parser.get("app:main", key, fallback=default)
