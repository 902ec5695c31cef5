"""Who may let a source give datasets to other organisations than its own (step `organisation`).

Checked whenever a source is stored, by whatever door: whoever saves it must be allowed to write in every
organisation that its configuration names, so that nobody publishes under another's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ccphva_harvesters import ConfigError, SourceFile
from ckan import model as core
from ckan.logic import fresh_context
from ckan.types import Context
from ckanext.ccphva_harvest import settings

SOURCE = "harvest"
_PLACE = "config"


def named(file: SourceFile) -> list[str]:
    """Organisations that a source file's steps may give datasets to."""
    return sorted({name for step in file.steps for name in getattr(step, "organisations", ())})


def check(context: Context, source: Mapping[str, Any], kinds: Mapping[str, tuple[str, str]]) -> None:
    """Refuse a source that names an organisation which is not there or not the caller's to write in.

    :param source: as CKAN stores it.
    :param kinds: the library's source and format by the register's type.
    :raises ValidationError: names the organisation.
    """
    if source.get("type") != SOURCE or source.get("source_type") not in kinds:
        return
    try:
        file = settings.parse(
            *kinds[source["source_type"]], str(source.get("url") or ""), source.get(_PLACE)
        ).file
    except ConfigError:
        return  # its own validator says so
    faults = [fault for name in named(file) if (fault := _fault(context, name))]
    if faults:
        core.Session.rollback()
        raise tk.ValidationError({_PLACE: faults})


def _fault(context: Context, name: str) -> str | None:
    organisation = core.Group.get(name)
    if organisation is not None and organisation.is_organization and organisation.state == "active":
        try:
            tk.check_access(
                "package_create", fresh_context(context), {"type": "dataset", "owner_org": organisation.id}
            )
        except tk.NotAuthorized:
            pass
        else:
            return None
    # One answer for both: which organisations exist is no secret, but what a stranger may do there is one.
    return tk._("you may not publish for the organisation “%s”, or there is none") % name
