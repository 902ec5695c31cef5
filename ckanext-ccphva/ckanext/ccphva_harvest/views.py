"""The plugin's pages."""

from __future__ import annotations

from ckanext.ccphva_harvest.correction_views import ccphva_corrections
from ckanext.ccphva_harvest.source_views import ccphva_sources

__all__ = ["ccphva_corrections", "ccphva_sources"]
