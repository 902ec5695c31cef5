"""What the tests of the catalogue share: actions called as somebody, and plugins loaded once a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pytest
from ckan.tests import helpers


@pytest.fixture(scope="module")
def plugins_loaded() -> Iterator[None]:
    """All plugins of the configuration. CKAN's `with_plugins` takes a second for each test."""
    p.load_all()
    yield
    p.unload_all()


def call_action(action: str, **payload: Any) -> Any:
    """Call an action as a named user: the activity log refuses nameless ones."""
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    return helpers.call_action(action, {"user": user}, **payload)
