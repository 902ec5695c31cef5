"""The live gateway on the running stack: rows in, events out, and whatever should not come in."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
from live_support import CONTRACT, NDJSON, Feed, Reader, at, gateway_port, live_feed, query
from stack import Stack, wait_for

pytestmark = [pytest.mark.stack]


@pytest.fixture(scope="module")
def shared(stack: Stack) -> Iterator[Feed]:
    """A feed that many tests write to, each with sensors of its own."""
    with live_feed(stack) as feed:
        yield feed


@pytest.fixture
def sensor() -> str:
    return uuid.uuid4().hex[:8]


def stored(feed: Feed, sensor: str) -> list[Any]:
    return [level for name, level, _ in feed.rows() if name == sensor]


class TestPush:
    def test_three_formats(self, shared: Feed, sensor: str) -> None:
        """NDJSON, a JSON array and CSV bring the same rows; the search of CKAN sees them."""
        moments = [at(-n) for n in range(6)]
        rows = [{"sensor": sensor, "at": moment, "level": n} for n, moment in enumerate(moments)]
        assert shared.post(rows[:2]).json()["accepted"] == 2
        assert shared.post(json.dumps(rows[2:4]), "application/json").json()["accepted"] == 2
        csv = "sensor,at,level\r\n" + "".join(f"{r['sensor']},{r['at']},{r['level']}\r\n" for r in rows[4:])
        assert shared.post("\ufeff" + csv, "text/csv; charset=utf-8").json()["accepted"] == 2
        found = shared.stack.call(
            "datastore_search", resource_id=shared.id, filters={"sensor": sensor}, sort="at desc"
        ).json()["result"]
        assert [r["level"] for r in found["records"]] == [0, 1, 2, 3, 4, 5]

    def test_the_same_again_is_unchanged(self, shared: Feed, sensor: str) -> None:
        """A push may be repeated: by key, nothing is there twice."""
        rows = [{"sensor": sensor, "at": at(-n), "level": n} for n in range(50)]
        assert shared.post(rows).json()["accepted"] == 50
        again = shared.post(rows).json()
        assert (again["accepted"], again["unchanged"]) == (0, 50)
        rows[7]["level"] = 99
        third = shared.post(rows).json()
        assert (third["accepted"], third["unchanged"]) == (1, 49)
        assert len(stored(shared, sensor)) == 50

    def test_duplicate_keys_in_one_batch(self, shared: Feed, sensor: str) -> None:
        """The last one counts, and the answer says what became of the others."""
        moment = at()
        rows = [{"sensor": sensor, "at": moment, "level": n} for n in (1, 1, 2, 3)]
        answer = shared.post(rows).json()
        assert (answer["accepted"], answer["replaced"], answer["unchanged"]) == (1, 2, 1)
        assert stored(shared, sensor) == [3]

    def test_the_same_moment_in_another_zone_is_the_same_key(self, shared: Feed, sensor: str) -> None:
        rows = [
            {"sensor": sensor, "at": "2026-03-29T02:30:00+02:00", "level": 1},
            {"sensor": sensor, "at": "2026-03-29T00:30:00Z", "level": 2},
        ]
        assert shared.post(rows).json()["replaced"] == 1
        assert stored(shared, sensor) == [2]

    @pytest.mark.parametrize(
        ("change", "field", "rule"),
        [
            ({"level": "high"}, "level", "not_a_number"),
            ({"level": "1,5"}, "level", "not_a_number"),
            ({"level": [1]}, "level", "not_a_number"),
            ({"level": True}, "level", "not_a_number"),
            ({"level": 1001}, "level", "above_range"),
            ({"level": -10.5}, "level", "below_range"),
            ({"level": float("nan")}, "level", "not_finite"),
            ({"level": float("-inf")}, "level", "not_finite"),
            ({"level": "1e400"}, "level", "not_finite"),
            ({"level": "NaN"}, "level", "not_finite"),
            ({"count": 1.5}, "count", "not_an_integer"),
            ({"count": 2**63}, "count", "out_of_type"),
            ({"count": 10**300}, "count", "out_of_type"),
            ({"note": {"a": 1}}, "note", "not_text"),
            ({"note": "a\0b"}, "note", "nul_byte"),
            ({"sensor": "a\0b"}, "sensor", "nul_byte"),
            ({"sensor": None}, "sensor", "missing"),
            ({"at": None}, "at", "missing"),
            ({"at": ""}, "at", "missing"),
            ({"at": "2026-03-01T12:00:00"}, "at", "no_time_zone"),
            ({"at": "2026-03-01"}, "at", "not_a_time"),
            ({"at": "yesterday"}, "at", "not_a_time"),
            ({"at": 1772366400}, "at", "not_a_time"),
            ({"at": "0001-01-01T00:00:00+14:00"}, "at", "not_a_time"),
            ({"at": "1969-12-31T23:59:59Z"}, "at", "too_old"),
            ({"at": at(86_400)}, "at", "future"),
            ({"good": "perhaps"}, "good", "not_a_boolean"),
            ({"exact": "0x1F"}, "exact", "not_a_number"),
            ({"exact": "infinity"}, "exact", "not_finite"),
            ({"day": "01/03/2026"}, "day", "not_a_date"),
            ({"unknown": 1}, "unknown", "unknown_column"),
            ({"_id": 1}, "_id", "unknown_column"),
        ],
    )
    def test_a_bad_row_says_why_and_the_good_ones_stay(
        self, shared: Feed, sensor: str, change: dict[str, Any], field: str, rule: str
    ) -> None:
        """Field, rule and reason of the one bad row; those before and after it are accepted."""
        good = {"sensor": sensor, "at": at(-1), "level": 1}
        other = good | {"at": at(-2), "exact": "12.3400", "good": "true", "day": "2026-02-28"}
        answer = shared.post([good, good | {"at": at(-3)} | change, other])
        assert answer.status_code == 200
        found = answer.json()
        assert (found["accepted"], found["rejected"]) == (2, 1)
        (error,) = found["errors"]
        assert (error["row"], error["field"], error["rule"]) == (2, field, rule)
        assert error["reason"]
        assert len(stored(shared, sensor)) == 2

    @pytest.mark.parametrize("line", ["{", "[1, 2]", '"text"', "null", "{'a': 1}", "\ud83d", "[" * 100_000])
    def test_a_line_that_is_no_object(self, shared: Feed, sensor: str, line: str) -> None:
        good = json.dumps({"sensor": sensor, "at": at(), "level": 1})
        body = f"{good}\n{line}\n".encode(errors="replace")
        answer = shared.post(body).json()
        assert (answer["accepted"], answer["rejected"]) == (1, 1)
        assert answer["errors"][0]["rule"] in ("not_json", "not_an_object")

    def test_1e400_without_quotes(self, shared: Feed, sensor: str) -> None:
        body = f'{{"sensor": "{sensor}", "at": "{at()}", "level": 1e400}}'
        for media, text in ((NDJSON, body), ("application/json", f"[{body}]")):
            answer = shared.post(text, media)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["rule"] == "not_finite"

    def test_numbers_with_a_zero_in_front_stay_text(self, shared: Feed) -> None:
        """Codes are text where the contract says text, also in CSV."""
        assert shared.post(f"sensor,at,note\n057001,{at()},01\n", "text/csv").json()["accepted"] == 1
        found = shared.stack.call("datastore_search", resource_id=shared.id, filters={"sensor": "057001"})
        assert found.json()["result"]["records"][0]["note"] == "01"

    def test_hostile_text_is_only_text(self, shared: Feed) -> None:
        """Quotes, braces, backslashes, NULL as a word: what comes in is what is stored."""
        texts = ['a"b', "{a,b}", "\\", "NULL", "null", "", "é😀", "'; DROP TABLE x; --", "%s", ":x", "\n\t"]
        rows = [{"sensor": f"hostile{n}", "at": at(), "note": text} for n, text in enumerate(texts)]
        assert shared.post(rows).json()["accepted"] == len(texts)
        assert shared.post(rows).json()["unchanged"] == len(texts)
        found = query(
            shared.stack,
            f"SELECT note FROM \"{shared.id}\" WHERE sensor LIKE 'hostile%' ORDER BY _id",  # noqa: S608
        )
        assert [note for (note,) in found] == texts

    @pytest.mark.parametrize(("language", "word"), [("fr", "maximum"), ("de-DE", "Maximum"), ("en", "above"),
                                                    ("lb, fr;q=0.5", "Kontrakt"), ("es", "dépasse"),
                                                    ("fr;q=0.2, en;q=0.9", "above"),
                                                    (";q=x,,", "dépasse")])  # fmt: skip
    def test_reasons_in_the_callers_language(self, shared: Feed, language: str, word: str) -> None:
        answer = shared.post([{"sensor": "l", "at": at(), "level": 5000}], Accept_Language=language)
        assert answer.status_code == 422
        assert word in answer.json()["errors"][0]["reason"]

    @pytest.mark.parametrize(
        ("body", "media", "headers", "status", "rule"),
        [
            ("", NDJSON, {}, 400, "empty"),
            ("\n \n", NDJSON, {}, 400, "empty"),
            ("[]", "application/json", {}, 400, "empty"),
            ("{}x", "application/json", {}, 400, "not_an_array"),
            ("7", "application/json", {}, 400, "not_an_array"),
            ("[" * 50_000, "application/json", {}, 400, "not_an_array"),
            ("sensor,at\n", "text/csv", {}, 400, "empty"),
            ("", "text/csv", {}, 400, "csv_header"),
            ("a,a\n1,2\n", "text/csv", {}, 400, "csv_header"),
            (b"sensor,at\n\xe9,1\n", "text/csv", {}, 400, "encoding"),
            ("x", "text/html", {}, 415, "media_type"),
            ("x", "", {}, 415, "media_type"),
            ("x", NDJSON, {"Content_Encoding": "br"}, 415, "encoding"),
            ("no gzip", NDJSON, {"Content_Encoding": "gzip"}, 400, "encoding"),
            (gzip.compress(b"{}")[:-4], NDJSON, {"Content_Encoding": "gzip"}, 400, "encoding"),
            (gzip.compress(b"{}") + b"more", NDJSON, {"Content_Encoding": "gzip"}, 400, "encoding"),
            ("", NDJSON, {"Content_Encoding": "gzip"}, 400, "encoding"),
        ],
    )
    def test_bodies_that_are_none(
        self, shared: Feed, body: Any, media: str, headers: dict[str, str], status: int, rule: str
    ) -> None:
        answer = shared.post(body, media, **headers)
        assert (answer.status_code, answer.json()["error"]["rule"]) == (status, rule)

    def test_csv_rows_of_another_length(self, shared: Feed, sensor: str) -> None:
        cells = [f"{at()},1", at(), f"{at()},1,2"]
        body = "sensor,at,level\n" + "".join(f"{sensor},{c}\n" for c in cells) + f"\n{sensor},{at(-5)},\n"
        answer = shared.post(body, "text/csv").json()
        assert [(e["row"], e["rule"]) for e in answer["errors"]] == [(2, "csv_columns"), (3, "csv_columns")]
        assert answer["accepted"] == 2

    def test_a_line_of_ten_megabytes(self, shared: Feed, sensor: str) -> None:
        good = json.dumps({"sensor": sensor, "at": at(), "level": 1})
        long = json.dumps({"sensor": sensor, "at": at(-1), "note": "x" * 10_000_000})
        answer = shared.post(f"{good}\n{long}\n{good}\n").json()
        assert (answer["accepted"], answer["unchanged"], answer["errors"][0]["rule"]) == (
            1,
            1,
            "line_too_long",
        )
        csv = f"sensor,at,note\n{sensor},{at(-2)},{'x' * 1_000_000}\n{sensor},{at(-3)},y\n"
        answer = shared.post(csv, "text/csv").json()
        assert (answer["accepted"], answer["errors"][0]["rule"]) == (1, "line_too_long")

    def test_too_large(self, shared: Feed) -> None:
        """Declared, undeclared and packed: nothing of it is stored."""
        before = len(shared.rows())
        answer = shared.post(b"x" * 16_500_000)
        assert (answer.status_code, answer.json()["error"]["rule"]) == (413, "too_large")

        def pieces() -> Iterator[bytes]:
            for n in range(40):
                yield (json.dumps({"sensor": "big", "at": at(-n), "note": "x" * 500_000}) + "\n").encode()

        headers = {"Authorization": shared.stack.token, "Content-Type": NDJSON}
        try:
            answer = requests.post(shared.direct, data=pieces(), headers=headers, timeout=30)
            assert answer.status_code == 413
        except requests.ConnectionError:
            pass  # refused while it was still sending
        assert len(shared.rows()) == before

    def test_a_gzip_bomb(self, stack: Stack, shared: Feed) -> None:
        """Two hundred megabytes of nothing in two hundred kilobytes: refused, and the gateway stays small."""
        bomb = gzip.compress(b" " * 200_000_000, 9)
        began = time.monotonic()
        answer = shared.post(bomb, Content_Encoding="gzip")
        assert answer.status_code == 413
        assert time.monotonic() - began < 5
        good = gzip.compress(json.dumps({"sensor": "zip", "at": at(), "level": 1}).encode())
        assert shared.post(good, Content_Encoding="gzip").json()["accepted"] == 1

    def test_out_of_order_and_retention_by_contract(self, stack: Stack) -> None:
        """Rows that are late beyond the contract, or older than what is kept, are refused."""
        with live_feed(stack, late=60, retention=30, future=0) as feed:
            assert feed.post([{"sensor": "a", "at": at(-10)}]).json()["accepted"] == 1
            rows = [
                {"sensor": "a", "at": at(-40)},
                {"sensor": "a", "at": at(-100)},
                {"sensor": "b", "at": at(-100)},
                {"sensor": "a", "at": at(-31 * 86_400)},
                {"sensor": "a", "at": at(60)},
            ]
            answer = feed.post(rows).json()
            assert answer["accepted"] == 2
            assert [(e["row"], e["rule"]) for e in answer["errors"]] == [
                (2, "late"), (4, "too_old"), (5, "future")
            ]  # fmt: skip

    def test_single_rows_share_commits(self, stack: Stack) -> None:
        """Forty at once take far fewer than forty commits, and each is answered for its own row."""
        with live_feed(stack) as feed:
            answers: list[dict[str, Any]] = []

            def push(n: int) -> None:
                answers.append(
                    feed.post([{"sensor": f"s{n}", "at": at(), "level": n}], url=feed.direct).json()
                )

            push(99)
            threads = [threading.Thread(target=push, args=(n,)) for n in range(40)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            assert [a["accepted"] for a in answers] == [1] * 41
            commits = query(stack, f'SELECT count(DISTINCT xmin::text) FROM "{feed.id}"')  # noqa: S608
            assert commits[0][0] < 30


class TestConnections:
    """Senders that are slow, or that go away in the middle of a body."""

    def head(self, feed: Feed, length: int) -> bytes:
        return (
            f"POST /live/{feed.id} HTTP/1.1\r\nHost: x\r\nAuthorization: {feed.stack.token}\r\n"
            f"Content-Type: {NDJSON}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    @pytest.mark.parametrize("through", ["nginx", "gateway"])
    def test_a_body_that_breaks_off(self, shared: Feed, sensor: str, through: str) -> None:
        """Nothing of it is stored: no half batch."""
        port = int(shared.stack.url.rsplit(":", 1)[1]) if through == "nginx" else gateway_port(shared.stack)
        line = (json.dumps({"sensor": sensor, "at": at(), "level": 1}) + "\n").encode()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(self.head(shared, 10 * len(line)) + 5 * line)
            time.sleep(0.5)
        time.sleep(1)
        assert stored(shared, sensor) == []

    @pytest.mark.slow
    def test_a_slow_body_is_refused(self, shared: Feed, sensor: str) -> None:
        """A byte now and then keeps no place for ever; others are served meanwhile."""
        with socket.create_connection(("127.0.0.1", gateway_port(shared.stack))) as connection:
            connection.settimeout(20)
            connection.sendall(self.head(shared, 1000) + b"{")
            assert shared.post([{"sensor": sensor, "at": at(), "level": 1}]).json()["accepted"] == 1
            answer = b"".join(iter(lambda: connection.recv(4000), b""))
        assert b" 408 " in answer.split(b"\r\n")[0]
        assert b"too_slow" in answer

    def test_when_too_much_waits_the_next_is_told_to_come_back(self, shared: Feed) -> None:
        """Four large bodies that do not end fill what may wait; the fifth gets 429 with Retry-After."""
        piece = (json.dumps({"sensor": "w", "at": at(), "note": "x" * 900_000}) + "\n").encode()
        held = []
        try:
            for _ in range(5):
                connection = socket.create_connection(("127.0.0.1", gateway_port(shared.stack)))
                held.append(connection)
                connection.settimeout(5)
                with suppress(OSError):
                    connection.sendall(self.head(shared, 15_900_000) + piece * 15)
            time.sleep(1)
            answer = shared.post(piece * 12)
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) >= 1
        finally:
            [connection.close() for connection in held]
        assert wait_for(lambda: shared.post(piece).status_code == 200, 10)


class TestRights:
    def test_who_may_push(self, stack: Stack, shared: Feed) -> None:
        """Nobody without a token, and no account that CKAN would not let write."""
        body = json.dumps({"sensor": "r", "at": at(), "level": 1})
        answer = requests.post(shared.url, data=body, headers={"Content-Type": NDJSON}, timeout=10)
        assert (answer.status_code, answer.json()["error"]["rule"]) == (401, "no_token")
        assert "WWW-Authenticate" in answer.headers
        assert shared.post(body, Authorization="made-up").status_code == 401
        citizen = next(a for a in accounts(stack) if a["role"] == "citizen")
        answer = shared.post(body, Authorization=citizen["token"])
        assert (answer.status_code, answer.json()["error"]["rule"]) == (403, "not_allowed")
        assert shared.post(body, Authorization=f"Bearer {stack.token}").status_code == 200

    def test_feeds_that_are_none(self, stack: Stack, shared: Feed) -> None:
        for name in (str(uuid.uuid4()), "x", "..%2f..%2fetc", "_table_metadata", "%00"):
            for answer in (
                requests.get(f"{stack.url}/live/{name}/latest", timeout=10),
                requests.get(f"{stack.url}/live/{name}/events", timeout=10),
                shared.post("{}", url=f"{stack.url}/live/{name}"),
            ):
                assert answer.status_code in (400, 404), (name, answer.status_code)
        assert requests.get(f"{stack.url}/live/", timeout=10).status_code == 404

    def test_a_private_feed_does_not_exist_for_others(self, stack: Stack) -> None:
        """Its newest rows and events are for who may read its dataset; nothing of it is cached."""
        with live_feed(stack, {"visibility": "private"}) as feed:
            assert feed.post([{"sensor": "a", "at": at(), "level": 7}]).json()["accepted"] == 1
            for path in ("latest", "events"):
                assert requests.get(f"{feed.url}/{path}", timeout=10).status_code == 404
            answer = requests.get(f"{feed.url}/latest", headers={"Authorization": stack.token}, timeout=10)
            assert answer.json()["records"][0]["level"] == 7
            assert answer.headers["Cache-Control"] == "no-store"
            citizen = next(a for a in accounts(stack) if a["role"] == "citizen")
            answer = feed.post([{"sensor": "a", "at": at()}], Authorization=citizen["token"])
            assert answer.status_code == 404
            reader = Reader(feed, since=0, token=stack.token)
            assert wait_for(lambda: reader.events, 10)
            reader.stop()

    def test_personal_data_are_refused(self, stack: Stack) -> None:
        with live_feed(stack) as feed:
            stack.call("package_patch", id=feed.dataset["id"], personal_data="yes")
            time.sleep(3.2)
            answer = feed.post([{"sensor": "a", "at": at()}])
            assert (answer.status_code, answer.json()["error"]["rule"]) == (403, "personal_data")

    def test_a_feed_that_becomes_private_ends_its_streams(self, stack: Stack) -> None:
        """Within five seconds no reader without the right gets another row."""
        with live_feed(stack) as feed:
            reader = Reader(feed, comes_back=False)
            assert reader.ready.wait(10)
            stack.call("package_patch", id=feed.dataset["id"], visibility="private")
            time.sleep(5)
            assert feed.post([{"sensor": "secret", "at": at()}]).json()["accepted"] == 1
            assert wait_for(lambda: reader.stopped, 5)
            assert not [row for _, row in reader.events if row["sensor"] == "secret"]

    def test_a_revoked_token_stops_within_five_seconds(self, stack: Stack) -> None:
        """For the next push, for a stream that runs, and for a body that is still arriving."""
        with live_feed(stack, {"visibility": "private"}) as feed:
            user = next(a for a in accounts(stack) if a["role"] == "sysadmin")["name"]
            token = stack.call("api_token_create", user=user, name=uuid.uuid4().hex).json()["result"]["token"]
            assert feed.post([{"sensor": "a", "at": at()}], Authorization=token).status_code == 200
            reader = Reader(feed, token=token, comes_back=False)
            assert reader.ready.wait(10)
            line = (json.dumps({"sensor": "slow", "at": at(), "level": 1}) + "\n").encode()
            head = TestConnections().head(feed, 2 * len(line)).replace(stack.token.encode(), token.encode())
            with socket.create_connection(("127.0.0.1", gateway_port(stack))) as connection:
                connection.settimeout(20)
                connection.sendall(head + line)
                revoked = time.monotonic()
                assert stack.call("api_token_revoke", token=token).status_code == 200
                time.sleep(5)
                connection.sendall(line)
                assert b" 401 " in connection.recv(4000).split(b"\r\n")[0]
            assert feed.post([{"sensor": "a", "at": at()}], Authorization=token).status_code == 401
            assert wait_for(lambda: reader.stopped, 3)
            assert time.monotonic() - revoked < 15
            assert stored(feed, "slow") == []


def accounts(stack: Stack) -> list[dict[str, str]]:
    return json.loads((stack.home / "accounts.json").read_text())


class TestEvents:
    def test_events_begin_now_or_where_the_reader_was(self, stack: Stack) -> None:
        """Without a number from now on; with one, all after it; a number of the future: all there is."""
        with live_feed(stack) as feed:
            feed.post([{"sensor": "a", "at": at(-n), "level": n} for n in range(5)])
            now, early, odd = Reader(feed), Reader(feed, since=2), Reader(feed, since=10**9)
            assert all(reader.ready.wait(10) for reader in (now, early, odd))
            feed.post([{"sensor": "b", "at": at(), "level": 9}])
            assert wait_for(lambda: [n for n, _ in early.events] == [3, 4, 5, 6], 10)
            assert wait_for(lambda: [n for n, _ in odd.events] == [1, 2, 3, 4, 5, 6], 10)
            assert wait_for(lambda: [n for n, _ in now.events] == [6], 10)
            assert now.events[0][1] == {
                "_id": 6, "sensor": "b", "level": 9, "at": now.events[0][1]["at"],
                "count": None, "note": None, "good": None, "exact": None, "day": None,
            }  # fmt: skip
            for reader in (now, early, odd):
                reader.stop()
            for bad in ("x", "-1", "²", "9" * 30):
                answer = requests.get(f"{feed.url}/events", params={"since": bad}, timeout=10)
                assert answer.status_code == 400

    def test_readers_that_lose_their_connection_miss_and_repeat_nothing(self, stack: Stack) -> None:
        """Writers by two ways while readers are cut off again and again."""
        with live_feed(stack) as feed:
            readers = [Reader(feed, since=0) for _ in range(4)]
            assert all(reader.ready.wait(10) for reader in readers)
            sent: list[int] = []

            def push(first: int) -> None:
                for n in range(first, first + 60):
                    row = {"sensor": f"s{n}", "at": at(), "level": n}
                    if n % 3:
                        assert feed.post([row], url=feed.direct).status_code == 200
                    else:
                        # Core may answer 500 where two upserts plan the same background job at once.
                        for _ in range(5):
                            done = stack.call(
                                "datastore_upsert", resource_id=feed.id, records=[row], force=True
                            )
                            if done.status_code == 200:
                                break
                        assert done.status_code == 200, done.text[:500]
                    sent.append(n)

            threads = [threading.Thread(target=push, args=(first,)) for first in (0, 100, 200)]
            [t.start() for t in threads]
            while any(t.is_alive() for t in threads):
                for reader in readers[1:]:
                    time.sleep(0.3)
                    with suppress(AttributeError, OSError):
                        reader.cut()
            assert len(sent) == 180
            for reader in readers:
                assert wait_for(lambda reader=reader: len(reader.events) >= 180, 20), len(reader.events)
                assert sorted(row["level"] for _, row in reader.events) == sorted(sent)
                numbers = [number for number, _ in reader.events]
                assert numbers == sorted(set(numbers))
                reader.stop()

    def test_latest_is_the_newest_of_each_series(self, stack: Stack) -> None:
        """By event time, whatever the order of arrival; a correction shows."""
        with live_feed(stack) as feed:
            feed.post([{"sensor": "a", "at": at(-60), "level": 1}, {"sensor": "b", "at": at(-9), "level": 2}])
            newest = at(-1)
            feed.post([{"sensor": "a", "at": newest, "level": 3}])
            feed.post([{"sensor": "a", "at": at(-3600), "level": 4}])
            feed.post([{"sensor": "a", "at": newest, "level": 5}])
            records = requests.get(f"{feed.url}/latest", timeout=10).json()["records"]
            assert [(r["sensor"], r["level"]) for r in records] == [("a", 5), ("b", 2)]

    def test_a_deleted_feed_ends(self, stack: Stack) -> None:
        with live_feed(stack) as feed:
            reader = Reader(feed, comes_back=False)
            assert reader.ready.wait(10)
            stack.call("ccphva_feed_delete", resource_id=feed.id)
            assert wait_for(lambda: reader.stopped, 10)
            assert feed.post([{"sensor": "a", "at": at()}]).status_code == 404

    @pytest.mark.slow
    def test_a_slow_reader_is_cut_off(self, stack: Stack) -> None:
        """Who takes nothing for half a minute loses the connection; nobody waits for him."""
        address = ("127.0.0.1", gateway_port(stack))
        with live_feed(stack) as feed, socket.create_connection(address) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET /live/{feed.id}/events?since=0 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(1)
            rows = [{"sensor": f"s{n}", "at": at(), "note": "x" * 1000} for n in range(10_000)]
            assert feed.post(rows).json()["accepted"] == 10_000
            gauge = "ccphva_live_readers"
            assert wait_for(lambda: measure(stack, gauge) == 1, 10)
            assert wait_for(lambda: measure(stack, gauge) == 0, 45)


def measure(stack: Stack, name: str) -> float:
    text = stack.get("/metrics").text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def test_health_and_metrics(stack: Stack, shared: Feed) -> None:
    """The gateway is a part of /health, and what it counts is in the portal's /metrics."""
    assert stack.health()["gateway"]["status"] == "up"
    before = measure(stack, 'ccphva_live_rows_total{outcome="accepted"}')
    shared.post([{"sensor": "m", "at": at(), "level": 1}])
    assert measure(stack, 'ccphva_live_rows_total{outcome="accepted"}') == before + 1
    assert CONTRACT["fields"]
