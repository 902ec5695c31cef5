"""The actions that tell what a run did, and how the sources do."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import fresh_context
from ckan.types import Context
from ckanext.ccphva_harvest import condition, report

__all__ = ["ccphva_harvest_condition_list", "ccphva_harvest_report_show"]
_FURTHEST = 10_000_000


@tk.side_effect_free
def ccphva_harvest_report_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """What a run did: its errors by cause, and the datasets that it wrote with what changed of them.

    :param id: the harvest job
    :param offset: how many datasets to pass over (optional)
    :returns: ``job`` (as ``harvest_job_show``), ``causes`` (``message``, ``count`` and ``records`` with
        ``name``, ``url`` and ``object``), ``changes`` (at most twenty: ``name``, ``title``, ``record``,
        ``status``, and of an updated dataset ``fields`` and ``resources`` as
        ``ccphva_dataset_changes_show``, in the reader's language), ``count`` of all, ``offset`` and ``limit``
    :raises ObjectNotFound: there is no such job
    :raises ValidationError: the offset is no number
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("ccphva_harvest_report_show", context, data_dict)
    job = tk.get_action("harvest_job_show")(fresh_context(context), {"id": id_})
    offset = _offset(data_dict.get("offset") or 0)
    changes, count = report.changes(fresh_context(context), id_, offset)
    return {
        "job": job,
        "causes": report.causes(id_),
        "changes": changes,
        "count": count,
        "offset": offset,
        "limit": report.A_PAGE,
    }


@tk.side_effect_free
def ccphva_harvest_condition_list(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """How the sources do that the caller may edit, those that need somebody first.

    :returns: of each ``id``, ``name``, ``title``, ``organization``, ``state`` (``failing``, ``late``: two
        turns were missed, ``never``: no run came to an end, ``ok``, ``paused``), ``error``, ``success`` and
        ``due`` (UTC, or None), and ``runs``, the last ten, the latest first: ``job``, ``finished``, ``ok``,
        ``read``, ``added``, ``updated``, ``deleted``, ``failed``
    """
    tk.check_access("ccphva_harvest_condition_list", context, data_dict)
    organizations = tk.get_action("organization_list_for_user")(
        fresh_context(context), {"permission": "update_dataset"}
    )
    return condition.of([each["id"] for each in organizations])


def _offset(given: Any) -> int:
    try:
        offset = int(given)
    except (TypeError, ValueError):
        offset = -1
    if not 0 <= offset <= _FURTHEST:
        raise tk.ValidationError({"offset": [tk._("A number from 0 to %(most)s") % {"most": _FURTHEST}]})
    return offset
