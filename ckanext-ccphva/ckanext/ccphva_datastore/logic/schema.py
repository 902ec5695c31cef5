"""Schemas of the actions; validators only, none that reads the database."""

from __future__ import annotations

from typing import Any

from ckan.logic.schema import validator_args
from ckan.types import Schema, Validator, ValidatorFactory


@validator_args
def load_show(not_empty: Validator, unicode_safe: Validator) -> Schema:
    return {"id": [not_empty, unicode_safe]}


@validator_args
def load_submit(
    not_empty: Validator,
    unicode_safe: Validator,
    ignore_missing: Validator,
    convert_to_json_if_string: Validator,
) -> Schema:
    return {
        "id": [not_empty, unicode_safe],
        "types": [ignore_missing, convert_to_json_if_string],
        "layer": [ignore_missing, unicode_safe],
        "crs": [ignore_missing, unicode_safe],
    }


@validator_args
def document_search(
    not_empty: Validator, unicode_safe: Validator, ignore_missing: Validator, default: ValidatorFactory,
    natural_number_validator: Validator, limit_to_configured_maximum: Any, one_of: Any,
) -> Schema:  # fmt: skip
    return {
        "q": [not_empty, unicode_safe],
        "language": [ignore_missing, one_of(["", "fr", "de", "en", "lb"])],
        "id": [ignore_missing, unicode_safe],
        "limit": [default(20), natural_number_validator, limit_to_configured_maximum("", 100)],
    }


@validator_args
def document_show(
    not_empty: Validator, unicode_safe: Validator, default: ValidatorFactory, natural_number_validator: Validator,  # noqa: E501
    limit_to_configured_maximum: Any,
) -> Schema:  # fmt: skip
    return {
        "id": [not_empty, unicode_safe],
        "offset": [default(0), natural_number_validator],
        "limit": [default(10), natural_number_validator, limit_to_configured_maximum("", 50)],
    }
