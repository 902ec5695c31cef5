# ruff: noqa: S608
"""`./portal bench load`: a file into a table, against ckanext-xloader's direct COPY and PostgreSQL's COPY.

xloader 2.6.0 needs another certifi than CKAN pins and cannot stand beside it: its steps are replayed here
on the
same database, in its order (`loader.load_csv`): the rows re-encoded one by one into a temporary file,
`datastore_create`
of the empty table, indexes dropped and the full-text trigger disabled, TRUNCATE, COPY, UPDATE of `_full_text`
for all rows. Downloads, its types' guess (ours is in a line of its own) and its optional column indexes are
left out: all would slow it.
"""

from __future__ import annotations

import csv
import io
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from catalogue_support import call_action, forget_tables
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_datastore import config
from ckanext.ccphva_datastore.loading import bounded, storage
from ckanext.ccphva_datastore.loading.columns import TYPES
from loads_support import upload
from measure import Report, paired, portal, seconds

ROWS = 200_000
NAMES = ("lieu", "montant", "moment", "empreinte", "rang")


def main() -> None:
    report = Report("load")
    with portal(), tempfile.TemporaryDirectory() as folder:
        model.repo.rebuild_db()
        forget_tables()
        path = make_file(Path(folder) / "rows.csv", ROWS)
        dataset = call_action(
            "package_create", name="load", title="Load", owner_org=factories.Organization()["id"]
        )
        ids = [resource(dataset["id"]) for _ in range(3)]
        ours_id, peer_id, raw_id = ids
        whole(path, ours_id)
        xloader(path, peer_id)
        assert contents(ours_id) == contents(peer_id), "ours and xloader's differ"
        ours, peer = paired(lambda: load(path, ours_id), lambda: xloader(path, peer_id), rounds=3)
        report.rate("B6 load-queryable", ROWS, ours, peer, " rows/s", 3)
        ours, peer = paired(lambda: load(path, ours_id), lambda: copy(path, raw_id), rounds=3)
        report.rate("B6 load-copy", ROWS, ours, peer, " rows/s", 0.5)
        ours, peer = paired(lambda: load(path, ours_id, first=True), lambda: xloader(path, peer_id), rounds=3)
        report.rate("B6 first-load-with-types", ROWS, ours, peer, " rows/s", 3)
        ours, peer = paired(lambda: whole(path, ours_id), lambda: xloader(path, peer_id), rounds=3)
        report.rate("B6 load-with-words-and-index", ROWS, ours, peer, " rows/s", 1)
        small = make_file(Path(folder) / "small.csv", 10_000)
        made = upload("small.csv", small.read_bytes(), dataset=dataset["id"])
        report.most("B6 upload-10k", seconds(lambda: task(made["id"])), 10, " s")
        forget_tables()
    report.keep()


def make_file(path: Path, rows: int) -> Path:
    seed = random.Random(6)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(NAMES)
        for n in range(1, rows + 1):
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_767_225_600 + n))
            out.writerow([f"Rue de la Mine {n}", n * 1.5, moment, f"{seed.getrandbits(128):032x}", n % 7])
    return path


def resource(dataset: str) -> str:
    return call_action("resource_create", package_id=dataset, url="http://example.org/a.csv", name="a")["id"]


def task(resource_id: str) -> None:
    from ckanext.ccphva_datastore.loading import tasks

    load = tasks.load(resource_id)
    assert load is not None
    assert load.state == "done", load.reason


KEPT = {"lieu": "text", "montant": "numeric", "moment": "timestamp", "empreinte": "text", "rang": "int"}


def load(path: Path, resource_id: str, first: bool = False) -> list[storage.Column]:
    """Ours until everybody reads the new rows and finds words in them: read, copied, in the old one's
    place.
    """
    limits = bounded.Limits(config.load_memory(), config.load_unfolded(), config.load_seconds())
    with tempfile.TemporaryDirectory() as folder, storage.connected() as connection:
        work: dict[str, Any] = {"work": "file", "path": str(path)}
        if not first:
            work["kept"] = {name: {"type": kind} for name, kind in KEPT.items()}
        with bounded.reading(work, limits, Path(folder)) as reader:
            answer = reader.answer()
            columns = [storage.Column(each["name"], TYPES[each["type"]], {}) for each in answer["columns"]]
            reader.ask({"columns": answer["columns"]})
            count = storage.fill(connection, resource_id, columns, reader.rows)
            reader.finish()
        storage.swap(connection, resource_id, columns, count, "public")
    return columns


def whole(path: Path, resource_id: str) -> None:
    """Ours with what follows in the background: `_full_text` of every row, and its index."""
    columns = load(path, resource_id)
    with storage.connected() as connection:
        storage.fill_words(connection, resource_id, columns, lambda: None)


def columns_of(path: Path) -> str:
    return ", ".join(f'"{name}"' for name in NAMES)


TABLE = '"lieu" text, "montant" numeric, "moment" timestamp, "empreinte" text, "rang" int8'


def make_table(cursor: Any, resource_id: str) -> None:
    cursor.execute(
        f'DROP TABLE IF EXISTS "{resource_id}" CASCADE; '
        f'CREATE TABLE "{resource_id}" (_id serial PRIMARY KEY, _full_text tsvector, {TABLE})'
    )


def xloader(path: Path, resource_id: str) -> None:
    """The steps of ckanext-xloader's direct load; see the top of this module."""
    with storage.connected() as connection:
        with tempfile.NamedTemporaryFile("w+", newline="") as copied, path.open(newline="") as source:
            rows, out = csv.reader(source), csv.writer(copied)
            for row in rows:
                out.writerow(row)
            copied.flush()
            with connection, connection.cursor() as cursor:
                make_table(cursor, resource_id)
                cursor.execute(
                    f'CREATE TRIGGER zfulltext BEFORE INSERT OR UPDATE ON "{resource_id}" '
                    "FOR EACH ROW EXECUTE PROCEDURE populate_full_text_trigger()"
                )
            with connection, connection.cursor() as cursor:
                cursor.execute(f'ALTER TABLE "{resource_id}" DISABLE TRIGGER zfulltext')
                cursor.execute(f'TRUNCATE "{resource_id}"')
            copied.seek(0)
            with connection, connection.cursor() as cursor:
                cursor.copy_expert(
                    f'COPY "{resource_id}" ({columns_of(path)}) FROM STDIN (FORMAT csv, HEADER)', copied
                )
        words = " || ' ' || ".join(f"coalesce(CAST(\"{name}\" AS text), '')" for name in NAMES)
        with connection, connection.cursor() as cursor:
            cursor.execute(f'UPDATE "{resource_id}" SET _full_text = to_tsvector({words})')
            cursor.execute(f'ALTER TABLE "{resource_id}" ENABLE TRIGGER zfulltext')


def copy(path: Path, resource_id: str) -> None:
    """COPY into the same kind of table, without a trigger, words or any reading of the file."""
    with storage.connected() as connection, connection, connection.cursor() as cursor, path.open() as file:
        make_table(cursor, resource_id)
        cursor.copy_expert(f'COPY "{resource_id}" ({columns_of(path)}) FROM STDIN (FORMAT csv, HEADER)', file)


def contents(resource_id: str) -> str:
    with storage.connected() as connection, connection.cursor() as cursor:
        out = io.StringIO()
        cursor.copy_expert(
            f'COPY (SELECT {", ".join(NAMES)} FROM "{resource_id}" ORDER BY _id) TO STDOUT', out
        )
        return out.getvalue()


if __name__ == "__main__":
    main()
