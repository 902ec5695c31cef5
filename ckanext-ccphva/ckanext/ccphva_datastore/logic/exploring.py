"""Actions that look into a table: rows, sums, histograms, shapes. Each asks CKAN's rights and the seam.

All of them take ``resource_id`` (or an alias), ``search`` (words that a row must hold, or the beginnings of
them), ``where`` (a list of ``[column, operator, value]`` that must all hold) and ``fields`` (a list of
columns); lists may be JSON. Operators: ``eq``, ``ne``, ``gt``, ``gte``, ``lt``, ``lte``, ``empty``,
``filled``, and for texts ``contains`` and ``starts``. A day in a condition on moments means all of it. Times:
ISO 8601; moments of columns with a zone are put into buckets by the clock of ``ckan.display_timezone``. An
answer takes at most ``ccphva.explore.seconds``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import validate
from ckan.types import Context, DataDict
from ckanext.ccphva_datastore.exploring import figures, tables
from ckanext.ccphva_datastore.logic import exploring_schema as schema

__all__ = [
    "ccphva_table_aggregate",
    "ccphva_table_features",
    "ccphva_table_histogram",
    "ccphva_table_rows",
    "ccphva_table_summary",
]


@tk.side_effect_free
@validate(schema.rows)
def ccphva_table_rows(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """A page of rows, found by its place and not by its number: the last is as quick as the first.

    :param sort: a column, or a column and `` desc``; empty values come last; ``_id`` decides between equals.
    :param after: ``next`` of another answer; ``before``: its ``previous``.
    :param limit: rows of a page, 25 if not given, 500 at most.
    :returns: ``fields`` (``id``, ``type``, ``kind``, ``info``), ``records`` (texts cut after 1,000
        characters, geometries as the beginning of their WKT in WGS 84), ``ids``, ``total`` (1,000,001: more
        than a million; None: not counted in time), ``next``, ``previous`` ("" where there is none).
    """
    found = _answer("ccphva_table_rows", context, data_dict, tables.page)
    found["records"] = [
        {name: figures.plain(v) if isinstance(v, float | Decimal) else v for name, v in record.items()}
        for record in found["records"]
    ]
    return found


@tk.side_effect_free
@validate(schema.asked)
def ccphva_table_summary(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What columns hold.

    :returns: ``total`` (rows) and ``columns``: name → ``filled``, ``empty`` (rows), ``min``, ``max`` (of
        numbers and times), ``mean`` (of numbers; NaN and infinity left out).
    """
    return _answer("ccphva_table_summary", context, data_dict, figures.summary)


@tk.side_effect_free
@validate(schema.histogram)
def ccphva_table_histogram(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """How a column's values are spread.

    :param column: its name.
    :returns: ``bins``: of numbers ``from`` (included), ``to`` (excluded), ``count``; of others ``value``,
        ``count``: times by ``bucket``, texts the most frequent (``truncated``: there are more).
    """
    return _answer("ccphva_table_histogram", context, data_dict, figures.histogram)


@tk.side_effect_free
@validate(schema.aggregate)
def ccphva_table_aggregate(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Figures by time or by category.

    :param x: a column of times (in buckets), numbers, texts or truth values.
    :param y: a column of numbers; none for ``count``.
    :param function: ``count``, ``sum``, ``avg``, ``min``, ``max``, ``median``.
    :param bucket: ``second`` … ``century``; the smallest that gives at most 400 points if not given.
    :param limit: groups, 2,000 at most; 30 categories if not given.
    :returns: ``x``, ``y``, ``function``, ``bucket``, ``groups`` (``x``, ``y``, ``rows``), ``truncated``.
    """
    return _answer("ccphva_table_aggregate", context, data_dict, figures.aggregate)


@tk.side_effect_free
@validate(schema.features)
def ccphva_table_features(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Shapes of rows for a map: GeoJSON (RFC 7946) with ``truncated``; ``id`` is the row's ``_id``.

    :param geometry: a column; the first of its kind if not given.
    :param box: west, south, east, north in degrees: only shapes that touch it.
    :param limit: 5,000 at most.
    """
    return _answer("ccphva_table_features", context, data_dict, figures.features)


def _answer(
    action: str, context: Context, data_dict: DataDict, work: Callable[[tables.Looking, Any], dict[str, Any]]
) -> dict[str, Any]:
    resource_id = tables.resource_of(data_dict["resource_id"])
    tk.check_access("datastore_search", context, {"resource_id": resource_id})
    with tables.looking(context, resource_id, action) as looked:
        return work(looked, data_dict)
