"""What platforms tell by themselves: through the gateway's door, into the same table as a run's rows."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from ccphva_harvesters import Client, ConfigError
from ccphva_harvesters.sources.onem2m import Subscriptions
from ccphva_harvesters.sources.onem2m.client import SUBSCRIPTION, Cse
from ckanext.ccphva.shared import Notices, is_secret, secret_of, within
from ckanext.ccphva_harvest import settings
from peers import acme
from stack import Stack, wait_for
from test_harvest_celery import Portal
from test_harvest_rows import Source

PERSON_LESS = {"originator": "CAdmin", "labels": ["kind:bins"], "properties": {"n": {"unit": "%"}}}


def config(**more: Any) -> str:
    whole = {"source": PERSON_LESS, "publication": "published", "listen": True} | more
    return json.dumps(whole)


class Platform:
    """A CSE with sensors, and a source of the stack that listens to it."""

    def __init__(self, stack: Stack, cse: acme.Acme, sensors: int, **more: Any) -> None:
        self.stack, self.cse = stack, cse
        path = cse.entity("dechets", "kind:bins")
        self.sensors = [cse.container(path, f"bac-{n}") for n in range(sensors)]
        for sensor in self.sensors:
            cse.put(sensor, {"n": 0})
        self.source = Source(Portal(stack.url, stack.home), "ccphva_onem2m", cse.base, config(**more))
        self.id = self.source.made["id"]
        self.removed = False

    @property
    def address(self) -> str:
        """What the CSE calls, as its subscriptions say."""
        secret = secret_of(stack_secret(self.stack), self.id)
        return f"{self.stack.url}/notify/{self.id}/{secret}"

    def values(self) -> list[float]:
        (resource,) = self.source.dataset()["resources"]
        query = {"resource_id": resource["id"], "limit": 32000, "fields": ["value_num"]}
        return sorted(
            row["value_num"] for row in self.source.portal.act("datastore_search", **query)["records"]
        )

    def subscriptions(self) -> list[str]:
        with Client(allow_networks=["127.0.0.0/8"]) as client:
            cse = Cse(self.cse.base, client, "CAdmin", "4", {})
            name = Subscriptions(cse, self.id, "").name
            return [path for path in cse.discover(cse.name, SUBSCRIPTION) if path.endswith(name)]

    def remove(self) -> None:
        if not self.removed:
            self.removed = True
            self.source.remove()


def stack_secret(stack: Stack) -> str:
    text = (stack.home / "ckan.ini").read_text()
    return next(line.partition("=")[2].strip() for line in text.splitlines() if line.startswith("SECRET_KEY"))


@pytest.fixture
def platform(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    with acme.running(tmp_path) as cse:
        made: list[Platform] = []

        def make(sensors: int = 1, **more: Any) -> Platform:
            made.append(Platform(stack, cse, sensors, **more))
            return made[-1]

        yield make
        [each.remove() for each in made]


# -- on the stack, with a real CSE ---------------------------------------------------------------------------


@pytest.mark.stack
@pytest.mark.slow
def test_what_a_platform_tells_is_there_in_seconds_and_once(platform: Callable[..., Platform]) -> None:
    """A run subscribes; what comes then needs no run; a run after it finds nothing new; removal ends it."""
    place = platform(2)
    job = place.source.run()
    assert job["run"]["counts"]["rows_accepted"] == 2, job
    assert job["gather_error_summary"] == []
    assert len(place.subscriptions()) == 2
    for n in (1, 2, 3):
        place.cse.put(place.sensors[0], {"n": n})
    assert wait_for(lambda: place.values() == [0, 0, 1, 2, 3], 15), place.values()
    assert place.source.run()["run"]["counts"].get("rows_accepted", 0) == 0
    assert place.values() == [0, 0, 1, 2, 3]
    address = place.address
    assert (
        requests.post(address, json={"m2m:sgn": {"vrq": True, "cr": "CAdmin"}}, timeout=10).status_code == 200
    )
    place.remove()
    assert wait_for(lambda: not place.subscriptions(), 20)
    assert requests.post(address, json={"m2m:sgn": {"vrq": True}}, timeout=10).status_code == 404


@pytest.mark.stack
@pytest.mark.slow
def test_what_is_no_notification_changes_nothing(platform: Callable[..., Platform]) -> None:
    """Wrong secrets, garbage, strangers' sensors and repeats: answered, counted, and no row more."""
    place = platform(1, listen={"from": ["127.0.0.0/8"]})
    place.source.run()
    wrong = place.address[:-1] + ("A" if place.address[-1] != "A" else "B")
    stranger = {"m2m:sgn": {"nev": {"net": 3, "rep": {"m2m:cin": {"pi": "cnt0", "con": {"n": 9}}}}}}

    def post(address: str, body: bytes) -> tuple[int, str | None]:
        answer = requests.post(address, data=body, headers={"X-M2M-RI": "r7"}, timeout=20)
        assert answer.headers.get("X-M2M-RI") == "r7"
        return answer.status_code, answer.headers.get("X-M2M-RSC")

    good = json.dumps(stranger).encode()
    wait_for(lambda: requests.post(wrong, data=good, timeout=20).status_code == 404, 20)  # the door is open
    assert post(wrong, good) == (404, "4004")
    assert post(place.address.replace(place.id, "0" * 36), good) == (404, "4004")
    for body in (b"", b"<xml/>", b"\xff", b"[]", b'{"m2m:sgn": []}', b'{"m2m:agn": 1}', b"[" * 100_000):
        assert post(place.address, body) == (400, "4000"), body[:20]
    assert post(place.address, b" " * 1_100_000)[0] == 413
    assert post(place.address, good) == (200, "2000")
    box = Notices(place.stack.options["ckan.redis.url"], place.stack.options["ckan.site_id"])
    assert wait_for(lambda: box.counts(place.id)["unreadable"] == 8, 15), box.counts(place.id)
    assert place.values() == [0]
    box.open(place.id, ["10.0.0.0/8"])  # as a source that names its platform's network
    assert post(place.address, good) == (403, "4103")


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.alone
def test_kills_while_a_platform_tells_leave_no_hole_and_no_double(
    platform: Callable[..., Platform], stack: Stack
) -> None:
    """The gateway and a worker die at seeded moments while two sensors speak: after one run all is there."""
    place, chance, over = platform(2), random.Random(7), threading.Event()
    place.source.run()
    sent: list[float] = [0, 0]

    def speak() -> None:
        n = 0
        while not over.is_set():
            n += 1
            place.cse.put(place.sensors[n % 2], {"n": n})
            sent.append(n)
            time.sleep(0.05)

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    for name in ("gateway", "worker", "gateway", "worker"):
        time.sleep(chance.uniform(0.5, 2))
        stack.kill(name)
    time.sleep(1)
    over.set()
    speaker.join(30)
    assert wait_for(stack.green, 60), stack.health()
    place.source.run()
    assert Counter(place.values()) == Counter(sent)


# -- the queue, on Redis -------------------------------------------------------------------------------------


@pytest.fixture
def box(stack: Stack) -> Iterator[Notices]:
    """A queue of a site of its own."""
    made = Notices(stack.options["ckan.redis.url"], f"test-{random.getrandbits(40)}")
    yield made
    for each in ("a", "b"):
        made.close(each)


@pytest.mark.stack
class TestQueue:
    def test_what_is_taken_and_not_done_stays(self, box: Notices) -> None:
        """A block that fails leaves all; one that ends well drops what it took, and no more."""
        box.open("a", ())
        assert [box.put("a", body) for body in (b"1", b"2", b"3")] == ["taken"] * 3
        with suppress(ZeroDivisionError), box.taking("a") as bodies:
            assert bodies == [b"1", b"2", b"3"]
            raise ZeroDivisionError
        with box.taking("a", 2) as bodies, box.taking("a") as meanwhile:
            assert (bodies, meanwhile) == ([b"1", b"2"], [])
        assert box.waiting() == ["a"]
        with box.taking("a") as bodies:
            assert bodies == [b"3"]
        assert box.waiting() == []

    def test_a_flood_is_bounded(self, box: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
        """By number and by bytes, each source for itself; what was pushed back is counted."""
        monkeypatch.setattr("ckanext.ccphva.notices.MOST", 3)
        monkeypatch.setattr("ckanext.ccphva.notices.MOST_BYTES", 10)
        box.open("a", ())
        box.open("b", ())
        assert [box.put("a", b"x") for _ in range(5)] == ["taken"] * 3 + ["full"] * 2
        assert [box.put("b", b"x" * 6) for _ in range(2)] == ["taken", "full"]
        assert (box.counts("a")["refused"], box.counts("a")["waiting"]) == (2, 3)
        with box.taking("b"):
            pass
        assert box.put("b", b"x" * 6) == "taken"

    def test_a_source_that_does_not_listen(self, box: Notices) -> None:
        """Nothing is kept of it, and closing one drops what waits."""
        assert box.put("a", b"1") == "unknown"
        box.open("a", ["10.0.0.0/8"])
        assert (box.put("a", b"1"), box.networks("a")) == ("taken", ["10.0.0.0/8"])
        box.close("a")
        assert (box.networks("a"), box.waiting(), box.put("a", b"1")) == (None, [], "unknown")


def test_secrets_are_of_one_source() -> None:
    """Each source has its own, made of the portal's."""
    one = secret_of("key", "a")
    assert is_secret(one, "key", "a")
    assert not is_secret(one, "key", "b")
    assert not is_secret(one, "other", "a")
    assert not is_secret("é", "key", "a")


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("192.0.2.1", [], True), ("10.1.2.3", ["10.0.0.0/8"], True), ("192.0.2.1", ["10.0.0.0/8"], False),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True), ("2001:db8::1", ["10.0.0.0/8"], False),
        ("nonsense", ["10.0.0.0/8"], False), ("", ["10.0.0.0/8"], False),
    ],
)  # fmt: skip
def test_where_notifications_may_come_from(address: str, networks: list[str], expected: bool) -> None:
    """IPv4 written as IPv6 is the same; what is no address comes from nowhere."""
    assert within(address, networks) is expected


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"listen": "yes"}, r"\$\.listen: expected true"),
        ({"listen": {"from": []}}, r"\$\.listen: expected true"),
        ({"listen": {"from": ["10.0.0.0/8"], "to": 1}}, r"\$\.listen: expected true"),
        ({"listen": {"from": ["10.0.0.1/8"]}}, r"\$\.listen\.from: not a network"),
        ({"listen": {"from": ["example.org"]}}, r"\$\.listen\.from: not a network"),
        ({"listen": True, "personal_data": "possible"}, r"\$\.listen: rows of a source with personal data"),
        ({"retention": 0}, r"\$\.retention: expected whole days"),
        ({"retention": True}, r"\$\.retention: expected whole days"),
    ],
    ids=["word", "nowhere", "unknown-key", "host-bits", "name", "persons", "no-day", "no-number"],
)
def test_configurations_that_cannot_be(more: dict[str, Any], fault: str) -> None:
    """Said with their path."""
    text = json.dumps({"source": {"originator": "C"}} | more)
    with pytest.raises(ConfigError, match=fault):
        settings.parse("onem2m", "native", "https://iot.example.org/cse", text)


def test_only_platforms_that_can_tell_are_listened_to() -> None:
    """A catalogue tells nothing by itself."""
    with pytest.raises(ConfigError, match=r"\$\.listen: platforms of this kind"):
        settings.parse("dcat", "dcat-ap", "https://example.org/catalog", '{"listen": true}')
