"""`./portal bench live`: rows pushed over HTTP against CKAN's own upsert and PostgreSQL's own staging."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import requests
from live_support import Feed, gateway_port, live_feed, query
from measure import Report, seconds
from stack import Stack

CONTRACT: dict[str, Any] = {
    "fields": [
        {"id": "sensor", "type": "text"},
        {"id": "at", "type": "timestamptz"},
        {"id": "level", "type": "float"},
        {"id": "note", "type": "text"},
        {"id": "rank", "type": "int"},
    ],
}
BATCH, BATCHES, CLIENTS, SINGLES = 1000, 12, 4, 200
GROWTH = 1_000_000
SUBSCRIBERS, EVENTS, EVERY = 1000, 300, 0.2
BEGAN = datetime.now(UTC) - timedelta(days=20)


def rows(first: int, count: int) -> list[dict[str, Any]]:
    """Rows of fifty sensors, a second apart; every tenth repeats the one before."""
    found = []
    for n in range(first, first + count):
        n -= n % 10 == 9
        moment = (BEGAN + timedelta(seconds=n)).isoformat()
        found.append({"sensor": f"s{n % 50}", "at": moment, "level": n / 7, "note": f"n{n}", "rank": n % 9})
    return found


def bodies(first: int, batches: int, size: int) -> list[bytes]:
    return [
        b"\n".join(json.dumps(row).encode() for row in rows(first + n * size, size)) for n in range(batches)
    ]


def push_all(feed: Feed, sent: list[bytes], clients: int) -> None:
    def client(number: int) -> None:
        session = requests.Session()
        session.headers.update({"Authorization": feed.stack.token, "Content-Type": "application/x-ndjson"})
        for body in sent[number::clients]:
            answer = session.post(feed.direct, data=body, timeout=60)
            assert answer.status_code == 200, answer.text
            assert not answer.json()["rejected"]

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))


def stock_table(stack: Stack, feed: Feed) -> str:
    """An ordinary table, written as core writes."""
    fields = [{"id": f["id"], "type": f["type"]} for f in CONTRACT["fields"]]
    made = stack.call(
        "datastore_create",
        resource={"package_id": feed.dataset["id"], "name": "stock"},
        fields=fields,
        primary_key=["sensor", "at"],
    ).json()["result"]
    return made["resource_id"]


def stock_all(stack: Stack, table: str, batches: list[list[dict[str, Any]]]) -> None:
    for batch in batches:
        # Core answers 500 where two upserts plan the same background job at once; its client sends again.
        for _ in range(5):
            answer = stack.call("datastore_upsert", resource_id=table, records=batch, force=True)
            if answer.status_code == 200:
                break
        assert answer.status_code == 200, answer.text


def raw_all(stack: Stack, batches: list[list[dict[str, Any]]], clear: bool) -> None:
    """COPY to a temporary table, then INSERT … ON CONFLICT, a commit a batch."""
    import io

    names = [f["id"] for f in CONTRACT["fields"]]
    texts = ["".join("\t".join(str(row[n]) for n in names) + "\n" for row in batch) for batch in batches]
    with psycopg2.connect(stack.options["ckan.datastore.write_url"]) as connection:
        run = connection.cursor()
        if clear:
            run.execute("DROP TABLE IF EXISTS live._bench")
        layout = "sensor text, at timestamptz, level float8, note text, rank int"
        run.execute(f"CREATE TABLE IF NOT EXISTS live._bench ({layout}, PRIMARY KEY (sensor, at))")
        run.execute(f"CREATE TEMPORARY TABLE staging ({layout}) ON COMMIT DELETE ROWS")
        connection.commit()
        for text in texts:
            run.copy_expert("COPY staging FROM STDIN", io.StringIO(text))
            run.execute(
                "INSERT INTO live._bench SELECT DISTINCT ON (sensor, at) * FROM staging "
                "ON CONFLICT (sensor, at) DO UPDATE SET level = excluded.level, note = excluded.note, "
                "rank = excluded.rank WHERE (live._bench.level, live._bench.note, live._bench.rank) "
                "IS DISTINCT FROM (excluded.level, excluded.note, excluded.rank)"
            )
            connection.commit()
    connection.close()


def main() -> None:
    report = Report("live")
    url = os.environ["PORTAL_TEST_URL"]
    stack = Stack(Path(os.environ["PORTAL_TEST_HOME"]), url)
    with live_feed(stack, **CONTRACT) as feed:
        check(feed)
        batches(report, stack, feed)
        singles(report, stack, feed)
        visible(report, stack, feed)
        growth(report, feed)
    with live_feed(stack, **CONTRACT) as feed:
        asyncio.run(subscribers(report, stack, feed))
    query(stack, "DROP TABLE IF EXISTS live._bench; SELECT 1")
    report.keep()


def check(feed: Feed) -> None:
    """Correctness before speed: what was sent is what is there."""
    push_all(feed, bodies(0, 4, 250), CLIENTS)
    expected = {(r["sensor"], r["at"]): r["level"] for r in rows(0, 1000)}
    found = query(feed.stack, f'SELECT sensor, at, level FROM "{feed.id}"')  # noqa: S608
    assert {(s, a.astimezone(UTC).isoformat()): v for s, a, v in found} == expected


def batches(report: Report, stack: Stack, feed: Feed) -> None:
    table, ours, stock, raw = stock_table(stack, feed), [], [], []
    for turn in range(3):
        first = 10_000 + turn * BATCH * BATCHES
        sent = bodies(first, BATCHES, BATCH)
        wanted = [rows(first + n * BATCH, BATCH) for n in range(BATCHES)]
        ours.append(seconds(lambda sent=sent: push_all(feed, sent, CLIENTS)))
        raw.append(seconds(lambda wanted=wanted, turn=turn: raw_all(stack, wanted, clear=not turn)))
        stock.append(seconds(lambda wanted=wanted: stock_all(stack, table, wanted[:2])) * BATCHES / 2)
    work, mine = BATCH * BATCHES, statistics.median(ours)
    report.rate("B4 push-1000-stock", work, mine, statistics.median(stock), " rows/s", 15)
    report.rate("B4 push-1000-raw", work, mine, statistics.median(raw), " rows/s", 0.5)


def singles(report: Report, stack: Stack, feed: Feed) -> None:
    table = stock_table(stack, feed)
    mine = seconds(lambda: push_all(feed, bodies(200_000, SINGLES * 5, 1), 16))
    theirs = rows(200_000, SINGLES // 4)
    with ThreadPoolExecutor(4) as pool:
        peer = seconds(lambda: list(pool.map(lambda row: stock_all(stack, table, [[row]]), theirs)))
    report.rate("B4 push-single", SINGLES * 5, mine, peer * 20, " rows/s", 8)


def visible(report: Report, stack: Stack, feed: Feed) -> None:
    """From sending a row to finding it by datastore_search, while others push."""
    found = []
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(push_all, feed, bodies(400_000, 30, BATCH), 1)
        for n in range(60):
            moment = (BEGAN + timedelta(days=10, seconds=n)).isoformat()
            began = time.perf_counter()
            feed.post([{"sensor": "fresh", "at": moment, "level": n}], url=feed.direct)
            answer = stack.call(
                "datastore_search", resource_id=feed.id, filters={"sensor": "fresh", "level": n}, limit=1
            )
            assert answer.json()["result"]["records"]
            found.append(time.perf_counter() - began)
        load.result()
    report.most("B5 row-visible-p99", sorted(found)[int(len(found) * 0.99)], 1.0, " s")


def growth(report: Report, feed: Feed) -> None:
    """The same push into a table of some ten thousand and of a million rows."""
    small = statistics.median(
        seconds(lambda n=n: push_all(feed, bodies(600_000 + n * 6000, 6, BATCH), CLIENTS)) for n in range(3)
    )
    with psycopg2.connect(feed.stack.options["ckan.datastore.write_url"]) as connection:
        run = connection.cursor()
        run.execute(
            f'INSERT INTO "{feed.id}" (_id, sensor, at, level, note, rank) '  # noqa: S608
            "SELECT 10000000 + g, 'g' || g %% 50, %s + g * interval '1 s', g, 'n', 1 "
            "FROM generate_series(1, %s) g",
            (BEGAN, GROWTH),
        )
    big = statistics.median(
        seconds(lambda n=n: push_all(feed, bodies(700_000 + n * 6000, 6, BATCH), CLIENTS)) for n in range(3)
    )
    report.rate("B4 push-into-1M-rows", 6 * BATCH, big, small, " rows/s", 0.8)


async def subscribers(report: Report, stack: Stack, feed: Feed) -> None:
    """A thousand readers, five events a second for a minute, one reconnect each: every event once."""
    port, delays = gateway_port(stack), list[float]()
    got = [list[int]() for _ in range(SUBSCRIBERS)]
    sent: dict[int, float] = {}

    async def reader(place: int) -> None:
        last, cut = "0", EVENTS // 4 + place % (EVENTS // 2)
        while len(got[place]) < EVENTS:
            opened, door = await asyncio.open_connection("127.0.0.1", port)
            door.write(
                f"GET /live/{feed.id}/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {last}\r\n\r\n".encode()
            )
            while len(got[place]) < EVENTS:
                line = await opened.readline()
                if not line or (len(got[place]) == cut and cut):
                    cut = 0
                    break
                if line.startswith(b"id: "):
                    last = line[4:].strip().decode()
                elif line.startswith(b"data: "):
                    number = int(json.loads(line[6:])["level"])
                    delays.append(time.perf_counter() - sent[number])
                    got[place].append(number)
            door.close()

    tasks = [asyncio.create_task(reader(place)) for place in range(SUBSCRIBERS)]
    await asyncio.sleep(15)
    for number in range(EVENTS):
        sent[number] = time.perf_counter()
        row = {"sensor": f"s{number}", "at": datetime.now(UTC).isoformat(), "level": number}
        answer = await asyncio.to_thread(feed.post, [row], "application/x-ndjson", feed.direct)
        assert answer.json()["accepted"] == 1
        await asyncio.sleep(EVERY)
    async with asyncio.timeout(120):
        await asyncio.gather(*tasks)
    assert all(numbers == list(range(EVENTS)) for numbers in got)
    delays.sort()
    report.most("B5 event-p99", delays[int(len(delays) * 0.99)], 2.0, " s")
    status = Path(f"/proc/{stack.pid('gateway')}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    report.most("B5 gateway-memory", peak / 1024, 200, " MB")


if __name__ == "__main__":
    main()
