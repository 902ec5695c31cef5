"""Bad days, on the running stack: services stopped, processes killed. Reads answer what they can, writes
answer 503 with Retry-After, nothing is half written, and everything comes back by itself.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import signal
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# The part of /health in which each process shows.
PARTS = {
    "postgres": "database",
    "redis": "queue",
    "solr": "search",
    "mail": "mail",
    "worker": "workers",
    "jobs": "jobs",
    "follower": "follower",
    "beat": "beat",
}
AWAY = 4.0


@dataclass
class Stack:
    """The running portal, its supervisor and its databases."""

    home: Path
    url: str

    def __post_init__(self) -> None:
        conf = configparser.RawConfigParser()
        conf.read(self.home / "supervisord.conf")
        control = conf["supervisorctl"]
        address = control["serverurl"].replace("://", f"://{control['username']}:{control['password']}@")
        self.supervisor: Any = xmlrpc.client.ServerProxy(f"{address}/RPC2").supervisor
        ini = configparser.RawConfigParser()
        ini.read(self.home / "ckan.ini")
        self.options = ini["app:main"]
        accounts = json.loads((self.home / "accounts.json").read_text())
        self.token = next(a["token"] for a in accounts if a["role"] == "sysadmin")

    def call(self, action: str, **data: Any) -> requests.Response:
        headers = {"Authorization": self.token}
        return requests.post(f"{self.url}/api/3/action/{action}", json=data, headers=headers, timeout=30)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=30, allow_redirects=False)

    def health(self) -> dict[str, dict[str, str]]:
        """Parts by name; empty when the portal itself does not answer."""
        try:
            return self.get("/health").json()["parts"]
        except (requests.RequestException, ValueError):
            return {}

    def serving_since(self) -> float:
        """When the web process that answers now was started; 0 when none does."""
        try:
            found = re.search(r"^process_start_time_seconds (\S+)$", self.get("/metrics").text, re.MULTILINE)
        except requests.RequestException:
            return 0.0
        return float(found[1]) if found else 0.0

    def green(self) -> bool:
        try:
            return self.get("/health").status_code == 200
        except requests.RequestException:
            return False

    def pid(self, name: str) -> int:
        """The process number, 0 while it is being started."""
        return int(self.supervisor.getProcessInfo(name)["pid"])

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Kill a process that runs, and say which it was."""
        assert wait_for(lambda: self.pid(name), 20), f"{name} does not run"
        pid = self.pid(name)
        assert pid > 1  # 0 would be this test and its whole group
        os.kill(pid, number)
        return pid

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Stop a service for the block."""
        self.supervisor.stopProcess(name)
        try:
            yield
        finally:
            self.supervisor.startProcess(name, False)

    def organization(self) -> str:
        return self.call("organization_list").json()["result"][0]

    def names_in_database(self, prefix: str) -> list[str]:
        with psycopg2.connect(self.options["sqlalchemy.url"]) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT name FROM package WHERE name LIKE %s ORDER BY 1", [f"{prefix}%"])
            return [row[0] for row in cursor.fetchall()]

    def names_in_search(self, prefix: str) -> list[str]:
        found = self.call("package_search", q=f"name:{prefix}*", rows=100, include_private=True).json()
        return sorted(r["name"] for r in found["result"]["results"])


@pytest.fixture(scope="module")
def stack(stack_home: Path, stack_url: str) -> Stack:
    """The test stack, green before the first outage."""
    found = Stack(stack_home, stack_url)
    assert wait_for(found.green, 60), found.health()
    return found


@pytest.fixture(autouse=True)
def leave_it_green(stack: Stack) -> Iterator[None]:
    """Each test begins and ends with everything running, and without datasets of another one."""
    purge(stack, "outage-")
    yield
    assert wait_for(stack.green, 60), stack.health()


def limit(seconds: float = 10) -> float:
    """That many seconds, and more where other work holds the processors: programs start slowly then."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_for(condition: Callable[[], Any], seconds: float) -> bool:
    end = time.monotonic() + limit(seconds)
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def payload(stack: Stack, name: str) -> dict[str, Any]:
    """A dataset that any schema of this portal accepts."""
    return {
        "name": name,
        "title": name,
        "title_translated": {"fr": name},
        "notes": "Essai de panne",
        "notes_translated": {"fr": "Essai de panne"},
        "owner_org": stack.organization(),
        "license_id": "etalab-2.0",
        "visibility": "open",
        "personal_data": "none",
        "resources": [{"url": "http://example.org/a.csv", "name": "a", "name_translated": {"fr": "a"}}],
    }


def assert_503(answer: requests.Response) -> None:
    assert answer.status_code == 503, (answer.status_code, answer.text[:300])
    assert int(answer.headers["Retry-After"]) > 0
    assert "no-store" in answer.headers["Cache-Control"]


def assert_api_503(answer: requests.Response) -> None:
    assert_503(answer)
    assert answer.json()["success"] is False
    assert answer.json()["error"]["__type"] == "Service Unavailable"
    for forbidden in ("127.0.0.1", "psycopg", "sqlalchemy", "Traceback", "solr"):
        assert forbidden not in answer.text


def purge(stack: Stack, prefix: str) -> None:
    for name in stack.names_in_database(prefix):
        stack.call("dataset_purge", id=name)


def test_without_the_database(stack: Stack) -> None:
    """Pages and API say 503 in the reader's language, health says why, and a minute's writes are whole
    after it."""
    data = payload(stack, "outage-database")
    with stack.without("postgres"):
        time.sleep(AWAY / 2)
        assert stack.health()["database"]["status"] == "down"
        assert stack.health()["queue"]["status"] == "up"
        assert_api_503(stack.call("package_create", **data))
        assert_api_503(stack.call("package_search", rows=0))
        french, german = stack.get("/dataset/"), stack.get("/de/dataset/")
        assert_503(french)
        assert_503(german)
        assert 'lang="fr"' in french.text
        assert "momentanément indisponible" in french.text
        assert 'lang="de"' in german.text
        assert stack.get("/health/live").status_code == 200
        time.sleep(AWAY / 2)
    assert wait_for(lambda: stack.call("package_search", rows=0).status_code == 200, 20)
    assert stack.names_in_database("outage-database") == []
    assert stack.call("package_create", **data).status_code == 200
    assert stack.get("/dataset/").status_code == 200
    purge(stack, "outage-database")


def test_database_stopped_amid_writes(stack: Stack) -> None:
    """Each write that was answered 200 is there after the outage, whole; each that was not is absent,
    whole."""
    data = payload(stack, "outage-amid")
    answers: dict[str, int] = {}

    def write(number: int) -> None:
        name = f"outage-amid-{number:02}"
        try:
            answers[name] = stack.call("package_create", **data | {"name": name}).status_code
        except requests.RequestException:
            answers[name] = 0

    for number in range(4):
        write(number)
    stack.kill("postgres", signal.SIGQUIT)  # at once, without waiting for anybody
    for number in range(4, 14):
        write(number)
        time.sleep(0.2)
    assert wait_for(lambda: stack.call("package_search", rows=0).status_code == 200, 30)
    write(14)
    assert set(answers.values()) <= {200, 503, 0}
    written = sorted(name for name, status in answers.items() if status == 200)
    # A commit whose answer got lost may have happened: then the dataset is there, and whole.
    lost = {name for name, status in answers.items() if status != 200}
    present = stack.names_in_database("outage-amid")
    assert set(written) <= set(present) <= set(written) | lost
    for name in present:
        assert len(stack.call("package_show", id=name).json()["result"]["resources"]) == 1
    assert wait_for(lambda: stack.names_in_search("outage-amid") == present, 15)
    purge(stack, "outage-amid")


def test_without_the_search_engine(stack: Stack) -> None:
    """A dataset's page answers, searching and writing answer 503, nothing is written."""
    data = payload(stack, "outage-search")
    kept = payload(stack, "outage-kept")
    assert stack.call("package_create", **kept).status_code == 200
    with stack.without("solr"):
        time.sleep(1)
        assert stack.health()["search"]["status"] == "down"
        assert stack.get("/dataset/outage-kept").status_code == 200
        assert stack.get("/about").status_code == 200
        assert_api_503(stack.call("package_create", **data))
        assert_api_503(stack.call("package_patch", id="outage-kept", notes_translated={"fr": "Autre"}))
        assert_api_503(stack.call("package_search", rows=0))
        assert_503(stack.get("/dataset/?q=eau"))
        assert stack.names_in_database("outage-search") == []
        assert stack.call("package_show", id="outage-kept").json()["result"]["notes"] == "Essai de panne"
    assert wait_for(lambda: stack.call("package_search", rows=0).status_code == 200, 30)
    assert stack.call("package_create", **data).status_code == 200
    assert wait_for(lambda: "outage-search" in stack.names_in_search("outage-"), 10)
    purge(stack, "outage-")
    assert wait_for(lambda: stack.names_in_search("outage-") == [], 10)


def test_without_the_queue(stack: Stack) -> None:
    """Without Redis pages and datasets work; what needs the queue answers 503; workers come back by
    themselves."""
    data = payload(stack, "outage-queue")
    with stack.without("redis"):
        time.sleep(1)
        assert stack.health()["queue"]["status"] == "down"
        assert stack.get("/dataset/").status_code == 200
        created = stack.call("package_create", **data)
        if created.status_code != 200:
            assert_api_503(created)
            assert stack.names_in_database("outage-queue") == []
        assert_api_503(stack.call("job_list"))
        time.sleep(AWAY)
    assert wait_for(stack.green, 40), stack.health()
    assert stack.call("job_list").status_code == 200
    purge(stack, "outage-queue")


@pytest.mark.parametrize("name", PARTS)
def test_stopped_process_is_red(stack: Stack, name: str) -> None:
    """A process that is away shows in its part of /health, and the whole is red with it."""
    with stack.without(name):
        assert wait_for(lambda: stack.health().get(PARTS[name], {}).get("status") == "down", 10)
        assert not stack.green()
    assert wait_for(stack.green, 40), stack.health()


@pytest.mark.parametrize("name", PARTS)
def test_killed_process_comes_back(stack: Stack, name: str) -> None:
    """Killed by -9: its part of /health goes red, or its `since` moves where it can tell, and all is green
    with a new process within ten seconds."""
    part, before = PARTS[name], stack.health()[PARTS[name]]
    began = time.monotonic()
    killed = stack.kill(name)
    # A mail server cannot tell since when it runs, and is back before anybody looks.
    red = name == "mail" or wait_for(lambda: stack.health().get(part, before) != before, 10)
    assert red, f"{part} never changed"
    assert wait_for(lambda: stack.pid(name) not in {0, killed}, 20)
    assert wait_for(stack.green, 30), stack.health()
    assert time.monotonic() - began < limit(), f"{name} took {time.monotonic() - began:.1f} s"


@pytest.mark.parametrize("name", ["web", "nginx"])
def test_killed_door_comes_back(stack: Stack, name: str) -> None:
    """Without web server or proxy there is no answer, or the resting page with 503; then all is as before."""
    began, seen = time.monotonic(), set()

    def is_new() -> bool:
        try:
            answer = stack.get("/health/live")
            seen.add(answer.status_code)
            assert answer.status_code != 503 or answer.headers["Retry-After"]
        except requests.RequestException:
            seen.add(0)
        return stack.supervisor.getProcessInfo(name)["statename"] == "RUNNING" and stack.pid(name) != killed

    killed = stack.kill(name)
    moment = time.time()
    assert wait_for(is_new, 30)
    assert wait_for(stack.green, 30)
    assert time.monotonic() - began < limit()
    # Workers of a killed web server finish what they have, for up to ten seconds; then the new ones serve.
    assert name != "web" or wait_for(lambda: stack.serving_since() > moment - 1, 30)
    assert seen <= {0, 200, 503}


def test_killed_beat_comes_back(stack: Stack) -> None:
    """Celery's clock has another process number soon after it was killed."""
    killed = stack.kill("beat")
    assert wait_for(lambda: stack.pid("beat") not in {0, killed}, 10)


def test_killed_three_times_in_a_minute(stack: Stack) -> None:
    """Supervisor does not give up on a process that dies again and again."""
    killed: set[int] = set()
    for _ in range(3):
        assert wait_for(lambda: stack.pid("follower") not in killed | {0}, 20)
        killed.add(stack.kill("follower"))
        time.sleep(1.5)
    assert wait_for(stack.green, 30), stack.health()
    assert stack.pid("follower") not in killed
