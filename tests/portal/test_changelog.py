"""The change log: every change is in it, in an order that loses nothing, and followers survive bad days."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories, helpers
from ckanext.ccphva import changelog, followers
from ckanext.ccphva.changelog import Change

# Transactions of other tests, in whichever database of the cluster, hold back what a follower may read.
pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("clean_db", "clean_index")]


class Recorder:
    """A follower that remembers what it was told, and fails when asked to."""

    def __init__(self, name: str = "test-recorder") -> None:
        self.name = name
        self.seen: list[Change] = []
        self.sweeps = 0
        self.failures = 0

    def follow(self, changes: Sequence[Change]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the follower fails")
        self.seen.extend(changes)

    def sweep(self) -> None:
        self.sweeps += 1


@pytest.fixture
def recorder() -> Recorder:
    """A follower whose cursor stands at the end of the log."""
    follower = Recorder()
    drain(follower)
    follower.seen.clear()
    return follower


@pytest.fixture
def connect() -> Iterator[Callable[[], sa.Connection]]:
    """Connections of their own, closed afterwards."""
    opened: list[sa.Connection] = []

    def make() -> sa.Connection:
        opened.append(model.ensure_engine().connect())
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


def drain(follower: Recorder) -> list[Change]:
    """Let the follower read all that is committed, once nothing runs that could hold it back."""
    query = sa.text(f"SELECT EXISTS (SELECT 1 FROM ccphva_change WHERE xid >= {changelog.XMIN})")  # noqa: S608
    end = time.monotonic() + 10
    with model.ensure_engine().connect() as connection:
        while connection.execute(query).scalar() and time.monotonic() < end:
            connection.rollback()
            time.sleep(0.02)
    return drain_now(follower)


def drain_now(follower: Recorder) -> list[Change]:
    """Let the follower read all that it may read now."""
    changelog.register(follower.name)
    while changes := changelog.read(follower.name, limit=7):
        follower.follow(changes)
        changelog.advance(follower.name, changes[-1])
    return follower.seen


def insert_group(connection: sa.Connection, name: str) -> None:
    connection.execute(
        sa.text("INSERT INTO \"group\" (id, name, type, state) VALUES (:name, :name, 'group', 'active')"),
        {"name": name},
    )


def entities(changes: Sequence[Change]) -> list[str]:
    return [change.entity_id for change in changes]


def test_overtaken_transaction_is_not_lost(connect: Callable[[], sa.Connection], recorder: Recorder) -> None:
    """A slow transaction that is overtaken by a fast one is read later, whole and in order."""
    slow, fast = connect(), connect()
    insert_group(slow, "slow-1")
    insert_group(fast, "fast-1")
    fast.commit()
    assert entities(drain_now(recorder)) == []  # held back: the slow one may still commit rows before it
    insert_group(slow, "slow-2")
    slow.commit()
    assert entities(drain(recorder)) == ["slow-1", "slow-2", "fast-1"]
    assert drain_now(recorder) == recorder.seen[:3]


def test_reader_by_sequence_alone_would_lose_it(connect: Callable[[], sa.Connection]) -> None:
    """The same play, read by "seq above the last": the slow row is never seen. This is why there is an
    xid."""
    naive = sa.text("SELECT seq, entity_id FROM ccphva_change WHERE seq > :last ORDER BY seq")
    slow, fast, reader = connect(), connect(), connect()
    last = reader.execute(sa.text("SELECT coalesce(max(seq), 0) FROM ccphva_change")).scalar()
    reader.commit()
    seen: list[str] = []

    def read() -> None:
        nonlocal last
        for number, entity in reader.execute(naive, {"last": last}).all():
            last, _ = number, seen.append(entity)
        reader.commit()

    insert_group(slow, "slow")
    insert_group(fast, "fast")
    fast.commit()
    read()
    slow.commit()
    read()
    assert seen == ["fast"]


def test_nothing_is_lost_or_doubled_by_many_writers(recorder: Recorder) -> None:
    """Writers with transactions of different lengths, a reader all along: each row once, each writer's in
    order."""
    stop = threading.Event()

    def write(writer: int) -> None:
        with model.ensure_engine().connect() as connection:
            for number in range(12):
                insert_group(connection, f"w{writer}-{number:02}-a")
                time.sleep(0.004 * writer)
                insert_group(connection, f"w{writer}-{number:02}-b")
                connection.rollback() if number % 5 == 4 else connection.commit()

    def read() -> None:
        while not stop.is_set():
            drain_now(recorder)

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write, args=(n,)) for n in range(5)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    drain(recorder)
    committed = [n for n in range(12) if n % 5 != 4]
    wanted = {f"w{w}-{n:02}-{half}" for w in range(5) for n in committed for half in "ab"}
    seen = entities(recorder.seen)
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted
    for writer in range(5):
        own = [entity for entity in seen if entity.startswith(f"w{writer}-")]
        assert own == sorted(own)


def test_rollback_leaves_no_row(connect: Callable[[], sa.Connection], recorder: Recorder) -> None:
    """A change that was taken back was never announced."""
    connection = connect()
    insert_group(connection, "taken-back")
    connection.rollback()
    assert drain(recorder) == []


def test_dataset_life_is_logged(recorder: Recorder) -> None:
    """Creating, changing, re-tagging, deleting and purging a dataset each leave their rows."""
    organization = factories.Organization()
    drain(recorder)
    recorder.seen.clear()

    dataset = factories.Dataset(
        owner_org=organization["id"],
        tags=[{"name": "eau"}],
        resources=[{"url": "http://a.example/1", "name": "un"}],
    )
    created = {(c.kind, c.operation, c.dataset_id) for c in drain(recorder)}
    for kind in ("dataset", "resource", "tag", "member"):
        assert (kind, "insert", dataset["id"]) in created
    assert {c.owner_id for c in recorder.seen if c.kind in {"dataset", "resource"}} == {organization["id"]}

    recorder.seen.clear()
    helpers.call_action("package_patch", id=dataset["id"], tags=[{"name": "air"}])
    assert {"tag", "dataset"} <= {c.kind for c in drain(recorder)}

    recorder.seen.clear()
    helpers.call_action("package_delete", id=dataset["id"])
    assert ("dataset", "update") in {(c.kind, c.operation) for c in drain(recorder)}

    recorder.seen.clear()
    helpers.call_action("dataset_purge", id=dataset["id"])
    assert ("dataset", "delete", dataset["id"]) in {
        (c.kind, c.operation, c.dataset_id) for c in drain(recorder)
    }


def test_organisation_and_membership_are_logged(recorder: Recorder) -> None:
    """Organisations and their members change what readers see, so they are in the log."""
    organization = factories.Organization()
    user = factories.User()
    drain(recorder)
    recorder.seen.clear()
    helpers.call_action("organization_patch", id=organization["id"], description="Nouveau")
    assert ("organization", "update", organization["id"]) in {
        (c.kind, c.operation, c.entity_id) for c in drain(recorder)
    }
    recorder.seen.clear()
    helpers.call_action(
        "organization_member_create", id=organization["id"], username=user["name"], role="editor"
    )
    (member,) = [c for c in drain(recorder) if c.kind == "member"]
    assert (member.owner_id, member.dataset_id) == (organization["id"], None)


def test_bulk_sql_is_logged(connect: Callable[[], sa.Connection], recorder: Recorder) -> None:
    """Rows written by SQL alone, a thousand in one statement, are announced one by one."""
    connection = connect()
    connection.execute(
        sa.text(
            "INSERT INTO package (id, name, state, type, private, metadata_created, metadata_modified) "
            "SELECT 'bulk-' || n, 'bulk-' || n, 'active', 'dataset', false, now(), now() "
            "FROM generate_series(1, 1000) n"
        )
    )
    connection.commit()
    assert len({c.dataset_id for c in drain(recorder)}) == 1000
    recorder.seen.clear()
    connection.execute(sa.text("UPDATE package SET title = 'x' WHERE id IN ('bulk-1', 'bulk-2')"))
    connection.execute(sa.text("UPDATE package SET title = title WHERE id LIKE 'bulk-%'"))
    connection.commit()
    assert sorted(entities(drain(recorder))) == ["bulk-1", "bulk-2"]  # what did not change is not announced
    recorder.seen.clear()
    connection.execute(sa.text("DELETE FROM package WHERE id = 'bulk-3'"))
    connection.commit()
    assert [(c.operation, c.dataset_id) for c in drain(recorder)] == [("delete", "bulk-3")]


def test_deferred_commit_is_logged_with_its_transaction(recorder: Recorder) -> None:
    """`defer_commit`, which harvests use, writes the log row with the dataset and not before."""
    user = factories.Sysadmin()
    organization = factories.Organization()
    drain(recorder)
    recorder.seen.clear()
    context: Any = {"user": user["name"], "defer_commit": True, "return_id_only": True}
    data = factories.Dataset.stub(owner_org=organization["id"]).__dict__
    created = tk.get_action("package_create")(context, data)
    assert drain(recorder) == []
    model.Session.commit()
    assert created in {c.dataset_id for c in drain(recorder)}


def test_failing_follower_sees_its_changes_again(recorder: Recorder) -> None:
    """A follower that breaks loses nothing, and does not stop the others."""
    other = Recorder("test-other")
    drain(other)
    other.seen.clear()
    factories.Group(name="once-more")
    recorder.failures = 2
    runner = followers.Runner([recorder])
    for _ in range(2):
        with pytest.raises(RuntimeError):
            runner.round()
    runner.round()
    assert entities(recorder.seen)[0] == entities(drain(other))[0]
    runner.close()


def test_dead_follower_holds_the_log(recorder: Recorder, connect: Callable[[], sa.Connection]) -> None:
    """Rows are pruned when they are old and everybody has read them, and not before."""
    dead = Recorder("test-dead")
    drain(dead)
    dead.seen.clear()
    factories.Group(name="kept-for-the-dead")
    drain(recorder)
    connection = connect()
    connection.execute(sa.text("UPDATE ccphva_change SET at = now() - interval '90 days'"))
    connection.commit()
    changelog.prune(30)
    assert "kept-for-the-dead" in {name_of(c.entity_id) for c in drain(dead)}
    changelog.prune(30)
    assert connection.execute(sa.text("SELECT count(*) FROM ccphva_change")).scalar() == 0


def name_of(group_id: str) -> str | None:
    group = model.Group.get(group_id)
    return group.name if group else None


def test_unread_log_is_never_pruned_before_any_follower(connect: Callable[[], sa.Connection]) -> None:
    """With no follower at all, as in a portal just set up, nothing is thrown away."""
    factories.Group()
    connection = connect()
    connection.execute(sa.text("DELETE FROM ccphva_follower"))
    connection.execute(sa.text("UPDATE ccphva_change SET at = now() - interval '90 days'"))
    connection.commit()
    assert changelog.prune(30) == 0


def test_restart_resumes_where_it_stopped(recorder: Recorder) -> None:
    """A second runner begins behind the last change that the first one dealt with."""
    factories.Group(name="before-restart")
    run_for_one_round(recorder)
    count = len(recorder.seen)
    assert count
    after = Recorder()
    factories.Group(name="after-restart")
    run_for_one_round(after)
    assert [name_of(e) for e in dict.fromkeys(entities(after.seen)) if name_of(e)] == ["after-restart"]


def run_for_one_round(follower: Recorder) -> None:
    runner = followers.Runner([follower])
    runner.round()
    runner.close()


def test_second_runner_stands_by(recorder: Recorder) -> None:
    """Two processes never hand out the same changes; the second takes over when the first ends."""
    first, second = followers.Runner([recorder]), followers.Runner([recorder])
    factories.Group()
    assert first.round() > 0
    factories.Group()
    assert second.round() == 0
    first.close()
    assert second.round() > 0
    second.close()


def test_sweep_is_called_first_and_then_when_due(
    recorder: Recorder, connect: Callable[[], sa.Connection]
) -> None:
    """A full check at the first start, none at a quick restart, another one after the hour."""
    run_for_one_round(recorder)
    run_for_one_round(recorder)
    assert recorder.sweeps == 1
    connection = connect()
    connection.execute(sa.text("UPDATE ccphva_follower SET swept_at = now() - interval '61 minutes'"))
    connection.commit()
    run_for_one_round(recorder)
    assert recorder.sweeps == 2


def test_log_restored_into_a_young_cluster_is_read(
    recorder: Recorder, connect: Callable[[], sa.Connection]
) -> None:
    """Transaction ids from another cluster neither hide old rows nor new ones."""
    connection = connect()
    connection.execute(
        sa.text(
            "INSERT INTO ccphva_change (xid, kind, operation, entity_id) "
            "VALUES (pg_current_xact_id()::text::bigint + 1000000, 'dataset', 'insert', 'from-the-dump')"
        )
    )
    connection.execute(sa.text("UPDATE ccphva_follower SET xid = xid + 900000"))
    connection.commit()
    factories.Group(name="new-row")
    assert drain_now(recorder) == []
    run_for_one_round(recorder)
    drain(recorder)
    assert "from-the-dump" in entities(recorder.seen)
    assert "new-row" in {name_of(entity) for entity in entities(recorder.seen)}
    assert changelog.mend_after_restore() == 0


def test_lag_counts_unread_rows(recorder: Recorder) -> None:
    """The lag is what a follower has not read, and zero when it has read all."""
    factories.Group()
    (lag,) = [lag for lag in changelog.lags() if lag.follower == recorder.name]
    assert lag.rows >= 1
    assert 0 <= lag.seconds < 60
    drain(recorder)
    (lag,) = [lag for lag in changelog.lags() if lag.follower == recorder.name]
    assert (lag.rows, lag.seconds) == (0, 0)


@pytest.mark.usefixtures("with_plugins")
def test_migration_goes_down_and_up(migrate_db_for: Any) -> None:
    """The log can be taken out and put back; without it datasets are written all the same."""
    migrate_db_for("ccphva", "base", forward=False)
    assert not sa.inspect(model.ensure_engine()).has_table("ccphva_change")
    factories.Group()
    migrate_db_for("ccphva")
    factories.Group(name="logged-again")
    assert changelog.lags() == []
    follower = Recorder("test-fresh")
    assert "logged-again" in {name_of(entity) for entity in entities(drain(follower))}
