"""Every file of the yardsticks gives its rows, types and reference system, or the true reason why not.

Read in the bounded process, as the portal does; no database.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ckanext.ccphva_datastore.loading import bounded
from ckanext.ccphva_datastore.loading.faults import Fault
from loads_support import YARDSTICKS

FILES, GEO = YARDSTICKS / "files", YARDSTICKS / "geo"


def read(
    path: Path, folder: Path, limits: bounded.Limits | None = None, **task: Any
) -> tuple[Any, list[list[str]]]:
    """What was found, and the rows as the database gets them."""
    (work := folder / "work").mkdir(exist_ok=True)
    csv.field_size_limit(10_000_000)
    with bounded.reading(
        {"work": "file", "path": str(path), **task}, limits or bounded.Limits(), work
    ) as reader:
        answer = reader.answer()
        if "columns" not in answer:
            pages = [json.loads(line) for line in reader.rows]
            reader.finish()
            return answer, pages
        reader.ask({"columns": answer["columns"]})
        text = reader.rows.read().decode()
        reader.finish()
    return answer, list(csv.reader(io.StringIO(text)))


GOOD: list[tuple[str, int, str, dict[str, str]]] = [
    ("files/bad-junk.csv", 6, "", {"gml_id": "int", "cli": "text"}),
    ("files/bal-aliases.csv", 1, "", {"commune_in": "text", "x_l93": "numeric", "date_der_m": "date"}),
    ("files/bal-locales.csv", 2, "", {"commune_insee": "text"}),
    ("files/big-tourisme-handicap.xlsx", 3809, "", {"CP": "text", "SIRET": "text"}),
    ("files/blank-rows.csv", 2, "", {"id": "int", "age": "int"}),
    ("files/bom-bal-sample.csv", 15, "", {"cle_interop": "text", "x": "numeric", "long": "numeric"}),
    ("files/bom.csv", 2, "", {"id": "int", "name": "text"}),
    ("files/cp1252-istat-comuni.csv", 7904, "", {"Codice Regione": "text"}),
    ("files/cp1252-nom-prenom-salaire.csv", 4, "", {"prénom": "text", "salaire": "text"}),
    ("files/cr-only-eol.csv", 133, "", {"Year": "int", "Jan": "int"}),
    ("files/csv-with-geojson-column.csv", 8, "EPSG:4326", {"geo_shape": "geojson", "datentree": "date"}),
    ("files/csv-without-extension", 6, "", {"code_departement": "text", "code_region": "text"}),
    ("files/csvdetective.ods", 3, "", {"Date de la cérémonie": "date"}),
    ("files/csvdetective.xlsx", 5, "", {"dep": "text", "DEPCOM": "text", "B11": "int"}),
    ("files/de-semicolon.csv", 7, "", {"Stadtname": "text", "Schüler_Total_2010/2011": "int"}),
    ("files/duplicate-headers.csv", 2, "", {"id": "int", "id_2": "int", "id_3": "text"}),
    ("files/gz.csv.gz", 6, "", {"code_departement": "text", "partly_empty": "int"}),
    ("files/irve-statique-valide.csv", 2, "", {"siren_amenageur": "text", "prise_type_2": "bool"}),
    ("files/latin1-semicolon-decimal-comma-hotels.csv", 638, "", {"Date": "date", "RevPAR": "numeric"}),
    ("files/latin1-sup-ac2.csv", 111, "", {"IdAss": "int", "modeGeoAss": "text"}),
    ("files/mixed-quotes.csv", 2, "", {"Actual start date": "date", "Percentage complete": "int"}),
    ("files/multiline-headers.xlsx", 1, "", {"Region": "text"}),
    (
        "files/ods-population-communes.csv",
        475,
        "",
        {"code_insee": "text", "population_totale": "int", "epci": "text"},
    ),
    ("files/padded-head.csv", 60, "", {"1993": "int", "2010": "int"}),
    ("files/semicolon-communes-couverture.csv", 404, "EPSG:4326", {"NUMCOM": "text", "NUMEPCI": "text"}),
    ("files/special-column-names.csv", 6, "", {"d@t$e": "date"}),
    ("files/starts-with-empty-line.csv", 1, "EPSG:4326", {"geometrie_wkt_4326": "wkt", "date_debut": "date"}),
    ("files/utf16le.csv", 327, "", {"Part_II_patients": "int"}),
    ("files/utf8-sup-ac2.csv", 111, "", {"IdAss": "int", "modeGeoAss": "text"}),
    ("files/wkt-and-xy-mixed.csv", 21, "EPSG:4326", {"WKT": "wkt", "codecommune": "text"}),
    ("files/xlsx-named.xls", 5, "", {"CP": "text"}),
    ("files/xlsx-without-extension", 5, "", {"DEPCOM": "text"}),
    ("files/zipped.csv.zip", 6, "", {"date": "date", "temperature": "int"}),
    ("geo/bad-info-pct.gml", 1, "EPSG:2154", {"INSEE": "text", "geom": "geometry"}),
    ("geo/l93-pprt-lyon.gpkg", 10, "EPSG:2154", {"geom": "geometry"}),
    ("geo/l93-prescription-surf.gml", 30, "EPSG:2154", {"INSEE": "text", "DATAPPRO": "date"}),
    ("geo/luref-quartiers-esch.geojson", 21, "EPSG:2169", {"geom": "geometry"}),
    ("geo/wgs84-cantons-54.geojson", 23, "EPSG:4326", {"code": "text"}),
    ("geo/wgs84-epci-contrat-de-ville.geojson", 37, "EPSG:4326", {"geom": "geometry"}),
    ("geo/l93-prescription-pct-latin1.shp", 59, "EPSG:2154", {"INSEE": "text", "DATAPPRO": "date"}),
    ("geo/l93-zone-urba-41175.shp", 118, "EPSG:2154", {"TYPEZONE": "text"}),
    ("geo/wgs84-scot.shp", 1, "EPSG:4326", {"geom": "geometry"}),
]
REFUSED = [
    ("files/bad-line-length.csv", "width", {"line": 2, "found": 3, "expected": 2}),
    ("files/bad-rephytox-broken-lines.csv", "quotes", {"line": 2}),
    ("files/merged-cells.xlsx", "no-rows", {}),
    ("files/multiline-cells.ods", "no-rows", {}),
    ("files/unicode-sheet.xls", "no-rows", {}),
    ("geo/bad-invalid.geojson", "broken", {}),
    ("geo/mercator-quartiers-esch.jml", "crs", {}),
]


def yardstick(name: str, folder: Path) -> Path:
    """The file; a shapefile's parts in one archive, as they are published."""
    path = YARDSTICKS / name
    if path.suffix != ".shp":
        return path
    with zipfile.ZipFile(target := folder / "shape.zip", "w") as archive:
        for part in GEO.glob(f"{path.stem}.*"):
            archive.write(part, f"dossier/{part.name}")
    return target


@pytest.mark.parametrize(("name", "count", "crs", "expected"), GOOD, ids=[each[0] for each in GOOD])
def test_rows_types_and_reference_system(
    tmp_path: Path, name: str, count: int, crs: str, expected: dict[str, str]
) -> None:
    """The right number of rows, the types that matter, the reference system."""
    answer, rows = read(yardstick(name, tmp_path), tmp_path)
    found = {each["name"]: each["type"] for each in answer["columns"]}
    assert {column: found.get(column) for column in expected} == expected
    assert (len(rows), answer["crs"]) == (count, crs)
    assert {len(row) for row in rows} == {len(found)}


@pytest.mark.parametrize(("name", "code", "values"), REFUSED, ids=[each[0] for each in REFUSED])
def test_the_true_reason(tmp_path: Path, name: str, code: str, values: dict[str, Any]) -> None:
    """What cannot be a table says why, with the line where there is one."""
    with pytest.raises(Fault) as caught:
        read(yardstick(name, tmp_path), tmp_path)
    assert caught.value.code == code
    assert values.items() <= caught.value.values.items()


def test_every_yardstick_is_looked_at() -> None:
    """No file of the folders is left out."""
    known = {Path(each[0]).name for each in (*GOOD, *REFUSED)}
    there = {p.name for p in (*FILES.iterdir(), *GEO.iterdir()) if p.suffix not in
             (".tsv", ".dbf", ".shx", ".prj", ".qpj", ".cpg")}  # fmt: skip
    assert there == known


def test_latin1_and_utf8_give_the_same(tmp_path: Path) -> None:
    """The same table in two encodings loads alike."""
    assert read(FILES / "latin1-sup-ac2.csv", tmp_path)[1] == read(FILES / "utf8-sup-ac2.csv", tmp_path)[1]


def test_values_are_what_was_meant(tmp_path: Path) -> None:
    """English and German thousands, decimal commas, short years."""
    _, english = read(FILES / "utf16le.csv", tmp_path)
    assert not any("," in cell for row in english for cell in row[7:])
    _, german = read(FILES / "padded-head.csv", tmp_path)
    assert [cell.strip() for cell in next(r for r in german if "Unfall" in r[0])[:4]] == [
        "Unfallchirurgie",
        ".",
        "1613",
        "2003",
    ]
    _, hotels = read(FILES / "latin1-semicolon-decimal-comma-hotels.csv", tmp_path)
    assert hotels[0][2:5] == ["2013-01-01", "2013", "0.611553068"]


HEAD = b"a,b\n"
BAD: list[tuple[str, bytes, str, dict[str, Any]]] = [
    ("a wrong type in line 9,000", b"a,b\n" + b"1,x\n" * 8998 + b"un,x\n", "cell", {"line": 9000, "column": "a"}),  # noqa: E501
    ("nothing", b"", "empty", {}),
    ("blanks", b"\n\n  \n", "empty", {}),
    ("a heading alone", HEAD, "no-rows", {}),
    ("a NUL byte", HEAD + b"1,2\n3,\x00\n", "nul", {"line": 3}),
    ("broken UTF-8", HEAD + "é,2\n".encode() + b"\xc3,3\n", "encoding", {"line": 3}),
    ("a line of 10 MB", HEAD + b"1,2\n" + b"x" * 10_000_000 + b",1\n", "line-long", {"line": 3}),
    ("an open quotation mark", HEAD + b'1,2\n"3,4\n5,6\n', "quotes", {"line": 3}),
    ("cut in a row", b"a,b,c\n1,2,3\n4,5,6\n7,8", "interrupted", {}),
    ("a web page", b"<!DOCTYPE html><html><body>404</body></html>", "html", {}),
    ("cut gzip", gzip.compress(HEAD + b"1,2\n" * 1000)[:-20], "interrupted", {}),
    ("cut zip", b"PK\x03\x04" + b"\0" * 50, "interrupted", {}),
    ("cut JSON", b'[{"a": 1}, {"a": ', "json", {}),
    ("JSON of numbers", b"[1, 2, 3]", "json-shape", {}),
    ("deep JSON", b"[" * 100_000 + b"]" * 100_000, "json", {}),
    ("more columns than a table has", b",".join(b"c%d" % n for n in range(2000)) + b"\n" + b"," * 1999 + b"1\n", "columns", {}),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code", "values"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
def test_bad_input(tmp_path: Path, content: bytes, code: str, values: dict[str, Any]) -> None:
    """A reason for every refusal."""
    (path := tmp_path / "file").write_bytes(content)
    with pytest.raises(Fault) as caught:
        read(path, tmp_path)
    assert caught.value.code == code
    assert values.items() <= caught.value.values.items()


def zipped(folder: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path := folder / "file", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


@pytest.mark.parametrize("pack", ["gzip", "zip"])
def test_a_bomb_is_refused(tmp_path: Path, pack: str) -> None:
    """When it passes what an archive may unfold to, whatever its directory says."""
    content = HEAD + b"1,2\n" * 1_000_000
    path = zipped(tmp_path, a_csv=content) if pack == "zip" else tmp_path / "file"
    if pack == "gzip":
        path.write_bytes(gzip.compress(content))
    with pytest.raises(Fault) as caught:
        read(path, tmp_path, bounded.Limits(unfolded=2))
    assert caught.value.code == "ratio"


def test_archives_in_archives_and_several_tables(tmp_path: Path) -> None:
    """Neither is guessed at."""
    for members, code in (({"b_zip": b"PK"}, "nested"), ({"a_csv": HEAD, "b_csv": HEAD}, "several")):
        with pytest.raises(Fault) as caught:
            read(zipped(tmp_path, **members), tmp_path)
        assert caught.value.code == code


def test_memory_and_time_are_bounded(tmp_path: Path) -> None:
    """A file that needs more than it may ends its own process only, and says so."""
    (path := tmp_path / "file").write_bytes(b"[" + b'{"a": "' + b"x" * 150_000_000 + b'"}]')
    with pytest.raises(Fault) as caught:
        read(path, tmp_path, bounded.Limits(memory=300))
    assert caught.value.code == "memory"
    path.write_bytes(HEAD + b"1,2\n" * 5_000_000)
    with pytest.raises(Fault) as caught:
        read(path, tmp_path, bounded.Limits(seconds=1))
    assert caught.value.code == "time"


def test_a_million_empty_rows(tmp_path: Path) -> None:
    """A sheet with three rows and a format down to the last line has three rows; formulas give their
    values.
    """
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["a", "b"], [1, "x"], [2, "=1+1"]):
        sheet.append(row)
    sheet.cell(1_000_000, 1).value = ""
    book.save(path := tmp_path / "a.xlsx")
    _, rows = read(path, tmp_path)
    assert len(rows) == 2


def test_documents_give_pages_and_languages(tmp_path: Path) -> None:
    """DOCX and HTML as texts with their language."""
    from docx import Document

    document = Document()
    document.add_paragraph(
        "La délibération est adoptée par le conseil pour les communes du Pays Haut Val d'Alzette."
    )
    document.save(str(path := tmp_path / "a.docx"))
    answer, pages = read(path, tmp_path)
    assert answer["kind"] == "docx"
    assert [(page["number"], page["language"]) for page in pages] == [(1, "fr")]  # type: ignore[call-overload]
    page = b"<!doctype html><html><body><script>no</script><p>Der Rat und die Gemeinde ist nicht da</p></body></html>"  # noqa: E501
    (path := tmp_path / "a.html").write_bytes(page)
    answer, pages = read(path, tmp_path, html=True)
    assert pages[0]["language"] == "de"  # type: ignore[call-overload]
    assert "no" not in pages[0]["text"].split()  # type: ignore[call-overload]
