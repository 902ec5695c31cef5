"""Schemas of the actions that look into tables."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic.schema import validator_args
from ckan.types import Schema, Validator
from ckanext.ccphva_datastore.exploring.tables import MOST_ROWS


def listed(value: Any) -> Any:
    """A list, also as JSON, as it stands in an address.

    :raises ckan.plugins.toolkit.Invalid: it is none.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise tk.Invalid(tk._("Must be a list, or JSON of one")) from error
    if not isinstance(value, list):
        raise tk.Invalid(tk._("Must be a list, or JSON of one"))
    return value


def box(value: Any) -> Any:
    """West, south, east, north in degrees."""
    numbers = listed(value)
    if len(numbers) != 4 or not all(type(n) in (int, float) and abs(n) <= 720 for n in numbers):
        raise tk.Invalid(tk._("Must be west, south, east, north in degrees"))
    return numbers


@validator_args
def asked(not_missing: Validator, ignore_missing: Validator, unicode_safe: Validator) -> Schema:
    """What every one of them understands: which table, which rows, which columns."""
    return {
        "resource_id": [not_missing, unicode_safe],
        "search": [ignore_missing, unicode_safe],
        "where": [ignore_missing, listed],
        "fields": [ignore_missing, listed],
    }


@validator_args
def rows(ignore_missing: Validator, unicode_safe: Validator) -> Schema:
    text = [ignore_missing, unicode_safe]
    return asked() | {"sort": text, "after": text, "before": text, "limit": _limit(MOST_ROWS)}


@validator_args
def histogram(not_empty: Validator, unicode_safe: Validator) -> Schema:
    return asked() | {"column": [not_empty, unicode_safe]}


@validator_args
def aggregate(not_empty: Validator, ignore_missing: Validator, unicode_safe: Validator) -> Schema:
    text = [ignore_missing, unicode_safe]
    return asked() | {
        "x": [not_empty, unicode_safe],
        "y": text,
        "function": text,
        "bucket": text,
        "limit": _limit(2000),
    }


@validator_args
def features(ignore_missing: Validator, unicode_safe: Validator) -> Schema:
    return asked() | {
        "geometry": [ignore_missing, unicode_safe],
        "box": [ignore_missing, box],
        "limit": _limit(5000),
    }


def _limit(most: int) -> list[Any]:
    validator: Any = tk.get_validator
    return [validator("ignore_missing"), validator("is_positive_integer"), _at_most(most)]


def _at_most(most: int) -> Any:
    def check(value: Any) -> Any:
        return min(value, most) if isinstance(value, int) else value  # already refused

    return check
