"""What the tests of the catalogue share: actions called as somebody, and plugins loaded once a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan.tests import helpers
from ckanext.ccphva.shared import harvesting
from ckanext.datastore.backend import DatastoreBackend


@pytest.fixture(scope="module")
def plugins_loaded() -> Iterator[None]:
    """All plugins of the configuration. CKAN's `with_plugins` takes a second for each test."""
    p.load_all()
    yield
    p.unload_all()


def forget_tables() -> None:
    """Drop what an earlier test left in the DataStore, in whatever schema."""
    backend: Any = DatastoreBackend.get_active_backend()
    with backend._get_write_engine().begin() as connection:
        for name in backend.get_all_ids():
            connection.execute(sa.text(f'DROP TABLE "{name}" CASCADE'))


def call_action(action: str, **payload: Any) -> Any:
    """Call an action as a named user: the activity log refuses nameless ones."""
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    return helpers.call_action(action, {"user": user}, **payload)


def harvested_action(action: str, **payload: Any) -> Any:
    """The same as a harvest calls it: only that may give a dataset a `uri`."""
    with harvesting():
        return call_action(action, **payload)
