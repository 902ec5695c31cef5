"""Harvests on the whole running stack: through the API, on real Celery workers, also when one is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harvesting import Site, catalog

MANY = 400


class Portal:
    """The stack's API, asked as its administrator."""

    def __init__(self, url: str, home: Path) -> None:
        accounts = json.loads((home / "accounts.json").read_text())
        self.url = url
        self.token = next(account["token"] for account in accounts if account["role"] == "sysadmin")

    def act(self, action: str, **payload: Any) -> Any:
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        address = f"{self.url}/api/3/action/{action}"
        request = urllib.request.Request(address, json.dumps(payload).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["result"]


@pytest.fixture
def portal(stack_url: str, stack_home: Path) -> Portal:
    return Portal(stack_url, stack_home)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


@pytest.fixture
def source(portal: Portal, site: Site) -> Iterator[dict[str, Any]]:
    """A source of many datasets; nothing of it stays in the stack."""
    url = site.serve("/c", catalog([f"n{number}" for number in range(MANY)]))
    name = f"source-{os.urandom(4).hex()}"
    organization = portal.act("organization_list")[0]
    made = portal.act(
        "harvest_source_create",
        name=name,
        title="Épreuve",
        url=url,
        source_type="ccphva_dcat",
        owner_org=organization,
    )
    yield made
    portal.act("harvest_source_clear", id=made["id"])
    portal.act("package_delete", id=made["id"])


def wait_for(what: Callable[[], Any], seconds: float) -> Any:
    """The first true answer, within so many seconds."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.3)
    return found


def finished(portal: Portal, job_id: str) -> dict[str, Any] | None:
    job = portal.act("harvest_job_show", id=job_id)
    return job if job["status"] == "Finished" else None


def found_by_search(portal: Portal, source: dict[str, Any]) -> int:
    return portal.act("package_search", fq=f'harvest_source_id:"{source["id"]}"', rows=0)["count"]


@pytest.mark.stack
@pytest.mark.slow
def test_a_harvest_through_the_api(portal: Portal, source: dict[str, Any]) -> None:
    """A job made through the API is done by a worker, its datasets are found; the next one writes nothing."""
    job = portal.act("harvest_job_create", source_id=source["id"])
    done = wait_for(lambda: finished(portal, job["id"]), 120)
    assert (done["stats"]["added"], done["stats"]["errored"]) == (MANY, 0)
    assert wait_for(lambda: found_by_search(portal, source) == MANY, 10)
    job = portal.act("harvest_job_create", source_id=source["id"])
    done = wait_for(lambda: finished(portal, job["id"]), 60)
    assert (done["stats"]["added"], done["stats"]["updated"], done["stats"]["not modified"]) == (0, 0, MANY)


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.alone
def test_a_killed_worker_loses_nothing(portal: Portal, source: dict[str, Any], stack_home: Path) -> None:
    """The worker's children die by `kill -9` in the middle of a job: it ends all the same, undoubled."""
    job = portal.act("harvest_job_create", source_id=source["id"])
    wait_for(lambda: len(portal.act("harvest_object_list", source_id=source["id"])) >= 5, 60)
    victims = worker_children(stack_home)
    assert victims
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    done = wait_for(lambda: finished(portal, job["id"]), 180)
    assert (done["stats"]["added"], done["stats"]["errored"]) == (MANY, 0)
    assert done["run"]["attempt"] >= 2
    assert wait_for(lambda: found_by_search(portal, source) == MANY, 10)
    assert len(portal.act("harvest_object_list", source_id=source["id"])) == MANY


def worker_children(home: Path) -> list[int]:
    """Children of the Celery worker of this very stack, found from its supervisor's process id."""
    supervisor = int((home / "run" / "supervisord.pid").read_text())
    workers = [pid for pid in children(supervisor) if {b"worker", b"--queues"} <= set(arguments(pid))]
    return [child for worker in workers for child in children(worker)]


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def arguments(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def test_beat_stays_small(stack_home: Path) -> None:
    """Beat's modules, with their schedule and broker, load without CKAN."""
    code = (
        "import sys; from ckanext.ccphva_harvest.celery_app import app; app.loader.import_default_modules(); "
        "app.finalize(); assert 'ckanext.ccphva_harvest.tasks' in sys.modules; "
        "print(sorted(app.conf.beat_schedule), app.conf.broker_url[:8], "
        "[name for name in sys.modules if name == 'ckan' or name.startswith('ckan.')])"
    )
    environment = os.environ | {"CKAN_INI": str(stack_home / "ckan.ini")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "['notices', 'sweep'] redis:// []"


BROKEN = """
import sqlalchemy as sa
from ckan import model
from ckanext.ccphva_harvest import application

with application.context():
    try:
        model.Session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    except sa.exc.OperationalError:
        print("broken")
with application.context():
    print(model.Session.execute(sa.text("SELECT 'whole'")).scalar())
"""


@pytest.mark.stack
def test_a_task_after_a_broken_connection(stack_home: Path) -> None:
    """The database went away in the middle of a task: the next task of that worker works as ever."""
    environment = os.environ | {"CKAN_INI": str(stack_home / "ckan.ini")}
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.stdout.split()[-2:] == ["broken", "whole"], done.stderr[-2000:]
