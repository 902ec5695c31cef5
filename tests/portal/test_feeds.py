"""Feeds inside CKAN: contract, rows by the DataStore's own actions, reading, placement, retention."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import _get_test_app
from ckanext.ccphva_datastore import relations, storage
from ckanext.ccphva_datastore.feeds import storage as feeds
from ckanext.ccphva_datastore.feeds import watch
from ckanext.ccphva_datastore.interfaces import IEffectiveRelation

pytestmark = pytest.mark.usefixtures("plugins_loaded")

NOW = datetime.now(UTC).replace(microsecond=0)
CONTRACT: dict[str, Any] = {
    "fields": [
        {"id": "capteur", "type": "text", "info": {"label": "Capteur"}},
        {"id": "quand", "type": "timestamptz"},
        {"id": "niveau", "type": "float", "unit": "m", "min": 0, "max": 20},
        {"id": "état: %", "type": "int"},
    ],
    "key": ["capteur"],
    "time": "quand",
    "freshness": 900,
}


def moment(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


def row(sensor: str, minutes: float, level: Any = 1.5, **more: Any) -> dict[str, Any]:
    return {"capteur": sensor, "quand": moment(minutes), "niveau": level} | more


@pytest.fixture(scope="module")
def organization(plugins_loaded: None) -> dict[str, Any]:  # noqa: F811
    model.repo.rebuild_db()
    forget_tables()
    return factories.Organization()


@pytest.fixture
def dataset(organization: dict[str, Any]) -> dict[str, Any]:
    return call_action(
        "package_create", name=factories.Dataset.stub().name, title="Flux", owner_org=organization["id"]
    )


@pytest.fixture
def feed(dataset: dict[str, Any]) -> Iterator[str]:
    """A feed of an open dataset."""
    made = make(dataset)
    yield made
    if feeds.show(made):
        call_action("ccphva_feed_delete", resource_id=made)


def make(dataset: dict[str, Any], **changes: Any) -> str:
    return call_action("ccphva_feed_create", package_id=dataset["id"], name="flux", **(CONTRACT | changes))[
        "resource_id"
    ]


def push(feed: str, *records: dict[str, Any], **more: Any) -> Any:
    return call_action("datastore_upsert", resource_id=feed, records=list(records), **more)


def search(feed: str, **query: Any) -> dict[str, Any]:
    return call_action("datastore_search", resource_id=feed, **query)


class TestContract:
    """A contract is read whole, or refused with every fault that it has."""

    def test_shown(self, feed: str) -> None:
        shown = call_action("ccphva_feed_show", resource_id=feed)
        assert shown["contract"]["fields"][2] == {
            "id": "niveau", "type": "double precision", "unit": "m", "min": 0, "max": 20
        }  # fmt: skip
        assert (shown["contract"]["key"], shown["contract"]["freshness"]) == (["capteur"], 900)
        assert shown["received"] is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"fields": []}, "fields"),
            ({"fields": [{"id": "_x", "type": "text"}]}, "fields"),
            ({"fields": [{"id": "a", "type": "geometry"}]}, "fields"),
            ({"fields": [*CONTRACT["fields"], {"id": "a :b", "type": "text"}]}, "fields"),
            ({"fields": [*CONTRACT["fields"], {"id": "a", "type": "text", "min": 1}]}, "fields"),
            ({"fields": [*CONTRACT["fields"], {"id": "a", "type": "int", "min": 9, "max": 1}]}, "fields"),
            ({"fields": [*CONTRACT["fields"], {"id": "capteur", "type": "int"}]}, "fields"),
            ({"key": []}, "key"),
            ({"key": ["niveau"]}, "key"),
            ({"key": ["ailleurs"]}, "key"),
            ({"key": ["quand"]}, "key"),
            ({"time": "capteur"}, "time"),
            ({"freshness": -1}, "freshness"),
            ({"freshness": "²"}, "freshness"),
            ({"retention": 1.5}, "retention"),
            ({"future": "soon"}, "future"),
        ],
    )
    def test_refused(self, dataset: dict[str, Any], changes: dict[str, Any], field: str) -> None:
        with pytest.raises(tk.ValidationError) as refused:
            make(dataset, **changes)
        assert field in refused.value.error_dict
        assert call_action("package_show", id=dataset["id"])["resources"] == []

    def test_promises_change_and_columns_stay(self, feed: str) -> None:
        shown = call_action(
            "ccphva_feed_update", resource_id=feed, freshness=60, retention=None,
            fields=[{"id": "niveau", "max": 30}],
        )  # fmt: skip
        assert shown["contract"]["freshness"] == 60
        assert push(feed, row("a", 0, 25))
        with pytest.raises(tk.ValidationError):
            call_action("ccphva_feed_update", resource_id=feed, fields=[{"id": "nouveau"}])

    def test_a_table_does_not_become_a_feed(self, dataset: dict[str, Any]) -> None:
        made = call_action(
            "datastore_create", resource={"package_id": dataset["id"], "name": "x"},
            fields=[{"id": "a", "type": "int"}],
        )  # fmt: skip
        with pytest.raises(tk.ValidationError, match="table already"):
            call_action("ccphva_feed_create", resource_id=made["resource_id"], **CONTRACT)

    def test_personal_data_never_enter(self, organization: dict[str, Any]) -> None:
        """Neither by a contract nor by rows of a dataset that declares some later."""
        dataset = call_action(
            "package_create", name=factories.Dataset.stub().name, title="Secret", visibility="private",
            owner_org=organization["id"], personal_data="yes",
        )  # fmt: skip
        with pytest.raises(tk.ValidationError, match="personal"):
            make(dataset)
        call_action("package_patch", id=dataset["id"], personal_data="none")
        feed = make(dataset)
        call_action("package_patch", id=dataset["id"], personal_data="possible")
        with pytest.raises(tk.ValidationError, match="personal"):
            push(feed, row("a", 0))
        call_action("ccphva_feed_delete", resource_id=feed)


class TestRows:
    """`datastore_upsert` means what it means in core."""

    def test_new_changed_and_the_same(self, feed: str) -> None:
        """A changed row gets a new number; one that is as it was stays as it is."""
        push(feed, row("a", -2), row("b", -2), row("a", -1, 2))
        push(feed, row("a", -2), row("b", -2, 7))
        found = search(feed, sort="_id")
        assert [(r["_id"], r["capteur"], r["niveau"]) for r in found["records"]] == [
            (1, "a", 1.5), (3, "a", 2), (5, "b", 7)
        ]  # fmt: skip
        assert found["total"] == 3

    def test_only_the_columns_that_are_named_change(self, feed: str) -> None:
        push(feed, row("a", 0, 3, **{"état: %": 4}))
        push(feed, {"capteur": "a", "quand": moment(0), "état: %": 5})
        (found,) = search(feed)["records"]
        assert (found["niveau"], found["état: %"]) == (3, 5)

    def test_the_last_of_equal_keys_wins(self, feed: str) -> None:
        push(feed, row("a", 0, 1), row("a", 0, 2), row("a", 0, 3))
        assert [r["niveau"] for r in search(feed)["records"]] == [3]

    def test_all_or_nothing(self, feed: str) -> None:
        with pytest.raises(tk.ValidationError) as refused:
            push(feed, row("a", 0), row("b", 0, 99), row("c", 0, "NaN"))
        assert refused.value.error_dict["records_row"] == 1
        assert search(feed)["total"] == 0

    def test_insert_update_and_dry_run(self, feed: str) -> None:
        push(feed, row("a", 0), method="insert")
        with pytest.raises(tk.ValidationError, match="uniqueness"):
            push(feed, row("b", 0), row("a", 0), method="insert")
        with pytest.raises(tk.ValidationError):
            push(feed, row("b", 0), method="update")
        push(feed, row("a", 0, 9), method="update")
        push(feed, row("z", 0), dry_run=True)
        assert [(r["capteur"], r["niveau"]) for r in search(feed)["records"]] == [("a", 9)]

    def test_rows_without_key_or_by_id_are_refused(self, feed: str) -> None:
        for bad in ({"capteur": "a"}, {"_id": 1, "niveau": 2}, row("a", 0) | {"inconnu": 1}):
            with pytest.raises(tk.ValidationError):
                push(feed, bad)

    def test_rows_are_deleted_by_filters(self, feed: str) -> None:
        """The count follows, and the newest row of each series."""
        push(feed, row("a", -2), row("a", -1), row("b", -1))
        call_action("datastore_delete", resource_id=feed, filters={"quand": moment(-1)}, force=True)
        assert search(feed)["total"] == 1
        with feeds.cursor() as run:
            run.execute(f'SELECT capteur, quand FROM live."_latest_{feed}"')  # noqa: S608
            assert [name for name, _ in run.fetchall()] == ["a"]

    def test_core_cannot_change_its_columns(self, feed: str) -> None:
        """But the dictionary can be written."""
        fields = [{"id": f["id"], "type": "text"} for f in CONTRACT["fields"]]
        for change in ({"fields": [*fields, {"id": "x", "type": "text"}]}, {"records": [row("a", 0)]},
                       {"primary_key": ["niveau"]}):  # fmt: skip
            with pytest.raises(tk.ValidationError, match="feed"):
                call_action("datastore_create", resource_id=feed, force=True, **change)
        described = [
            {"id": f["id"], "type": f["type"], "info": {"label": "L"}} for f in search(feed)["fields"][1:]
        ]
        call_action("datastore_create", resource_id=feed, force=True, fields=described)
        info = call_action("datastore_info", resource_id=feed)
        assert [f["info"]["label"] for f in info["fields"]] == ["L"] * 4

    def test_a_deleted_feed_is_gone(self, dataset: dict[str, Any]) -> None:
        feed = make(dataset)
        push(feed, row("a", 0))
        call_action("ccphva_feed_delete", resource_id=feed)
        assert feeds.show(feed) is None
        assert not [name for schema in ("live", "closed") for name in left(schema) if feed in name]
        with pytest.raises(tk.ObjectNotFound):
            search(feed)


def left(schema: str) -> list[str]:
    with feeds.cursor() as run:
        run.execute("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)", [schema])
        return [name for (name,) in run.fetchall()]


class TestReading:
    """Search, dictionary, dump and aggregates work on feeds."""

    @pytest.fixture
    def filled(self, feed: str) -> str:
        push(feed, *[row(s, -n, n) for s in "ab" for n in range(10)])
        return feed

    def test_filters_sort_and_keyset(self, filled: str) -> None:
        found = search(filled, filters={"capteur": "a", "niveau": {"gte": 7}}, sort="niveau desc")
        assert [r["niveau"] for r in found["records"]] == [9, 8, 7]
        nested = search(filled, filters={"$or": [{"niveau": 1}, {"capteur": "b", "niveau": 2}]})
        assert nested["total"] == 3
        first = search(filled, sort="_id", limit=15)["records"]
        rest = search(filled, sort="_id", limit=15, filters={"_id": {"gt": first[-1]["_id"]}})["records"]
        assert len(first) + len(rest) == 20

    def test_dictionary(self, filled: str) -> None:
        info = call_action("datastore_info", resource_id=filled)
        assert info["meta"]["count"] == 20
        assert info["fields"][0]["info"]["label"] == "Capteur"
        assert info["fields"][2]["info"]["unit"] == "m"
        assert info["fields"][0]["schema"]["uniquekey"]

    def test_full_text_of_the_whole_is_refused_with_its_reason(self, filled: str) -> None:
        for q in ("a", {"capteur": "a"}):
            with pytest.raises(tk.ValidationError, match="use filters"):
                search(filled, q=q)

    def test_aggregates(self, filled: str) -> None:
        found = call_action(
            "ccphva_feed_aggregate",
            resource_id=filled,
            column="niveau",
            bucket="year",
            filters={"capteur": "a"},
        )["records"]
        assert sum(r["count"] for r in found) == 10
        assert (min(r["min"] for r in found), max(r["max"] for r in found)) == (0, 9)
        assert sum(r["sum"] for r in found) == 45
        recent = call_action(
            "ccphva_feed_aggregate", resource_id=filled, column="niveau", bucket="year", since=moment(-2.5)
        )["records"]
        assert sum(r["count"] for r in recent) == 6

    @pytest.mark.parametrize(
        "query",
        [{"column": "capteur"}, {"bucket": "eon"}, {"timezone": "Mars/Olympus"}, {"since": "yesterday"},
         {"filters": {"niveau": 1}}, {"limit": 0}, {"filters": [1]}],
    )  # fmt: skip
    def test_bad_aggregates(self, filled: str, query: dict[str, Any]) -> None:
        with pytest.raises(tk.ValidationError):
            call_action("ccphva_feed_aggregate", resource_id=filled, **({"column": "niveau"} | query))


class TestPlacement:
    """The reading role reaches the feeds of open data only, partitions and newest rows included."""

    def reading_role(self, name: str) -> None:
        with storage._engine().connect() as connection:
            connection.execute(sa.text(f"SELECT count(*) FROM {name}"))  # noqa: S608

    def test_a_feed_that_was_made_closed_can_be_opened(self, organization: dict[str, Any]) -> None:
        """Its table, its months and its newest rows are then the reading role's to read."""
        dataset = call_action(
            "package_create", name=factories.Dataset.stub().name, title="Secret", visibility="private",
            owner_org=organization["id"], personal_data="none",
        )  # fmt: skip
        feed = make(dataset)
        push(feed, row("a", 0))
        call_action("package_patch", id=dataset["id"], visibility="open")
        assert storage.schema_of(feed, relations.BASE) == "live"
        for name in [name for name in left("live") if feed in name and not name.endswith(("idx", "pkey"))]:
            self.reading_role(f'live."{name}"')
        assert search(feed)["total"] == 1

    def test_a_dataset_that_is_closed_takes_its_feed_along(self, dataset: dict[str, Any], feed: str) -> None:
        push(feed, row("a", 0))
        self.reading_role(f'live."{feed}"')
        call_action("package_patch", id=dataset["id"], visibility="private")
        assert storage.schema_of(feed, relations.BASE) == "closed"
        names = [name for name in left("closed") if feed in name and not name.endswith(("idx", "pkey"))]
        assert len(names) >= 4
        for name in names:
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema closed"):
                self.reading_role(f'closed."{name}"')
        assert not [name for name in left("live") if feed in name]
        push(feed, row("a", -60 * 24 * 62), row("b", 0))
        assert search(feed)["total"] == 3
        call_action("package_patch", id=dataset["id"], visibility="open")
        assert storage.schema_of(feed, relations.BASE) == "live"
        assert not [name for name in left("closed") if feed in name]
        push(feed, row("c", 0))
        self.reading_role(f'live."{feed}"')

    def test_a_feed_of_closed_data_is_closed_from_its_first_row(self, organization: dict[str, Any]) -> None:
        dataset = call_action(
            "package_create", name=factories.Dataset.stub().name, title="R", visibility="restricted",
            owner_org=organization["id"],
        )  # fmt: skip
        feed = make(dataset)
        assert storage.schema_of(feed, relations.BASE) == "closed"
        push(feed, row("a", 0))
        call_action("ccphva_feed_delete", resource_id=feed)

    def test_what_is_known_of_feeds_is_not_for_the_reading_role(self) -> None:
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            self.reading_role("feed.contract")


def test_full_text_of_an_ordinary_table_is_right_after_an_upsert(dataset: dict[str, Any]) -> None:
    """In CKAN 2.12.0 the old words stay for good."""
    made = call_action(
        "datastore_create", resource={"package_id": dataset["id"], "name": "x"}, primary_key=["code"],
        fields=[{"id": "code", "type": "text"}, {"id": "lieu", "type": "text"}],
        records=[{"code": "1", "lieu": "alpha"}, {"code": "2", "lieu": "gamma"}],
    )["resource_id"]  # fmt: skip
    call_action("datastore_upsert", resource_id=made, records=[{"code": "1", "lieu": "beta"}], force=True)
    totals = [search(made, q=word)["total"] for word in ("alpha", "beta", "gamma")]
    assert totals == [0, 1, 1]
    call_action("datastore_upsert", resource_id=made, force=True, method="update",
                records=[{"code": "1", "lieu": "delta"}])  # fmt: skip
    assert [search(made, q=word)["total"] for word in ("beta", "delta")] == [0, 1]
    call_action("datastore_delete", resource_id=made, force=True)


def told(feed: str) -> int:
    """The count of `datastore_info`."""
    return call_action("datastore_info", resource_id=feed)["meta"]["count"]


class Half(p.SingletonPlugin):
    """Everybody sees the rows of sensor `a` alone."""

    p.implements(IEffectiveRelation)

    def resolve(self, context: Any, resource_id: str, action: str) -> relations.Relation | None:
        return relations.Relation(relations.PERIMETER, f"half-{resource_id}")


class TestCount:
    """`datastore_info` of millions of rows answers by the number that is kept with each write."""

    def test_it_follows_each_write(self, feed: str) -> None:
        assert told(feed) == 0
        push(feed, row("a", -2), row("a", -1), row("b", -1))
        assert told(feed) == 3
        push(feed, row("a", -2), row("a", -1, 2), row("c", -1))  # the same, changed, new
        assert told(feed) == 4
        call_action("datastore_delete", resource_id=feed, filters={"capteur": "a"}, force=True)
        assert told(feed) == 2
        call_action("datastore_delete", resource_id=feed, filters={"capteur": "nobody"}, force=True)
        assert told(feed) == 2

    def test_no_row_is_looked_at(self, feed: str) -> None:
        """Whoever empties the table past its triggers shows where the number comes from."""
        push(feed, row("a", 0), row("b", 0))
        with feeds.cursor() as run:
            run.execute(f'TRUNCATE live."{feed}"')
        assert told(feed) == 2

    def test_counting_anew_loses_no_writer(self, feed: str) -> None:
        """A count that began while rows are written waits for them, and does not put their number back."""
        push(feed, row("a", -1))
        relation = relations.locate(feed)
        assert relation
        with ThreadPoolExecutor(1) as other, feeds.cursor() as run:
            run.execute(
                f'INSERT INTO live."{feed}" (_id, capteur, quand) VALUES (9, %s, %s)',  # noqa: S608
                ["b", moment(0)],
            )
            again = other.submit(storage.keep_count, relation)
            with pytest.raises(TimeoutError):
                again.result(0.5)
            run.connection.commit()
            assert again.result(10) == 2
        assert told(feed) == 2

    def test_a_perimeter_tells_its_own_rows_only(self, feed: str) -> None:
        """The kept number would tell how many rows are hidden."""
        push(feed, row("a", -1), row("b", -1), row("c", -1))
        with feeds.cursor() as run:
            run.execute(
                f'CREATE VIEW perimeter."half-{feed}" WITH (security_barrier) AS '  # noqa: S608
                f"SELECT _id, capteur, quand FROM live.\"{feed}\" WHERE capteur = 'a'"
            )
        stock = p.core._get_service
        own = {"test_half": Half}
        with mock.patch.object(
            p.core, "_get_service", lambda name: own[name]() if name in own else stock(name)
        ):
            p.load("test_half")
            try:
                assert told(feed) == 1
            finally:
                p.unload("test_half")
        assert told(feed) == 3
        with feeds.cursor() as run:
            run.execute(f'DROP VIEW perimeter."half-{feed}"')


class TestWatch:
    """Every minute: coming months, retention, silence."""

    def test_months_that_retention_ends_are_dropped(self, dataset: dict[str, Any]) -> None:
        """Rows, count and newest rows go with their month; the months to come are there."""
        feed = make(dataset, retention=90)
        push(feed, row("old", -60 * 24 * 80), row("new", 0))
        later = NOW + timedelta(days=70)
        state = feeds.show(feed)
        assert state
        assert told(feed) == 2
        assert feeds.tend(state, later) == 1
        assert told(feed) == 1
        assert [r["capteur"] for r in search(feed)["records"]] == ["new"]
        assert search(feed)["total"] == 1
        with feeds.cursor() as run:
            run.execute(f'SELECT capteur FROM live."_latest_{feed}"')  # noqa: S608
            assert run.fetchall() == [("new",)]
        assert f"_{feed}_{later:%Y%m}" in left("live")
        assert feeds.tend(state, later) == 0
        call_action("ccphva_feed_delete", resource_id=feed)

    def test_the_owner_is_told_once_of_a_silence(self, stack_home: Path) -> None:
        """One mail to the organisation's administrator; a row ends the silence."""
        owner = factories.User(email="gardienne-du-flux@example.org")
        organization = factories.Organization(user=owner)
        dataset = call_action(
            "package_create", name=factories.Dataset.stub().name, title="Muet", owner_org=organization["id"]
        )
        feed = make(dataset, freshness=1)
        time.sleep(1.2)

        def mails() -> int:
            folder = stack_home / "mail" / "new"
            return sum(b"gardienne-du-flux" in path.read_bytes() for path in folder.iterdir())

        before = mails()
        for _ in range(2):
            with a_request():
                watch.Watch().sweep()
        state = feeds.show(feed)
        assert state
        assert state.alerted
        assert mails() == before + 1
        push(feed, row("a", 0))
        state = feeds.show(feed)
        assert state
        assert state.alerted is None
        call_action("ccphva_feed_delete", resource_id=feed)


def a_request() -> Any:
    return _get_test_app().flask_app.test_request_context()
