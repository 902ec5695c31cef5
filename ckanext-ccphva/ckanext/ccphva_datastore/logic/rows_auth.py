"""Who may bring rows: as CKAN's own actions on tables."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["ccphva_rows_marks", "ccphva_rows_push", "ccphva_rows_replace"]

Data = dict[str, Any]


def ccphva_rows_push(context: Context, data_dict: Data) -> AuthResult:
    return _as("datastore_upsert", context, data_dict)


def ccphva_rows_replace(context: Context, data_dict: Data) -> AuthResult:
    return _as("datastore_create", context, data_dict)


def ccphva_rows_marks(context: Context, data_dict: Data) -> AuthResult:
    """Who may write the table: a mark may be a time or an address of the source."""
    return _as("datastore_upsert", context, data_dict)


def _as(name: str, context: Context, data_dict: Data) -> AuthResult:
    try:
        tk.check_access(name, context, {"resource_id": data_dict["resource_id"]})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}
