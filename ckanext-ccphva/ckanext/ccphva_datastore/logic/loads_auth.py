"""Who may load files, and see versions and documents."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import AuthResult, Context, DataDict

__all__ = [
    "ccphva_document_search",
    "ccphva_document_show",
    "ccphva_load_show",
    "ccphva_load_submit",
    "ccphva_version_list",
]


def ccphva_load_submit(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Who may edit the resource."""
    return _as("resource_update", context, data_dict)


def ccphva_load_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Who may edit the resource: first rows and reasons hold data of a file that nobody else saw yet."""
    return _as("resource_update", context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_version_list(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Who may see the dataset's data."""
    return _data(context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_document_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Who may see the dataset's data."""
    return _data(context, data_dict)


@tk.auth_allow_anonymous_access
def ccphva_document_search(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone: it finds pages of documents that the asker may see."""
    return {"success": True}


def _as(name: str, context: Context, data_dict: DataDict | None) -> AuthResult:
    try:
        tk.check_access(name, Context(user=context.get("user", "")), {"id": (data_dict or {}).get("id")})
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return {"success": False}
    return {"success": True}


def _data(context: Context, data_dict: DataDict | None) -> AuthResult:
    resource: Any = model.Resource.get((data_dict or {}).get("id") or "")
    if resource is None or resource.state != "active":
        return {"success": False}
    try:
        tk.check_access(
            "ccphva_dataset_data_show", Context(user=context.get("user", "")), {"id": resource.package_id}
        )
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return {"success": False}
    return {"success": True}
