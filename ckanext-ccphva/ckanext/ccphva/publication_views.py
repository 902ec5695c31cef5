"""Pages and buttons of publication: steps of a dataset, tasks, deleted datasets, changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

__all__ = ["ccphva_publication"]

ccphva_publication = Blueprint("ccphva_publication", __name__)

STEPS = {
    "submit": "ccphva_dataset_submit",
    "withdraw": "ccphva_dataset_withdraw",
    "publish": "ccphva_dataset_publish",
    "return": "ccphva_dataset_return",
    "restore": "ccphva_dataset_restore",
    "duplicate": "ccphva_dataset_duplicate",
    "purge": "dataset_purge",
}


def refusing(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 403 and 404 where the actions of a view refuse."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except tk.NotAuthorized:
            return tk.abort(403)
        except tk.ObjectNotFound:
            return tk.abort(404)

    return answer


@ccphva_publication.route(
    "/dataset/<name>/publication/<any(submit,withdraw,publish,return,restore,duplicate,purge):step>",
    methods=["POST"],
)
@refusing
def take(name: str, step: str) -> Response:
    """Take a step and show the dataset, with what is against it where it was refused."""
    payload = {"id": name}
    if comment := tk.request.form.get("comment", "").strip():
        payload["comment"] = comment
    dataset = tk.get_action("package_show")({}, {"id": name})
    try:
        result = tk.get_action(STEPS[step])({}, payload)
    except tk.ValidationError as refused:
        for faults in refused.error_summary.values():
            tk.h.flash_error(str(faults))
        return tk.redirect_to("dataset.read", id=dataset["name"])
    tk.h.flash_success(_done(step))
    if step == "purge":
        return tk.redirect_to("ccphva_publication.deleted", name=dataset["organization"]["name"])
    if step == "duplicate":
        return tk.redirect_to("dataset.edit", id=result["name"])
    return tk.redirect_to("dataset.read", id=dataset["name"])


def _done(step: str) -> str:
    return {
        "submit": tk._("The dataset is submitted. Those who may publish it are told."),
        "withdraw": tk._("The submission is withdrawn: the dataset is a draft again."),
        "publish": tk._("The dataset is published."),
        "return": tk._("The dataset is returned to its author, who is told."),
        "restore": tk._("The dataset is restored."),
        "duplicate": tk._("This is a draft made from the other dataset: change what differs."),
        "purge": tk._("The dataset is gone for good."),
    }[step]


@ccphva_publication.route("/dashboard/tasks")
def tasks() -> str | Response:
    """What waits for the signed-in person."""
    if tk.current_user.is_anonymous:
        return tk.redirect_to("user.login", came_from=tk.h.url_for("ccphva_publication.tasks"))
    return tk.render("publication/tasks.html", {"tasks": tk.get_action("ccphva_task_list")({}, {})})


@ccphva_publication.route("/organization/<name>/deleted")
@refusing
def deleted(name: str) -> str:
    """The deleted datasets of an organisation, for its administrators."""
    query = {"id": name, "include_users": False, "include_datasets": False}
    organization = tk.get_action("organization_show")({}, query)
    found = tk.get_action("ccphva_deleted_dataset_list")({}, {"id": name})
    return tk.render(
        "publication/deleted.html",
        {"group_dict": organization, "group_type": "organization", "datasets": found},
    )


@ccphva_publication.route("/dataset/<name>/history")
@refusing
def history(name: str) -> str:
    """The versions of a dataset, and the difference between two of them field by field."""
    wanted = {key: tk.request.args.get(key, "") for key in ("before", "after")}
    query = {"id": name, **{key: value for key, value in wanted.items() if value}}
    shown = tk.get_action("ccphva_dataset_changes_show")({}, query)
    dataset = tk.get_action("package_show")({}, {"id": name})
    return tk.render("publication/history.html", {"pkg_dict": dataset, "history": shown})
