"""A reader's conditions as values that PostgreSQL can cast. No CKAN, no SQL.

What is no number or date is told to the reader before the database is asked.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from ckanext.ccphva_datastore.exploring.query import N_, Column, Condition, Wrong

LARGEST_EXPONENT = 1000
BOOLEANS = {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false"}


def number(text: str) -> str:
    """A number as PostgreSQL reads it; a decimal comma and spaces between thousands are understood.

    :raises Wrong: it is none.
    """
    plain = re.sub(r"[\s\u00a0\u202f']", "", text)
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        found = Decimal(plain)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or (found and abs(found.adjusted()) > LARGEST_EXPONENT):
        raise Wrong("where", N_('"{text}" is not a number'), text=text)
    return str(found)


def moment(text: str) -> date | datetime:
    """A day or a moment in ISO 8601.

    :raises Wrong: it is none.
    """
    try:
        return date.fromisoformat(text) if len(text) <= len("2026-01-31") else datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong("where", N_('"{text}" is not a date: write 2026-01-31'), text=text) from error


def boolean(text: str) -> str:
    if text.lower() not in BOOLEANS:
        raise Wrong("where", N_('"{text}" is neither true nor false'), text=text)
    return BOOLEANS[text.lower()]


def spans(column: Column, condition: Condition) -> list[tuple[str, str]]:
    """Comparisons with moments that a condition on a time column means: a day is all of it.

    :returns: pairs of operator and ISO text that must all hold.
    """
    found = moment(condition.value)
    if isinstance(found, datetime) or column.type == "date":
        sign = {"eq": "=", "gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}[condition.operator]
        day = found.date() if isinstance(found, datetime) and column.type == "date" else found
        return [(sign, _text(day))]
    try:
        following = (found + timedelta(days=1)).isoformat()
    except OverflowError as error:
        raise Wrong("where", N_('"{text}" is not a date: write 2026-01-31'), text=condition.value) from error
    begin, end = (">=", found.isoformat()), ("<", following)
    return {
        "eq": [begin, end],
        "gte": [begin],
        "lt": [("<", found.isoformat())],
        "lte": [end],
        "gt": [(">=", following)],
    }[condition.operator]


def _text(found: date) -> str:
    """With a zone it is UTC, so that PostgreSQL needs no zone of its own."""
    if isinstance(found, datetime) and found.tzinfo:
        return found.astimezone(UTC).replace(tzinfo=None).isoformat() + "+00"
    return found.isoformat()


def like(text: str, anywhere: bool) -> str:
    """A pattern of LIKE that means these characters and no others."""
    literal = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{literal}%" if anywhere else f"{literal}%"


def prefixes(text: str) -> str:
    """A search text of PostgreSQL: every word, and words that begin with it; "" for no word."""
    return " & ".join(f"'{word}':*" for word in re.findall(r"\w+", text))
