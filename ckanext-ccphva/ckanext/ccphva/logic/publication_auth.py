"""Who may take which step of publication."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan import authz, model
from ckan.types import AuthResult, Context, DataDict
from ckanext.ccphva import workflow

__all__ = [
    "ccphva_dataset_changes_show",
    "ccphva_dataset_duplicate",
    "ccphva_dataset_publish",
    "ccphva_dataset_restore",
    "ccphva_dataset_return",
    "ccphva_dataset_review_show",
    "ccphva_dataset_submit",
    "ccphva_deleted_dataset_list",
    "ccphva_organization_publish",
    "ccphva_task_list",
]

ADMINISTER, EDIT = "membership", "update_dataset"
"""Permissions in CKAN's words: an administrator's, and an editor's."""


def _may(context: Context, organization: str | None, permission: str) -> AuthResult:
    user = context.get("user") or ""
    if organization and authz.has_user_permission_for_group_or_org(organization, user, permission):
        return {"success": True}
    return {"success": False, "msg": tk._("This step belongs to others in the organisation")}


def _as_editor(context: Context, data_dict: DataDict | None) -> AuthResult:
    return authz.is_authorized("package_update", context, {"id": (data_dict or {}).get("id")})


def _owner(data_dict: DataDict | None) -> str | None:
    dataset = model.Package.get((data_dict or {}).get("id"))
    if dataset is None:
        raise tk.ObjectNotFound(tk._("Dataset was not found."))
    return dataset.owner_org


def ccphva_organization_publish(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may publish in an organisation: its editors, or its administrators where it says so."""
    organization = model.Group.get((data_dict or {}).get("id"))
    if organization is None:
        return _may(context, None, ADMINISTER)
    chosen = dict(getattr(organization, "extras", None) or {}).get("publishing")
    strict = chosen == workflow.ADMINS
    return _may(context, organization.id, ADMINISTER if strict else EDIT)


def ccphva_dataset_submit(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may edit the dataset."""
    return _as_editor(context, data_dict)


def ccphva_dataset_publish(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may publish in its organisation."""
    return ccphva_organization_publish(context, {"id": _owner(data_dict)})


def ccphva_dataset_return(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may publish in its organisation."""
    return ccphva_dataset_publish(context, data_dict)


def ccphva_dataset_review_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may edit the dataset: comments of reviewers are not for others."""
    return _as_editor(context, data_dict)


def ccphva_dataset_changes_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may edit the dataset: older versions may hold what is no longer public."""
    return _as_editor(context, data_dict)


def ccphva_task_list(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Whoever is signed in."""
    return {"success": True}


def ccphva_deleted_dataset_list(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Administrators of the organisation."""
    organization = model.Group.get((data_dict or {}).get("id"))
    return _may(context, organization.id if organization else None, ADMINISTER)


def ccphva_dataset_restore(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Administrators of its organisation."""
    return _may(context, _owner(data_dict), ADMINISTER)


def ccphva_dataset_duplicate(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Whoever may read the dataset and make one in the organisation that is to have the copy."""
    data = data_dict or {}
    read = authz.is_authorized("package_show", context, {"id": data.get("id")})
    if not read.get("success"):
        return read
    return authz.is_authorized(
        "package_create", context, {"owner_org": data.get("owner_org") or _owner(data)}
    )
