"""Who may take which step of publication."""

from __future__ import annotations

from typing import Any

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
    "ccphva_dataset_withdraw",
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


def ccphva_dataset_withdraw(context: Context, data_dict: DataDict | None) -> AuthResult:
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


@tk.chained_auth_function
def datastore_create(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Rows of a submitted dataset wait as its description does."""
    return _unless_submitted(up, context, data_dict)


@tk.chained_auth_function
def datastore_upsert(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """The same."""
    return _unless_submitted(up, context, data_dict)


@tk.chained_auth_function
def datastore_delete(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """The same."""
    return _unless_submitted(up, context, data_dict)


def _unless_submitted(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    answer = up(context, data_dict)
    wanted = data_dict or {}
    resource = model.Resource.get(str(wanted.get("resource_id") or wanted.get("id") or ""))
    package = model.Package.get(resource.package_id) if resource is not None else None
    if not answer.get("success") or package is None:
        return answer
    publisher = ccphva_organization_publish(context, {"id": package.owner_org}).get("success")
    if not workflow.is_locked(package.extras, may_publish=bool(publisher)):
        return answer
    return {"success": False, "msg": tk._("this dataset is submitted: withdraw the submission to change it")}


if "datastore" in tk.aslist(tk.config.get("ckan.plugins")):
    __all__ += ["datastore_create", "datastore_delete", "datastore_upsert"]
