"""What the tests on real services share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from ckan import model
from ckanext.ccphva import logs


@pytest.fixture(scope="session", autouse=True)
def tables_stay() -> None:
    """Let `clean_db` empty the tables that `./portal` made.

    Left alone, its first call drops every table of the database: those of PostGIS, which the test's role
    does not own, and those and the triggers of our migrations.
    """
    model.repo.tables_created_and_initialised = True


@pytest.fixture(autouse=True)
def nothing_left_of_others() -> Iterator[None]:
    """Give each test the context of a fresh process.

    An answer that a test client did not close leaves its request's id behind; Alembic's `fileConfig`
    disables the loggers that exist.
    """
    token = logs._request_id.set("")
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False
    yield
    logs._request_id.reset(token)
