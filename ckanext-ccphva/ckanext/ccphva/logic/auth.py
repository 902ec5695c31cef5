"""Who may call the plugin's actions."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context, DataDict
from ckanext.ccphva.logic import browsing_auth, finding_auth, lawful_auth, publication_auth, quality_auth
from ckanext.ccphva.logic.browsing_auth import *  # noqa: F403
from ckanext.ccphva.logic.finding_auth import *  # noqa: F403
from ckanext.ccphva.logic.lawful_auth import *  # noqa: F403
from ckanext.ccphva.logic.publication_auth import *  # noqa: F403 -- the blanket looks for functions here
from ckanext.ccphva.logic.quality_auth import *  # noqa: F403

__all__ = [
    "ccphva_codelist_list",
    "ccphva_codelist_show",
    "ccphva_home_show",
    "ccphva_keyword_autocomplete",
    "ccphva_keyword_suggest",
    "ccphva_page_show",
    "ccphva_theme_suggest",
]
__all__ += browsing_auth.__all__
__all__ += finding_auth.__all__
__all__ += lawful_auth.__all__
__all__ += publication_auth.__all__
__all__ += quality_auth.__all__


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


@tk.auth_allow_anonymous_access
def ccphva_keyword_autocomplete(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone: it counts what a search of the caller finds."""
    return {"success": True}


@tk.auth_allow_anonymous_access
def ccphva_keyword_suggest(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone: the same."""
    return {"success": True}


@tk.auth_allow_anonymous_access
def ccphva_theme_suggest(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone: it reads the schema, which is public."""
    return {"success": True}
