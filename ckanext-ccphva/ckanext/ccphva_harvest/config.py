"""Every option of the plugin, one typed function each. Imports nothing else of the plugin."""

from __future__ import annotations

import ckan.plugins.toolkit as tk


def broker_url() -> str:
    """Redis database that carries tasks."""
    return tk.config["ccphva.celery.broker_url"]


def visibility_timeout() -> int:
    """Seconds after which an unacknowledged task is delivered again."""
    return tk.config["ccphva.celery.visibility_timeout"]


def allowed_networks() -> tuple[str, ...]:
    """Networks that may be fetched from although they are not public."""
    return tuple(tk.config["ccphva.harvest.allowed_networks"])


def attempts() -> int:
    """How often a run is tried before it is given up."""
    return tk.config["ccphva.harvest.attempts"]


def backoff() -> int:
    """Seconds before the second attempt of a run; doubled before each further one."""
    return tk.config["ccphva.harvest.backoff"]


def silence() -> int:
    """Seconds without a sign of life after which a run is given to another worker."""
    return tk.config["ccphva.harvest.silence"]


def batch() -> int:
    """Number of datasets written between two refreshes of the index."""
    return tk.config["ccphva.harvest.batch"]


def commits_index() -> bool:
    """True when CKAN itself commits the index (else Solr does so within a second)."""
    return tk.config["ckan.search.solr_commit"]


def harvest_user() -> str | None:
    """Account under which harvested datasets are written; None means the site's own."""
    return tk.config["ckanext.harvest.user_name"]


def user_agent() -> str:
    """How we present ourselves to the catalogues that we read."""
    return f"ccphva-harvest/1 (+{tk.config['ckan.site_url']})"
