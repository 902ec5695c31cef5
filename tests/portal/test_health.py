"""`/health` says the truth, quickly, and nothing that it should not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckanext.ccphva import health, probes, pulse
from ckanext.ccphva.middleware import Envelope
from werkzeug.test import Client

DEAD = "http://127.0.0.1:9/solr/ckan"

pytestmark = pytest.mark.usefixtures("ckan_config", "clean_redis", "fresh_board")


@pytest.fixture
def fresh_board() -> None:
    """Nothing is remembered from other tests."""
    health.board = health.Board()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers, like a process that hangs."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def door() -> Client:
    """The portal's outermost layer around an application that refuses: what it answers, it answers alone."""

    def nobody(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError("the request went past the outermost layer")

    envelope = Envelope(nobody)
    return Client(lambda environ, start: envelope({"REMOTE_ADDR": "127.0.0.1"} | environ, start))


def ask(door: Client, path: str = "/health") -> Any:
    return door.get(path)


def parts(answer: Any) -> dict[str, str]:
    return {name: part["status"] for name, part in answer.json["parts"].items()}


@pytest.mark.usefixtures("with_plugins")
def test_services_of_the_stack_are_up(app: Any) -> None:
    """Database, tables, search, queue, mail and disk answer in the test stack, through the whole portal."""
    found = parts(app.test_client().get("/health"))
    for name in ("database", "datastore", "search", "queue", "mail", "disk"):
        assert found[name] == "up", name


def test_missing_processes_are_down(door: Client) -> None:
    """No worker of this (unit test) site runs: its parts are down and the whole answers 503."""
    answer = ask(door)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert {parts(answer)[name] for name in ("jobs", "loads", "follower")} == {"down"}


@pytest.mark.ckan_config("solr_url", DEAD)
def test_dead_search_is_down_and_the_page_still_answers(door: Client) -> None:
    """Each part is judged by itself."""
    answer = ask(door)
    assert parts(answer)["search"] == "down"
    assert parts(answer)["database"] == "up"
    assert ask(door, "/health/ready").status_code == 503


@pytest.mark.ckan_config("sqlalchemy.url", "postgresql://nobody:nothing@127.0.0.1:9/none")
def test_dead_database_is_down(door: Client) -> None:
    """The answer needs no database: neither for a session nor for a user."""
    door.set_cookie("ckan", "some-session")
    answer = door.get("/health", headers={"Authorization": "some-token"})
    assert (answer.status_code, parts(answer)["database"]) == (503, "down")


@pytest.mark.ckan_config("ckan.redis.url", "redis://127.0.0.1:9/0")
def test_dead_queue_is_down(door: Client) -> None:
    """Without Redis the times are kept in the process, and the rest is still told."""
    answer = ask(door)
    assert (parts(answer)["queue"], parts(answer)["database"]) == ("down", "up")


def test_hanging_services_do_not_hang_the_answer(door: Client, silent_port: int, ckan_config: Any) -> None:
    """A service that accepts and says nothing is down within two seconds and a bit, not for ever."""
    ckan_config["solr_url"] = f"http://127.0.0.1:{silent_port}/solr/ckan"
    ckan_config["smtp.server"] = f"127.0.0.1:{silent_port}"
    ckan_config["sqlalchemy.url"] = f"postgresql://a:b@127.0.0.1:{silent_port}/c"
    ckan_config["ckan.redis.url"] = f"redis://127.0.0.1:{silent_port}/0"
    ckan_config["ccphva.celery.broker_url"] = f"redis://127.0.0.1:{silent_port}/1"
    began = time.monotonic()
    answer = ask(door)
    assert time.monotonic() - began < 6
    found = parts(answer)
    assert {found[n] for n in ("search", "mail", "database", "queue", "workers")} == {"down"}
    assert found["datastore"] == "up"


def test_answer_holds_no_secret_and_no_address(door: Client) -> None:
    """Names of parts, up or down, times: nothing that helps an attacker."""
    text = ask(door).get_data(as_text=True)
    for forbidden in (
        "127.0.0.1",
        "postgresql",
        "redis://",
        "localhost",
        socket.gethostname(),
        "/var",
        "Error",
    ):
        assert forbidden not in text
    for part in json.loads(text)["parts"].values():
        assert set(part) == {"status", "since"}


def test_answer_is_never_kept(door: Client) -> None:
    """No cache may serve yesterday's health."""
    answer = ask(door)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_live_looks_at_nothing(door: Client) -> None:
    """`/health/live` says only that the process answers."""
    answer = ask(door, "/health/live")
    assert (answer.status_code, answer.json["status"]) == (200, "up")
    assert "parts" not in answer.json


def test_ready_looks_at_the_essential(door: Client) -> None:
    """`/health/ready` is green without workers: pages answer."""
    answer = ask(door, "/health/ready")
    assert answer.status_code == 200
    assert set(answer.json["parts"]) == {"database", "search"}


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics"])
def test_only_reading_is_allowed(door: Client, path: str) -> None:
    """Other methods get 405, HEAD gets headers alone."""
    assert door.post(path).status_code == 405
    head = door.head(path)
    assert head.get_data() == b""
    assert int(head.headers["Content-Length"]) > 0


def test_since_is_kept_and_moves_with_the_change(door: Client, ckan_config: Any) -> None:
    """`since` stays while nothing changes, in all processes, and moves when a part goes down and up."""
    first = ask(door).json["parts"]["search"]["since"]
    time.sleep(1.1)
    health.board = health.Board()  # another process
    assert ask(door).json["parts"]["search"]["since"] == first
    good = ckan_config["solr_url"]
    ckan_config["solr_url"] = DEAD
    time.sleep(0.5)
    down = ask(door).json["parts"]["search"]
    assert down["status"] == "down"
    assert down["since"] > first
    ckan_config["solr_url"] = good
    time.sleep(1.1)
    up = ask(door).json["parts"]["search"]
    assert up["status"] == "up"
    assert up["since"] > down["since"]


def test_unseen_restart_moves_since() -> None:
    """A service that went and came while nobody looked shows the time of its own start."""
    old = health.State(up=True, since=1000.0)
    assert health._state(old, up=True, began=2000.0) == health.State(up=True, since=2000.0)
    assert health._state(old, up=True, began=1000.4) is old
    assert health._state(old, up=True, began=None) is old


def test_many_askers_cost_one_look(door: Client) -> None:
    """Asked a hundred times at once, the services are looked at a few times."""
    looks: list[float] = []

    class Counting(health.Board):
        def _probe(self) -> dict[str, tuple[bool, float | None]]:
            looks.append(time.monotonic())
            return super()._probe()

    board = Counting()
    threads = [threading.Thread(target=board.look) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(looks) <= 5


def test_pulse_of_a_killed_process_is_seen_at_once() -> None:
    """A process killed by -9 is dead for `/health` before its pulse runs out."""
    url, site = tk.config["ckan.redis.url"], tk.config["ckan.site_id"]
    code = (
        "import sys, time; from ckanext.ccphva.pulse import Pulse; "
        "Pulse('tested', sys.argv[1], sys.argv[2]).start(); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, url, site])
    client = probes.redis_connection()
    try:
        assert wait_for(lambda: pulse.life("tested", client, site).count == 1)
        assert "tested" in probes.pulses()
    finally:
        process.kill()
        process.wait()
    assert pulse.life("tested", client, site).count == 0
    with pytest.raises(probes.Absent):
        probes.pulses()["tested"]()


def test_pulse_ends_with_its_block() -> None:
    """A process that stops in order leaves no pulse behind."""
    url, site = tk.config["ckan.redis.url"], tk.config["ckan.site_id"]
    client = probes.redis_connection()
    with pulse.Pulse("tested", url, site):
        assert wait_for(lambda: pulse.life("tested", client, site).count == 1)
    assert pulse.life("tested", client, site).count == 0


def test_processes_of_other_machines_are_believed() -> None:
    """Whether a process of another host lives is told by its pulse alone."""
    assert pulse.may_live("another-host", 1)
    assert pulse.may_live(socket.gethostname(), os.getpid())
    assert not pulse.may_live(socket.gethostname(), 2**22 + 1)


@pytest.mark.ckan_config("ccphva.health.least_free_mb", 10**9)
def test_full_disk_is_down(door: Client) -> None:
    """Too little room for uploads is a part that is down."""
    assert parts(ask(door))["disk"] == "down"


def wait_for(condition: Any, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
