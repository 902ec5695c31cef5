"""A minute without a service, on the running stack, while people read and write each second."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests
from stack import PARTS, Stack, payload, purge, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow]

MINUTE = 60.0
KILLS = 50
PAGES = ("/", "/de/dataset/", "/dataset/outage-kept", "/api/3/action/package_search?rows=1", "/about")
PREFIX = "outage-"


@pytest.fixture(autouse=True)
def kept(stack: Stack) -> Iterator[str]:
    """A dataset that exists before the outage and must be unharmed after it."""
    purge(stack, PREFIX)
    name = "outage-kept"
    assert stack.call("package_create", **payload(stack, name)).status_code == 200
    yield name
    assert wait_for(stack.green, 60), stack.health()
    purge(stack, PREFIX)


class Visitors:
    """One read of each page and one write a turn; remembers what was answered."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.reads: Counter[int] = Counter()
        self.writes: dict[str, int] = {}

    def turn(self) -> None:
        for page in PAGES:
            answer = self.stack.get(page)
            self.reads[answer.status_code] += 1
            assert answer.status_code != 503 or int(answer.headers["Retry-After"]) > 0
        name = f"{PREFIX}{len(self.writes):03}"
        try:
            answer = self.stack.call("package_create", **payload(self.stack, name) | {"name": name})
            self.writes[name] = answer.status_code
            assert answer.status_code != 503 or int(answer.headers["Retry-After"]) > 0
        except requests.ConnectionError:
            self.writes[name] = 0

    def check(self) -> None:
        """Every answer was a good one or 503; what was written is whole, and is found."""
        assert set(self.reads) <= {200, 503}, self.reads
        assert set(self.writes.values()) <= {200, 503, 0}, self.writes
        written = {name for name, status in self.writes.items() if status == 200}
        present = set(self.stack.names_in_database(PREFIX)) - {"outage-kept"}
        # A commit whose answer got lost may have happened.
        assert written <= present <= set(self.writes)
        for name in present:
            shown = self.stack.call("package_show", id=name).json()["result"]
            assert (shown["state"], len(shown["resources"])) == ("active", 1)
        expected = sorted(present | {"outage-kept"})
        assert wait_for(lambda: self.stack.names_in_search(PREFIX) == expected, 60)


@pytest.mark.parametrize("name", ["postgres", "redis", "solr"])
def test_a_minute_without(stack: Stack, name: str) -> None:
    """Reads answer what they can, writes 503 with Retry-After, nothing is half written, all comes back."""
    organization = stack.organization()
    stack.organization = lambda: organization  # type: ignore[method-assign]  # asked while the service is away
    visitors = Visitors(stack)
    with stack.without(name):
        end = time.monotonic() + MINUTE
        while time.monotonic() < end:
            visitors.turn()
            time.sleep(0.5)
        assert stack.health()[PARTS[name]]["status"] == "down"
    assert wait_for(stack.green, 60), stack.health()
    for _ in range(3):
        visitors.turn()
    assert list(visitors.writes.values())[-3:] == [200] * 3
    visitors.check()
    print(f"{name}: reads {dict(visitors.reads)}, writes {dict(Counter(visitors.writes.values()))}")


def test_fifty_kills(stack: Stack) -> None:
    """Any process killed at any moment, fifty times over: all comes back, nothing is lost."""
    organization = stack.organization()
    stack.organization = lambda: organization  # type: ignore[method-assign]
    chance, killed, slowest = random.Random(20261124), Counter[str](), 0.0
    visitors = Visitors(stack)
    for _ in range(KILLS):
        name = chance.choice([*PARTS, "web"])
        began = time.monotonic()
        stack.kill(name)
        killed[name] += 1
        visitors.turn()
        assert wait_for(stack.green, 30), (name, stack.health())
        slowest = max(slowest, time.monotonic() - began)
    visitors.check()
    print(f"killed {dict(killed)}, slowest return {slowest:.1f} s")
