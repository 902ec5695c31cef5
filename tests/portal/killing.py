"""A feed under load while a program is killed: what was acknowledged is there, once, whole."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter

import requests
from live_support import Feed, Reader, at, live_feed, query
from stack import Stack, wait_for

BATCH = 20


class Pusher(threading.Thread):
    """Sends batches of a sensor of its own and remembers which were acknowledged."""

    def __init__(self, feed: Feed, name: str, size: int) -> None:
        super().__init__(daemon=True)
        self.feed, self.sensor, self.size = feed, name, size
        self.sent, self.acknowledged = list[str](), list[str]()
        self.seen = Counter[int]()
        self.over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            rows = [
                {"sensor": f"{self.sensor}-{number}-{n}", "at": at(), "level": n, "count": number}
                for n in range(self.size)
            ]
            names = [str(row["sensor"]) for row in rows]
            number += 1
            self.sent += names
            try:
                answer = self.feed.post(rows)
            except requests.RequestException:
                self.seen[0] += 1
                time.sleep(0.1)
                continue
            self.seen[answer.status_code] += 1
            if answer.status_code == 200:
                assert answer.json()["accepted"] + answer.json()["unchanged"] == self.size
                self.acknowledged += names
            else:
                assert answer.status_code in (500, 502, 503), answer.text
                time.sleep(0.1)


def kill_under_load(stack: Stack, name: str, points: int, seed: int) -> str:
    """Kill a program at seeded moments while three clients push and one reads; a line for people."""
    chance, number = random.Random(seed), signal.SIGQUIT if name == "postgres" else signal.SIGKILL
    with live_feed(stack) as feed:
        pushers = [Pusher(feed, f"p{n}", size) for n, size in enumerate((1, 1, BATCH))]
        reader = Reader(feed, since=0)
        [pusher.start() for pusher in pushers]
        for _ in range(points):
            time.sleep(chance.uniform(0.2, 1.2))
            stack.kill(name, number)
            _wait_for_more(pushers)
        [pusher.over.set() for pusher in pushers]
        [pusher.join(60) for pusher in pushers]
        assert wait_for(stack.green, 60), stack.health()
        stored = Counter(sensor for sensor, _, _ in feed.rows())
        acknowledged = [sensor for pusher in pushers for sensor in pusher.acknowledged]
        sent = {sensor for pusher in pushers for sensor in pusher.sent}
        assert set(acknowledged) <= set(stored)
        assert set(stored.values()) == {1}
        assert set(stored) <= sent
        batches = query(stack, f"SELECT count(*) FROM \"{feed.id}\" WHERE sensor LIKE 'p2-%' GROUP BY count")  # noqa: S608
        assert {count for (count,) in batches} == {BATCH}  # no half batch, acknowledged or not
        counted = query(stack, f"SELECT stats ->> 'rows' FROM _table_stats WHERE resource_id = '{feed.id}'")  # noqa: S608
        assert int(counted[0][0]) == len(stored)
        assert wait_for(lambda: len(reader.events) >= len(stored), 60), (len(reader.events), len(stored))
        seen = Counter(row["sensor"] for _, row in reader.events)
        reader.stop()
        assert seen == stored
        answers = sum((pusher.seen for pusher in pushers), Counter())
        return f"{name}: {points} kills, {len(acknowledged)} rows acknowledged, answers {dict(answers)}"


def _wait_for_more(pushers: list[Pusher]) -> None:
    def rows() -> int:
        return sum(len(pusher.acknowledged) for pusher in pushers)

    before = rows()
    assert wait_for(lambda: rows() > before + 5, 60), "nothing is accepted any more"
