"""A town in which an administrator publishes: what the tests of publication share."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action
from ckan import model
from ckan.tests import factories

SECRET = "Geheimnis"
PEOPLE = ("admin", "editor", "member")


class Town:
    """An organisation in which an administrator publishes, one beside it, and their people."""

    def __init__(self) -> None:
        self.users = {name: factories.UserWithToken(name=f"town-{name}") for name in (*PEOPLE, "stranger")}
        self.id = self._organization("town", publishing="admins", **{n: n for n in PEOPLE})
        self.other = self._organization("beside", stranger="admin")

    def _organization(self, name: str, publishing: str = "editors", **members: str) -> str:
        made = call_action(
            "organization_create", name=name, publishing=publishing, title_translated={"fr": name}
        )
        for user, role in members.items():
            call_action("organization_member_create", id=made["id"], username=f"town-{user}", role=role)
        return made["id"]

    def act(self, person: str, action: str, **payload: Any) -> Any:
        """Call an action with a person's rights, which tests of CKAN's own pass by."""
        user = model.User.get(f"town-{person}") if person else None
        context: Any = {"user": user.name if user else "", "auth_user_obj": user, "ignore_auth": False}
        return tk.get_action(action)(context, payload)

    def make(self, person: str = "editor", **fields: Any) -> dict[str, Any]:
        wanted = {
            "title": f"Zwischenfrucht {SECRET}",
            "owner_org": self.id,
            "tags": [{"name": "humus"}],
            **fields,
        }
        return self.act(person, "package_create", **({"name": "jeu"} | wanted))

    def header(self, person: str) -> dict[str, str]:
        return {"Authorization": self.users[person]["token"]} if person else {}


@pytest.fixture
def town(plugins_loaded: None, clean_db: None, clean_index: None, with_request_context: None) -> Town:
    """A town without datasets."""
    return Town()


def stage(dataset: dict[str, Any]) -> tuple[str, bool]:
    """State, and whether core keeps the dataset private, as the database has it."""
    package = model.Package.get(dataset["id"])
    assert package is not None
    return package.extras["workflow"], package.private
