"""Actions of the DataStore that read: each asks `relations.effective` what this reader sees."""

from __future__ import annotations

import re
from typing import Any, cast

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Action, Context
from ckanext.ccphva_datastore import placement, relations
from ckanext.ccphva_datastore.backend import Backend
from ckanext.ccphva_datastore.feeds import storage as feed_storage
from ckanext.ccphva_datastore.logic import exploring, feeds, loads, rows
from ckanext.ccphva_datastore.logic.exploring import *  # noqa: F403 -- the blanket looks for actions here
from ckanext.ccphva_datastore.logic.feeds import *  # noqa: F403
from ckanext.ccphva_datastore.logic.loads import *  # noqa: F403
from ckanext.ccphva_datastore.logic.rows import *  # noqa: F403
from ckanext.datastore import interfaces
from ckanext.datastore.backend import DatastoreBackend
from ckanext.datastore.logic.schema import datastore_info_schema

__all__ = ["datastore_create", "datastore_info", "datastore_search", "datastore_upsert"]
__all__ += exploring.__all__
__all__ += feeds.__all__
__all__ += loads.__all__
__all__ += rows.__all__

Data = dict[str, Any]
PARAMETER = re.compile(r"(?<!\w):\w")


@tk.chained_action
@tk.side_effect_free
def datastore_search(original: Action, context: Context, data_dict: Data) -> Data:
    """As core's; the list of all tables, `_table_metadata`, is for administrators: it names private ones."""
    if str(data_dict.get("resource_id", "")).startswith("_"):
        tk.check_access("sysadmin", context, {})
    try:
        return original(context, data_dict)
    except tk.ObjectNotFound as error:
        raise relations.not_found(data_dict["resource_id"]) from error


@tk.chained_action
@tk.side_effect_free
def datastore_info(_: Action, context: Context, data_dict: Data) -> Data:
    """As core's, for every kind of relation, and with what this reader may see of it.

    :param id: the resource's id or an alias.
    """
    data, errors = tk.navl_validate(dict(data_dict), datastore_info_schema(), context)
    if errors:
        raise tk.ValidationError(errors)
    backend = cast(Backend, DatastoreBackend.get_active_backend())
    exists, target = backend.resource_id_from_alias(data["resource_id"])
    if not exists:
        raise relations.not_found(data["resource_id"])
    resource_id = target or data["resource_id"]
    tk.check_access("datastore_info", context, {"resource_id": resource_id, "id": resource_id})
    relation = relations.effective(context, resource_id, "datastore_info")
    info = backend.describe(resource_id, relation, data["include_meta"], data["include_fields_schema"])
    plugin_data = backend.resource_plugin_data(resource_id)
    for number, field in enumerate(info["fields"]):
        for plugin in p.PluginImplementations(interfaces.IDataDictionaryForm):
            field = plugin.update_datastore_info_field(field, plugin_data.get(field["id"], {}))
        info["fields"][number] = field
    return info


@tk.chained_action
def datastore_create(original: Action, context: Context, data_dict: Data) -> Data:
    """As core's; the table of a dataset that is not open is then put out of the reading role's reach."""
    _refuse_parameters(data_dict)
    _refuse_rows(data_dict)
    _refuse_other_columns(data_dict)
    result = original(context, data_dict)
    if resource := tk.get_action("resource_show")(
        Context(user=context.get("user", ""), ignore_auth=True), {"id": result["resource_id"]}
    ):
        placement.place(resource["package_id"])
    return result


@tk.chained_action
def datastore_upsert(original: Action, context: Context, data_dict: Data) -> Data:
    """As core's; a dataset that declares personal data takes no row, and a feed counts by itself."""
    _refuse_rows(data_dict)
    if feed_storage.show(str(data_dict.get("resource_id"))):
        data_dict = data_dict | {"calculate_record_count": False}
    return original(context, data_dict)


def _refuse_rows(data_dict: Data) -> None:
    """Refuse rows for a dataset that declares personal data, once its resource is known to exist."""
    resource = model.Resource.get(data_dict["resource_id"]) if data_dict.get("resource_id") else None
    if data_dict.get("records") and resource and resource.package:
        feeds.refuse_personal_data(resource.package)


def _refuse_other_columns(data_dict: Data) -> None:
    """A feed's columns are its contract's: core may write the dictionary of them, no more."""
    state = feed_storage.show(str(data_dict.get("resource_id")))
    if state is None:
        return
    known, fields = {column.id for column in state.contract.columns}, data_dict.get("fields") or []
    others = [f for f in fields if not isinstance(f, dict) or f.get("id") not in known]
    wanted = ("records", "primary_key", "indexes", "triggers", "delete_fields", "aliases")
    if others or any(data_dict.get(name) for name in wanted):
        message = tk._("This resource is a feed: its columns and key are those of its contract")
        raise tk.ValidationError({"resource_id": [message]})


def _refuse_parameters(data_dict: Data) -> None:
    """Refuse columns whose names SQLAlchemy would take for parameters; see `backend.safe_texts`."""
    fields, records = data_dict.get("fields") or [], data_dict.get("records") or [None]
    names = (
        [field.get("id") for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
    )
    if isinstance(records, list) and records and isinstance(records[0], dict):
        names += records[0]
    for name in names:
        if isinstance(name, str) and PARAMETER.search(name):
            message = tk._('The column name "{name}" has a colon before a letter or digit').format(name=name)
            raise tk.ValidationError({"fields": [message]})
