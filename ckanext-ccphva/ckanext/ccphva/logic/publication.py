"""Actions of publication: submit, publish, return, delete and restore, duplicate."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.logic import fresh_context, validate
from ckan.types import Context, DataDict
from ckanext.ccphva import activities, copies, history, reviews, storage, workflow
from ckanext.ccphva.logic import schema

__all__ = [
    "ccphva_dataset_changes_show",
    "ccphva_dataset_duplicate",
    "ccphva_dataset_publish",
    "ccphva_dataset_restore",
    "ccphva_dataset_return",
    "ccphva_dataset_review_show",
    "ccphva_dataset_submit",
    "ccphva_dataset_withdraw",
    "ccphva_deleted_dataset_list",
    "ccphva_task_list",
]


@validate(schema.thing)
def ccphva_dataset_submit(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Submit a draft or a returned dataset to those who may publish it.

    :param id: name or id of the dataset.
    :param comment: what they should know (optional).
    :returns: the dataset, with ``workflow`` ``submitted``.
    :raises ValidationError: it is submitted or published already, or has personal data.
    """
    tk.check_access("ccphva_dataset_submit", context, data_dict)
    return reviews.move(context, data_dict["id"], workflow.SUBMITTED, data_dict.get("comment", ""))


@validate(schema.thing)
def ccphva_dataset_withdraw(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Take a submission back, to change the dataset: it is a draft again.

    :param id: name or id of the dataset.
    :param comment: why (optional).
    :returns: the dataset, with ``workflow`` ``draft``.
    :raises ValidationError: it is not submitted.
    """
    tk.check_access("ccphva_dataset_withdraw", context, data_dict)
    return reviews.move(context, data_dict["id"], workflow.DRAFT, data_dict.get("comment", ""))


@validate(schema.thing)
def ccphva_dataset_publish(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Publish a dataset: everybody who its ``visibility`` is for sees it.

    :param id: name or id of the dataset.
    :param comment: a word to its author (optional).
    :returns: the dataset, with ``workflow`` ``published``.
    :raises ValidationError: it is published already, or has personal data.
    """
    tk.check_access("ccphva_dataset_publish", context, data_dict)
    return reviews.move(context, data_dict["id"], workflow.PUBLISHED, data_dict.get("comment", ""))


@validate(schema.commented_thing)
def ccphva_dataset_return(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Return a submitted or published dataset to its author. Nobody outside its organisation sees it then.

    :param id: name or id of the dataset.
    :param comment: what is to be mended; required.
    :returns: the dataset, with ``workflow`` ``returned``.
    :raises ValidationError: there is no comment, or it is neither submitted nor published.
    """
    tk.check_access("ccphva_dataset_return", context, data_dict)
    return reviews.move(context, data_dict["id"], workflow.RETURNED, data_dict["comment"])


@tk.side_effect_free
@validate(schema.thing)
def ccphva_dataset_review_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """How far a dataset is on its way to publication, for whoever may edit it.

    :param id: name or id of the dataset.
    :returns: ``state``, ``deleted``, ``personal_data``, ``steps`` (the latest first, each with ``at``,
        ``user``, ``before``, ``state``, ``comment``), ``last`` (the latest of them),
        and what the caller may do:
        ``may_edit``, ``may_submit``, ``may_withdraw``, ``may_publish``,
        ``may_return``, ``may_restore``, ``may_purge``.
    """
    tk.check_access("ccphva_dataset_review_show", context, data_dict)
    dataset = tk.get_action("package_show")(fresh_context(context), {"id": data_dict["id"]})
    return reviews.overview(context, dataset)


@tk.side_effect_free
@validate(schema.two_versions)
def ccphva_dataset_changes_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What differs between two versions of a dataset, in the reader's language, for whoever may edit it.

    :param id: name or id of the dataset.
    :param before: id of the older version (optional; the one before ``after``).
    :param after: id of the newer version (optional; the latest).
    :param at: a moment in UTC (ISO 8601, optional): ``after`` is the latest version of that moment.
    :returns: ``versions`` (the latest first: ``id``, ``at``, ``user``, ``kind``), ``before``, ``after``,
        ``fields`` (``field``, ``label``, ``language``, ``kind`` ``text`` or ``items``, ``parts`` with
        ``change`` and ``text``) and ``resources`` (``name``, ``change``, ``fields``).
    :raises ObjectNotFound: no such dataset, or no such version of it.
    """
    tk.check_access("ccphva_dataset_changes_show", context, data_dict)
    dataset = tk.get_action("package_show")(fresh_context(context), {"id": data_dict["id"]})
    return history.changes(dataset, data_dict.get("before"), data_dict.get("after"), data_dict.get("at"))


@tk.side_effect_free
def ccphva_task_list(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """What waits for the caller.

    :returns: lists of datasets: ``to_publish`` (submitted, and the caller may publish them), ``returned`` and
        ``drafts`` (the caller made or submitted them), ``waiting`` (the caller's, before others).
    """
    tk.check_access("ccphva_task_list", context, data_dict)
    return reviews.tasks(context)


@tk.side_effect_free
@validate(schema.thing)
def ccphva_deleted_dataset_list(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """The deleted datasets of an organisation, for its administrators.

    :param id: name or id of the organisation.
    :returns: datasets, each with ``deleted`` (``at``, ``user``) where the stream of activities knows it.
    """
    tk.check_access("ccphva_deleted_dataset_list", context, data_dict)
    organization = model.Group.get(data_dict["id"])
    found = storage.deleted(organization.id) if organization else []
    known = activities.deletions([each["id"] for each in found])
    return [{**each, "deleted": known.get(each["id"])} for each in found]


@validate(schema.thing)
def ccphva_dataset_restore(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Bring a deleted dataset back as it was.

    :param id: name or id of the dataset.
    :returns: the dataset.
    :raises ValidationError: it is not deleted.
    """
    tk.check_access("ccphva_dataset_restore", context, data_dict)
    stored = model.Package.get(data_dict["id"])  # the index learns of a deletion a second later
    if stored is None or stored.state != "deleted":
        raise tk.ValidationError({"id": [tk._("this dataset is not deleted")]})
    fresh = fresh_context(context)
    fresh["use_cache"] = False
    deleted = tk.get_action("package_show")(fresh, {"id": stored.id})
    update = fresh_context(context)
    update["original_package"] = deleted  # compared with the index, nothing would have changed
    return tk.get_action("package_update")(update, {**deleted, "state": "active"})


@validate(schema.copy)
def ccphva_dataset_duplicate(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Make a draft from a dataset, as a start for the next one.

    Links are taken along; uploaded files are not, nor what belongs to the original alone (identifiers, dates,
    versions, what it was harvested from).

    :param id: name or id of the dataset to start from.
    :param name: name of the new one (optional; the next free one of the kind ``name-2``).
    :param owner_org: organisation of the new one (optional; that of the original).
    :returns: the new dataset, with ``workflow`` ``draft``.
    """
    tk.check_access("ccphva_dataset_duplicate", context, data_dict)
    original = tk.get_action("package_show")(fresh_context(context), {"id": data_dict["id"]})
    name = data_dict.get("name") or copies.free_name(original["name"], storage.names_like(original["name"]))
    wanted = copies.start(original, name)
    if data_dict.get("owner_org"):
        wanted["owner_org"] = data_dict["owner_org"]
    return tk.get_action("package_create")(fresh_context(context), wanted)
