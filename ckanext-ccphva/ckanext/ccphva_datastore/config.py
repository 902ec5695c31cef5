"""Typed access to the plugin's options (`config_declaration.yaml`)."""

from __future__ import annotations

import ckan.plugins.toolkit as tk


def concurrent_dumps() -> int:
    """How many dumps one web process writes at a time."""
    return int(tk.config["ccphva.dump.concurrent"])


def dump_seconds() -> int:
    """How long one dump may take."""
    return int(tk.config["ccphva.dump.seconds"])


def load_megabytes() -> int:
    """The largest file that is read."""
    return int(tk.config["ccphva.load.megabytes"])


def load_unfolded() -> int:
    """Megabytes to which an archive may unfold."""
    return int(tk.config["ccphva.load.unfolded"])


def load_memory() -> int:
    """Megabytes of address space of a reading process."""
    return int(tk.config["ccphva.load.memory"])


def load_seconds() -> int:
    """How long reading one file may take."""
    return int(tk.config["ccphva.load.seconds"])


def load_networks() -> list[str]:
    """Networks beside the public internet from which linked files may be fetched."""
    return str(tk.config["ccphva.load.allowed_networks"] or "").split()


def load_hours() -> int:
    """After how many hours a linked file is looked at again."""
    return int(tk.config["ccphva.load.hours"])


def versions_kept() -> int:
    """How many files of a resource are kept."""
    return int(tk.config["ccphva.versions.kept"])


def explore_seconds() -> int:
    """How long one question to a table may take."""
    return int(tk.config["ccphva.explore.seconds"])


def time_zone() -> str:
    """The clock by which moments are put into days; `server` means UTC here, where servers have no place."""
    zone = str(tk.config["ckan.display_timezone"])
    return "UTC" if zone == "server" else zone
