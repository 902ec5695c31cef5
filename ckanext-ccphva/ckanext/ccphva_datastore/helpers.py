"""What templates ask about a resource's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk

__all__ = ["ccphva_table_facts"]


def ccphva_table_facts(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What this reader may know of a resource's feed, load, versions and text.

    :returns: ``feed`` (as ``ccphva_feed_show``, with ``rows`` and ``url``), ``load``, ``versions`` and
        ``pages``; what is not there and what the reader may not see is None or empty alike.
    """
    id_ = resource["id"]
    feed = _asked("ccphva_feed_show", {"resource_id": id_}) if resource.get("datastore_active") else None
    if feed:
        found = _asked("datastore_search", {"resource_id": id_, "limit": 0}) or {}
        feed |= {"rows": found.get("total"), "url": f"{tk.config['ckan.site_url']}/live/{id_}"}
    load = _asked("ccphva_load_show", {"id": id_})
    shown = _asked("ccphva_document_show", {"id": id_, "offset": 0, "limit": 1}) or {}
    return {
        "feed": feed,
        "load": load if load and load["state"] != "none" else None,
        "versions": _asked("ccphva_version_list", {"id": id_}) or [],
        "pages": shown.get("pages") or [],
    }


def _asked(action: str, data: dict[str, Any]) -> Any:
    try:
        return tk.get_action(action)({}, data)
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return None
