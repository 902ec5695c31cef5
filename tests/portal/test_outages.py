"""Bad days, on the running stack: services stopped, processes killed. Reads answer what they can, writes
answer 503 with Retry-After, nothing is half written, and everything comes back by itself.

`./portal endure` lets the services be away for a whole minute: tests/endurance.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
import requests
from stack import PARTS, Stack, assert_503, assert_api_503, limit, payload, purge, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.alone]

AWAY = 4.0


@pytest.fixture(autouse=True)
def leave_it_green(stack: Stack) -> Iterator[None]:
    """Each test begins and ends with everything running, and without datasets of another one."""
    purge(stack, "outage-")
    yield
    assert wait_for(stack.green, 60), stack.health()


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
