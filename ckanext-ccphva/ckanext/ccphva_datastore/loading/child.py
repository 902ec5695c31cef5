"""The reading process: `python -m ckanext.ccphva_datastore.loading.child`. No CKAN.

It is given its task as one line of JSON on standard input, answers with what it found as one line on standard
output, waits for the types that were chosen, and then writes rows as COPY reads them. A refusal is one line
of
JSON on standard error, and code 3.
"""

from __future__ import annotations

import csv
import errno
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from ckanext.ccphva_datastore.loading.faults import Fault, shown
from ckanext.ccphva_datastore.loading.table import Table

REFUSED = 3
SHOWN_ROWS = 10
PIECE = 500


def main() -> int:
    task: dict[str, Any] = {}
    try:
        task = json.loads(sys.stdin.readline())
        _file(task)
    except Fault as fault:
        print(json.dumps({"code": fault.code, "values": fault.values}, default=str), file=sys.stderr)
        return REFUSED
    except MemoryError:
        print(json.dumps({"code": "memory", "values": {"most": task["memory"]}}), file=sys.stderr)
        return REFUSED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG):
            raise
        print(json.dumps({"code": "disk", "values": {}}), file=sys.stderr)
        return REFUSED
    return 0


def _file(task: dict[str, Any]) -> None:
    from ckanext.ccphva_datastore.loading import documents, unwrap

    folder = Path(task["folder"])
    kind, path = unwrap.kind_of(Path(task["path"]), folder, task["unfolded"] * unwrap.MB)
    if kind == "html" and not task.get("html"):
        raise Fault("html")
    if kind in documents.KINDS:
        _say({"kind": kind})
        for page in documents.pages(kind, path):
            _say(page)
    elif kind == "other":
        _say({"kind": kind})
    else:
        _table(task, kind, path)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _table(task: dict[str, Any], kind: str, path: Path) -> None:
    table, kind = open_file(task, kind, path)
    columns = table.columns()
    sample = list(itertools.islice(table.rows(), task.get("sample", 5_000)))
    if not sample:
        raise Fault("no-rows")
    kept = task.get("kept") or {}
    proposals = proposed(table, columns, sample, kept)
    answer = {
        "kind": kind,
        "encoding": table.encoding,
        "separator": table.separator,
        "heading_line": table.heading_line,
        "layer": table.layer,
        "others": table.others,
        "crs": _crs(table, proposals),
        "columns": [
            {
                "name": name,
                "heading": str(head),
                "sample": [shown(row[at], 80) for row in sample[:SHOWN_ROWS]],
            }
            | proposal
            for at, (name, head, proposal) in enumerate(zip(columns, table.names, proposals, strict=True))
        ],
    }
    _say(answer)
    line = sys.stdin.readline()
    if not line:
        return
    write(table, columns, json.loads(line)["columns"], sys.stdout, answer["crs"])


def _crs(table: Table, proposals: list[dict[str, Any]]) -> str:
    if table.crs:
        return table.crs
    return "EPSG:4326" if any(each["type"] in ("geojson", "wkt") for each in proposals) else ""


def open_file(task: dict[str, Any], kind: str, path: Path) -> tuple[Table, str]:
    """The table of a file, and its kind."""
    from ckanext.ccphva_datastore.loading import geodata, records, sheets, texts

    layer, crs = task.get("layer") or "", task.get("crs") or ""
    match kind:
        case "text":
            return texts.open_table(path), kind
        case "xlsx" | "xls" | "ods":
            return sheets.open_table(path, layer), kind
        case "json":
            document = records.read(path)
            if not records.is_geojson(document):
                return records.table(document), kind
            del document
            return geodata.open_table(path, kind, layer, crs), "geojson"
        case "gml" | "jml":
            # GDAL writes notes of its own beside these files: not into the folder of somebody else.
            (beside := Path(task["folder"]) / f"source.{kind}").symlink_to(path)
            return geodata.open_table(beside, kind, layer, crs), kind
        case "gpkg" | "shape":
            return geodata.open_table(path, kind, layer, crs), kind
        case _:
            raise Fault("kind")


def proposed(
    table: Table, columns: list[str], sample: list[list[str]], kept: dict[str, Any]
) -> list[dict[str, Any]]:
    """A proposal for each column: kept ones, those the file knows itself, and for the rest by the cells."""
    from ckanext.ccphva_datastore.loading.columns import propose

    types = table.types or ["?"] * len(columns)
    found: list[dict[str, Any]] = [{"type": kind, "format": ""} for kind in types]
    for at, name in enumerate(columns):
        if name in kept and (types[at] == "geometry") == (kept[name]["type"] == "geometry"):
            found[at] = {"format": ""} | kept[name]
    open_ = [at for at, each in enumerate(found) if each["type"] == "?"]
    if open_:
        guessed = propose(
            [str(table.names[at]) for at in open_],
            [[row[at] for at in open_] for row in sample],
            table.separator,
        )
        for at, guess in zip(open_, guessed, strict=True):
            found[at] = guess
    return found


def write(table: Table, columns: list[str], chosen: list[dict[str, Any]], out: TextIO, crs: str = "") -> None:
    """Rows in COPY's CSV: an unquoted empty cell is NULL."""
    from ckanext.ccphva_datastore.loading.columns import converters

    work = converters(columns, chosen, crs)
    kinds = [each["type"] for each in chosen]
    put = csv.writer(out, lineterminator="\n").writerows
    for piece in _pieces(_converted(table.rows(), table, work, kinds, columns)):
        put(piece)
    out.flush()


def _converted(
    rows: Iterator[list[str]], table: Table, work: list[Any], kinds: list[str], columns: list[str]
) -> Iterator[list[str]]:
    lonely = len(columns) == 1
    for row in rows:
        for at, name, convert in work:
            cell = row[at]
            if cell:
                try:
                    row[at] = convert(cell)
                except ValueError as error:
                    if not cell.strip():
                        row[at] = ""
                        continue
                    raise Fault(
                        "cell", line=table.line, column=name, value=shown(cell), type=kinds[at]
                    ) from error
        if lonely and row[0] == "\\.":  # which COPY would take for the end
            row = ["\\. "]
        yield row


def _pieces(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while piece := list(itertools.islice(rows, PIECE)):
        yield piece


if __name__ == "__main__":
    sys.exit(main())
