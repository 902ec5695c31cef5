"""The running test stack, for the tests that stop and kill its programs."""

from __future__ import annotations

import configparser
import json
import os
import re
import signal
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import requests

# The part of /health in which each process shows.
PARTS = {
    "postgres": "database",
    "redis": "queue",
    "solr": "search",
    "mail": "mail",
    "worker": "workers",
    "jobs": "jobs",
    "loads": "loads",
    "follower": "follower",
    "beat": "beat",
    "gateway": "gateway",
}


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
        """What the portal itself says: with a cookie, the front's cache of pages is passed by."""
        headers = {"Cookie": "past=the-cache"}
        return requests.get(self.url + path, timeout=30, allow_redirects=False, headers=headers)

    def get_as_anybody(self, path: str, **headers: str) -> requests.Response:
        """What a visitor gets, from the front's cache where it holds the page."""
        return requests.get(self.url + path, timeout=30, allow_redirects=False, headers=headers)

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
        killed = [0]

        def done() -> bool:
            # A program that ends by itself meanwhile has no number, or one that is nobody's: ask again.
            # Number 0 would be this test and its whole group.
            found = self.pid(name)
            if found > 1:
                with suppress(ProcessLookupError):
                    os.kill(found, number)
                    killed[0] = found
            return killed[0] > 1

        assert wait_for(done, 20), f"{name} does not run"
        return killed[0]

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
