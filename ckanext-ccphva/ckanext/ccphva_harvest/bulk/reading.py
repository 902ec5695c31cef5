"""Datasets as `package_show` gives them, read for a whole batch. Imports nothing of the plugin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ckan.plugins as p
import sqlalchemy as sa
from ckan import logic
from ckan import model as core
from ckan.lib import dictization
from ckan.lib import plugins as forms
from ckan.lib.dictization import model_dictize
from ckan.logic.schema import default_show_package_schema
from ckan.types import Context

Shown = dict[str, Any]
Both = tuple[Shown, Shown]
"""A dataset with core's fields, and with those of its schema: what the index stores of it."""
_OF = "_of"
"""Column that says which dataset a row belongs to, where the table itself does not."""


def shown(ids: Sequence[str], context: Context) -> dict[str, Both]:
    """Datasets that exist, by id.

    The same as `ckan.logic.package_show_default_and_custom_schemas`, for many.

    :param context: of somebody who may see them all; nobody is asked.
    """
    fields = _fields(ids)
    return {id_: (_of_core(each, context), _of_schema(each, context)) for id_, each in fields.items()}


def _of_core(fields: Shown, context: Context) -> Shown:
    """Core's schema for showing, which changes nothing but groups and relations."""
    if not (fields["groups"] or fields["relationships_as_subject"] or fields["relationships_as_object"]):
        return fields
    shown, _ = forms.plugin_validate(
        object(), _quiet(context), fields, default_show_package_schema(), "package_show"
    )
    return shown


def _of_schema(fields: Shown, context: Context) -> Shown:
    plugin = forms.lookup_package_plugin(fields["type"])
    quiet = _quiet(context)
    shown, _ = forms.plugin_validate(
        plugin, quiet, dict(fields), plugin.show_package_schema(), "package_show"
    )
    logic.apply_after_dataset_show_plugins(quiet, shown)
    return shown


def _quiet(context: Context) -> Context:
    """For what looks at datasets while they are written: the index is not asked for a copy."""
    return logic.fresh_context(context, use_cache=False, validate=False)


def _fields(ids: Sequence[str]) -> dict[str, Shown]:
    """What `package_dictize` gives, by id, with the hooks that `package_show` calls on resources."""
    packages = _rows(core.package_table, "id", ids)
    resources = _grouped(core.resource_table, "package_id", ids)
    tags, groups = _tags(ids), _groups(ids)
    owners = {row.owner_org for row in packages if row.owner_org}
    organizations = {row.id: row for row in _rows(core.group_table, "id", owners) if row.state == "active"}
    subjects = _grouped(core.package_relationship_table, "subject_package_id", ids)
    objects = _grouped(core.package_relationship_table, "object_package_id", ids)
    found = {}
    for row in packages:
        context = Context()
        dataset = dictization.table_dictize(row, context)
        dataset.pop("plugin_data", None)
        if dataset.get("title"):
            dataset["title"] = dataset["title"].strip()
        dataset["resources"] = model_dictize.resource_list_dictize(resources[row.id], context)
        dataset["num_resources"] = len(dataset["resources"])
        dataset["tags"] = dictization.obj_list_dictize(tags[row.id], context, lambda tag: tag["name"])
        dataset["num_tags"] = len(dataset["tags"])
        for tag in dataset["tags"]:
            del tag[_OF]
            tag["display_name"] = tag["name"]
        dataset["extras"] = [{"key": key, "value": value} for key, value in (row.extras or {}).items()]
        dataset["groups"] = model_dictize.group_list_dictize(
            groups[row.id], Context(), with_package_counts=False
        )
        for group in dataset["groups"]:
            group.pop(_OF, None)
        dataset["organization"] = _organization(organizations.get(row.owner_org))
        dataset["relationships_as_subject"] = dictization.obj_list_dictize(subjects[row.id], context)
        dataset["relationships_as_object"] = dictization.obj_list_dictize(objects[row.id], context)
        dataset |= _licence(row.license_id)
        dataset["type"] = row.type or "dataset"
        for plugin in p.PluginImplementations(p.IResourceController):
            for resource in dataset["resources"]:
                plugin.before_resource_show(resource)
        found[row.id] = dataset
    return found


def _organization(row: Any) -> Shown | None:
    if row is None:
        return None
    found = dictization.table_dictize(row, Context())
    del found["extras"]
    return found


def _licence(id_: str | None) -> Shown:
    """`isopen`, and what the licence is called."""
    licence = core.Package.get_license_register().get(id_) if id_ else None
    if licence is None:
        return {"isopen": False, "license_title": id_}
    if licence.url:
        return {
            "isopen": bool(licence.isopen()),
            "license_url": licence.url,
            "license_title": licence.title.split("::")[-1],
        }
    return {"isopen": bool(licence.isopen()), "license_title": licence.title}


def _tags(ids: Sequence[str]) -> Mapping[str, list[Any]]:
    tag, link = core.tag_table, core.package_tag_table
    query = sa.select(tag, link.c.state, link.c.package_id.label(_OF)).join(link, tag.c.id == link.c.tag_id)
    return _by_owner(query.where(link.c.package_id.in_(ids)), _OF)


def _groups(ids: Sequence[str]) -> Mapping[str, list[Any]]:
    member, group = core.member_table, core.group_table
    query = sa.select(group, member.c.capacity, member.c.table_id.label(_OF)).join(
        member, group.c.id == member.c.group_id
    )
    wanted = (member.c.table_id.in_(ids), member.c.state == "active", group.c.is_organization.is_(False))
    return _by_owner(query.where(*wanted), _OF)


def _rows(table: sa.Table, column: str, values: Iterable[str]) -> list[Any]:
    return list(core.Session.execute(sa.select(table).where(table.c[column].in_(list(values)))))


def _grouped(table: sa.Table, column: str, values: Sequence[str]) -> Mapping[str, list[Any]]:
    return _by_owner(sa.select(table).where(table.c[column].in_(values)), column)


def _by_owner(query: Any, column: str) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in core.Session.execute(query):
        found[getattr(row, column)].append(row)
    return found
