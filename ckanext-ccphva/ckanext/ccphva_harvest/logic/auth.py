"""Who may see what of the register, where stock is open to all."""

from __future__ import annotations

from typing import Any, cast

import ckan.plugins.toolkit as tk
from ckan import authz
from ckan import model as core
from ckan.types import AuthResult, Context
from ckanext.ccphva_harvest.register import HarvestJob, HarvestObject


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def harvest_object_show(_original: Any, context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """The raw record of a dataset is for those who may see the dataset; else for those who keep the source.

    An earlier version of a record may hold what the dataset no longer shows: that is for the keepers only.
    """
    entry = _entry(data_dict or {})
    if entry is None:
        return {"success": True}  # the action says that there is nothing
    user = {"user": context.get("user", ""), "auth_user_obj": context.get("auth_user_obj")}
    shown = entry.current and entry.package_id and _may("package_show", user, entry.package_id)
    if shown or _may("harvest_source_update", user, entry.harvest_source_id):
        return {"success": True}
    return {"success": False, "msg": tk._("Not authorized to see this harvested record")}


def _entry(data_dict: dict[str, Any]) -> Any:
    if data_dict.get("id"):
        return HarvestObject.get(data_dict["id"], attr=data_dict.get("attr"))
    package = core.Package.get(data_dict.get("dataset_id"))
    if package is None:
        return None
    return HarvestObject.filter(package_id=package.id, current=True).first()


def _may(action: str, user: dict[str, Any], id_: str) -> bool:
    try:
        return bool(tk.check_access(action, cast("Context", dict(user)), {"id": id_}))
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False


def ccphva_harvest_provenance_show(context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """Whoever may edit the dataset."""
    return authz.is_authorized("package_update", context, data_dict)


def ccphva_harvest_correction_remove(context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """Whoever may edit the dataset."""
    return authz.is_authorized("package_update", context, data_dict)


def ccphva_harvest_correction_keep(context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """Whoever may edit the dataset."""
    return authz.is_authorized("package_update", context, data_dict)


def ccphva_harvest_conflict_list(context: Context, _data_dict: dict[str, Any] | None) -> AuthResult:
    """Everybody with an account, about the datasets that he may edit."""
    return {"success": bool(context.get("user"))}


def ccphva_harvest_source_preview(context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """Whoever may edit the source."""
    return authz.is_authorized("harvest_source_update", context, data_dict)


def ccphva_harvest_report_show(context: Context, data_dict: dict[str, Any] | None) -> AuthResult:
    """Whoever may edit the source of the job."""
    job = HarvestJob.get((data_dict or {}).get("id"))
    if job is None:
        raise tk.ObjectNotFound(tk._("There is no such harvest"))
    return authz.is_authorized("harvest_source_update", context, {"id": job.source_id})


def ccphva_harvest_condition_list(context: Context, _data_dict: dict[str, Any] | None) -> AuthResult:
    """Everybody with an account, about the sources that he may edit."""
    return {"success": bool(context.get("user"))}
