"""Every option of the plugin, one typed function each. Imports nothing else of the plugin."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk


def territory_folder() -> Path:
    return Path(tk.config["ccphva.territory"])
