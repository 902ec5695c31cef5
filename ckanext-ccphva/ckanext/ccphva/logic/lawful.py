"""Actions of licences, fees and data that are not everybody's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import authz, model
from ckan.logic import fresh_context, validate
from ckan.types import Context, DataDict
from ckanext.ccphva import closed, fees, licences, storage
from ckanext.ccphva.logic import schema
from ckanext.dcat.utils import catalog_uri

__all__ = [
    "ccphva_fee_review_list",
    "ccphva_licence_list",
    "package_show",
    "resource_search",
    "resource_view_list",
]


@tk.side_effect_free
@validate(schema.in_language)
def ccphva_licence_list(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The portal's licences, in the order in which forms offer them.

    :param language: ``fr``, ``de``, ``en`` or ``lb``.
    :returns: each with ``id``, ``title``, ``uri``, ``url`` (its text), ``spdx``, ``exact`` and ``close`` (the
        EU's table), ``may``, ``must``, ``must_not`` (lists of texts), ``open``, ``hvd``, ``to_be_reviewed``
        and ``crpa``: ``decree`` (D323-2-1), ``homologation`` (needs one), ``partner`` or ``none``.
    """
    tk.check_access("ccphva_licence_list", context, data_dict)
    base = catalog_uri()
    return [licences.shown(each, data_dict["language"], base) for each in licences.by_id().values()]


@tk.side_effect_free
def ccphva_fee_review_list(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Fees whose review date has passed: they are no longer due until they are revised (CRPA L324-3).

    :returns: each with ``dataset`` (name), ``title``, ``resource_id`` (None for the dataset's own) and
        ``fee``, the longest overdue first.
    """
    tk.check_access("ccphva_fee_review_list", context, data_dict)
    today = date.today()
    overdue = [
        each for each in storage.fees(private=_is_sysadmin(context)) if fees.is_overdue(each["fee"], today)
    ]
    return sorted(overdue, key=lambda each: each["fee"]["review_date"])


@tk.side_effect_free
@tk.chained_action
def package_show(up: Callable[..., Any], context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Core's; what leads to the data of a restricted dataset only for who has the right to them."""
    shown = up(context, data_dict)
    if not closed.is_restricted(shown):
        return shown
    if not _may_see_data(context, shown["id"]):
        return closed.without_data(shown)
    if not context.get("use_cache", True):
        return shown
    fresh = context.copy()
    fresh["use_cache"] = False  # the index holds no data's address
    return up(fresh, data_dict)


def with_data(context: Context, found: dict[str, Any]) -> dict[str, Any]:
    """What a search found; of a restricted dataset what `package_show` says to the same asker.

    The index holds no address of such data, so whoever has the right to them reads the database.
    """
    for result in found["results"]:
        if closed.is_restricted(result) and _may_see_data(context, result["id"]):
            fresh = fresh_context(context)
            fresh["use_cache"] = False
            result.update(tk.get_action("package_show")(fresh, {"id": result["id"]}))
    return found


@tk.side_effect_free
@tk.chained_action
def resource_search(up: Callable[..., Any], context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Core's, without resources of datasets whose data the asker may not see."""
    found = up(context, data_dict)
    seen: dict[str, bool] = {}
    for resource in found["results"]:
        owner = resource["package_id"]
        seen.setdefault(owner, _may_see_data(context, owner))
    shown = [resource for resource in found["results"] if seen[resource["package_id"]]]
    hidden = len(found["results"]) - len(shown)
    return {**found, "results": shown, "count": found["count"] - hidden} if hidden else found


@tk.side_effect_free
@tk.chained_action
def resource_view_list(up: Callable[..., Any], context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Core's; none of a resource whose data the asker may not see."""
    found = up(context, data_dict)
    resource: Any = model.Resource.get(data_dict["id"])
    return found if resource is None or _may_see_data(context, resource.package_id) else []


def _may_see_data(context: Context, dataset_id: str) -> bool:
    try:
        tk.check_access("ccphva_dataset_data_show", context.copy(), {"id": dataset_id})
    except tk.NotAuthorized:
        return False
    return True


def _is_sysadmin(context: Context) -> bool:
    return authz.is_sysadmin(context.get("user", ""))
