"""CKAN's stream of activities, read and mended in its table: versions, deletions, who may read them.

Everything here does nothing, or finds nothing, where the plugin `activity` is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ckan.plugins as p
from ckan import model
from ckanext.activity.model import Activity

DELETED = "deleted package"
LONGEST = 200


def hide(dataset_id: str, organization: str | None) -> None:
    """Leave what is noted of a dataset to its organisation: it is public no longer.

    CKAN keeps with each activity who might read it when it was written.
    """
    if not p.plugin_loaded("activity"):
        return
    labels = [f"member-{organization}" if organization else "none"]
    found = model.Session.query(Activity).filter(Activity.object_id == dataset_id)
    found.update({"permission_labels": labels}, synchronize_session=False)


def deletions(dataset_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """When and by whom datasets were deleted."""
    if not p.plugin_loaded("activity"):
        return {}
    found = _with_people(Activity.object_id.in_(dataset_ids), Activity.activity_type == DELETED)
    return {str(each["dataset_id"]): each for each in reversed(found)}


def versions(dataset_id: str) -> list[dict[str, Any]]:
    """The versions of a dataset, the latest first, without their content."""
    if not p.plugin_loaded("activity"):
        return []
    return _with_people(Activity.object_id == dataset_id, Activity.activity_type.like("% package"))


def content(dataset_id: str, version: str) -> Mapping[str, Any] | None:
    """The dataset as it was in one of its versions; None when it has no such version."""
    if not p.plugin_loaded("activity"):
        return None
    found = model.Session.query(Activity.data).filter(
        Activity.object_id == dataset_id, Activity.id == version, Activity.activity_type.like("% package")
    )
    data = found.scalar()
    return (data or {}).get("package")


def _with_people(*conditions: Any) -> list[dict[str, Any]]:
    columns = (Activity.id, Activity.object_id, Activity.timestamp, Activity.activity_type)
    found = (
        model.Session.query(*columns, model.User.fullname, model.User.name)
        .outerjoin(model.User, model.User.id == Activity.user_id)
        .filter(*conditions)
        .order_by(Activity.timestamp.desc())
        .limit(LONGEST)
    )
    return [
        {
            "id": id_,
            "dataset_id": dataset_id,
            "at": at.isoformat(),
            "kind": kind.split()[0],
            "user": fullname or name or "",
        }
        for id_, dataset_id, at, kind, fullname, name in found
    ]
