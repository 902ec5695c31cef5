"""What the tests of the live gateway share: feeds on the running stack, and a reader of events."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import requests
from stack import Stack, payload, wait_for

CONTRACT: dict[str, Any] = {
    "fields": [
        {"id": "sensor", "type": "text"},
        {"id": "at", "type": "timestamptz"},
        {"id": "level", "type": "float", "unit": "m", "min": -10, "max": 1000},
        {"id": "count", "type": "bigint"},
        {"id": "note", "type": "text"},
        {"id": "good", "type": "bool"},
        {"id": "exact", "type": "numeric"},
        {"id": "day", "type": "date"},
    ],
    "key": ["sensor"],
    "time": "at",
    "freshness": 900,
}
NDJSON = "application/x-ndjson"


def at(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@dataclass
class Feed:
    """A feed on the running stack and who may write it."""

    stack: Stack
    dataset: dict[str, Any]
    id: str
    token: str = ""

    @property
    def url(self) -> str:
        return f"{self.stack.url}/live/{self.id}"

    @property
    def direct(self) -> str:
        """The gateway itself, past nginx."""
        return f"http://127.0.0.1:{gateway_port(self.stack)}/live/{self.id}"

    def post(self, body: Any, media: str = NDJSON, url: str = "", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": self.token or self.stack.token, "Content-Type": media} | named
        if isinstance(body, list):
            body = "\n".join(json.dumps(row) for row in body)
        body = body.encode() if isinstance(body, str) else body
        return requests.post(url or self.url, data=body, headers=given, timeout=30)

    def rows(self) -> list[tuple[Any, ...]]:
        """(sensor, level, _id) as the database has them."""
        return query(self.stack, f'SELECT sensor, level, _id FROM "{self.id}" ORDER BY _id')  # noqa: S608


def query(stack: Stack, statement: str) -> list[tuple[Any, ...]]:
    with psycopg2.connect(stack.options["ckan.datastore.write_url"]) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall()


def gateway_port(stack: Stack) -> int:
    return int(stack.url.rsplit(":", 1)[1]) + 7


@contextmanager
def live_feed(stack: Stack, dataset: dict[str, Any] | None = None, **changes: Any) -> Iterator[Feed]:
    """A feed, gone with its dataset when the block ends."""
    given = payload(stack, f"live-{uuid.uuid4().hex[:12]}") | {"resources": []} | (dataset or {})
    made = stack.call("package_create", **given).json()["result"]
    answer = stack.call("ccphva_feed_create", package_id=made["id"], name="flux", **(CONTRACT | changes))
    assert answer.status_code == 200, answer.text
    feed = Feed(stack, made, answer.json()["result"]["resource_id"])
    try:
        yield feed
    finally:
        wait_for(stack.green, 60)
        stack.call("ccphva_feed_delete", resource_id=feed.id)
        stack.call("dataset_purge", id=made["id"])


@dataclass
class Reader:
    """Reads a feed's events in a thread, and comes back with the last id when it is cut off."""

    feed: Feed
    since: int | None = None
    url: str = ""
    token: str = ""
    comes_back: bool = True
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False
    _answer: requests.Response | None = None

    def __post_init__(self) -> None:
        self.last = self.since
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.stopped:
            headers = {} if self.last is None else {"Last-Event-ID": str(self.last)}
            if self.token:
                headers["Authorization"] = self.token
            try:
                url = self.url or self.feed.url
                self._answer = requests.get(f"{url}/events", stream=True, headers=headers, timeout=40)
                self.status.append(self._answer.status_code)
                if self._answer.status_code == 200:
                    self._read(self._answer)
            except (requests.RequestException, AttributeError, ValueError, OSError):
                self.status.append(0)
            if not self.comes_back:
                break
            time.sleep(0.2)
        self.stopped = True

    def _read(self, answer: requests.Response) -> None:
        number = None
        for line in answer.iter_lines(chunk_size=1):
            name, _, text = line.decode().partition(": ")
            if name == "id":
                number = int(text)
            elif name == "data":
                self.events.append((number or 0, json.loads(text)))
            if not line and number is not None:
                self.last = number
                self.ready.set()

    def cut(self) -> None:
        """Lose the connection."""
        if self._answer is not None:
            raw: Any = self._answer.raw
            raw._fp.fp.raw._sock.shutdown(2)

    def stop(self) -> None:
        self.stopped = True
        if not self._answer or self._answer.status_code == 200:
            with suppress(AttributeError, OSError):
                self.cut()
        self._thread.join(5)
