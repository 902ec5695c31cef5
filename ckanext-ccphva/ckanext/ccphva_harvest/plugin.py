"""The plugin `ccphva_harvest`: a table of contents."""

from __future__ import annotations

import ckan.plugins as p
import ckan.plugins.toolkit as tk


@tk.blanket.actions
@tk.blanket.auth_functions
@tk.blanket.config_declarations
class CcphvaHarvestPlugin(p.SingletonPlugin):
    pass
