"""Typed access to the plugin's options (`config_declaration.yaml`)."""

from __future__ import annotations

import ckan.plugins.toolkit as tk


def concurrent_dumps() -> int:
    """How many dumps one web process writes at a time."""
    return int(tk.config["ccphva.dump.concurrent"])


def dump_seconds() -> int:
    """How long one dump may take."""
    return int(tk.config["ccphva.dump.seconds"])


def explore_seconds() -> int:
    """How long one question to a table may take."""
    return int(tk.config["ccphva.explore.seconds"])


def time_zone() -> str:
    """The clock by which moments are put into days; `server` means UTC here, where servers have no place."""
    zone = str(tk.config["ckan.display_timezone"])
    return "UTC" if zone == "server" else zone
