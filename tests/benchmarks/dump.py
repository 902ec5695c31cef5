"""`./portal bench dump`: whole tables against PostgreSQL's own COPY and CKAN's own dump."""

from __future__ import annotations

import json
import resource
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import sqlalchemy as sa
from catalogue_support import call_action, forget_tables
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_datastore import dump, storage
from ckanext.datastore.backend import DatastoreBackend
from ckanext.datastore.blueprint import dump_to
from measure import Report, paired, portal

ROWS, STOCK_ROWS, MANY = 1_000_000, 100_000, 10_000_000
FIELDS = [
    {"id": "lieu", "type": "text"},
    {"id": "montant", "type": "numeric"},
    {"id": "moment", "type": "timestamp"},
    {"id": "empreinte", "type": "text"},
    {"id": "rang", "type": "int"},
]
VALUES = (
    "'Rue de la Mine ' || g, g * 1.5, timestamp '2026-01-01' + g * interval '1 s', "
    "md5(CAST(g AS text)), g % 7"
)


def main() -> None:
    report = Report("dump")
    with portal():
        table = make_table(ROWS)
        ready = dump.prepare({"user": ""}, {"resource_id": table, "format": "csv"})
        assert b"".join(ready.pieces()).count(b"\n") == ROWS + 1
        ours, peer = paired(lambda: drain(ready.pieces()), lambda: copy(ready.statement))
        report.rate("B7 dump-csv", ROWS, ours, peer, " rows/s", 0.85)

        small = {"resource_id": table, "limit": STOCK_ROWS, "offset": 0, "sort": "_id"}
        parts = dump.prepare({"user": ""}, small | {"format": "json"})
        assert json.loads(b"".join(parts.pieces())) == json.loads(b"".join(stock(table, "json")))
        ours, peer = paired(lambda: drain(parts.pieces()), lambda: drain(stock(table, "json")), rounds=3)
        report.rate("B7 dump-json", STOCK_ROWS, ours, peer, " rows/s", 5)
        csv = dump.prepare({"user": ""}, small | {"format": "csv"})
        ours, peer = paired(lambda: drain(csv.pieces()), lambda: drain(stock(table, "csv")), rounds=3)
        report.rate("B7 dump-csv-stock", STOCK_ROWS, ours, peer, " rows/s", 1)

        began = time.perf_counter()
        pieces = dump.prepare({"user": ""}, {"resource_id": table, "format": "csv"}).pieces()
        next(pieces)
        report.most("B7 first-byte", (time.perf_counter() - began) * 1000, 100, " ms")
        pieces.close()  # type: ignore[attr-defined]
        while any(thread.name == "dump" for thread in threading.enumerate()):
            time.sleep(0.05)

        fill(table, ROWS, MANY)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        drain(dump.prepare({"user": ""}, {"resource_id": table, "format": "csv"}).pieces())
        drain(dump.prepare({"user": ""}, {"resource_id": table, "format": "jsonl"}).pieces())
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        report.most("B7 memory-10M-rows", grown, 32, " MB more")
        forget_tables()
    report.keep()


def make_table(rows: int) -> str:
    model.repo.rebuild_db()
    forget_tables()
    dataset = call_action(
        "package_create", name="dump", title="Dump", owner_org=factories.Organization()["id"]
    )
    table = call_action(
        "datastore_create", resource={"package_id": dataset["id"], "name": "x"}, fields=FIELDS, records=[]
    )["resource_id"]
    fill(table, 0, rows)
    return table


def fill(table: str, begin: int, end: int) -> None:
    """Rows begin + 1 to end, without core's full-text trigger, which takes 70 µs a row."""
    columns = ", ".join(f'"{field["id"]}"' for field in FIELDS)
    backend: Any = DatastoreBackend.get_active_backend()
    with backend._get_write_engine().begin() as connection:
        connection.execute(sa.text(f'ALTER TABLE "{table}" DISABLE TRIGGER zfulltext'))
        connection.execute(
            sa.text(
                f'INSERT INTO "{table}" ({columns}) SELECT {VALUES} '  # noqa: S608
                f"FROM generate_series({begin + 1}, {end}) g"
            )
        )


def drain(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass


def copy(statement: str) -> None:
    """The same COPY by the database's own client library, into nothing."""
    url = storage._engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
    with open("/dev/null", "wb") as nothing:  # noqa: PTH123
        psycopg2.connect(url).cursor().copy_expert(statement, nothing)


def stock(table: str, form: str) -> Iterator[bytes]:
    user = call_action("get_site_user")["name"]
    return dump_to(table, form, 0, STOCK_ROWS, {}, "_id", {}, user)


if __name__ == "__main__":
    main()
