"""The worker of CKAN's own queues outlives what happens to its jobs."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ckan.lib import jobs as core
from ckanext.ccphva import jobs


def absent(*_: Any) -> None:
    raise ConnectionError("the database is away")


@pytest.mark.usefixtures("with_plugins")
def test_a_child_that_cannot_load_the_portal_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never comes back to its parent's code, which would sign the living worker off."""
    worker = jobs.Worker(["nothing"])
    monkeypatch.setattr(core, "load_environment", absent)
    child = os.fork()
    if not child:
        try:
            worker.main_work_horse(None, None)
        finally:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
