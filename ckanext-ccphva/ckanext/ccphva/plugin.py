"""The plugin `ccphva`: a table of contents."""

from __future__ import annotations

import ckan.plugins as p
import ckan.plugins.toolkit as tk


@tk.blanket.cli
@tk.blanket.config_declarations
class CcphvaPlugin(p.SingletonPlugin):
    pass
