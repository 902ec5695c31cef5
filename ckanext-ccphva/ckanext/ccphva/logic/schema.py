"""Schemas of the plugin's actions."""

from __future__ import annotations

from ckan.logic.schema import validator_args
from ckan.types import Schema, Validator, ValidatorFactory


@validator_args
def page_show(not_empty: Validator, unicode_safe: Validator, one_of: ValidatorFactory) -> Schema:
    return {"name": [not_empty, unicode_safe], "language": [not_empty, one_of(["fr", "de", "en", "lb"])]}


@validator_args
def codelist_show(
    not_empty: Validator,
    unicode_safe: Validator,
    ignore_missing: Validator,
    default: ValidatorFactory,
    one_of: ValidatorFactory,
) -> Schema:
    return {
        "name": [not_empty, unicode_safe],
        "language": [default("fr"), one_of(["fr", "de", "en", "lb"])],
        "format": [ignore_missing, one_of(["ttl", "rdf", "jsonld"])],
        "code": [ignore_missing, unicode_safe],
    }


@validator_args
def thing(not_empty: Validator, unicode_safe: Validator, ignore_missing: Validator) -> Schema:
    return {"id": [not_empty, unicode_safe], "comment": [ignore_missing, unicode_safe]}


@validator_args
def commented_thing(not_empty: Validator, unicode_safe: Validator) -> Schema:
    return {"id": [not_empty, unicode_safe], "comment": [not_empty, unicode_safe]}


@validator_args
def copy(not_empty: Validator, unicode_safe: Validator, ignore_empty: Validator) -> Schema:
    return {
        "id": [not_empty, unicode_safe],
        "name": [ignore_empty, unicode_safe],
        "owner_org": [ignore_empty, unicode_safe],
    }


@validator_args
def two_versions(
    not_empty: Validator, unicode_safe: Validator, ignore_empty: Validator, isodate: Validator
) -> Schema:
    version = [ignore_empty, unicode_safe]
    return {
        "id": [not_empty, unicode_safe],
        "before": version,
        "after": version,
        "at": [ignore_empty, isodate],
    }


@validator_args
def keyword_autocomplete(not_empty: Validator, unicode_safe: Validator, one_of: ValidatorFactory) -> Schema:
    return {"q": [not_empty, unicode_safe], "language": [not_empty, one_of(["fr", "de", "en", "lb"])]}


@validator_args
def theme_suggest(not_empty: Validator, unicode_safe: Validator, default: ValidatorFactory) -> Schema:
    return {
        "text": [not_empty, unicode_safe],
        "type": [default("dataset"), unicode_safe],
        "field": [default("theme"), unicode_safe],
    }


@validator_args
def in_language(default: ValidatorFactory, one_of: ValidatorFactory) -> Schema:
    return {"language": [default("fr"), one_of(["fr", "de", "en", "lb"])]}


@validator_args
def one_in_language(
    default: ValidatorFactory, one_of: ValidatorFactory, not_empty: Validator, unicode_safe: Validator
) -> Schema:
    return {
        "id": [not_empty, unicode_safe],
        "language": [default("fr"), one_of(["fr", "de", "en", "lb"])],
    }


@validator_args
def dataset_search(
    ignore_missing: Validator,
    unicode_safe: Validator,
    default: ValidatorFactory,
    one_of: ValidatorFactory,
    boolean_validator: Validator,
    convert_to_json_if_string: Validator,
    dict_only: Validator,
) -> Schema:
    text = [ignore_missing, unicode_safe]
    return {
        **dict.fromkeys(("q", "sort", "page", "rows", "cursor", "bbox"), text),
        "language": [default("fr"), one_of(["fr", "de", "en", "lb"])],
        "filters": [ignore_missing, convert_to_json_if_string, dict_only],
        "facets": [default(True), boolean_validator],
        "include_private": [default(False), boolean_validator],
    }


@validator_args
def search_suggest(
    not_empty: Validator, unicode_safe: Validator, default: ValidatorFactory, one_of: ValidatorFactory
) -> Schema:
    return {"q": [not_empty, unicode_safe], "language": [default("fr"), one_of(["fr", "de", "en", "lb"])]}


@validator_args
def keyword_suggest(not_empty: Validator, unicode_safe: Validator, one_of: ValidatorFactory) -> Schema:
    return {"text": [not_empty, unicode_safe], "language": [not_empty, one_of(["fr", "de", "en", "lb"])]}
