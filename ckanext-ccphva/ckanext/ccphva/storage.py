"""What pages read straight from CKAN's tables, because no action gives it without work for each row."""

from __future__ import annotations

from typing import Any

from ckan import model


def organizations() -> list[dict[str, Any]]:
    """All active organisations with their fields, in one query.

    `organization_list` with all fields stops at 25, takes each through its schema, asks the search engine.
    """
    columns = (model.Group.id, model.Group.name, model.Group.title, model.Group.extras)
    found = model.Session.query(*columns).filter(model.Group.is_organization, model.Group.state == "active")
    return [{**(extras or {}), "id": id_, "name": name, "title": title} for id_, name, title, extras in found]
