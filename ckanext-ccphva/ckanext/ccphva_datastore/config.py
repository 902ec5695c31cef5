"""Typed access to the plugin's options (`config_declaration.yaml`)."""

from __future__ import annotations

import ckan.plugins.toolkit as tk


def concurrent_dumps() -> int:
    """How many dumps one web process writes at a time."""
    return int(tk.config["ccphva.dump.concurrent"])


def dump_seconds() -> int:
    """How long one dump may take."""
    return int(tk.config["ccphva.dump.seconds"])
