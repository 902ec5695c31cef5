"""Who may call the plugin's actions."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context, DataDict

__all__ = ["ccphva_codelist_list", "ccphva_codelist_show", "ccphva_home_show", "ccphva_page_show"]


@tk.auth_allow_anonymous_access
def ccphva_home_show(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone: it shows what a search of everyone shows."""
    return {"success": True}


@tk.auth_allow_anonymous_access
def ccphva_page_show(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone."""
    return {"success": True}


@tk.auth_allow_anonymous_access
def ccphva_codelist_list(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone."""
    return {"success": True}


@tk.auth_allow_anonymous_access
def ccphva_codelist_show(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone."""
    return {"success": True}
