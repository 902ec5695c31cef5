"""Who may see licences, fees and data."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import authz, model
from ckan.types import AuthResult, Context, DataDict
from ckanext.ccphva import closed

__all__ = [
    "ccphva_dataset_data_show",
    "ccphva_fee_review_list",
    "ccphva_licence_list",
    "resource_view_show",
]


@tk.auth_allow_anonymous_access
def ccphva_licence_list(_context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Everyone."""
    return {"success": True}


def ccphva_fee_review_list(context: Context, _data_dict: DataDict | None) -> AuthResult:
    """Sysadmins, and administrators of an organisation: the committee that revises fees."""
    allowed = authz.has_user_permission_for_some_org(context.get("user"), "admin")
    return {"success": bool(allowed)}


@tk.auth_allow_anonymous_access
def ccphva_dataset_data_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """The data of a dataset: everyone where it is open; where not, its organisation and collaborators."""
    package = model.Package.get((data_dict or {}).get("id"))
    if package is None:
        return {"success": False}
    tk.check_access("package_show", _fresh(context), {"id": package.id})
    if not closed.is_restricted(package.extras):
        return {"success": True}
    user = model.User.get(context.get("user") or "")
    if user is None:
        return {"success": False}
    belongs = (
        authz.has_user_permission_for_group_or_org(package.owner_org, user.name, "read")
        if package.owner_org
        else package.creator_user_id == user.id
    )
    return {"success": bool(belongs or authz.user_is_collaborator_on_dataset(user.id, package.id))}


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def resource_view_show(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """A view shows data: only to whom they may be shown."""
    data_dict = data_dict or {}
    view = model.ResourceView.get(data_dict.get("id") or "")
    return _with_data(up, context, data_dict, view.resource_id if view else None)


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def datastore_search(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Rows are data."""
    data_dict = data_dict or {}
    return _with_data(up, context, data_dict, data_dict.get("resource_id") or data_dict.get("id"))


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def datastore_info(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Names and kinds of columns, and the number of rows, are data."""
    data_dict = data_dict or {}
    return _with_data(up, context, data_dict, data_dict.get("resource_id") or data_dict.get("id"))


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def activity_show(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """An activity with its data holds a dataset as it was, files included."""
    data_dict = data_dict or {}
    answer = up(context, data_dict)
    return _of_history(answer, context, data_dict) if data_dict.get("include_data") else answer


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def activity_data_show(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """The same."""
    data_dict = data_dict or {}
    return _of_history(up(context, data_dict), context, data_dict)


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def activity_diff(up: Any, context: Context, data_dict: DataDict | None) -> AuthResult:
    """The same."""
    data_dict = data_dict or {}
    return _of_history(up(context, data_dict), context, data_dict)


def _of_history(answer: AuthResult, context: Context, data_dict: DataDict) -> AuthResult:
    from ckanext.activity.model import Activity

    activity = model.Session.get(Activity, data_dict.get("id") or "")
    if not answer.get("success") or activity is None or model.Package.get(activity.object_id) is None:
        return answer
    return ccphva_dataset_data_show(context, {"id": activity.object_id})


def _with_data(up: Any, context: Context, data_dict: DataDict, resource_id: Any) -> AuthResult:
    answer = up(context, data_dict)
    resource = model.Resource.get(resource_id) if resource_id else None
    if not answer.get("success") or resource is None:
        return answer
    return ccphva_dataset_data_show(context, {"id": resource.package_id})


def _fresh(context: Context) -> Context:
    """The same asker, without the objects that core's functions leave in a context."""
    return Context(user=context.get("user", ""), auth_user_obj=context.get("auth_user_obj"))


if "activity" in tk.aslist(tk.config.get("ckan.plugins")):
    __all__ += ["activity_data_show", "activity_diff", "activity_show"]
if "datastore" in tk.aslist(tk.config.get("ckan.plugins")):
    __all__ += ["datastore_info", "datastore_search"]
