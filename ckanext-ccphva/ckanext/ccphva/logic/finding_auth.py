"""Who may search: everybody; what is found is what each may see."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan import authz
from ckan.types import AuthResult, Context, DataDict

__all__ = ["ccphva_dataset_search", "ccphva_search_suggest"]


@tk.auth_allow_anonymous_access
def ccphva_dataset_search(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may search with CKAN's own action."""
    return authz.is_authorized("package_search", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_search_suggest(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may search with CKAN's own action."""
    return authz.is_authorized("package_search", context, data_dict)
