"""A reader's query as SQL: values are always bound, names always quoted and of the relation's own columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ckanext.ccphva_datastore import storage
from ckanext.ccphva_datastore.exploring import conditions
from ckanext.ccphva_datastore.exploring.query import Column, Condition, Query

FULL_TEXT = "_full_text"

Values = dict[str, Any]


class Where:
    """A WHERE clause that grows, with its values."""

    def __init__(self, columns: Sequence[Column], language: str, zone: str, full_text: bool) -> None:
        self.columns = {column.name: column for column in columns}
        self.language, self.zone, self.full_text = language, zone, full_text
        self.parts: list[str] = []
        self.values: Values = {}

    @property
    def sql(self) -> str:
        return f"WHERE {' AND '.join(self.parts)}" if self.parts else ""

    def bind(self, value: str, kind: str) -> str:
        name = f"explore_{len(self.values)}"
        self.values[name] = value
        return f"CAST(:{name} AS {kind})"

    def add(self, query: Query) -> Where:
        self.parts += [self.condition(each) for each in query.conditions]
        if query.search:
            self.parts += self.words(query.search)
        return self

    def words(self, search: str) -> Iterable[str]:
        if self.full_text:
            asked = conditions.prefixes(search)
            if asked:
                language = self.bind(self.language, "regconfig")
                yield f"{FULL_TEXT} @@ to_tsquery({language}, {self.bind(asked, 'text')})"
            return
        texts = [text(c) for c in self.columns.values() if c.kind not in ("geometry", "other")]
        # A function takes a hundred arguments.
        parts = [f"concat_ws(' ', {', '.join(texts[n : n + 90])})" for n in range(0, len(texts), 90)]
        for word in search.split():
            pattern = self.bind(conditions.like(word, anywhere=True), "text")
            yield f"({' OR '.join(f'{part} ILIKE {pattern}' for part in parts) or 'false'})"

    def condition(self, asked: Condition) -> str:
        column = self.columns[asked.column]
        name = ident(column.name)
        if asked.operator in ("empty", "filled"):
            none = f"({name} IS NULL OR {name} = '')" if column.kind == "text" else f"{name} IS NULL"
            none = f"{name} IS NULL" if column.type == "uuid" else none
            return none if asked.operator == "empty" else f"NOT ({none})"
        if asked.operator == "ne":
            same = self.condition(Condition(asked.column, "eq", asked.value))
            return f"({name} IS NULL OR NOT ({same}))"
        return f"({self.comparison(column, asked)})"

    def comparison(self, column: Column, asked: Condition) -> str:
        name = ident(column.name)
        sign = {"eq": "=", "gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}.get(asked.operator, "ILIKE")
        if column.kind == "number":
            value = conditions.number(asked.value)
            real = column.type in ("real", "double precision")
            kind = (
                "float8" if real else "int8" if value.lstrip("-").isdigit() and len(value) < 19 else "numeric"
            )
            return f"{name} {sign} {self.bind(value, kind)}"
        if column.kind == "time":
            return " AND ".join(
                f"{name} {sign} {self.moment(column, value)}"
                for sign, value in conditions.spans(column, asked)
            )
        if column.kind == "boolean":
            return f"{name} = {self.bind(conditions.boolean(asked.value), 'bool')}"
        value = asked.value
        if asked.operator in ("contains", "starts"):
            value = conditions.like(value, anywhere=asked.operator == "contains")
        return f"{text(column)} {sign} {self.bind(value, 'text')}"

    def moment(self, column: Column, value: str) -> str:
        """A moment without a zone is one of the reader's clock."""
        if not column.zoned or value.endswith("+00"):
            return self.bind(value, "timestamptz" if column.zoned else column.type)
        return f"({self.bind(value, 'timestamp')} AT TIME ZONE {self.bind(self.zone, 'text')})"


def ident(name: str) -> str:
    """A quoted name in which SQLAlchemy sees no parameter."""
    return storage.quoted(name).replace(":", r"\:")


def text(column: Column) -> str:
    return (
        ident(column.name)
        if column.kind == "text" and column.type != "uuid"
        else f"CAST({ident(column.name)} AS text)"
    )


def degrees(name: str) -> str:
    """A geometry in WGS 84, as far as its system is known."""
    shape = f"CAST({name} AS geometry)"
    return f"CASE WHEN ST_SRID({shape}) IN (0, 4326) THEN {shape} ELSE ST_Transform({shape}, 4326) END"
