"""A table as Apache Parquet: COPY's text, parsed by pyarrow into row groups, in flat memory.

Numbers keep their digits (`numeric` is a decimal with the scale that the column needs), moments with a zone
are UTC, geometries are WKB with their reference system (GeoParquet 1.1.0).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ROW_GROUP = 16 << 20
"""Bytes of COPY's text in a row group: some hundred thousand rows of a few columns."""
DIGITS = 38
"""Digits of a decimal that every reader of Parquet knows; half of them may stand after the point."""

PLAIN = {
    "int": "int32", "int2": "int16", "int4": "int32", "int8": "int64",
    "float": "float64", "float4": "float32", "float8": "float64",
    "bool": "bool_", "date": "date32", "json": "string",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """How a column is written.

    :ivar kind: PostgreSQL's short name of its type.
    :ivar scale: of a `numeric` column, digits after the point; None where a value fits no decimal: all are
        texts.
    :ivar srid: of a geometry, its reference system by EPSG; None for a column that may hold several.
    """

    name: str
    kind: str
    scale: int | None = None
    srid: int | None = None

    @property
    def is_geometry(self) -> bool:
        return self.kind in ("geometry", "geography")

    def arrow(self) -> Any:
        """The type in which pyarrow reads COPY's text."""
        import pyarrow as pa

        if self.kind == "numeric" and self.scale is not None:
            return pa.decimal128(DIGITS, self.scale)
        if self.kind == "timestamp":
            return pa.timestamp("us")
        if self.kind == "timestamptz":
            return pa.timestamp("us", tz="UTC")
        return getattr(pa, PLAIN.get(self.kind, "string"))()


def srid(native: str) -> int | None:
    """The system in a type such as `geometry(Point,2154)`; geographies are in WGS 84 always."""
    if native.startswith("geography"):
        return 4326
    found = re.search(r"^geometry\(\w+,(\d+)\)", native)
    return int(found[1]) if found and found[1] != "0" else None


class _Pieces(io.RawIOBase):
    """Where the writer writes, and the reader takes from."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held


def write(rows: Iterable[bytes], cells: list[Cell]) -> Iterator[bytes]:
    """The file, piece by piece; each piece of `rows` holds whole rows of COPY's CSV.

    pyarrow is large: it is loaded by the first who asks for it.
    """
    import pyarrow as pa
    from pyarrow import parquet

    sink = _Pieces()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), _schema(cells), compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(_table(group, cells))
            yield sink.take()
    yield sink.take()


def _groups(rows: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in rows:
        held += piece
        if len(held) >= ROW_GROUP:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _table(text: bytes, cells: list[Cell]) -> Any:
    """Rows of COPY's CSV: nothing is NULL, two quotes are a text without characters."""
    import pyarrow as pa
    from pyarrow import csv

    found = csv.read_csv(
        pa.py_buffer(text),
        csv.ReadOptions(
            column_names=[str(number) for number in range(len(cells))],
            block_size=len(text) + 1,
            use_threads=False,
        ),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types={str(number): cell.arrow() for number, cell in enumerate(cells)},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    columns = [
        _unhexed(column) if cell.is_geometry else column
        for cell, column in zip(cells, found.columns, strict=True)
    ]
    return pa.table(columns, schema=_schema(cells))


def _unhexed(column: Any) -> Any:
    import pyarrow as pa

    return pa.array([None if v is None else bytes.fromhex(v) for v in column.to_pylist()], pa.binary())


def _schema(cells: list[Cell]) -> Any:
    import pyarrow as pa

    fields = [pa.field(c.name, pa.binary() if c.is_geometry else c.arrow()) for c in cells]
    geometries = {cell.name: _geometry(cell) for cell in cells if cell.is_geometry}
    if not geometries:
        return pa.schema(fields)
    described = {"version": "1.1.0", "primary_column": next(iter(geometries)), "columns": geometries}
    return pa.schema(fields, metadata={"geo": json.dumps(described)})


def _geometry(cell: Cell) -> dict[str, Any]:
    """GeoParquet's description of a column; without `crs` it is longitude and latitude in WGS 84."""
    found: dict[str, Any] = {"encoding": "WKB", "geometry_types": []}
    if cell.srid not in (None, 4326):
        from pyproj import CRS

        found["crs"] = CRS.from_epsg(cell.srid).to_json_dict()
    return found
