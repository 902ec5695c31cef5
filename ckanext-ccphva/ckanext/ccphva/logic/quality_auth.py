"""Who may see the quality of what: whoever may see the thing itself."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan import authz
from ckan.types import AuthResult, Context, DataDict

__all__ = ["ccphva_hvd_readiness_show", "ccphva_quality_show", "ccphva_quality_summary_show"]


@tk.auth_allow_anonymous_access
def ccphva_quality_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may see the dataset."""
    return authz.is_authorized("package_show", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_hvd_readiness_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may see the dataset."""
    return authz.is_authorized("package_show", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_quality_summary_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may see the organisation; datasets that the caller does not see are not counted."""
    return authz.is_authorized("organization_show", context, data_dict)
