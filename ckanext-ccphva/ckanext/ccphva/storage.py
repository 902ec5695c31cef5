"""What pages read straight from CKAN's tables, because no action gives it without work for each row."""

from __future__ import annotations

from typing import Any

from ckan import model
from ckan.model.group import group_table


def organizations() -> list[dict[str, Any]]:
    """All active organisations with their fields, in one query.

    `organization_list` with all fields stops at 25, takes each through its schema, asks the search engine.
    """
    table = group_table.c
    columns = (table.id, table.name, table.title, table.extras)
    found = model.Session.query(*columns).filter(table.is_organization, table.state == "active")
    return [{**(extras or {}), "id": id_, "name": name, "title": title} for id_, name, title, extras in found]
