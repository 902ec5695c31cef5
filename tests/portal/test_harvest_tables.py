"""The portal's sink for harvested rows keeps the library's contract, on the real DataStore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ccphva_harvesters import Column, FatalError, Table
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_harvest.tables import CkanTables, is_feed, resource_id
from harvesters.contracts import TablesContract

pytestmark = pytest.mark.usefixtures("plugins_loaded")

OBSERVATIONS = Table(
    id="obs", title="Observations", mode="append", key=("source_id", "property", "observed_at"),
    time="observed_at", geometry="geom",
    columns=(
        Column(name="source_id"), Column(name="property"), Column(name="observed_at", type="timestamp"),
        Column(name="value_num", type="number", unit="m", title="Valeur"),
        Column(name="geom", type="geometry"), Column(name="raw", type="json"),
    ),
)  # fmt: skip
EVERYTHING = Table(
    id="all", title="Tout", key=("code",), geometry="geom", source_crs="EPSG:2154",
    columns=(
        Column(name="code"), Column(name="n", type="integer"), Column(name="x", type="number", unit="kg"),
        Column(name="ok", type="boolean"), Column(name="day", type="date"),
        Column(name="at", type="timestamp"), Column(name="doc", type="json"),
        Column(name="geom", type="geometry"), Column(name='_odd "name": :x'),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def organization(plugins_loaded: None) -> dict[str, Any]:  # noqa: F811
    model.repo.rebuild_db()
    forget_tables()
    return factories.Organization()


@pytest.fixture
def source(organization: dict[str, Any]) -> str:
    """A source's id, with a dataset whose resources are those that its tables stand in."""
    id_ = factories.Dataset.stub().name
    resources = [
        {"id": resource_id(id_, table), "url": "_datastore_only_resource", "url_type": "datastore"}
        for table in ("t", "obs", "all")
    ]
    call_action("package_create", name=id_, title="Source", owner_org=organization["id"], resources=resources)
    return id_


@pytest.fixture
def tables(source: str) -> CkanTables:
    return CkanTables(source, call_action)


def found(tables: CkanTables, id_: str) -> list[dict[str, Any]]:
    name = resource_id(tables.source_id, id_)
    return call_action("datastore_search", resource_id=name, limit=1000)["records"]


def observations(*minutes: int, value: float = 1.5) -> list[dict[str, Any]]:
    start = datetime.now(UTC) - timedelta(hours=6)
    return [
        {
            "source_id": "s", "property": "level",
            "observed_at": (start + timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
            "value_num": value, "geom": {"type": "Point", "coordinates": [6.1, 49.5]}, "raw": {"a": m},
        }
        for m in minutes
    ]  # fmt: skip


class TestCkanTables(TablesContract):
    """What every sink promises."""

    def rows(self, tables: CkanTables, id_: str) -> list[dict[str, Any]]:  # type: ignore[override]
        return found(tables, id_)


def test_observations_become_a_feed(tables: CkanTables) -> None:
    """Rows named by series and time are live: contract, rows, and marks in one transaction."""
    given = observations(1, 2, 3)
    receipt = tables.apply(OBSERVATIONS, given, {"s": "3"})
    assert (receipt.accepted, receipt.unchanged) == (3, 0)
    again = CkanTables(tables.source_id, call_action).apply(OBSERVATIONS, given, {})
    assert (again.accepted, again.unchanged) == (0, 3)
    feed = call_action("ccphva_feed_show", resource_id=resource_id(tables.source_id, "obs"))
    assert feed["contract"]["key"] == ["source_id", "property"]
    assert feed["contract"]["time"] == "observed_at"
    assert {"id": "value_num", "type": "double precision", "unit": "m"} in feed["contract"]["fields"]
    assert dict(tables.marks("obs")) == {"s": "3"}
    assert found(tables, "obs")[0]["raw"] == '{"a": 1}'


def test_a_refused_row_costs_itself_only(tables: CkanTables) -> None:
    """What the feed refuses is named with its reason; the other rows and the mark are kept."""
    bad = observations(5)[0] | {"observed_at": "1802-01-01T00:00:00Z"}
    receipt = tables.apply(OBSERVATIONS, [*observations(4), bad], {"s": "5"})
    assert (receipt.accepted, len(receipt.rejected)) == (1, 1)
    assert receipt.rejected[0].row == "row 2"
    assert receipt.rejected[0].reason.startswith("observed_at: ")
    assert dict(tables.marks("obs")) == {"s": "5"}


def test_a_row_that_the_database_refuses_is_found(tables: CkanTables) -> None:
    """In a table with a key too: the row is found by halving, the rest and the mark are kept."""
    table = msgspec.structs.replace(
        TablesContract.append, columns=(Column(name="k"), Column(name="v", type="integer"))
    )
    rows = [{"k": str(n), "v": n} for n in range(9)]
    rows[6]["v"] = 10**30
    receipt = tables.apply(table, rows, {"a": "9"})
    assert (receipt.accepted, [one.row for one in receipt.rejected]) == (8, ["row 7"])
    assert dict(tables.marks("t")) == {"a": "9"}


def test_every_type_arrives_and_the_same_is_not_written(tables: CkanTables) -> None:
    """Types, units and geometry of a whole table; the same rows again leave even the numbers of the rows."""
    rows = [
        {
            "code": f"0{n}", "n": n, "x": 1.25, "ok": n % 2 == 0, "day": "2026-01-02",
            "at": "2026-01-02T03:04:05.000000Z", "doc": {"é": [n]},
            "geom": {"type": "Point", "coordinates": [6.1, 49.5]}, '_odd "name": :x': 'a "b", c\nd',
        }
        for n in range(3)
    ]  # fmt: skip
    assert tables.apply(EVERYTHING, iter(rows), {}).accepted == 3
    name = resource_id(tables.source_id, "all")
    fields = {field["id"]: field for field in call_action("datastore_info", id=name)["fields"]}
    kinds = [fields[n]["type"] for n in ("code", "n", "x", "ok", "day", "at", "doc", "geom")]
    assert kinds == ["text", "int8", "numeric", "bool", "date", "timestamptz", "jsonb", "geometry"]
    assert fields["x"]["info"]["unit"] == "kg"
    assert "EPSG:2154" in fields["geom"]["info"]["notes"]
    (first, *_) = found(tables, "all")
    assert (first["code"], first["x"], first["ok"]) == ("00", 1.25, True)
    assert 'a "b", c\nd' in first.values()
    before = relfilenode(name)
    receipt = tables.apply(EVERYTHING, iter(reversed(rows)), {})
    assert (receipt.accepted, receipt.unchanged) == (0, 3)
    assert relfilenode(name) == before
    assert call_action("datastore_search", resource_id=name, q="02")["total"] == 1


def relfilenode(name: str) -> Any:
    """The file of a table: another one after it was made anew."""
    from ckanext.ccphva_datastore.feeds import storage

    with storage.cursor() as cursor:
        cursor.execute("SELECT relfilenode FROM pg_class WHERE relname = %s", [name])
        return cursor.fetchone()


def test_a_deleted_table_begins_again(tables: CkanTables) -> None:
    """Marks go with their table: a table that somebody deleted is filled from the beginning."""
    for table, rows in ((OBSERVATIONS, observations(1)), (TablesContract.append, [{"k": "1", "v": 1}])):
        tables.apply(table, rows, {"s": "1"})
        call_action("datastore_delete", resource_id=resource_id(tables.source_id, table.id), force=True)
        assert dict(tables.marks(table.id)) == {}
        fresh = CkanTables(tables.source_id, call_action)
        assert fresh.apply(table, rows, {}).accepted == 1
        assert dict(fresh.marks(table.id)) == {}


def test_a_column_that_is_new_at_the_source(tables: CkanTables) -> None:
    """A table with a key gains it; a feed, whose columns are a contract, says so."""
    more = (Column(name="w", title="Nouvelle"),)
    tables.apply(TablesContract.append, [{"k": "1", "v": 1}], {})
    wider = msgspec.structs.replace(TablesContract.append, columns=TablesContract.append.columns + more)
    fresh = CkanTables(tables.source_id, call_action)
    fresh.apply(wider, [{"k": "1", "v": 1, "w": "x"}], {})
    assert [row["w"] for row in found(tables, "t")] == ["x"]
    tables.apply(OBSERVATIONS, observations(1), {})
    wider = msgspec.structs.replace(OBSERVATIONS, columns=OBSERVATIONS.columns + more)
    with pytest.raises(FatalError, match="w"):
        fresh.apply(wider, [], {})


def test_a_resource_that_is_not_there(organization: dict[str, Any]) -> None:
    """Rows of a dataset that somebody deleted stop with a reason, and make no table."""
    with pytest.raises(FatalError, match="deleted"):
        CkanTables("nobody", call_action).apply(OBSERVATIONS, observations(1), {})


def test_personal_data_enter_by_no_action(source: str) -> None:
    """The actions refuse rows of a dataset that declares personal data, as every door does."""
    call_action("package_patch", id=source, personal_data="possible", visibility="private")
    with pytest.raises(FatalError, match="personal"):
        CkanTables(source, call_action).apply(OBSERVATIONS, observations(1), {})
    with pytest.raises(FatalError, match="personal"):
        CkanTables(source, call_action).apply(EVERYTHING, [{"code": "1"}], {})


def test_what_is_a_feed() -> None:
    """Only a table that grows and whose key is series and time; a key of time alone names no series."""
    assert is_feed(OBSERVATIONS)
    assert not is_feed(TablesContract.append)
    assert not is_feed(msgspec.structs.replace(OBSERVATIONS, mode="replace"))
    assert not is_feed(msgspec.structs.replace(OBSERVATIONS, key=("observed_at",)))
    assert not is_feed(msgspec.structs.replace(OBSERVATIONS, key=("value_num", "observed_at")))
