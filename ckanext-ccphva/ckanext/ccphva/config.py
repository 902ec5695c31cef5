"""Every option of the plugin, one typed function each. Imports nothing else of the plugin."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk


def territory_folder() -> Path:
    return Path(tk.config["ccphva.territory"])


def change_log_days() -> float:
    """How long rows of the change log stay after every follower has read them."""
    return tk.config["ccphva.changes.days"]


def sweep_seconds() -> float:
    """How often a follower checks everything."""
    return tk.config["ccphva.changes.sweep_minutes"] * 60
