"""Whole tables as files: the same as stock where stock has the format, and what stock has not."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from ckan.tests.helpers import CKANTestApp, _get_test_app
from ckanext.ccphva_datastore import dump, storage
from ckanext.datastore.backend import DatastoreBackend
from ckanext.datastore.blueprint import dump_to
from pyarrow import parquet

pytestmark = pytest.mark.usefixtures("plugins_loaded")

FIELDS = [
    {"id": "Nom du lieu", "type": "text", "info": {"label": "Lieu", "notes": "Où ?"}},
    {"id": "code", "type": "text"},
    {"id": "nombre", "type": "int"},
    {"id": "montant", "type": "numeric"},
    {"id": "mesure", "type": "float"},
    {"id": "vrai", "type": "bool"},
    {"id": "moment", "type": "timestamp"},
    {"id": "jour", "type": "date"},
    {"id": "listes", "type": "_text"},
    {"id": "objet", "type": "json"},
    {"id": "4e <col>", "type": "text"},
]
ROWS: list[dict[str, Any]] = [
    {
        "Nom du lieu": 'Rue "neuve", n° 3',
        "code": "=1+1",
        "nombre": 1,
        "montant": "12.50",
        "mesure": 0.1,
        "vrai": True,
        "moment": "2026-11-24T10:00:00.125",
        "jour": "2026-11-24",
        "listes": ["a", 'b"c', None],
        "objet": {"a": [1, {"b": "é\\n"}]},
        "4e <col>": "<script>alert(1)</script> & ]]>",
    },
    {"Nom du lieu": "deux\nlignes\tet tab\\n", "code": "01", "vrai": False, "mesure": 1e300},
    {"Nom du lieu": "", "code": "-3", "montant": "99999999999999999999.123456789"},
    {"Nom du lieu": "\u0001 \u0002 '", "code": "@cmd", "nombre": -5},
    {"Nom du lieu": "日本 🏞", "code": "\tx", "nombre": 2147483647},
]


@pytest.fixture(scope="module")
def app(plugins_loaded: None) -> CKANTestApp:  # noqa: F811
    return _get_test_app()


@pytest.fixture(scope="module")
def table(app: CKANTestApp) -> Iterator[str]:
    """The id of a resource with every kind of column and awkward texts."""
    model.repo.rebuild_db()
    forget_tables()
    organization = factories.Organization()["id"]
    dataset = call_action("package_create", name="dumps", title="Dumps", owner_org=organization)
    resource = call_action(
        "datastore_create",
        resource={"package_id": dataset["id"], "name": "x"},
        fields=FIELDS,
        records=ROWS,
        aliases="lieux-a-exporter",
    )["resource_id"]
    with DatastoreBackend.get_active_backend()._get_write_engine().begin() as connection:  # type: ignore[attr-defined]
        # A JSON column keeps its white space, line ends too.
        connection.execute(
            sa.text(f'UPDATE "{resource}" SET objet.json = :text WHERE _id = 2'),  # noqa: S608
            {"text": '{"k": \n [1,\n2]}'},
        )
    yield resource
    call_action("datastore_delete", resource_id=resource, force=True)


def stock(table: str, form: str, **search: Any) -> bytes:
    """What core's own dump writes."""
    user = call_action("get_site_user")["name"]
    sort = search.pop("sort", "_id")
    pages = dump_to(table, form, search.pop("offset", 0), search.pop("limit", None), {}, sort, search, user)
    return b"".join(pages)


def ours(app: CKANTestApp, table: str, query: str = "") -> bytes:
    answer = app.get(f"/datastore/dump/{table}{query}")
    assert answer.status_code == 200, answer.body
    return answer.data


@pytest.mark.parametrize("form", ["csv", "tsv", "xml"])
def test_bytes_are_those_of_stock(app: CKANTestApp, table: str, form: str) -> None:
    """Clients that read CKAN's dump find every byte where it was."""
    assert ours(app, table, f"?format={form}") == stock(table, form)


def test_json_says_what_stock_says(app: CKANTestApp, table: str) -> None:
    """Numbers keep the digits of the database; everything else is equal."""
    text = ours(app, table, "?format=json")
    assert json.loads(text) == json.loads(stock(table, "json"))
    assert b"99999999999999999999.123456789" in text
    assert b"12.50" in text


def test_numbers_and_times_of_every_kind_are_those_of_stock(app: CKANTestApp) -> None:
    """Order by number, years of five digits, infinity, NaN, extremes: by value, in JSON and CSV."""
    values: list[dict[str, Any]] = [{"n": n, "t": f"2026-01-{n:02} 10:00:00.999"} for n in range(1, 13)]
    values += [
        {"x": x, "f": x, "d": "0044-03-15 BC"} for x in ("NaN", "Infinity", "-Infinity", "1e-7", "0.10")
    ]
    values += [{"t": t} for t in ("infinity", "-infinity", "10000-01-01", "0044-03-15 BC", "0001-01-01")]
    types = {"n": "int8", "x": "numeric", "f": "float8", "t": "timestamp", "d": "date", "z": "timestamptz"}
    resource = call_action(
        "datastore_create",
        resource={"package_id": call_action("package_show", id="dumps")["id"], "name": "values"},
        fields=[{"id": name, "type": kind} for name, kind in types.items()],
        records=[*values, {"z": "2026-07-01T12:00:00+02:00", "n": -(2**63)}],
    )["resource_id"]
    for sort in ("_id", "n desc"):
        found = json.loads(ours(app, resource, f"?format=json&sort={sort}"))
        assert found == json.loads(stock(resource, "json", sort=sort))
        assert ours(app, resource, f"?sort={sort}") == stock(resource, "csv", sort=sort)
    call_action("datastore_delete", resource_id=resource, force=True)


@pytest.mark.parametrize(
    ("query", "search"),
    [
        ("&limit=2&offset=1", {"limit": 2, "offset": 1}),
        ("&sort=code desc", {"sort": "code desc"}),
        ('&filters={"code":"01"}', {"filters": {"code": "01"}}),
        ('&filters={"nombre":{"gte":1}}', {"filters": {"nombre": {"gte": 1}}}),
        ("&q=neuve", {"q": "neuve"}),
        ("&fields=code,nombre", {"fields": ["code", "nombre"]}),
    ],
)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_parameters_mean_what_they_mean_in_stock(
    app: CKANTestApp, table: str, form: str, query: str, search: dict[str, Any]
) -> None:
    """Filters, search, order, columns, limits."""
    if form == "json" and "q" in search:
        # Stock fails on it; its rank is the last value of each row.
        assert [row[2] for row in json.loads(ours(app, table, "?format=json" + query))["records"]] == ["=1+1"]
        return
    found, expected = ours(app, table, f"?format={form}{query}"), stock(table, form, **search)
    if form == "json":
        assert json.loads(found) == json.loads(expected)
    else:
        assert found == expected


def test_distinct(app: CKANTestApp, table: str) -> None:
    """Each row once; stock's JSON knows no order of distinct rows, and neither does ours."""
    query = "&distinct=true&fields=vrai&sort=vrai"
    expected = stock(table, "csv", distinct=True, fields=["vrai"], sort="vrai")
    assert ours(app, table, f"?format=csv{query}") == expected
    assert app.get(f"/datastore/dump/{table}?format=json{query}").status_code == 400


def test_json_lines(app: CKANTestApp, table: str) -> None:
    """One object a line, as many as rows."""
    lines = ours(app, table, "?format=jsonl").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["_id"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0]["objet"] == {"a": [1, {"b": "é\\n"}]}
    assert rows[1]["objet"] == {"k": [1, 2]}
    assert rows[1]["Nom du lieu"] == "deux\nlignes\tet tab\\n"
    assert rows[3]["Nom du lieu"] == "\u0001 \u0002 '"


def test_nothing_to_send_is_a_whole_file(app: CKANTestApp, table: str) -> None:
    """No row: still valid JSON, XML and CSV with a header."""
    none = '&filters={"code":"absent"}'
    assert ours(app, table, "?limit=0") == ours(app, table, f"?format=csv{none}")  # stock: not even a header
    assert json.loads(ours(app, table, f"?format=json{none}"))["records"] == []
    assert ours(app, table, f"?format=xml{none}").endswith(b"</data>\n")
    assert len(ours(app, table, f"?format=csv{none}").splitlines()) == 1
    assert ours(app, table, f"?format=jsonl{none}") == b""


def test_safe_cells_begin_no_formula(app: CKANTestApp, table: str) -> None:
    """Spreadsheets show what they would otherwise execute."""
    rows = list(csv.DictReader(io.StringIO(ours(app, table, "?safe=1").decode())))
    assert [row["code"] for row in rows] == ["'=1+1", "01", "'-3", "'@cmd", "'\tx"]
    assert rows[3]["nombre"] == "-5"  # a number is one


def test_gzip_and_byte_order_mark(app: CKANTestApp, table: str) -> None:
    """A packed file holds the same bytes; the mark is the first of them."""
    packed = app.get(f"/datastore/dump/{table}?gzip=1&bom=1")
    assert packed.headers["Content-Disposition"].endswith('.csv.gz"')
    assert gzip.decompress(packed.data) == b"\xef\xbb\xbf" + ours(app, table)


def test_an_alias_is_an_address(app: CKANTestApp, table: str) -> None:
    assert ours(app, "lieux-a-exporter") == ours(app, table)


def test_geojson(app: CKANTestApp, table: str) -> None:
    """A table with a geometry is a collection of features in WGS 84; another has no such form."""
    refused = app.get(f"/datastore/dump/{table}?format=geojson")
    assert refused.status_code == 400
    dataset = call_action("package_show", id="dumps")["id"]
    made = call_action(
        "datastore_create",
        resource={"package_id": dataset, "name": "points"},
        fields=[{"id": "nom: complet", "type": "text"}, {"id": "lieu", "type": "geometry"}],
        records=[
            {"nom: complet": "Mairie d'ici", "lieu": "SRID=2154;POINT(917000 6934000)"},
            {"nom: complet": "?"},
        ],
    )["resource_id"]
    found = json.loads(ours(app, made, "?format=geojson"))
    first, second = found["features"]
    longitude, latitude = first["geometry"]["coordinates"]
    assert (first["type"], first["geometry"]["type"], first["properties"]) == (
        "Feature",
        "Point",
        {"nom: complet": "Mairie d'ici"},
    )
    assert 5.9 < longitude < 6.1
    assert 49.3 < latitude < 49.6
    assert second["geometry"] is None
    call_action("datastore_delete", resource_id=made, force=True)


@pytest.mark.parametrize(
    "query",
    [
        "format=pdf",
        "limit=many",
        "fields=nosuch",
        "sort=nosuch",
        'filters={"nosuch":1}',
        "filters={",
        'filters={"nombre":"pas un nombre"}',
        "offset=-1",
        "limit=-1",
    ],
)
def test_wrong_parameters_are_named(app: CKANTestApp, table: str, query: str) -> None:
    """400 with a sentence, no SQL, never 500."""
    answer = app.get(f"/datastore/dump/{table}?{query}")
    assert answer.status_code == 400
    assert answer.body.strip()
    assert "SELECT" not in answer.body


def test_unknown_tables(app: CKANTestApp) -> None:
    assert app.get("/datastore/dump/nosuch").status_code == 404
    assert app.get("/datastore/dump/_table_metadata").status_code == 404


class TestParquet:
    def read(self, app: CKANTestApp, table: str, query: str = "") -> pa.Table:
        return parquet.read_table(io.BytesIO(ours(app, table, f"?format=parquet{query}")))

    def test_every_type(self, app: CKANTestApp, table: str) -> None:
        """Types are those of the columns, numbers keep their digits, NULL is not the empty text."""
        found = self.read(app, table)
        types = {field.name: str(field.type) for field in found.schema}
        assert types["nombre"] == "int32"
        assert types["montant"] == "string"  # 29 digits
        assert (types["mesure"], types["vrai"]) == ("double", "bool")
        assert (types["moment"], types["jour"]) == ("timestamp[us]", "date32[day]")
        rows = found.to_pylist()
        assert [row["Nom du lieu"] for row in rows] == [row["Nom du lieu"] for row in ROWS]
        assert rows[0]["moment"] == datetime(2026, 11, 24, 10, 0, 0, 125000)
        assert rows[0]["jour"] == date(2026, 11, 24)
        assert [row["vrai"] for row in rows] == [True, False, None, None, None]
        assert json.loads(rows[0]["objet"]) == ROWS[0]["objet"]
        assert json.loads(rows[0]["listes"]) == ROWS[0]["listes"]
        assert str(rows[2]["montant"]) == "99999999999999999999.123456789"
        assert rows[1]["mesure"] == 1e300

    def test_a_filter_and_no_row(self, app: CKANTestApp, table: str) -> None:
        """Parameters hold, and nothing to send is a whole file with its columns."""
        assert self.read(app, table, '&filters={"code":"01"}&fields=code').to_pylist() == [{"code": "01"}]
        none = self.read(app, table, '&filters={"code":"absent"}')
        assert (none.num_rows, none.num_columns) == (0, len(FIELDS) + 1)
        assert self.read(app, table, "&q=neuve&fields=code").to_pylist()[0]["code"] == "=1+1"

    def test_geometry_has_its_reference_system(self, app: CKANTestApp, table: str) -> None:
        """GeoParquet: WKB, and PROJJSON of the column's system; mixed systems become WGS 84."""
        resource = call_action(
            "datastore_create",
            resource={"package_id": call_action("package_show", id="dumps")["id"], "name": "formes"},
            fields=[{"id": "libre", "type": "geometry"}, {"id": "lambert", "type": "geometry"}],
            records=[
                {"libre": "SRID=2154;POINT(917000 6934000)", "lambert": "SRID=2154;POINT(917000 6934000)"},
                {},
            ],
        )["resource_id"]
        with DatastoreBackend.get_active_backend()._get_write_engine().begin() as connection:  # type: ignore[attr-defined]
            kind = "geometry(Point, 2154) USING ST_SetSRID(lambert, 2154)"
            connection.execute(sa.text(f'ALTER TABLE "{resource}" ALTER lambert TYPE {kind}'))
        found = self.read(app, resource)
        described = json.loads(found.schema.metadata[b"geo"])
        assert described["primary_column"] == "libre"
        assert "crs" not in described["columns"]["libre"]
        assert described["columns"]["lambert"]["crs"]["id"] == {"authority": "EPSG", "code": 2154}
        row = found.to_pylist()[0]
        order, kind, longitude, latitude = struct.unpack("<BIdd", row["libre"])
        assert (order, kind, round(longitude), round(latitude)) == (1, 1, 6, 49)
        assert struct.unpack("<BIdd", row["lambert"])[2:] == (917000, 6934000)
        assert found.to_pylist()[1]["libre"] is None
        call_action("datastore_delete", resource_id=resource, force=True)

    def test_numbers_that_fit_no_decimal_stay_texts(self, app: CKANTestApp, table: str) -> None:
        """Nothing is rounded in silence; moments beyond the calendar are empty."""
        resource = call_action(
            "datastore_create",
            resource={"package_id": call_action("package_show", id="dumps")["id"], "name": "x"},
            fields=[
                {"id": "n", "type": "numeric"},
                {"id": "m", "type": "numeric"},
                {"id": "t", "type": "timestamptz"},
            ],
            records=[
                {"n": "NaN", "m": "0.1", "t": "2026-07-01T12:00:00+02:00"},
                {"n": "1.50", "m": "12.345", "t": "infinity"},
            ],
        )["resource_id"]
        first, second = self.read(app, resource).to_pylist()
        assert (first["n"], second["n"]) == ("NaN", "1.50")
        assert (str(first["m"]), str(second["m"])) == ("0.100", "12.345")
        assert first["t"] == datetime(2026, 7, 1, 10, tzinfo=UTC)
        assert second["t"] is None
        call_action("datastore_delete", resource_id=resource, force=True)

    def test_row_groups_hold_memory_flat(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A table larger than a group is several, and no row is lost at their borders."""
        monkeypatch.setattr(dump.parquet, "ROW_GROUP", 10_000)
        pieces = [b"".join(b'%d,"a ""b""\n"\n' % n for n in range(s, s + 100)) for s in range(0, 5000, 100)]
        cells = [dump.parquet.Cell("n", "int4"), dump.parquet.Cell("t", "text")]
        found = parquet.ParquetFile(io.BytesIO(b"".join(dump.parquet.write(pieces, cells))))
        assert found.num_row_groups > 3
        assert found.read().column("n").to_pylist() == list(range(5000))
        assert set(found.read().column("t").to_pylist()) == {'a "b"\n'}


class TestStream:
    @pytest.fixture
    def large(self, table: str) -> dump.Dump:
        """A dump of 300,000 rows, some 30 MB, made by the database as it is read."""
        ready = dump.prepare({"user": ""}, {"resource_id": table, "format": "csv"})
        rows = "COPY (SELECT g, repeat('x', 100) FROM generate_series(1, 300000) g) TO STDOUT (FORMAT csv)"
        return dump.Dump(ready.form, ready.fields, ready.relation, rows)

    @staticmethod
    def running() -> int:
        return sum(thread.name == "dump" for thread in threading.enumerate())

    def test_nothing_is_lost_on_the_way(self, large: dump.Dump) -> None:
        """Every row, in order, across the borders of pieces."""
        body = b"".join(large.pieces()).split(b"\n", 1)[1]
        lines = body.splitlines()
        assert len(lines) == 300_000
        assert (lines[0][:2], lines[-1][:7]) == (b"1,", b"300000,")

    def test_a_slow_reader_holds_little_memory(self, large: dump.Dump) -> None:
        """What waits for it is bounded; the database waits too."""
        pieces = large.pieces()
        next(pieces), next(pieces)
        time.sleep(0.5)
        frame = pieces.gi_frame  # type: ignore[attr-defined]
        waiting = frame.f_locals["pipe"]._queue
        assert waiting.qsize() <= dump.WAITING
        pieces.close()  # type: ignore[attr-defined]

    def test_a_reader_who_goes_away_ends_it(self, large: dump.Dump) -> None:
        """Thread and connection are given back."""
        pieces = large.pieces()
        next(pieces)
        assert self.running() == 1
        pieces.close()  # type: ignore[attr-defined]
        end = time.monotonic() + 5
        while self.running() and time.monotonic() < end:
            time.sleep(0.05)
        assert self.running() == 0

    def test_too_many_at_a_time_are_told_when_to_come_back(
        self, app: CKANTestApp, table: str, large: dump.Dump
    ) -> None:
        """A web process keeps threads for its pages."""
        under_way = [large.pieces() for _ in range(4)]
        for pieces in under_way:
            next(pieces)
        answer = app.get(f"/datastore/dump/{table}")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        for pieces in under_way:
            pieces.close()  # type: ignore[attr-defined]
        end = time.monotonic() + 5
        while self.running() and time.monotonic() < end:
            time.sleep(0.05)
        assert ours(app, table)

    def test_a_failure_in_the_middle_is_no_end(self, large: dump.Dump) -> None:
        """Half a table never looks like a whole one."""
        broken = large.statement.replace("repeat('x', 100)", "100 / (200000 - g), repeat('x', 100)")
        pieces = dump.Dump(large.form, large.fields, large.relation, broken).pieces()
        next(pieces)
        with pytest.raises(Exception, match="division by zero"):
            list(pieces)

    def test_it_only_reads(self, large: dump.Dump) -> None:
        """Its transaction cannot write, whatever the statement."""
        sequence = f'public."{large.relation.name}__id_seq"'
        sequence = f'public."{large.relation.name}__id_seq"'
        writes = large.statement.replace("SELECT g,", f"SELECT nextval('{sequence}'), g,")
        with pytest.raises(Exception, match=r"read-only|permission denied"):
            list(dump.Dump(large.form, large.fields, large.relation, writes).pieces())


def test_copy_statement_writes_values_as_literals() -> None:
    """A value is never SQL."""
    parts = {
        "sort": [],
        "where": 'WHERE "a" = :value_0',
        "values": {"value_0": "x' OR '1'='1"},
        "ts_query": "",
        "limit": 3,
    }
    relation = dump.Relation("public", 'odd"name')
    assert storage.copy_statement(relation, "csv", '"a"', parts) == (
        """COPY (SELECT "a" FROM "public"."odd""name"  WHERE "a" = 'x'' OR ''1''=''1'  LIMIT 3 OFFSET 0) """
        "TO STDOUT (FORMAT csv)"
    )
