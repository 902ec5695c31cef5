"""Why a file is refused, in words that a person who published it understands. Imports nothing of CKAN.

A fault travels from the reading process to the database as a code with values, and becomes a sentence in the
reader's language only when it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def N_(text: str) -> str:  # noqa: N802
    """Mark a text for translation."""
    return text


MESSAGES = {
    "address": N_("The file could not be fetched: %(reason)s"),
    "broken": N_("The file is damaged or is not what its beginning says: %(reason)s"),
    "cell": N_('Line %(line)s, column "%(column)s": "%(value)s" is not of the type %(type)s. '
               "Correct the file, or choose the type text for this column."),
    "columns": N_("The file has %(count)s columns; the most is %(most)s"),
    "crash": N_("The program that reads the file stopped without a reason (%(reason)s)"),
    "crs": N_("The file does not say in which coordinate reference system its geometries are; choose one"),
    "crs-choice": N_("The coordinate reference system %(crs)s is unknown"),
    "database": N_("The database refused the rows: %(reason)s"),
    "database-gone": N_("The database went away during the load; it is tried again"),
    "disk": N_("There is no room left on the disk"),
    "empty": N_("The file is empty"),
    "encoding": N_("Line %(line)s: these bytes are no text in %(encoding)s"),
    "geometry": N_("Record %(record)s: the geometry cannot be read (%(reason)s)"),
    "html": N_("This is a web page, not a data file: the address leads to a page about the data"),
    "interrupted": N_("The file ends in the middle: its transfer was interrupted"),
    "json": N_("The JSON is not valid: %(reason)s"),
    "json-shape": N_("The JSON is neither a list of objects nor GeoJSON"),
    "kind": N_("This kind of file cannot become a table"),
    "large": N_("The file is larger than %(most)s MB"),
    "line-long": N_("Line %(line)s is longer than %(most)s characters"),
    "memory": N_("Reading the file takes more than %(most)s MB of memory"),
    "missing": N_("The file is not in the store: its upload was interrupted"),
    "nested": N_("The archive holds another archive (%(name)s)"),
    "no-member": N_("The archive holds no file that could become a table"),
    "no-rows": N_("There are no rows below the heading of the table"),
    "no-text": N_("The document holds no text; it may be a scanned image"),
    "nul": N_("Line %(line)s holds a NUL byte: the file is damaged or not a text"),
    "password": N_("The file is protected by a password"),
    "personal": N_("The dataset holds personal data, which never enter a table"),
    "quotes": N_("Line %(line)s: a quotation mark is opened and not closed"),
    "ratio": N_("The archive unfolds to more than %(most)s MB"),
    "several": N_("The archive holds several files, one table each is needed: %(names)s"),
    "sheet": N_("There is no sheet or layer %(name)s"),
    "time": N_("Reading the file takes longer than %(most)s seconds"),
    "type-choice": N_("The type %(type)s is unknown"),
    "width": N_("Line %(line)s has %(found)s cells, the heading has %(expected)s"),
}  # fmt: skip


class Fault(Exception):  # noqa: N818
    """A file cannot become a table, for a reason of its own.

    :param code: a key of `MESSAGES`; the other arguments are the values that its sentence names.
    """

    def __init__(self, code: str, **values: Any) -> None:
        self.code, self.values = code, values
        super().__init__(MESSAGES[code] % values)


def told(reason: Mapping[str, Any], translate: Callable[[str], str]) -> str:
    """The sentence of a stored reason (`{"code": …, "values": {…}}`) in the language of `translate`."""
    values = {name: shown(value) for name, value in reason.get("values", {}).items()}
    return translate(MESSAGES[reason["code"]]) % values


def shown(value: Any, most: int = 200) -> str:
    """A value from a foreign file, short enough for a sentence."""
    text = str(value).replace("\0", "�")
    return text if len(text) <= most else text[:most] + "…"
