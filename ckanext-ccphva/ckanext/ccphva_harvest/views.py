"""The plugin's pages."""

from __future__ import annotations

from ckanext.ccphva_harvest.correction_views import ccphva_corrections

__all__ = ["ccphva_corrections"]
