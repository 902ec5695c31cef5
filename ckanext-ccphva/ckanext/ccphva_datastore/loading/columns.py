"""Types of columns: what csv-detective finds in them, what a database takes, and how a cell becomes it. No
CKAN.

A code is not a number: what begins with a zero, and what a heading calls INSEE, SIREN, SIRET, postal code or
telephone, stays a text, whatever its digits.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from itertools import zip_longest
from typing import Any

from ckanext.ccphva_datastore.loading.faults import Fault

TYPES = {
    "text": "text",
    "int": "int8",
    "numeric": "numeric",
    "bool": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "geojson": "geometry",
    "wkt": "geometry",
    "geometry": "geometry",
}
"""Types that an agent may choose, with PostgreSQL's names. `geojson` and `wkt` are texts that hold
geometries;
`geometry` comes from geographic files."""
SAMPLE_ROWS = 5_000
ASKED_ROWS = 500
"""Of the sample, how many csv-detective is asked about where a column has more distinct values."""
DIGITS = str.maketrans("0123456789", "9" * 10)
PYTHON_TYPES = {"int": "int", "float": "numeric", "bool": "bool", "date": "date"}
DETECTED = {"datetime_naive": "timestamp", "datetime_aware": "timestamptz", "datetime_rfc822": "text",
            "geojson": "geojson"}  # fmt: skip
CODES = re.compile(
    r"(^|[^a-z])(insee|siren|siret|finess|uai|rna|nic|ape|naf|postal|postaux|cp|tel|telephone|phone|fax|"
    r"code|codes|cod|codice|pdl|prm|pce|num(ero)?_?(dep|epci|com|siren|siret)|numcom|numdep|numepci|depcom|iban|isbn|ean|"
    r"plz|gemeindenummer)([^a-z]|$)"
)
INTEGER = re.compile(r"[+-]?\d{1,18}").fullmatch
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?").fullmatch
COMMA = re.compile(r"[+-]?(\d{1,3}([ \u00a0\u202f]\d{3})+|\d+)(,\d+)?").fullmatch
GROUPS = str.maketrans({" ": None, "\u00a0": None, "\u202f": None, ",": "."})
WKT = re.compile(
    r"(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON)\s*Z?\s*(\(|EMPTY)|GEOMETRYCOLLECTION", re.I
)
TRUE = {"1", "t", "true", "vrai", "oui", "yes", "y", "o", "ja", "wahr", "jo"}
FALSE = {"0", "f", "false", "faux", "non", "no", "n", "nein", "falsch", "nee"}

Convert = Callable[[str], str]
Proposal = dict[str, Any]
"""`type`, `format` (csv-detective's name of what the cells look like); `date_format` where it is a date,
`groups`
where a comma or a full stop stands between thousands."""


def propose(names: Sequence[str], rows: Sequence[Sequence[str]], separator: str = "") -> list[Proposal]:
    """What each column holds, by its sampled rows and its heading.

    csv-detective tries some fifty formats on each distinct value. It is asked about some rows, each with the
    weight that it has in the file, as it takes some formats by the part of the rows that fit; what it finds
    is proven on all of them, and where it does not hold, it is asked about all.
    """
    columns = [[row[at].strip() or None for row in rows] for at in range(len(names))]
    values = [list(dict.fromkeys(filter(None, column))) for column in columns]
    some = [
        column if len(known) <= ASKED_ROWS else random.Random(0).sample(column, ASKED_ROWS)  # noqa: S311
        for column, known in zip(columns, values, strict=True)
    ]
    found = _detected(names, some)
    doubtful = [
        at
        for at, column in enumerate(columns)
        if some[at] is not column and not _holds(found[at], some[at], values[at])
    ]
    if doubtful:
        again = _detected([names[at] for at in doubtful], [columns[at] for at in doubtful])
        for at, one in zip(doubtful, again, strict=True):
            found[at] = one
    return [
        _proposal(name, one, known, separator) for name, one, known in zip(names, found, values, strict=True)
    ]


def _detected(names: Sequence[str], columns: Sequence[Sequence[str | None]]) -> list[dict[str, Any]]:
    """csv-detective's `format`, `python_type` and `date_format` of each column; they may differ in length."""
    from csv_detective.detection.formats import detect_formats
    from pandas import DataFrame

    labels = [f"{number} {name}" for number, name in enumerate(names)]
    table = DataFrame(list(zip_longest(*columns)), columns=labels, dtype=object)
    analysis, _ = detect_formats(
        table=table, analysis={"header": labels, "total_lines": len(table)}, file_path="", limited_output=True
    )
    return [analysis["columns"][label] for label in labels]


def _holds(found: dict[str, Any], some: Sequence[str | None], values: Sequence[str]) -> bool:
    """Whether a format that takes every value of some rows takes all the values."""
    date_format = found.get("date_format")
    if not date_format:
        return _takes(found["format"], values)
    if not date_format.startswith("%Y-%m-%d"):
        from csv_detective.formats.date import parse

        return all(parse(value, date_format) for value in values)
    # The same signs at the same places: what is left to prove is that there is such a day and hour.
    if not {value.translate(DIGITS) for value in values} <= {v.translate(DIGITS) for v in some if v}:
        return False
    try:
        return all(map(datetime.fromisoformat, values))
    except ValueError:
        return False


def _takes(name: str, values: Sequence[str]) -> bool:
    from csv_detective.format import FormatsManager

    form = FormatsManager().formats.get(name)  # none for texts of no format
    return form is None or form.proportion < 1 or all(map(form.func, values))


def _proposal(name: str, found: dict[str, Any], values: Sequence[str], separator: str) -> Proposal:
    form, kind = found["format"], PYTHON_TYPES.get(found["python_type"], "text")
    kind = DETECTED.get(form, kind)
    if not values:
        return {"format": "", "type": "text"}
    extra = {"date_format": found.get("date_format") or ""} if kind.startswith(("date", "timestamp")) else {}
    if form == "string" and all(WKT.match(value) for value in values):
        kind = "wkt" if _degrees(values) else "text"
    elif kind == "bool" and set(values) <= {"0", "1"}:
        kind = "int"
    elif form == "string" or kind in ("int", "numeric"):
        groups = _groups(values, separator)
        extra = {"groups": groups} if groups else {}
        kind = _number([value.replace(groups, "") if groups else value for value in values])
    if kind in ("int", "numeric") and (is_code(name) or any(_leading_zero(value) for value in values)):
        kind, extra = "text", {}
    return {"format": form, "type": kind} | extra


def _groups(values: Sequence[str], separator: str) -> str:
    """The sign between thousands, where the cells leave no doubt: 1,049 beside 455, never beside 1049 or 1,5.

    A file whose cells commas part was written where the comma is no decimal one, a file with semicolons where
    the full stop is none; two signs in one number need no such hint.
    """
    for sign, likely in ((",", separator == ","), (".", separator == ";")):
        grouped = [value for value in values if sign in value]
        form = re.compile(
            rf"[+-]?[1-9]\d{{0,2}}(\{sign}\d{{3}})+" + (r"(\.\d+)?" if sign == "," else "")
        ).fullmatch
        if not grouped or not all(form(value) for value in grouped):
            continue
        others = [value for value in values if sign not in value]
        if any(value.count(sign) > 1 for value in grouped) or (
            likely and others and all(INTEGER(value) and len(value.lstrip("+-")) < 4 for value in others)
        ):
            return sign
    return ""


def _degrees(values: Sequence[str]) -> bool:
    """Whether texts of geometries have coordinates that may be longitude and latitude."""
    import shapely

    try:
        bounds = shapely.total_bounds(
            shapely.from_wkt([value.partition(";")[2] or value for value in values])
        )
    except shapely.errors.GEOSException:
        return False
    return bool((abs(bounds) <= [180, 90, 180, 90]).all())


def _number(values: Sequence[str]) -> str:
    if all(INTEGER(value) for value in values):
        return "int"
    return "numeric" if all(NUMBER(value) or COMMA(value) for value in values) else "text"


def _leading_zero(value: str) -> bool:
    digits = value.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def is_code(name: str) -> bool:
    """Whether a heading says that its column holds identifiers, not quantities."""
    from unidecode import unidecode

    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return bool(CODES.search(unidecode(plain).lower()))


def converters(
    names: Sequence[str], chosen: Sequence[Proposal], crs: str = ""
) -> list[tuple[int, str, Convert]]:
    """How the cells of each column become what COPY takes; a conversion raises ValueError.

    Columns of texts are not among them.
    """
    found = []
    for number, (name, choice) in enumerate(zip(names, chosen, strict=True)):
        kind = choice["type"]
        if kind not in TYPES:
            raise Fault("type-choice", type=kind)
        if kind not in ("text", "geometry"):
            found.append((number, name, _converter(kind, choice, crs)))
    return found


def _converter(kind: str, choice: Proposal, crs: str) -> Convert:
    date_format, groups = choice.get("date_format") or "", choice.get("groups") or ""
    if groups and kind in ("int", "numeric"):
        return partial(_grouped, _int if kind == "int" else _numeric, groups)
    match kind:
        case "int":
            return _int
        case "numeric":
            return _numeric
        case "bool":
            return _bool
        case "date" | "timestamp" | "timestamptz":
            moment = partial(_moment, kind, date_format)
            # A column repeats its days, hardly its moments; a text month costs much to read.
            return lru_cache(50_000)(moment) if kind == "date" else moment
        case _:
            return partial(_geometry, kind, crs)


def _int(cell: str) -> str:
    if INTEGER(cell) or INTEGER(cell := cell.strip()):
        return cell
    plain = cell.translate(GROUPS)
    if COMMA(cell) and INTEGER(plain):
        return plain
    raise ValueError(cell)


def _grouped(convert: Convert, sign: str, cell: str) -> str:
    return convert(cell.replace(sign, ""))


def _numeric(cell: str) -> str:
    if NUMBER(cell) or NUMBER(cell := cell.strip()):
        return cell
    if COMMA(cell):
        return cell.translate(GROUPS)
    raise ValueError(cell)


def _bool(cell: str) -> str:
    word = cell.strip().lower()
    if word in TRUE:
        return "t"
    if word in FALSE:
        return "f"
    raise ValueError(cell)


ORDERS = ("%d/%m/%Y", "%Y/%m/%d", "%d/%m/%y")
"""Of dates whose order the sample did not settle: the day first, as people write here."""


def _moment(kind: str, date_format: str, cell: str) -> str:
    cell = cell.strip()
    try:
        if kind == "date" and len(cell) == 10:
            return date.fromisoformat(cell).isoformat()
        if kind != "date" and len(cell) >= 16:
            found = datetime.fromisoformat(cell)
            if kind == "timestamptz" and found.tzinfo is None:
                raise ValueError(cell)
            return cell
    except ValueError:
        if kind == "timestamptz" and not date_format:
            raise
    found = _by_format(cell, date_format)
    if kind == "date":
        if (found.hour, found.minute, found.second) != (0, 0, 0):
            raise ValueError(cell)
        return found.date().isoformat()
    return found.isoformat()


def _by_format(cell: str, date_format: str) -> datetime:
    if date_format:
        from csv_detective.formats.date import parse

        if (found := parse(cell, date_format)) is not None:
            return found
        raise ValueError(cell)
    plain = re.sub(r"[ .\-]", "/", cell)
    for order in ORDERS:
        try:
            return datetime.strptime(plain, order)
        except ValueError:
            continue
    raise ValueError(cell)


def _geometry(kind: str, crs: str, cell: str) -> str:
    import shapely

    try:
        if kind == "geojson":
            shape = shapely.from_geojson(cell)
        else:
            shape = shapely.from_wkt(cell.partition(";")[2] if cell.upper().startswith("SRID=") else cell)
    except shapely.errors.GEOSException as error:
        raise ValueError(cell) from error
    return shapely.to_wkb(shapely.set_srid(shape, int((crs or "EPSG:4326").partition(":")[2])), hex=True,
                          include_srid=True)  # fmt: skip
