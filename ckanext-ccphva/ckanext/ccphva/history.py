"""The history of a dataset: its versions in CKAN's stream of activities, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import activities, differences, search


def changes(
    dataset: Mapping[str, Any], before: str | None, after: str | None, at: datetime | None = None
) -> dict[str, Any]:
    """Two versions compared; the latest (of a moment) with the one before it where none is named.

    :raises ObjectNotFound: one of the two is not a version of this dataset.
    """
    versions = activities.versions(dataset["id"])
    names = [version["id"] for version in versions]
    standing = [each["id"] for each in versions if at is None or each["at"] <= _utc(at).isoformat()]
    newer = after or (standing[0] if standing else None)
    older = before or _previous(names, newer)
    shown: dict[str, Any] = {"versions": versions, "before": older, "after": newer}
    if not newer or not older:
        return {**shown, "fields": [], "resources": []}
    old, new = _content(dataset["id"], older), _content(dataset["id"], newer)
    schema = tk.get_action("scheming_dataset_schema_show")({}, {"type": dataset["type"]})
    language = search.reader_language()
    fields = differences.fields(old, new, schema["dataset_fields"], language)
    resources = differences.resources(old, new, schema["resource_fields"], language)
    return {
        **shown,
        "fields": [_as_dict(each) for each in fields],
        "resources": [
            {**each._asdict(), "fields": [_as_dict(field) for field in each.fields]} for each in resources
        ],
    }


def _utc(moment: datetime) -> datetime:
    """As the stream of activities keeps it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _previous(names: list[str], newer: str | None) -> str | None:
    following = names[names.index(newer) + 1 :] if newer in names else []
    return following[0] if following else None


def _content(dataset_id: str, version: str) -> dict[str, Any]:
    found = activities.content(dataset_id, version)
    if found is None:
        raise tk.ObjectNotFound(tk._("This dataset has no such version"))
    organization = found.get("organization") or {}
    return {**found, "owner_org": organization.get("title") or found.get("owner_org")}


def _as_dict(difference: differences.Difference) -> dict[str, Any]:
    return {**difference._asdict(), "parts": [part._asdict() for part in difference.parts]}
