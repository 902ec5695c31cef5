"""The one DataStore backend: core's own, with every reading through the relation that the reader may see."""

from __future__ import annotations

import logging
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.common import CKANConfig
from ckan.types import Context
from ckanext.ccphva_datastore import relations, storage
from ckanext.ccphva_datastore.feeds import clients
from ckanext.ccphva_datastore.feeds import storage as feeds
from ckanext.ccphva_datastore.loading import storage as loads
from ckanext.ccphva_datastore.relations import Relation
from ckanext.datastore import interfaces
from ckanext.datastore.backend import DatastoreBackend, postgres
from sqlalchemy.exc import StatementError

log = logging.getLogger(__name__)

UNDEFINED_TABLE, CANCELED = "42P01", "57014"


class Backend(postgres.DatastorePostgresqlBackend):
    """Reads through `IEffectiveRelation`; finds tables in all schemas where they may stand."""

    def configure(self, config: CKANConfig) -> None:
        super().configure(config)
        storage.prepare()
        feeds.prepare()

    def search(self, context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
        """As core's `search`, on the relation that this reader sees; no answer holds SQL."""
        resource_id = data_dict["resource_id"]
        if resource_id.startswith("_"):
            relation = Relation(relations.OPEN, resource_id)
        else:
            relation = relations.effective(context, resource_id, "datastore_search")
            if data_dict.get("q") or data_dict.get("full_text"):
                relation = loads.searchable(relation)
        postgres._cache_types(self._get_read_engine())
        try:
            with storage.reading(relation, context.get("query_timeout", postgres._TIMEOUT)) as connection:
                return self._search(context, connection, data_dict, relation)
        except StatementError as error:
            code = postgres._get_pgcode(error)
            if code == UNDEFINED_TABLE:
                raise relations.not_found(resource_id) from error
            if code == CANCELED:
                raise tk.ValidationError({"query": [tk._("The search took too long")]}) from error
            log.info("A search of a table was refused by PostgreSQL", extra={"code": code})
            raise tk.ValidationError({"query": [tk._("The query is not valid")]}) from error

    def _search(
        self, context: Context, connection: Any, data_dict: dict[str, Any], relation: Relation
    ) -> dict[str, Any]:
        context["connection"] = connection
        wanted = data_dict | {"resource_id": relation.name, "include_total": False}
        refuse_unknown(connection, wanted)
        if wanted.get("q") and "_full_text" not in storage.columns(connection, relation):
            raise tk.ValidationError({"q": [tk._("These rows have no full-text search: use filters")]})
        wanted = safe_texts(wanted)
        found = postgres.search_data(context, dict(wanted))  # which writes its result over the request
        base = postgres._get_field_info(connection, data_dict["resource_id"])
        for field in found["fields"]:
            if field["id"] in base:
                field["info"] = base[field["id"]]
        if data_dict["include_total"]:
            wanted["filterops"] = found.get("filterops")
            found["total"] = _total(context, connection, wanted, relation)
        found.pop("filterops", None)
        told = ("resource_id", "include_total", "q", "full_text", "language")
        return found | {key: data_dict[key] for key in told if key in data_dict}

    def resource_exists(self, id: str) -> bool:  # noqa: A002
        return relations.locate(id) is not None

    def resource_id_from_alias(self, alias: str) -> tuple[bool, str | None]:
        """Whether there is such a table or alias, and, for an alias, the table's name."""
        if relations.locate(alias):
            return True, None
        target = storage.alias_target(alias, relations.BASE)
        return target is not None, target

    def get_all_ids(self) -> list[str]:
        return storage.tables(relations.BASE)

    def resource_fields(
        self,
        id: str,  # noqa: A002
        include_meta: bool = True,
        include_fields_schema: bool = True,
    ) -> dict[str, Any]:
        """The resource's own table, as the system sees it; a reader asks `datastore_info`."""
        base = relations.locate(id)
        if base is None:
            raise relations.not_found(id)
        return self.describe(id, base, include_meta, include_fields_schema)

    def describe(self, resource_id: str, relation: Relation, meta: bool, schema: bool) -> dict[str, Any]:
        """What `datastore_info` says, of any kind of relation."""
        postgres._cache_types(self._get_read_engine())
        with storage.reading(relation, postgres._TIMEOUT) as connection:
            types = postgres._get_fields_types(connection, relation.name)
            info = postgres._get_field_info(connection, resource_id)
            fields = [f for f in postgres._result_fields(types, info, None) if f["id"] != "_id"]
            answer: dict[str, Any] = {"fields": fields}
            if schema:
                columns = storage.columns(connection, relation)
                answer["fields"] = [field | {"schema": columns[field["id"]]} for field in fields]
            if meta:
                own = relation.name == resource_id and relation.schema in relations.BASE
                names = storage.aliases(resource_id, relations.BASE) if own else []
                answer["meta"] = {
                    "id": resource_id,
                    "aliases": names,
                    **storage.measures(connection, relation),
                    # A feed's own number would tell how many rows a perimeter hides.
                    "count": storage.count(relation)
                    if own and feeds.show(resource_id)
                    else storage.counted(connection, relation),
                }
            return answer

    def create(self, context: Context, data_dict: dict[str, Any], plugin_data: dict[int, Any]) -> Any:
        """As core's; of a feed only the dictionary is written (`datastore_create` lets no more pass)."""
        if not feeds.show(data_dict["resource_id"]):
            return super().create(context, data_dict, plugin_data)
        with self._get_write_engine().begin() as connection:
            context["connection"] = connection
            postgres.alter_table(context, data_dict, plugin_data)
        return data_dict

    def upsert(self, context: Context, data_dict: dict[str, Any]) -> Any:
        """As core's; a feed's rows go through its writer, and changed rows are found by their new words."""
        resource_id = data_dict["resource_id"]
        if state := feeds.show(resource_id):
            return clients.upsert(state, data_dict)
        if relation := relations.locate(resource_id):
            feeds.ensure_fresh_text(relation)
        return super().upsert(context, data_dict)

    def delete(self, context: Context, data_dict: dict[str, Any]) -> Any:
        """As core's; with a feed's table goes what stands beside it."""
        state = feeds.show(data_dict["resource_id"])
        result = super().delete(context, data_dict)
        if state and "filters" in data_dict:
            feeds.renew_latest(state.resource_id)
        elif "filters" not in data_dict:
            feeds.forget(data_dict["resource_id"])
        return result

    def clear_table_stats(self, resource_id: str) -> None:
        """Forget the count of a table; that of a feed is kept with each write."""
        if not feeds.show(resource_id):
            super().clear_table_stats(resource_id)

    def calculate_record_count(self, resource_id: str) -> None:
        if relation := relations.locate(resource_id):
            storage.keep_count(relation)


def require() -> None:
    """Refuse to serve tables past the seam: the last backend that registers is the one that works.

    :raises RuntimeError: another plugin stands after this one in `ckan.plugins`.
    """
    if not isinstance(DatastoreBackend.get_active_backend(), Backend):
        raise RuntimeError("ckan.plugins: ccphva_datastore must stand after datastore")


def safe_texts(query: dict[str, Any]) -> dict[str, Any]:
    """The query with the colons of its texts escaped.

    Core writes these texts into SQL as literals and then hands it to SQLAlchemy, which takes `:name` inside
    them for the name of a parameter: one text would be pasted into another, and break out of its quotes.
    """
    safe = dict(query)
    for key in ("q", "full_text", "language"):
        value = query.get(key)
        if isinstance(value, str):
            safe[key] = value.replace(":", r"\:")
        elif isinstance(value, dict):
            safe[key] = {name: str(text).replace(":", r"\:") for name, text in value.items()}
    return safe


def refuse_unknown(connection: Any, data_dict: dict[str, Any]) -> None:
    """Name a field that the reader's relation does not have, before PostgreSQL does in its own words."""
    asked = data_dict.get("q")
    if isinstance(asked, dict):
        known = postgres._get_fields_types(connection, data_dict["resource_id"])
        for field in asked:
            if field not in known:
                raise tk.ValidationError({"q": [tk._('There is no field "{field}"').format(field=field)]})


def _total(context: Context, connection: Any, data_dict: dict[str, Any], relation: Relation) -> int:
    """How many rows match: counted, or kept where the whole of a resource's own table is meant."""
    types = postgres._get_fields_types(connection, relation.name)
    query: dict[str, Any] = {"select": [], "sort": [], "where": []}
    for plugin in p.PluginImplementations(interfaces.IDatastore):
        query = plugin.datastore_search(context, data_dict, types, query)
    where, chunks = postgres._where(query["where"])
    own = relation.schema in relations.BASE and not relation.name.startswith("_")
    if own and not where and not query.get("distinct"):
        return storage.count(relation)
    values = {key: value for chunk in chunks for key, value in chunk.items()}
    distinct = "DISTINCT " if query.get("distinct") else ""
    source = f"{relation.sql} {query['ts_query']} {where}"
    return storage.matching(connection, distinct + ", ".join(query["select"]), source, values)
