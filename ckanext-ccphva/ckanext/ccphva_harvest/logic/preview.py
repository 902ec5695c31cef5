"""The action that shows what a run would make."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import fresh_context
from ckan.types import Context
from ckanext.ccphva_harvest import engine, preview
from ckanext.ccphva_harvest.register import HarvestSource

__all__ = ["ccphva_harvest_source_preview"]


@tk.side_effect_free
def ccphva_harvest_source_preview(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Reach a source, and show what a run would make of its first twenty records; nothing is written.

    :param id: the source
    :returns: ``says`` (the source of itself), ``error`` (why it cannot be read), ``datasets`` (``title``,
        ``name``, ``status``, ``visibility``, ``licence``, ``resources``, ``problems``, ``reason`` and
        ``tables`` with their first rows), ``failed`` (records that cannot be read) and ``more``
    :raises ObjectNotFound: there is no such source
    :raises ValidationError: the source is harvested by another extension, which has no preview
    """
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access("ccphva_harvest_source_preview", context, data_dict)
    shown = tk.get_action("harvest_source_show")(fresh_context(context), {"id": id_})
    source = HarvestSource.get(shown["id"])
    harvester = engine.harvester_of(source.type)
    if not hasattr(harvester, "format_type"):
        raise tk.ValidationError({"id": [tk._("Sources of this type have no preview")]})
    return preview.of(source, (harvester.source_type, harvester.format_type), user=engine.user_name())
