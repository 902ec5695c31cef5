"""Who may see themes and communes: everybody; what is counted is what a search of the caller finds."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan import authz
from ckan.types import AuthResult, Context, DataDict

__all__ = ["ccphva_commune_list", "ccphva_commune_show", "ccphva_theme_list", "ccphva_theme_show"]


def _as_a_search(context: Context, data_dict: DataDict | None) -> AuthResult:
    return authz.is_authorized("package_search", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_theme_list(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may search."""
    return _as_a_search(context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_theme_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may search."""
    return _as_a_search(context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_commune_list(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may search."""
    return _as_a_search(context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_commune_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may search."""
    return _as_a_search(context, data_dict)
