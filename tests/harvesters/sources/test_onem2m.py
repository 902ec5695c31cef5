"""oneM2M replayed from recorded exchanges, and CSEs, sensors and notifications that misbehave."""

from __future__ import annotations

import http.client
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ccphva_harvesters import (
    Client,
    ConfigError,
    MemoryCatalogue,
    MemoryTables,
    RunReport,
    Source,
    harvest,
    push,
)
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources._observations import PropertyConfig
from ccphva_harvesters.sources.onem2m import (
    OneM2MConfig,
    OneM2MSource,
    Receiver,
    Subscriptions,
    parse_notification,
)
from ccphva_harvesters.sources.onem2m.notify import LONGEST, NotificationError
from ccphva_harvesters.sources.onem2m.payload import Mapper, Thing

from harvesters.conftest import Site
from harvesters.contracts import SourceContract

RECORDED = (
    Path(os.environ.get("CCPHVA_SHARED") or Path(__file__).parents[4] / "shared")
    / "yardsticks/sensor/onem2m-acme"
)
recorded_only = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded exchanges are not at hand")
BIN = Thing("cse-in/dechets/bac-0421", "cntMkiLNClc22", 3)
JSON = "application/json"


class FakeCse:
    """A CSE in memory behind a ``Site``: as much of one as discovery and backfill ask for."""

    def __init__(self, site: Site) -> None:
        self.instances: dict[str, list[dict[str, Any]]] = {}
        self.entities: dict[str, dict[str, Any]] = {}
        self.things: dict[str, dict[str, Any]] = {}
        self.base = site.url("/cse-in")
        site.handle("*", self.answer)
        self.broken: dict[str, Callable[[], tuple[int, dict[str, str], bytes]]] = {}

    def entity(self, name: str, *labels: str) -> None:
        self.entities[f"cse-in/{name}"] = {"rn": name, "ri": f"C{name}", "lbl": list(labels)}

    def bin(self, path: str, count: int = 0, **more: Any) -> list[dict[str, Any]]:
        """A container below an AE with ``count`` instances, one a minute."""
        name = path.rpartition("/")[2]
        self.things[path] = {"rn": name, "ri": f"cnt-{name}", "ty": 3, **more}
        found = [
            {"ri": f"{name}-{n}", "rn": f"{name}-{n}", "ty": 4, "pi": f"cnt-{name}", "con": {"n": n},
             "ct": f"202611{1 + n // 1440:02}T{n // 60 % 24:02}{n % 60:02}00,000000"}
            for n in range(count)
        ]  # fmt: skip
        self.instances[path] = found
        return found

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.path)
        path, query = parts.path.strip("/"), {k: v[0] for k, v in parse_qs(parts.query).items()}
        if path in self.broken:
            return self.broken[path]()
        found = self.find(path, query)
        if found is None:
            return 404, {"X-M2M-RSC": "4004"}, b'{"m2m:dbg": "no such thing"}'
        return 200, {"Content-Type": JSON}, json.dumps(found).encode()

    def find(self, path: str, query: dict[str, str]) -> Any:
        if query.get("fu") == "1":
            label = query.get("lbl")
            if query["ty"] == "2":
                return {"m2m:uril": [p for p, e in self.entities.items() if not label or label in e["lbl"]]}
            of_type = {"3": self.things}.get(query["ty"], {})
            return {"m2m:uril": [p for p in of_type if p.startswith(path + "/")]}
        if path == "cse-in":
            return {"m2m:cb": {"csi": "/id-in", "rn": "cse-in"}}
        if path in self.entities:
            return {"m2m:ae": self.entities[path]}
        parent, _, last = path.rpartition("/")
        if last in ("ol", "la"):
            found = self.instances[parent]
            return {"m2m:cin": found[0 if last == "ol" else -1]} if found else None
        if query.get("rcn") == "8":
            start, end = query.get("cra", ""), query.get("crb", "9")
            return {"m2m:cnt": {"m2m:cin": [i for i in self.instances[path] if start < i["ct"] < end]}}
        return {"m2m:cnt": self.things[path]} if path in self.things else None


def source(base: str, client: Client, **more: Any) -> OneM2MSource:
    """A source of everything."""
    return OneM2MSource(OneM2MConfig(url=base, originator="CAdmin", **more), client)


def run(made: OneM2MSource, tables: MemoryTables) -> RunReport:
    """A harvest with rows."""
    return harvest(made, Native(), [], MemoryCatalogue(), tables=tables, personal_data="none")


class TestOneM2M(SourceContract):
    """Two application entities with two sensors each."""

    @pytest.fixture(autouse=True)
    def _expected(self, site: Site) -> None:
        self.expected_ids = frozenset(site.url(f"/cse-in#cse-in/{name}") for name in ("a", "b"))

    @pytest.fixture
    def source(self, site: Site, client: Client) -> Source:
        """From the CSE in memory."""
        cse = FakeCse(site)
        for name in ("a", "b"):
            cse.entity(name)
            cse.bin(f"cse-in/{name}/one", 3)
            cse.bin(f"cse-in/{name}/two", 3)
        return source(cse.base, client)


# -- recorded exchanges --------------------------------------------------------------------------------------


def recorded(name: str) -> Any:
    """A recorded answer's body."""
    return json.loads((RECORDED / f"{name}.json").read_text())["response"]["body"]


@pytest.fixture
def replay(site: Site) -> str:
    """The recorded CSE: its answers by what is asked for."""
    answers = {
        "cse-in": {"m2m:cb": {"csi": "/id-in"}},
        "cse-in?fu=2": recorded("11-discovery-label"),
        "cse-in/dechets": recorded("01-create-ae"),
        "cse-in/dechets?fu=3": {"m2m:uril": ["cse-in/dechets/bac-0421"]},
        "cse-in/dechets?fu=28": {"m2m:uril": ["cse-in/dechets/temp"]},
        "cse-in/dechets?fu=29": {"m2m:uril": ["cse-in/dechets/pesee"]},
        "cse-in/dechets/bac-0421": recorded("02-create-container"),
        "cse-in/dechets/bac-0421/la": recorded("06-retrieve-latest"),
        "cse-in/dechets/bac-0421/ol": recorded("07-retrieve-oldest"),
        "cse-in/dechets/bac-0421?rcn": recorded("09-retrieve-children-rcn8"),
        "cse-in/dechets/pesee": recorded("14-create-timeseries"),
        "cse-in/dechets/pesee/ol": recorded("15-create-tsi-1"),
        "cse-in/dechets/pesee/la": recorded("15-create-tsi-3"),
        "cse-in/dechets/pesee?rcn": recorded("16-retrieve-timeseries-rcn4"),
        "cse-in/dechets/temp": recorded("17-create-flexcontainer"),
        "cse-in/dechets/temp?rcn": recorded("19-retrieve-flexcontainer-rcn8"),
    }
    fcis = answers["cse-in/dechets/temp?rcn"]["cod:tempe"]["cod:tempe"]
    answers |= {
        "cse-in/dechets/temp/ol": {"cod:tempe": fcis[0]},
        "cse-in/dechets/temp/la": {"cod:tempe": fcis[1]},
    }

    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        what = f"?fu={query['ty'][0]}" if "fu" in query else "?rcn" if "rcn" in query else ""
        found = answers.get(parts.path.strip("/") + what)
        return (404, {}, b"{}") if found is None else (200, {}, json.dumps(found).encode())

    site.handle("*", answer)
    return site.url("/cse-in")


@recorded_only
def test_recorded_exchanges_replay(replay: str, client: Client) -> None:
    """Containers, time series and flexContainers as a real CSE answered them."""
    tables = MemoryTables()
    made = source(replay, client, labels=("domaine:dechets",), properties={})
    report = run(made, tables)
    (rows,) = [tables.rows(table) for table in tables.tables]
    said = [(r["source_id"], r["property"], r["value_num"]) for r in rows]
    assert said == [
        ("dechets/bac-0421", "fillLevel", 12), ("dechets/bac-0421", "temperature", 18.4),
        ("dechets/bac-0421", "battery", 3.61),
        ("dechets/bac-0421", "fillLevel", 37), ("dechets/bac-0421", "temperature", 19.1),
        ("dechets/bac-0421", "battery", 3.61),
        ("dechets/bac-0421", "fillLevel", 88), ("dechets/bac-0421", "temperature", 17.0),
        ("dechets/bac-0421", "battery", 3.61),
        ("dechets/bac-0421", "fillLevel", 91), ("dechets/bac-0421", "temperature", 16.9),
        ("dechets/temp", "curT0", 21.5), ("dechets/temp", "unit", 1), ("dechets/temp", "curT0", 22.25),
        ("dechets/temp", "unit", 1),
        ("dechets/pesee", "pesee", 412), ("dechets/pesee", "pesee", 413), ("dechets/pesee", "pesee", 414),
    ]  # fmt: skip
    assert rows[0]["observed_at"] == "2026-11-23T23:53:14.964660Z"
    assert rows[-1]["observed_at"] == "2026-11-23T23:53:16.000002Z", "a time series has its own time"
    assert rows[0]["geom"] == {"type": "Point", "coordinates": [5.9275, 49.4897]}
    assert (report.added, report.rows_accepted, report.rows_rejected) == (1, 18, 0)


@recorded_only
def test_recorded_notifications_meet_backfill(replay: str, client: Client) -> None:
    """What was notified is what backfill reads: same keys, same rows; the handshake is seen as one."""
    tables, pushed = MemoryTables(), MemoryTables()
    made = source(replay, client)
    run(made, tables)
    ((id_, table),) = tables.described.items()
    things = {t.ri: t for t in made.things(id_)}
    kinds = []
    for path in sorted(RECORDED.glob("notify-*.json")):
        body = json.dumps(json.loads(path.read_text())["body"]).encode()
        (notice,) = parse_notification(body, things, made.mapper, "CDechets")
        kinds.append(notice.kind)
        for _ in range(2):
            push(notice.rows, table, "x", pushed)
        again = push(notice.rows, table, "x", tables)
        assert again.accepted == 0, "backfill had it already"
    assert kinds == ["verify", "rows", "rows", "rows", "rows"]
    assert len(pushed.rows(id_)) == 11
    assert dict(pushed.marks(id_)) == {}, "a notification moves no watermark"


# -- backfill ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 60, 3600, 10**6])
def test_windows_of_any_size_bring_everything_once(site: Site, client: Client, window: int) -> None:
    """500 instances in 8 hours, whatever the first window."""
    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/one", 500)
    tables = MemoryTables()
    report = run(source(cse.base, client, window=window), tables)
    assert (report.rows_accepted, report.rows_rejected, report.error) == (500, 0, None)


def test_a_restart_leaves_no_hole_and_no_double(site: Site, client: Client) -> None:
    """The sink dies at every possible batch; the next run goes on from what it had acknowledged."""

    class Dying(MemoryTables):
        left = 0

        def apply(self, table: Any, rows: Any, marks: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("killed")
            return super().apply(table, rows, marks)

    cse = FakeCse(site)
    cse.entity("a")
    everything = cse.bin("cse-in/a/one", 3500)
    tables = Dying()
    for tables.left in (0, 1, 1, 2, 9):
        report = run(source(cse.base, client), tables)
    assert report.error is None
    (rows,) = [tables.rows(table) for table in tables.tables]
    assert [row["value_num"] for row in rows] == list(range(3500))
    everything.append(everything[-1] | {"ri": "new", "ct": "20261104T000000,000000"})
    tables.left = 9
    again = run(source(cse.base, client), tables)
    assert (again.rows_accepted, again.rows_unchanged) == (1, 1), (
        "it goes on from the mark, not from the start"
    )


def test_answers_that_are_too_large_make_smaller_windows(site: Site) -> None:
    """A burst that does not fit the limits is read in pieces."""
    from ccphva_harvesters import Limits

    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/one", 600)
    limits = Limits(decoded_bytes=20_000, backoff=0)
    with Client(allow_networks=["127.0.0.0/8"], limits=limits) as small:
        tables = MemoryTables()
        report = run(source(cse.base, small), tables)
    assert (report.tables_failed, report.rows_accepted) == (0, 600)


def test_a_burst_that_fits_a_second_but_not_two(site: Site) -> None:
    """The smallest windows still go forward."""
    from ccphva_harvesters import Limits

    cse = FakeCse(site)
    cse.entity("a")
    for n, one in enumerate(cse.bin("cse-in/a/one", 60)):
        one["ct"] = f"20261101T1200{n // 10:02},{n % 10}00000"
    cse.instances["cse-in/a/one"].append(cse.instances["cse-in/a/one"][-1] | {"ct": "20261101T130000,000000"})
    limits = Limits(decoded_bytes=2000, backoff=0)
    with Client(allow_networks=["127.0.0.0/8"], limits=limits) as small:
        tables = MemoryTables()
        report = run(source(cse.base, small), tables)
    assert (report.tables_failed, report.rows_accepted) == (0, 61)


def test_a_ring_buffer_that_forgot(site: Site, client: Client) -> None:
    """A container that holds only new instances is read from its mark on; an empty one is no error."""
    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/one", 10)
    cse.bin("cse-in/a/empty", 0)
    tables = MemoryTables()
    run(source(cse.base, client), tables)
    cse.instances["cse-in/a/one"] = cse.bin("cse-in/a/one", 20)[15:]
    assert run(source(cse.base, client), tables).rows_accepted == 5


def test_one_poisoned_instance_among_a_thousand(site: Site, client: Client) -> None:
    """999 rows come, one is told with its reason."""
    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/one", 1000)[500]["con"] = {"n": 10**400}
    tables = MemoryTables()
    told: list[Any] = []
    report = harvest(
        source(cse.base, client), Native(), [], MemoryCatalogue(),
        tables=tables, personal_data="none", on_table=told.append,
    )  # fmt: skip
    assert (report.rows_accepted, report.rows_rejected) == (999, 1)
    assert told[0].reasons == {"value_num: not a finite number": 1}


@pytest.mark.parametrize(
    ("con", "reason"),
    [
        ('{"n": NaN}', None),
        ({"n": "2026"}, None),
        ({"time": "gestern", "n": 1}, "observed_at: not a time"),
        ({"time": "2099-01-01T00:00:00Z", "n": 1}, "observed_at: lies in the future"),
        ({"n": "a\x00b"}, "value_text: holds a NUL character"),
        ({}, "no known property in the payload"),
        ("", None),
    ],
)
def test_odd_payloads(site: Site, client: Client, con: Any, reason: str | None) -> None:
    """Each is a row, or a row that was left out with its reason; the run goes on."""
    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/one", 2)[0]["con"] = con
    tables = MemoryTables()
    told: list[Any] = []
    report = harvest(
        source(cse.base, client, time="time"), Native(), [], MemoryCatalogue(),
        tables=tables, personal_data="none", on_table=told.append,
    )  # fmt: skip
    assert report.error is None
    assert list(told[0].reasons) == ([reason] if reason else [])


def test_a_sensor_that_fails_costs_itself_only(site: Site, client: Client) -> None:
    """The others are read; the table's outcome names it."""
    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/bad", 5)
    cse.bin("cse-in/a/good", 5)
    cse.broken["cse-in/a/bad/ol"] = lambda: (403, {"X-M2M-RSC": "4103"}, b"{}")
    tables = MemoryTables()
    report = run(source(cse.base, client), tables)
    assert (report.rows_accepted, report.tables_failed, report.ok) == (5, 1, False)


def test_a_sensor_that_answers_500_costs_itself_a_dead_platform_ends_the_table(
    site: Site, client: Client
) -> None:
    """One out of order is passed by; three in a row are the platform, and the run may be tried again."""
    cse = FakeCse(site)
    cse.entity("a")
    for name in ("a", "b", "c", "d", "e"):
        cse.bin(f"cse-in/a/{name}", 5)
    cse.broken["cse-in/a/b/ol"] = lambda: (500, {}, b"")
    tables = MemoryTables()
    report = run(source(cse.base, client), tables)
    assert (report.rows_accepted, report.tables_failed) == (20, 1)
    for name in ("b", "c", "d", "e"):
        cse.broken[f"cse-in/a/{name}/ol"] = lambda: (500, {}, b"")
    told: list[Any] = []
    harvest(
        source(cse.base, client), Native(), [], MemoryCatalogue(),
        tables=MemoryTables(), personal_data="none", on_table=told.append,
    )  # fmt: skip
    assert (told[0].accepted, told[0].retriable) == (5, True)


@pytest.mark.parametrize(
    "body", [b"<html>Wartung</html>", b"", b"[1]", b'{"m2m:uril": ["cse-in/a"', b"\xff\xfe", b'{"a": NaN}']
)
def test_answers_that_are_no_onem2m(site: Site, client: Client, body: bytes) -> None:
    """A clear error, nothing withdrawn."""
    site.serve("/cse-in?fu=1&ty=2", body, JSON)
    report = run(source(site.url("/cse-in"), client), MemoryTables())
    assert report.error
    assert not report.complete


def test_data_of_persons_gives_no_rows(site: Site, client: Client) -> None:
    """Rows are taken only of a source that declares there are none."""
    cse = FakeCse(site)
    cse.entity("a")
    cse.bin("cse-in/a/one", 3)
    for declared in ("possible", "yes", None):
        tables = MemoryTables()
        report = harvest(
            source(cse.base, client), Native(), [], MemoryCatalogue(), tables=tables, personal_data=declared
        )
        assert (report.added, report.rows_accepted, report.tables_failed) == (1, 0, 1)
        assert tables.calls == 0


def test_datasets_by_label(site: Site, client: Client) -> None:
    """Sensors of several applications are gathered by their label, with units and definitions."""
    cse = FakeCse(site)
    for name in ("a", "b"):
        cse.entity(name)
        cse.bin(f"cse-in/{name}/one", 2, lbl=["theme:bruit"])
        cse.bin(f"cse-in/{name}/two", 2, lbl=["theme:air"])
    made = source(
        cse.base, client, datasets="label", label_prefix="theme:",
        properties={"bruit": PropertyConfig(path="n", unit="dB", title="Niveau sonore")},
    )  # fmt: skip
    datasets = [record.content for record in made.records()]
    assert [d.fields["title_translated"]["fr"] for d in datasets] == ["air", "bruit"]
    column = datasets[1].tables[0].column("property")
    assert column is not None
    assert column.definition == "bruit: Niveau sonore [dB]"
    rows = list(made.rows(datasets[1].tables[0], {}))
    assert {(r.values["source_id"], r.values["unit"]) for r in rows} == {("a/one", "dB"), ("b/one", "dB")}


@pytest.mark.parametrize(
    "config", [{"time": "a["}, {"properties": {"x": PropertyConfig(path="(")}}, {"datasets": "label"}]
)
def test_configuration_that_cannot_work(site: Site, client: Client, config: dict[str, Any]) -> None:
    """Told before anything is asked."""
    with pytest.raises(ConfigError):
        source(site.url("/cse-in"), client, **config)


# -- notifications -------------------------------------------------------------------------------------------


def told(**nev: Any) -> dict[str, Any]:
    """A notification about a new instance of the bin."""
    cin = {"con": {"n": 1}, "ct": "20261101T120000,000000", "pi": BIN.ri, "ri": "x", **nev}
    return {"m2m:sgn": {"nev": {"net": 3, "rep": {"m2m:cin": cin}}, "sur": "/id-in/sub1"}}


def parse(value: Any) -> Any:
    """Notices for the bin, as the originator CAdmin."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return parse_notification(body, {BIN.ri: BIN}, Mapper({}), "CAdmin")


def test_kinds_of_notifications() -> None:
    """A handshake, rows, several at once, a change, an end."""
    assert parse({"m2m:sgn": {"vrq": True, "sur": "s", "cr": "CAdmin"}})[0].kind == "verify"
    assert [row.values["value_num"] for row in parse(told())[0].rows] == [1]
    assert len(parse({"m2m:agn": {"m2m:sgn": [told()["m2m:sgn"]] * 3}})) == 3
    changed = {"m2m:sgn": {"nev": {"net": 1, "rep": {"cod:t": {"ri": BIN.ri, "x": 1}}}, "sur": "s"}}
    assert parse(changed)[0].kind == "wake"
    assert parse({"m2m:sgn": {"sud": True, "sur": "s"}})[0].kind == "ended"


@pytest.mark.parametrize(
    "value",
    [
        b"", b"<xml/>", b"\xff", b"[]", b'{"m2m:sgn": []}',
        b'{"m2m:sgn": {"nev": {"rep": {"m2m:cin": {"con": NaN}}}}}',
        b"[" * 100_000, b" " * (LONGEST + 1),
        {"m2m:sgn": {"vrq": True, "cr": "CStranger"}}, told(pi="cntOfSomebody"),
        {"m2m:sgn": {"nev": {"rep": None}}},
    ],
)  # fmt: skip
def test_what_is_no_notification_for_us(value: Any) -> None:
    """Refused with a reason, whatever it is: a stranger's handshake above all."""
    with pytest.raises(NotificationError):
        parse(value)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver with room for five."""
    with Receiver(parse, waiting=5) as found:
        yield found


def post(receiver: Receiver, value: Any, path: str | None = None, **headers: str) -> tuple[int, str | None]:
    """Status and oneM2M status of a POST."""
    parts = urlsplit(receiver.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=5)
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    connection.request("POST", path or parts.path, body, {"X-M2M-RI": "r1", **headers})
    answer = connection.getresponse()
    assert answer.getheader("X-M2M-RI") == "r1"
    return answer.status, answer.getheader("X-M2M-RSC")


def test_the_receiver_answers_as_the_standard_asks(receiver: Receiver) -> None:
    """200 and 2000 for ours, a refusal for strangers, who learn nothing."""
    assert post(receiver, {"m2m:sgn": {"vrq": True, "cr": "CAdmin"}}) == (200, "2000")
    assert post(receiver, told()) == (200, "2000")
    assert post(receiver, {"m2m:sgn": {"vrq": True, "cr": "CStranger"}}) == (403, "4103")
    assert post(receiver, told(), "/guessed") == (404, "4004")
    assert post(receiver, b"junk") == (400, "4000")
    assert [notice.kind for notice in receiver.take()] == ["verify", "rows"]
    assert receiver.refused == 3


def test_a_flood_is_pushed_back(receiver: Receiver) -> None:
    """When five wait, the sixth is told to come again; memory does not grow."""
    answers = [post(receiver, told())[0] for _ in range(7)]
    assert answers == [200] * 5 + [503] * 2
    receiver.take()
    assert post(receiver, told())[0] == 200


def test_a_long_notification_is_not_read(receiver: Receiver) -> None:
    """Its length alone is enough."""
    assert post(receiver, b"", **{"Content-Length": str(LONGEST + 1)})[0] == 413


# -- subscriptions -------------------------------------------------------------------------------------------


def test_subscriptions_are_made_renewed_and_removed(site: Site, client: Client) -> None:
    """One of ours that calls yesterday's address is changed; removal leaves those of others."""
    asked: list[tuple[str, str, Any]] = []
    subs = {"ccphva": {"nu": ["http://old"]}}

    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        body = json.loads(request.content or b"null")
        asked.append((request.command, request.path, body))
        if "fu=1" in request.path:
            paths = [f"cse-in/a/{subscriptions.name}", "cse-in/a/of-another"]
            return 200, {}, json.dumps({"m2m:uril": paths}).encode()
        status = {"POST": 409, "GET": 200, "PUT": 200, "DELETE": 200}[request.command]
        return status, {}, json.dumps({"m2m:sub": subs["ccphva"]}).encode()

    site.handle("*", answer)
    made = source(site.url("/cse-in"), client)
    subscriptions = Subscriptions(made.cse, "source-1", "http://new")
    assert subscriptions.make([BIN]) == {}
    assert [(method, body) for method, _, body in asked][-1] == ("PUT", {"m2m:sub": {"nu": ["http://new"]}})
    assert made.retire("source-2") == 0
    assert made.retire("source-1") == 1
    assert [path for method, path, _ in asked if method == "DELETE"] == [f"/cse-in/a/{subscriptions.name}"]


def test_repeats_and_disorder_fall_together() -> None:
    """A hundred notifications in any order, some twice, are a hundred rows."""
    from ccphva_harvesters.sources import _observations

    table = _observations.table("t", "T", {})
    tables = MemoryTables()
    notices = [
        parse(told(con={"n": n}, ct=f"20261101T1200{n // 10:02},{n % 10}00000"))[0] for n in range(100)
    ]
    for notice in itertools.chain(reversed(notices), notices[::3]):
        push(notice.rows, table, "d", tables)
    assert sorted(row["value_num"] for row in tables.rows("t")) == list(range(100))
