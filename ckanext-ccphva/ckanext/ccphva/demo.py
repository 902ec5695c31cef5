"""Fills a portal with its territory: organisations from `territory.yaml`, accounts of a local run. Safe to repeat."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.ccphva import territory

ROLES = {"sysadmin": None, "agent": "editor", "partner": "member", "citizen": None, "committee": "admin"}


def fill(accounts: Path | None) -> Iterator[str]:
    """Yield one line for each thing made."""
    site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    context = lambda: {"user": site_user, "ignore_auth": True}  # noqa: E731
    places = territory.load()
    known = set(tk.get_action("organization_list")(context(), {}))
    for organization in places.organizations():
        action = "organization_patch" if organization["name"] in known else "organization_create"
        payload = {**organization, "id": organization["name"]} if action.endswith("patch") else organization
        tk.get_action(action)(context(), payload)
    yield f"{len(places.organizations())} organisations"
    if accounts:
        yield from _accounts(accounts, places.main_organization, context)


def _accounts(path: Path, organization: str, context: Any) -> Iterator[str]:
    kept = {a["role"]: a for a in json.loads(path.read_text())} if path.exists() else {}
    for role, capacity in ROLES.items():
        if role in kept and model.User.get(kept[role]["name"]):
            continue
        name, password = f"demo-{role}", secrets.token_urlsafe(12)
        tk.get_action("user_create")(context(), {"name": name, "email": f"{name}@example.org", "password": password})
        if role == "sysadmin":
            user = model.User.get(name)
            user.sysadmin = True
            model.repo.commit()
        if capacity:
            tk.get_action("organization_member_create")(context(), {"id": organization, "username": name, "role": capacity})
        token = tk.get_action("api_token_create")(context(), {"user": name, "name": "demo"})["token"]
        kept[role] = {"role": role, "name": name, "password": password, "token": token}
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(list(kept.values()), indent=1))
    yield f"{len(kept)} accounts"
