"""What the page for developers shows: the interface in groups, and examples on data of this portal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva import storage
from ckanext.ccphva.developers import examples, interface

LOOKED_AT = 20
WORDS = {"fr": "déchets", "de": "Abfall", "en": "waste", "lb": "Offall"}
TOKEN, TABLE, FEED = "YOUR_TOKEN", "RESOURCE_ID", "FEED_ID"


def page(language: str) -> dict[str, Any]:
    """Examples by what they do, and actions by group."""
    found = interface.actions()
    stands = {
        "portal": str(tk.config["ckan.site_url"]).rstrip("/"),
        "word": WORDS.get(language, WORDS["en"]),
        "token": TOKEN,
        **_tables(),
    }
    shown = examples.examples(**stands)
    return {
        "examples": [
            {
                "title": tk._(title),
                "name": name,
                "codes": [
                    {"tool": examples.TOOLS[each.tool], "text": each.text}
                    for each in shown
                    if each.name == name
                ],
            }
            for name, title in examples.TITLES.items()
        ],
        "groups": [
            {"title": tk._(title), "actions": [_shown(each) for each in found if each.group == group]}
            for group, (title, _) in interface.GROUPS.items()
        ],
        "token": TOKEN,
    }


def _shown(action: interface.Action) -> dict[str, Any]:
    return {"name": action.name, "reads": action.reads, **asdict(action.described)}


def _tables() -> dict[str, str]:
    """A table and a feed that everybody may read, and how the rows of the feed are named."""
    found = {"resource": TABLE, "feed": FEED, "series": "sensor", "time": "at"}
    for id_ in storage.public_tables(LOOKED_AT):
        contract = _contract(id_)
        if contract and found["feed"] == FEED:
            found |= {"feed": id_, "series": contract["key"][0], "time": contract["time"]}
        elif contract is None and found["resource"] == TABLE and _readable(id_):
            found["resource"] = id_
    if found["resource"] == TABLE and found["feed"] != FEED:
        found["resource"] = found["feed"]
    return found


def _contract(resource_id: str) -> dict[str, Any] | None:
    try:
        return tk.get_action("ccphva_feed_show")(_anybody(), {"resource_id": resource_id})["contract"]
    except (KeyError, tk.ObjectNotFound, tk.NotAuthorized, tk.ValidationError):
        return None


def _readable(resource_id: str) -> bool:
    try:
        tk.get_action("datastore_search")(_anybody(), {"resource_id": resource_id, "limit": 0})
    except (KeyError, tk.ObjectNotFound, tk.NotAuthorized, tk.ValidationError):
        return False
    return True


def _anybody() -> Context:
    return Context(user="", auth_user_obj=None)
