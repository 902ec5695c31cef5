"""New datasets into CKAN's tables, a batch in one flush. Imports `reading`.

What `package_create` does around its own reads and commits: validation, creator, owner, tags, hooks of
plugins, default views, activity. Who calls commits, or rolls back all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import logic
from ckan import model as core
from ckan.lib import datapreview
from ckan.lib import plugins as forms
from ckan.model.types import make_uuid
from ckan.types import Context
from ckanext.activity.model import Activity
from ckanext.ccphva_harvest.bulk import reading

Values = dict[str, Any]
_TAGS = 0x54414753  # "TAGS": keeps the advisory lock on new tags apart from others


@dataclass
class New:
    """A validated dataset that is not stored yet.

    :param data: as the validators of `package_create` gave it.
    :param noted: what validators left with the session for the hooks.
    """

    data: Values
    noted: Mapping[Any, Any]
    package: core.Package = field(default_factory=core.Package)


def validated(wanted: Values, context: Context, package: core.Package | None = None) -> New:
    """Validate a dataset as `package_create` does, or `package_update` where there is one already.

    :param wanted: its payload, with `name` and `type`.
    :raises ckan.logic.ValidationError: the schema has something against it; nothing is rolled back.
    """
    plugin = forms.lookup_package_plugin(wanted["type"])
    if package is None:
        schema, action = plugin.create_package_schema(), "package_create"
    else:
        schema, action = plugin.update_package_schema(), "package_update"
        context = Context(context, package=package)
    data, errors = forms.plugin_validate(plugin, context, wanted, schema, action)
    if errors:
        raise tk.ValidationError(errors)
    return New(data, dict(core.Session().info))


def is_plain(wanted: Values) -> bool:
    """Whether a dataset can be stored here: no groups, no relations, no tag of a vocabulary, no upload."""
    parts = ("groups", "relationships_as_subject", "relationships_as_object", "plugin_data")
    return not any(wanted.get(part) for part in parts) and not any(
        resource.get("upload") or resource.get("url_type") == "upload"
        for resource in wanted.get("resources") or ()
    )


def create(news: Sequence[New], context: Context) -> dict[str, reading.Both]:
    """Store datasets, tell the plugins, and note the activity; the caller commits.

    :returns: each as it is shown from now on.
    """
    user = core.User.get(context.get("user"))
    tags = _tags({tag["name"] for new in news for tag in new.data.get("tags") or ()})
    for new in news:
        _fill(new, tags, user.id if user else None)
    core.Session.add_all([new.package for new in news])
    core.Session.flush()
    _own([new.package for new in news])
    for new in news:
        _tell(new, context)
    _show_by_default(news, context)
    shown = reading.shown([new.package.id for new in news], context)
    if user and tk.config["ckan.activity_streams_enabled"]:
        core.Session.add_all(_activities(news, user, shown))
    core.Session.flush()
    return shown


def _fill(new: New, tags: Mapping[str, core.Tag], creator: str | None) -> None:
    data, package = new.data, new.package
    data.pop("metadata_created", None)
    if creator:
        data["creator_user_id"] = creator
    package.from_dict(data | {"extras": {each["key"]: each["value"] for each in data.get("extras") or ()}})
    for values in data.get("resources") or ():
        package.resources_all.append(_resource(values, package.id))
    for name in dict.fromkeys(tag["name"] for tag in data.get("tags") or ()):
        core.Session.add(core.PackageTag(package, tags[name], "active"))


def _own(packages: Iterable[core.Package]) -> None:
    """The rows by which organisations have their datasets."""
    owned = [
        {
            "table_id": package.id, "table_name": "package", "group_id": package.owner_org,
            "capacity": "organization", "state": "active",
        }
        for package in packages
        if package.owner_org
    ]  # fmt: skip
    if owned:
        core.Session.execute(sa.insert(core.member_table), owned)


def _resource(values: Values, package_id: str) -> core.Resource:
    for ignored in ("extras", "revision_timestamp", "tracking_summary"):
        values.pop(ignored, None)
    values["package_id"] = package_id
    values["id"] = values.get("id") or make_uuid()
    resource = core.Resource()
    _, more = resource.from_dict(values)
    resource.state, resource.extras = "active", more
    return resource


def _tags(names: Iterable[str]) -> dict[str, core.Tag]:
    """Tags without a vocabulary, by name; new ones are made.

    No constraint keeps two of a name apart, so one writer at a time makes new ones.
    """
    wanted = set(names)

    def there() -> dict[str, core.Tag]:
        query = core.Session.query(core.Tag).filter(core.Tag.vocabulary_id.is_(None))
        return {tag.name: tag for tag in query.filter(core.Tag.name.in_(wanted))}

    found = there() if wanted else {}
    if set(found) != wanted:
        core.Session.execute(sa.select(sa.func.pg_advisory_xact_lock(_TAGS)))
        found = there()
        for name in sorted(wanted - set(found)):
            found[name] = core.Tag(name)
            core.Session.add(found[name])
    return found


def _tell(new: New, context: Context) -> None:
    core.Session().info.update(new.noted)
    for plugin in p.PluginImplementations(p.IPackageController):
        plugin.create(new.package)
        plugin.after_dataset_create(context, new.data)


def _show_by_default(news: Sequence[New], context: Context) -> None:
    """Views that CKAN makes for files of some formats, where a plugin can show one."""
    plugins = datapreview.get_default_view_plugins()
    for new in news:
        resources = new.data.get("resources") or ()
        if any(
            plugin.can_view({"resource": each, "package": new.data})
            for each in resources
            for plugin in plugins
        ):
            tk.get_action("package_create_default_resource_views")(
                logic.fresh_context(context, ignore_auth=True), {"package": new.data}
            )


def _activities(
    news: Sequence[New], user: core.User, shown: Mapping[str, reading.Both]
) -> Iterator[Activity]:
    """What ckanext-activity writes of each new dataset."""
    labels = forms.get_permission_labels()
    for new in news:
        yield Activity(
            user_id=user.id,
            object_id=new.package.id,
            activity_type="new package",
            data={"package": shown[new.package.id][1], "actor": user.name},
            permission_labels=labels.get_dataset_labels(new.package),
        )
