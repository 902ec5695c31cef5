"""The drop folder: French files in all their encodings, files half written, and paths that lead elsewhere."""

from __future__ import annotations

import datetime as dt
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ccphva_harvesters import (
    ConfigError,
    MemoryCatalogue,
    MemoryTables,
    RunReport,
    Source,
    SourceError,
    TableOutcome,
    harvest,
)
from ccphva_harvesters.formats.native import Native
from ccphva_harvesters.sources import _sheets
from ccphva_harvesters.sources.folder import FolderConfig, FolderSource
from odfdo import Cell, Document
from odfdo import Row as OdfRow
from odfdo import Table as OdfTable

from harvesters.contracts import SourceContract

TEXT = (
    "Rue;Numéro;Code;Hauteur;Posé le;Éclairé\nrue de l’Été;1;01001;1 234,5;31/12/2025;oui\n"
    "Place – forêt;2;01002;0,5;01/02/2026;non\n"
)
TYPES = {
    "Rue": "text", "Numéro": "integer", "Code": "text", "Hauteur": "number", "Posé le": "date",
    "Éclairé": "text",
}  # fmt: skip


def source(root: Path, **config: Any) -> FolderSource:
    """The folder ``depot`` below ``root``, an hour later."""
    return FolderSource(
        FolderConfig(**{"path": "depot", **config}),
        root=root,
        clock=lambda: dt.datetime.now().timestamp() + 3600,
    )


def put(root: Path, name: str, body: bytes | str) -> Path:
    """A file in the folder."""
    path = root / "depot" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return path


def run(
    made: FolderSource, tables: MemoryTables | None = None, catalogue: MemoryCatalogue | None = None
) -> tuple[RunReport, list[TableOutcome], dict[str, list[dict[str, Any]]]]:
    """A harvest: report, outcomes and rows by table."""
    kept, told = tables or MemoryTables(), []
    report = harvest(
        made, Native(), [], catalogue or MemoryCatalogue(), tables=kept, personal_data="none",
        on_table=told.append
    )  # fmt: skip
    return report, told, {table: kept.rows(table) for table in kept.tables}


class TestFolder(SourceContract):
    """Two files."""

    expected_ids = frozenset({"folder:depot/bancs", "folder:depot/arbres"})

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        """CSV both."""
        put(tmp_path, "bancs.csv", TEXT)
        put(tmp_path, "arbres.csv", "a,b\n1,2\n")
        put(tmp_path, "bancs.yaml", "title: Bancs publics")
        put(tmp_path, "notes.docx", "no table")
        return source(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "mac_roman", "utf-16"])
def test_french_encodings(tmp_path: Path, encoding: str) -> None:
    """Accents, dashes and apostrophes arrive, and types are told from every value."""
    put(tmp_path, "bancs.csv", TEXT.encode(encoding))
    made, tables = source(tmp_path), MemoryTables()
    _, told, rows = run(made, tables)
    (table,) = tables.described.values()
    assert {column.name: column.type for column in table.columns} == TYPES
    assert told[0].rejected == 0
    assert rows["folder:depot/bancs"][0] == {
        "Rue": "rue de l’Été", "Numéro": 1, "Code": "01001", "Hauteur": 1234.5, "Posé le": "2025-12-31",
        "Éclairé": "oui",
    }  # fmt: skip


def test_an_encoding_without_its_signs(tmp_path: Path) -> None:
    """Latin-9 and DOS are named in the file; a wrong name is an error, not broken text."""
    put(tmp_path, "bancs.csv", "prix\n5€\n".encode("iso-8859-15"))
    _, _, rows = run(source(tmp_path, encoding="iso-8859-15"))
    assert rows["folder:depot/bancs"] == [{"prix": "5€"}]
    put(tmp_path, "bancs.csv", "é\né\n".encode("cp1252"))
    report, _, _ = run(source(tmp_path, encoding="utf-8"))
    assert report.failed == 1


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_delimiters_and_quotes(tmp_path: Path, delimiter: str) -> None:
    """Also inside quotes, over lines, and with Excel's hint."""
    body = f'a{delimiter}b\n"x{delimiter}y"{delimiter}"deux\nlignes"\n3{delimiter}4\n'
    put(tmp_path, "t.csv", body)
    put(tmp_path, "u.csv", f"sep={delimiter}\n{body}")
    _, _, rows = run(source(tmp_path))
    for table in ("folder:depot/t", "folder:depot/u"):
        assert rows[table] == [{"a": f"x{delimiter}y", "b": "deux\nlignes"}, {"a": "3", "b": "4"}]


def ods(grid: list[list[Any]]) -> bytes:
    """A small ODS."""
    document = Document("spreadsheet")
    document.body.clear()
    table = OdfTable("Feuille")
    for line in grid:
        row = OdfRow()
        for value in line:
            row.append_cell(Cell(value))
        table.append_row(row)
    document.body.append(table)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def xlsx(grid: list[list[Any]]) -> bytes:
    """A small XLSX."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in grid:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("ending", "make"), [("ods", ods), ("xlsx", xlsx)])
def test_workbooks(tmp_path: Path, ending: str, make: Any) -> None:
    """Numbers, dates and texts keep their types."""
    put(
        tmp_path,
        f"bancs.{ending}",
        make([["Rue", "N°", "Le"], ["Été", 1.5, dt.date(2026, 1, 2)], ["Forêt", 2, dt.date(2026, 1, 3)]]),
    )
    tables = MemoryTables()
    _, told, rows = run(source(tmp_path), tables)
    assert told[0].reasons == {}
    assert rows["folder:depot/bancs"][0] == {"Rue": "Été", "N°": 1.5, "Le": "2026-01-02"}


def test_a_description_beside_the_file(tmp_path: Path) -> None:
    """Title, key, units and types are said in YAML; what it names must be there."""
    put(tmp_path, "bancs.csv", TEXT)
    put(
        tmp_path,
        "bancs.yaml",
        "title: Bancs\nkeywords: [mobilier]\nkey: [Numéro]\ncolumns:\n  Hauteur: {unit: m, type: text}\n",
    )
    tables = MemoryTables()
    run(source(tmp_path), tables)
    (table,) = tables.described.values()
    column = table.column("Hauteur")
    assert column is not None
    assert (table.title, table.key, column.unit, column.type) == ("Bancs", ("Numéro",), "m", "text")
    for bad in ("columns: {Nichts: {}}", "key: [Nichts]", "titel: x", "[", "a: &a [*a]"):
        put(tmp_path, "bancs.yaml", bad)
        report, _, _ = run(source(tmp_path))
        assert (report.failed, report.deleted) == (1, 0), bad


def test_the_last_of_several_files_of_a_dataset(tmp_path: Path) -> None:
    """A pattern names the dataset; yesterday's file gives way to today's."""
    put(tmp_path, "comptages_2026-11-24.csv", "n\n1\n")
    put(tmp_path, "comptages_2026-11-25.csv", "n\n2\n")
    put(tmp_path, "autre.csv", "n\n3\n")
    _, _, rows = run(source(tmp_path, name=r"(?P<dataset>\w+?)_\d{4}-\d\d-\d\d"))
    assert rows == {"folder:depot/comptages": [{"n": 2}]}


def test_files_that_are_still_written_are_left(tmp_path: Path) -> None:
    """Read only when they have rested; meanwhile nothing is withdrawn."""
    tables, catalogue = MemoryTables(), MemoryCatalogue()
    path = put(tmp_path, "bancs.csv", "n\n1\n")
    put(tmp_path, "arbres.csv", "n\n1\n")
    run(source(tmp_path), tables, catalogue)
    path.write_text("n\n2\n")
    (tmp_path / "depot" / "arbres.csv").write_text("n\n2")
    for name in ("new.csv.part", "~$bancs.xlsx", ".hidden.csv", "x.tmp"):
        put(tmp_path, name, "n\n1\n")
    fresh = FolderSource(FolderConfig(path="depot"), root=tmp_path)
    assert "2 are still being written" in fresh.check()
    report, _, rows = run(fresh, tables, catalogue)
    assert (report.retriable, report.deleted, report.complete) == (True, 0, False)
    assert rows["folder:depot/bancs"] == [{"n": 1}]
    report, _, rows = run(source(tmp_path), tables, catalogue)
    assert (report.ok, rows["folder:depot/bancs"]) == (True, [{"n": 2}])


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    """Columns that are no longer those that were described: later again."""
    put(tmp_path, "bancs.csv", "n\n1\n")
    made = source(tmp_path)
    (record,) = made.records()
    put(tmp_path, "bancs.csv", "n;m\n1;2\n")
    with pytest.raises(Exception, match="changed while it was read"):
        list(made.rows(record.content.tables[0], {}))


@pytest.mark.parametrize("path", ["../x", "/etc", "a/../../b"])
def test_paths_are_confined(tmp_path: Path, path: str) -> None:
    """Nothing outside of the folder that the operator opened."""
    with pytest.raises(ConfigError):
        FolderSource(FolderConfig(path=path), root=tmp_path)


def test_links_out_are_not_followed(tmp_path: Path) -> None:
    """Neither the folder nor a file, nor a description, may lead outside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("n\n1\n")
    root = tmp_path / "root"
    root.mkdir()
    put(root, "ok.csv", "n\n1\n")
    (root / "depot" / "linked.csv").symlink_to(outside / "secret.csv")
    os.mkfifo(root / "depot" / "pipe.csv")
    report, _, rows = run(source(root))
    assert (list(rows), report.ok) == (["folder:depot/ok"], True)
    (root / "away").symlink_to(outside)
    with pytest.raises(SourceError, match="leads out"):
        source(root, path="away").check()
    with pytest.raises(SourceError, match="no such folder"):
        source(root, path="nowhere").check()


def bomb() -> bytes:
    """A workbook that unfolds to 600 MB of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.csv", b""), ("a.csv", b"\n\n"), ("a.csv", b"<!DOCTYPE html><html>"), ("a.csv", b"PK\x03\x04xxxx"),
        ("a.csv", b"a\x00\x01\x02"), ("a.xlsx", b"no zip"), ("a.xlsx", b"PK\x03\x04broken"), ("a.ods", b""),
        ("a.xlsx", bomb()), ("a.csv", b"\xff\xfea"),
    ],
    ids=["empty", "lines", "page", "zip", "zeros", "no-zip", "broken-zip", "empty-ods", "bomb", "utf-16"],
)  # fmt: skip
def test_files_that_are_no_tables(tmp_path: Path, name: str, body: bytes) -> None:
    """Each is one failed record with its reason; the next file is read, nothing is withdrawn."""
    catalogue = MemoryCatalogue()
    put(
        tmp_path,
        name,
        "n\n1\n"
        if name.endswith("csv")
        else xlsx([["n"], [1]])
        if name.endswith("xlsx")
        else ods([["n"], [1]]),
    )
    put(tmp_path, "good.csv", "n\n1\n")
    run(source(tmp_path), None, catalogue)
    put(tmp_path, name, body)
    report, _, rows = run(source(tmp_path), None, catalogue)
    assert (report.failed, report.deleted, len(catalogue.entries)) == (1, 0, 2)
    assert rows["folder:depot/good"] == [{"n": 1}]


def test_one_poisoned_line_among_a_thousand(tmp_path: Path) -> None:
    """999 lines come; one with too many fields is told."""
    lines = [f"{n};{n}" for n in range(1000)]
    lines[500] += ";9"
    put(tmp_path, "t.csv", "a;b\n" + "\n".join(lines))
    report, told, _ = run(source(tmp_path))
    assert (report.rows_accepted, told[0].reasons) == (999, {"more fields than the header has": 1})


def test_headers_are_made_usable() -> None:
    """Empty, doubled and hostile names."""
    assert _sheets.header_of([["", "a", "a", "_x", 'b"c', "z" * 100]]) == [
        "colonne_1",
        "a",
        "a_2",
        "x",
        "bc",
        "z" * 63,
    ]


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    """Before it is read."""
    put(tmp_path, "t.csv", "a\n" + "1\n" * 100)
    report, _, _ = run(source(tmp_path, max_bytes=50))
    assert report.failed == 1
