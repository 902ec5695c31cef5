"""Where templates, assets and public files come from: the theme's package and the territory's folder."""

from __future__ import annotations

from importlib.resources import files

import ckan.plugins.toolkit as tk
from ckan.common import CKANConfig
from ckanext.ccphva import config

THEME = files("ccphva_themes") / "territory"


def configure(settings: CKANConfig) -> None:
    """Lay the theme over core; the territory's public files (logo, colours) lie over the theme's."""
    tk.add_template_directory(settings, str(THEME / "templates"))
    tk.add_public_directory(settings, str(THEME / "public"))
    tk.add_public_directory(settings, str(config.territory_folder() / "public"))
    tk.add_resource(str(THEME / "assets"), "ccphva")


def territory_file(name: str) -> str | None:
    """Address of a public file of the territory; its date is in it, so that browsers fetch a changed one."""
    path = config.territory_folder() / "public" / name
    if not path.is_file():
        return None
    return f"{tk.h.url_for_static('/' + name)}?{int(path.stat().st_mtime)}"
