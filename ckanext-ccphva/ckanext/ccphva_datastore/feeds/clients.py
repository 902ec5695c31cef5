"""What CKAN's own DataStore actions do with a feed: `datastore_upsert` and `datastore_delete` as ever."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva_datastore.feeds import storage, writer
from ckanext.ccphva_datastore.feeds.checks import Rejection, check
from ckanext.ccphva_datastore.feeds.reasons import LANGUAGES
from ckanext.ccphva_datastore.feeds.storage import State
from flask import has_request_context

METHODS = ("upsert", "insert", "update")


class _DryRun(Exception):  # noqa: N818
    """Everything went well; nothing is to be kept."""


def upsert(state: State, data_dict: dict[str, Any]) -> dict[str, Any]:
    """All rows or none, as core's: one that the contract refuses fails the call.

    :raises ckan.logic.ValidationError: what core says, with the numbers of the first refused rows.
    """
    method, records = data_dict.get("method", "upsert"), data_dict.get("records") or []
    if any(isinstance(record, dict) and "_id" in record for record in records):
        raise tk.ValidationError({"key": [tk._("The rows of a feed are named by its key, not by _id")]})
    outcome = check(state.contract, list(enumerate(records, 1)), datetime.now(UTC))
    if outcome.rejected:
        raise _refused(outcome.rejected)
    try:
        with storage.cursor() as run:
            if method != "upsert":
                _refuse_by_method(method, storage.known_rows(run, state, outcome.parts), len(records))
            (tally,) = writer.write(run, state.resource_id, [outcome.parts], careful=True)
            if tally.rejected:
                raise _refused(tally.rejected)
            if data_dict.get("dry_run"):
                raise _DryRun
    except writer.GoneError as error:
        raise tk.ObjectNotFound(tk._('Resource "{0}" was not found.').format(state.resource_id)) from error
    except _DryRun:
        pass
    return data_dict


def _refuse_by_method(method: str, known: int, given: int) -> None:
    if method == "insert" and known:
        message = "Cannot insert records or create index because of uniqueness constraint"
        faults: dict[str, Any] = {"constraints": [message], "info": {"pgcode": writer.UNIQUE_VIOLATION}}
        raise tk.ValidationError(faults)
    if method == "update" and known < given:
        raise tk.ValidationError({"key": [tk._("A row to update does not exist")]})


def _refused(rejected: list[Rejection]) -> tk.ValidationError:
    asked = tk.h.lang() if has_request_context() else LANGUAGES[0]
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    first = sorted(rejected, key=lambda rejection: rejection.row)
    texts = [f"{r.row}: {r.field}: {r.reason.to(language)}" for r in first[:20]]
    return tk.ValidationError({"records": texts, "records_row": first[0].row - 1})  # type: ignore[dict-item]
