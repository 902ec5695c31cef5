"""Actions by which a program, such as a harvest, brings rows: pushed under a key, or a whole table anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
import psycopg2
from ckan import model
from ckan.types import Context
from ckanext.ccphva_datastore import placement, relations
from ckanext.ccphva_datastore.feeds import marks as kept_marks
from ckanext.ccphva_datastore.feeds import storage as feeds
from ckanext.ccphva_datastore.feeds import writer
from ckanext.ccphva_datastore.feeds.checks import check
from ckanext.ccphva_datastore.feeds.storage import State
from ckanext.ccphva_datastore.loading import rows
from ckanext.ccphva_datastore.loading.columns import TYPES
from ckanext.ccphva_datastore.loading.rows import Tally
from ckanext.ccphva_datastore.loading.storage import Column
from ckanext.ccphva_datastore.loading.table import cleaned
from ckanext.ccphva_datastore.logic.feeds import refuse_personal_data
from ckanext.ccphva_datastore.relations import Relation

__all__ = ["ccphva_rows_marks", "ccphva_rows_push", "ccphva_rows_replace"]

Data = dict[str, Any]
Refused = list[dict[str, Any]]
KINDS = TYPES | {"json": "jsonb"}
REASONS = "en"
"""Language of the reasons: who asks is a program, which counts them."""


def ccphva_rows_push(context: Context, data_dict: Data) -> Data:
    """Add rows to a feed or to a table with a key; a row of a known key takes the old one's place.

    Good rows are stored though others are refused, and the same rows may be sent again.

    :param resource_id: the feed or table.
    :param records: rows, as objects.
    :param marks: how far series have come, text by series: kept in the transaction of the rows (optional).
    :returns: ``accepted``, ``unchanged``, and ``rejected``: ``row`` (from 1), ``field``, ``reason`` of each.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_rows_push", context, {"resource_id": resource_id})
    refuse_personal_data(_dataset(resource_id))
    records, marks = _listed(data_dict.get("records")), _marks(data_dict.get("marks"))
    if state := feeds.show(resource_id):
        return _push_to_feed(state, records, marks)
    relation = relations.locate(resource_id)
    if relation is None:
        raise relations.not_found(resource_id)
    key, columns = rows.key_of(resource_id), rows.columns_of(resource_id)
    if not key:
        raise tk.ValidationError({"key": [tk._("Rows can be added to a table with a key only")]})
    feeds.ensure_fresh_text(relation)
    refused: Refused = []
    good = list(_fitting(records, columns, key, refused))
    accepted, unchanged = _merge(relation, columns, key, good, refused, marks)
    return {"accepted": accepted, "unchanged": unchanged, "rejected": refused}


def ccphva_rows_replace(context: Context, data_dict: Data) -> Data:
    """Put rows in the place of all rows of a resource's table, in one transaction, or make the table.

    Nothing is written when the rows are the same.

    :param resource_id: a resource that is no feed.
    :param fields: columns: ``id``, ``type`` (as ``ccphva_load_submit``, and ``json``), ``info``.
    :param key: columns that name a row (optional); of two rows with one key the later is taken.
    :param records: rows, as objects; inside CKAN also an iterator, whose error leaves the old rows.
    :returns: ``accepted`` and ``unchanged``.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_rows_replace", context, {"resource_id": resource_id})
    dataset = _dataset(resource_id)
    refuse_personal_data(dataset)
    if feeds.show(resource_id):
        message = tk._("This resource is a feed: its columns and key are those of its contract")
        raise tk.ValidationError({"resource_id": [message]})
    columns = _columns(data_dict.get("fields"))
    key = _key(data_dict.get("key"), columns)
    schema = relations.OPEN if placement.is_open(dataset) else relations.CLOSED
    try:
        tally = rows.replace(resource_id, columns, key, data_dict.get("records") or [], schema)
    except psycopg2.OperationalError:
        raise
    except psycopg2.Error as error:
        raise tk.ValidationError({"records": [_said(error)]}) from error
    placement.place(dataset.id)
    resource = model.Resource.get(resource_id)
    if resource and not (resource.extras or {}).get("datastore_active"):
        tk.get_action("resource_patch")(
            tk.fresh_context(context), {"id": resource_id, "datastore_active": True}
        )
    return {"accepted": tally.accepted, "unchanged": tally.unchanged}


def ccphva_rows_marks(context: Context, data_dict: Data) -> dict[str, str]:
    """How far the series of a feed or table have come, as they were given with its rows.

    :param resource_id: the feed or table.
    :returns: text by series.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_rows_marks", context, {"resource_id": resource_id})
    if relations.locate(resource_id) is None:
        raise relations.not_found(resource_id)
    with feeds.cursor() as cursor:
        return kept_marks.of(cursor, resource_id)


# -- a feed --------------------------------------------------------------------------------------------------


def _push_to_feed(state: State, records: Sequence[Any], marks: Mapping[str, str]) -> Data:
    outcome = check(state.contract, list(enumerate(records, 1)), datetime.now(UTC))
    try:
        with feeds.cursor() as cursor:
            (tally,) = writer.write(cursor, state.resource_id, [outcome.parts], careful=True)
            kept_marks.keep(cursor, state.resource_id, marks)
    except writer.GoneError as error:
        raise relations.not_found(state.resource_id) from error
    refused = sorted([*outcome.rejected, *tally.rejected], key=lambda one: one.row)
    told = [{"row": one.row, "field": one.field, "reason": one.reason.to(REASONS)} for one in refused]
    return {"accepted": tally.accepted, "unchanged": tally.unchanged + tally.replaced, "rejected": told}


# -- a table -------------------------------------------------------------------------------------------------


def _fitting(
    records: Sequence[Any], columns: Sequence[Column], key: Sequence[str], refused: Refused
) -> Iterator[tuple[int, Data]]:
    """Rows with their numbers; those that are none, or name no row, are refused."""
    names = {column.name for column in columns}
    for number, record in enumerate(records, 1):
        field, reason = "", "not an object"
        if isinstance(record, dict):
            unknown = next((str(name) for name in record if name not in names), None)
            empty = next((name for name in key if record.get(name) is None), None)
            if unknown is None and empty is None:
                yield number, record
                continue
            field = unknown or empty or ""
            reason = "no such column" if unknown else "empty, and it names the row"
        refused.append({"row": number, "field": field[:80], "reason": reason})


def _merge(
    relation: Relation, columns: Sequence[Column], key: Sequence[str], good: Sequence[tuple[int, Data]],
    refused: Refused, marks: Mapping[str, str],
) -> tuple[int, int]:  # fmt: skip
    """Write rows with their marks; a row that the database refuses is found by halving, the marks wait."""
    try:
        tally: Tally = rows.merge(relation, columns, key, [row for _, row in good], marks)
    except (psycopg2.DataError, psycopg2.IntegrityError) as error:
        if len(good) == 1:
            refused.append({"row": good[0][0], "field": "", "reason": _said(error)})
            rows.merge(relation, columns, key, [], marks)
            return 0, 0
        middle = len(good) // 2
        halves = [
            _merge(relation, columns, key, part, refused, {}) for part in (good[:middle], good[middle:])
        ]
        rows.merge(relation, columns, key, [], marks)
        return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]
    return tally.accepted, tally.unchanged


def _said(error: psycopg2.Error) -> str:
    """What PostgreSQL says, without the SQL and without values."""
    return (error.diag.message_primary or type(error).__name__).split(":")[0][:200]


# -- what was asked ------------------------------------------------------------------------------------------


def _dataset(resource_id: Any) -> model.Package:
    resource = model.Resource.get(resource_id) if isinstance(resource_id, str) else None
    if resource is None or resource.state != "active" or resource.package is None:
        raise relations.not_found(str(resource_id))
    return resource.package


def _listed(records: Any) -> list[Any]:
    if records is not None and not isinstance(records, list):
        raise tk.ValidationError({"records": [tk._("Not a list of rows")]})
    return records or []


def _marks(marks: Any) -> dict[str, str]:
    given = {} if marks is None else marks
    if not isinstance(given, dict) or not all(
        isinstance(part, str) and "\0" not in part for item in given.items() for part in item
    ):
        raise tk.ValidationError({"marks": [tk._("Not an object of texts")]})
    return given


def _columns(fields: Any) -> list[Column]:
    columns: list[Column] = []
    for field in fields if isinstance(fields, list) else []:
        name = field.get("id") if isinstance(field, dict) else None
        kind = KINDS.get(str(field.get("type"))) if isinstance(field, dict) else None
        if not isinstance(name, str) or name != cleaned(name, 0) or kind is None:
            raise tk.ValidationError({"fields": [f"{str(name)[:80]}: {tk._('Not a valid column')}"]})
        info = field.get("info")
        columns.append(Column(name, kind, info if isinstance(info, dict) else {}))
    if not columns or len({column.name for column in columns}) < len(columns):
        raise tk.ValidationError({"fields": [tk._("Not a valid column")]})
    return columns


def _key(key: Any, columns: Sequence[Column]) -> list[str]:
    names = {column.name for column in columns}
    if key and (not isinstance(key, list) or not all(name in names for name in key)):
        raise tk.ValidationError({"key": [tk._("Not a valid column")]})
    return key or []
