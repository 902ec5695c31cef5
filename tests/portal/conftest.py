"""What the tests on real services share."""

from __future__ import annotations

import pytest
from ckan import model


@pytest.fixture(scope="session", autouse=True)
def tables_stay() -> None:
    """Let `clean_db` empty the tables that `./portal` made.

    Left alone, its first call drops every table of the database: those of PostGIS, which the test's role
    does not own, and those and the triggers of our migrations.
    """
    model.repo.tables_created_and_initialised = True
