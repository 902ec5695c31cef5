"""Every option of the plugin, one typed function each. Imports nothing else of the plugin."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk


def territory_folder() -> Path:
    return Path(tk.config["ccphva.territory"])


def demo_platform() -> str:
    """Address of the demonstration's oneM2M platform; empty where there is none."""
    return tk.config["ccphva.demo.platform"]


def backup_folder() -> Path:
    return Path(tk.config["ccphva.backup.folder"])


def backups_kept() -> int:
    """How many archives a backup leaves in its folder; 0 keeps all."""
    return tk.config["ccphva.backup.keep"]


def broker_url() -> str:
    """Where Celery's tasks wait (declared by the plugin of harvests, which runs the workers)."""
    return tk.config.get("ccphva.celery.broker_url") or ""


def change_log_days() -> float:
    """How long rows of the change log stay after every follower has read them."""
    return tk.config["ccphva.changes.days"]


def sweep_seconds() -> float:
    """How often a follower checks everything."""
    return tk.config["ccphva.changes.sweep_minutes"] * 60


def least_free_bytes() -> int:
    """Free disk space under which `/health` calls the disk down."""
    return tk.config["ccphva.health.least_free_mb"] * 1_000_000


def metrics_networks() -> list[str]:
    """Networks (CIDR) from which `/metrics` may be read."""
    return tk.config["ccphva.metrics.networks"]


def page_cache_folder() -> Path | None:
    """Where the front keeps pages that it may show to everybody; None where it keeps none."""
    folder = tk.config["ccphva.pages.cache_folder"]
    return Path(folder) if folder else None


def outside_hosts() -> list[str]:
    """Sources of pictures and map tiles outside the portal that a page may use (CSP host sources)."""
    return tk.config["ccphva.pages.outside_hosts"]
