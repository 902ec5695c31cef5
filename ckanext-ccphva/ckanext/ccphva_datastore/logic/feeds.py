"""Actions of feeds: contract, state, aggregates, and the gate that the gateway asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from ckanext.ccphva_datastore import placement, relations
from ckanext.ccphva_datastore import storage as tables
from ckanext.ccphva_datastore.feeds import contract as contracts
from ckanext.ccphva_datastore.feeds import storage
from ckanext.ccphva_datastore.feeds.contract import CHANGEABLE, Contract, ContractError
from ckanext.ccphva_datastore.feeds.storage import State
from ckanext.ccphva_datastore.relations import Relation

__all__ = [
    "ccphva_feed_aggregate",
    "ccphva_feed_create",
    "ccphva_feed_delete",
    "ccphva_feed_show",
    "ccphva_feed_update",
    "ccphva_live_gate",
]

Data = dict[str, Any]
BUCKETS = ("minute", "hour", "day", "week", "month", "year")
MOST_BUCKETS = 10_000


def ccphva_feed_create(context: Context, data_dict: Data) -> Data:
    """Make a resource live by a contract.

    :param resource_id: a resource without a table; or
    :param package_id: a dataset that gets a new resource, with ``name``.
    :param fields: columns: ``id``, ``type``, and where they have one ``unit``, ``min``, ``max``, ``info``.
    :param key: columns that name a series.
    :param time: the column of the event's time, of type timestamptz.
    :param freshness: seconds within which a new row is promised (optional).
    :param retention: days for which rows are kept (optional: for ever).
    :param late: seconds that a row may lie behind the newest of its series (optional: any order).
    :param future: seconds that a row may lie ahead of the clock (300).
    :returns: as ``ccphva_feed_show``.
    """
    _one_of(data_dict)
    tk.check_access("ccphva_feed_create", context, data_dict)
    contract = _contract(data_dict)
    dataset = _dataset(data_dict)
    refuse_personal_data(dataset)
    resource_id = data_dict.get("resource_id") or _new_resource(context, data_dict)
    if relations.locate(resource_id):
        raise tk.ValidationError({"resource_id": [tk._("This resource has a table already")]})
    schema = relations.LIVE if placement.is_open(dataset) else relations.CLOSED
    storage.create(resource_id, contract, schema)
    tk.get_action("resource_patch")(
        tk.fresh_context(context),
        {"id": resource_id, "datastore_active": True, "url_type": "datastore"},
    )
    return _shown(_state(resource_id), Relation(schema, resource_id))


def _one_of(data_dict: Data) -> None:
    given = [name for name in ("resource_id", "package_id") if isinstance(data_dict.get(name), str)]
    if len(given) != 1:
        raise tk.ValidationError({"resource_id": [tk._("Name a resource or a dataset")]})


def _contract(document: Data) -> Contract:
    try:
        return contracts.read(document)
    except ContractError as error:
        raise tk.ValidationError(error.told(tk._)) from error  # type: ignore[arg-type]


def _dataset(data_dict: Data) -> model.Package:
    if name := data_dict.get("package_id"):
        dataset = model.Package.get(name)
    else:
        resource = model.Resource.get(data_dict["resource_id"])
        dataset = resource.package if resource else None
    if dataset is None:
        raise tk.ObjectNotFound(tk._("Dataset not found"))
    return dataset


def refuse_personal_data(dataset: model.Package) -> None:
    """Personal data never enter: a dataset that declares some takes no row.

    :raises ckan.logic.ValidationError: it declares some.
    """
    if declares_personal_data(dataset):
        message = tk._("The dataset declares personal data: no row of it may enter a table")
        raise tk.ValidationError({"personal_data": [message]})


def declares_personal_data(dataset: model.Package) -> bool:
    return ((dataset.extras or {}).get("personal_data") or "none") != "none"


def _new_resource(context: Context, data_dict: Data) -> str:
    name = data_dict.get("name")
    if not isinstance(name, str) or not name.strip():
        raise tk.ValidationError({"name": [tk._("Missing value")]})
    texts = data_dict.get("name_translated") or {"fr": name}
    made = tk.get_action("resource_create")(
        tk.fresh_context(context),
        {
            "package_id": data_dict["package_id"],
            "name": name,
            "name_translated": texts,
            "url": "_datastore_only_resource",
            "url_type": "datastore",
        },
    )
    return made["id"]


def _state(resource_id: str) -> State:
    if state := storage.show(resource_id):
        return state
    raise relations.not_found(resource_id)


def _shown(state: State, relation: Relation) -> Data:
    """What is known of a feed, without the columns that this reader does not see."""
    visible = _visible(relation)
    document = state.contract.as_dict()
    document["fields"] = [field for field in document["fields"] if field["id"] in visible]
    document["key"] = [name for name in document["key"] if name in visible]
    now = datetime.now(UTC)
    promised = state.contract.freshness
    return {
        "resource_id": state.resource_id,
        "contract": document,
        "received": state.received.isoformat() if state.received else None,
        "silent_seconds": round(state.silent_seconds(now)),
        "fresh": None if promised is None else not state.is_silent(now),
        "last_event_id": state.last_id,
    }


def _visible(relation: Relation) -> set[str]:
    with tables.reading(relation, 5000) as connection:
        return set(tables.columns(connection, relation))


@tk.side_effect_free
def ccphva_feed_show(context: Context, data_dict: Data) -> Data:
    """A feed's contract and whether it is kept.

    :param resource_id: the feed.
    :returns: ``contract``; ``received`` (when the last row came, UTC), ``silent_seconds`` since then,
        ``fresh`` (None without a promise), ``last_event_id``.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_feed_show", context, data_dict)
    state = _state(resource_id)
    return _shown(state, relations.effective(context, resource_id, "ccphva_feed_show"))


def ccphva_feed_update(context: Context, data_dict: Data) -> Data:
    """Change what a feed promises and demands; its columns, key and time stay.

    :param resource_id: the feed.
    :param freshness: as in ``ccphva_feed_create``, like ``retention``, ``late``, ``future``; null ends one.
    :param fields: new ``unit``, ``min`` and ``max`` of columns (optional); rows that are there stay.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_feed_update", context, data_dict)
    state = _state(resource_id)
    document = state.contract.as_dict() | {name: data_dict[name] for name in CHANGEABLE if name in data_dict}
    if "fields" in data_dict:
        document["fields"] = _changed_fields(document["fields"], data_dict["fields"])
    storage.change(resource_id, _contract(document))
    return _shown(_state(resource_id), relations.effective(context, resource_id, "ccphva_feed_show"))


def _changed_fields(fields: list[Data], given: Any) -> list[Data]:
    known = {field["id"]: field for field in fields}
    for field in given if isinstance(given, list) else []:
        name = field.get("id") if isinstance(field, dict) else None
        if name not in known:
            raise tk.ValidationError({"fields": [tk._('There is no field "{field}"').format(field=name)]})
        known[name] |= {part: field[part] for part in ("unit", "min", "max") if part in field}
    return list(known.values())


def ccphva_feed_delete(context: Context, data_dict: Data) -> None:
    """Drop a feed's table and contract; the resource stays.

    :param resource_id: the feed.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_feed_delete", context, data_dict)
    _state(resource_id)
    tk.get_action("datastore_delete")(tk.fresh_context(context), {"resource_id": resource_id, "force": True})


@tk.side_effect_free
def ccphva_feed_aggregate(context: Context, data_dict: Data) -> Data:
    """Count, least, greatest, mean and sum of a column, by time bucket and series.

    :param resource_id: the feed.
    :param column: a column of numbers.
    :param bucket: minute, hour, day, week, month or year.
    :param timezone: in whose days and months to count (UTC).
    :param since: first moment, ISO 8601 with its zone (optional).
    :param until: first moment that is not meant any more (optional).
    :param filters: values of key columns (optional).
    :param limit: how many buckets at most (10,000).
    :returns: ``records``: each with ``bucket``, the key columns, ``count``, ``min``, ``max``, ``avg`` and
        ``sum``.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_feed_aggregate", context, data_dict)
    contract = _state(resource_id).contract
    relation = relations.effective(context, resource_id, "ccphva_feed_aggregate")
    column, bucket, zone, limit, where = _asked(contract, _visible(relation), data_dict)
    with tables.reading(relation, 60_000) as connection:
        found = storage.aggregate(connection, relation, contract, column, bucket, zone, where, limit)
    return {"resource_id": resource_id, "column": column, "bucket": bucket, "records": found}


def _asked(
    contract: Contract, visible: set[str], data_dict: Data
) -> tuple[str, str, str, int, list[tuple[str, str, Any]]]:
    """The parts of a query.

    :raises ckan.logic.ValidationError: some are not right for this feed and reader.
    """
    faults: dict[str, list[str]] = {}
    numbers = [c.id for c in contract.columns if c.type in contracts.NUMBERS and c.id in visible]
    column, bucket = data_dict.get("column"), data_dict.get("bucket", "hour")
    zone, limit = data_dict.get("timezone", "UTC"), str(data_dict.get("limit", MOST_BUCKETS))
    if column not in numbers:
        faults["column"] = [tk._("Name a column of numbers")]
    if bucket not in BUCKETS:
        faults["bucket"] = [", ".join(BUCKETS)]
    if zone not in available_timezones():
        faults["timezone"] = [tk._("This time zone is not known")]
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST_BUCKETS:
        faults["limit"] = [f"1 - {MOST_BUCKETS}"]
    if lacking := [name for name in contract.unique if name not in visible]:
        faults["resource_id"] = [tk._('There is no field "{field}"').format(field=lacking[0])]
    where = _conditions(contract, visible, data_dict, faults)
    if faults:
        raise tk.ValidationError(faults)  # type: ignore[arg-type]
    return str(column), str(bucket), str(zone), int(limit), where


def _conditions(
    contract: Contract, visible: set[str], data_dict: Data, faults: dict[str, list[str]]
) -> list[tuple[str, str, Any]]:
    """Column, sign and value of each condition; what is wrong goes to `faults`."""
    where: list[tuple[str, str, Any]] = []
    for name, sign in (("since", ">="), ("until", "<")):
        if text := data_dict.get(name):
            try:
                where.append((contract.time, sign, datetime.fromisoformat(str(text)).astimezone(UTC)))
            except (ValueError, OverflowError):
                faults[name] = [tk._("Not a date with its time (ISO 8601)")]
    filters = data_dict.get("filters") or {}
    for name, value in filters.items() if isinstance(filters, dict) else [("", filters)]:
        if name not in contract.key or name not in visible:
            faults["filters"] = [tk._('There is no field "{field}"').format(field=name)]
        else:
            where.append((name, "=", value))
    return where


@tk.side_effect_free
def ccphva_live_gate(context: Context, data_dict: Data) -> Data:
    """What the caller may do with a feed: the gateway asks this for everybody who comes to it.

    :param resource_id: the feed.
    :returns: ``user`` (empty for nobody), ``read``, ``write``, ``personal_data``; for who may do one of both
        ``contract``; for who may read ``relation`` (schema and name), ``columns``, ``open``.
    """
    resource_id = tk.get_or_bust(data_dict, "resource_id")
    tk.check_access("ccphva_live_gate", context, data_dict)
    answer: Data = {"user": context.get("user") or "", "read": False, "write": False, "personal_data": False}
    resource = model.Resource.get(resource_id) if isinstance(resource_id, str) else None
    state = storage.show(resource_id) if resource else None
    if state is None or resource is None or resource.state != "active" or resource.package is None:
        return answer
    answer["write"] = bool(answer["user"]) and _may(context, "datastore_upsert", resource_id)
    if _may(context, "datastore_search", resource_id):
        try:
            relation = relations.effective(context, resource_id, "ccphva_live_gate")
            columns = _visible(relation)
            answer |= {
                "read": True,
                "relation": [relation.schema, relation.name],
                "columns": [c.id for c in state.contract.columns if c.id in columns],
                "open": placement.is_open(resource.package) and relation.schema == relations.LIVE,
            }
        except tk.ObjectNotFound:
            pass
    if answer["read"] or answer["write"]:
        answer["contract"] = state.contract.as_dict()
        answer["personal_data"] = declares_personal_data(resource.package)
    return answer


def _may(context: Context, action: str, resource_id: str) -> bool:
    try:
        tk.check_access(action, tk.fresh_context(context), {"resource_id": resource_id})
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False
    return True
