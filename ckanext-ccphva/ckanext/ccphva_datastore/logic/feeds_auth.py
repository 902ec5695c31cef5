"""Who may do what with feeds: as CKAN's own actions on tables."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = [
    "ccphva_feed_aggregate",
    "ccphva_feed_create",
    "ccphva_feed_delete",
    "ccphva_feed_show",
    "ccphva_feed_update",
    "ccphva_live_gate",
]

Data = dict[str, Any]


def _as(name: str, context: Context, data_dict: Data) -> AuthResult:
    try:
        tk.check_access(name, context, {"resource_id": data_dict["resource_id"]})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}


def ccphva_feed_create(context: Context, data_dict: Data) -> AuthResult:
    """Who may change the resource, or, for a new resource, its dataset."""
    if "resource_id" in data_dict:
        return _as("datastore_create", context, data_dict)
    try:
        tk.check_access("package_update", context, {"id": data_dict["package_id"]})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}


def ccphva_feed_update(context: Context, data_dict: Data) -> AuthResult:
    return _as("datastore_create", context, data_dict)


def ccphva_feed_delete(context: Context, data_dict: Data) -> AuthResult:
    return _as("datastore_delete", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_feed_show(context: Context, data_dict: Data) -> AuthResult:
    return _as("datastore_info", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_feed_aggregate(context: Context, data_dict: Data) -> AuthResult:
    return _as("datastore_search", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_live_gate(context: Context, data_dict: Data) -> AuthResult:  # noqa: ARG001
    """Anybody may ask what he himself may do."""
    return {"success": True}
