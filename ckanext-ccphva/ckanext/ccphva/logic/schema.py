"""Schemas of the plugin's actions."""

from __future__ import annotations

from ckan.logic.schema import validator_args
from ckan.types import Schema, Validator, ValidatorFactory


@validator_args
def page_show(not_empty: Validator, unicode_safe: Validator, one_of: ValidatorFactory) -> Schema:
    return {"name": [not_empty, unicode_safe], "language": [not_empty, one_of(["fr", "de", "en", "lb"])]}


@validator_args
def keyword_autocomplete(not_empty: Validator, unicode_safe: Validator, one_of: ValidatorFactory) -> Schema:
    return {"q": [not_empty, unicode_safe], "language": [not_empty, one_of(["fr", "de", "en", "lb"])]}


@validator_args
def theme_suggest(not_empty: Validator, unicode_safe: Validator, default: ValidatorFactory) -> Schema:
    return {"text": [not_empty, unicode_safe], "type": [default("dataset"), unicode_safe]}
