"""Publication in several hands: who may publish, what step a write takes, and what is noted of it.

`workflow.py` has the rules. A write passes through the validators, which `note` its step; the hooks of
CKAN `record` it in the same transaction; `review_mails.py` tells people afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.logic import fresh_context
from ckan.types import Context
from ckanext.ccphva import activities, search, storage, visibility, workflow
from ckanext.ccphva.languages import N_
from ckanext.ccphva.model import Review

MOVE, COMMENT = "ccphva_move", "ccphva_comment"
"""Keys of the context: the state that an action asks for, and its comment."""
STEP = "ccphva_step"

FROM = {
    workflow.DRAFT: {workflow.SUBMITTED},
    workflow.SUBMITTED: {workflow.DRAFT, workflow.RETURNED},
    workflow.PUBLISHED: {workflow.DRAFT, workflow.SUBMITTED, workflow.RETURNED},
    workflow.RETURNED: {workflow.SUBMITTED, workflow.PUBLISHED},
}
"""From which states each state is reached."""
_REFUSED = {
    workflow.DRAFT: N_("only a submitted dataset can be withdrawn"),
    workflow.SUBMITTED: N_("only a draft or a returned dataset can be submitted"),
    workflow.PUBLISHED: N_("this dataset is published already"),
    workflow.RETURNED: N_("only a submitted or a published dataset can be returned"),
}


def may_publish(context: Mapping[str, Any], organizations: Iterable[str]) -> bool:
    """Whether the person of a context may publish in each of the organisations."""
    return all(
        _allowed(context, "ccphva_organization_publish", {"id": organization})
        for organization in organizations
    )


def _allowed(context: Any, action: str, data: dict[str, Any]) -> bool:
    try:
        tk.check_access(action, fresh_context(context), data)
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False
    return True


def move(context: Context, dataset_id: str, state: str, comment: str = "") -> dict[str, Any]:
    """Bring a dataset to a state; whether the person may is checked by the caller.

    :raises ValidationError: the state cannot be reached from the present one, or personal data forbid it.
    """
    dataset = tk.get_action("package_show")(fresh_context(context), {"id": dataset_id})
    if dataset["state"] == "deleted":
        raise tk.ValidationError({"workflow": [tk._("this dataset is deleted: restore it first")]})
    if workflow.state_of(dataset) not in FROM[state]:
        raise tk.ValidationError({"workflow": [tk._(_REFUSED[state])]})
    if state in (workflow.SUBMITTED, workflow.PUBLISHED) and _has_personal_data(dataset):
        fault = tk._("a dataset with personal data cannot be published")
        raise tk.ValidationError({"personal_data": [fault]})
    payload = {"id": dataset["id"], "workflow": state, "state": "active"}
    moving: Any = {**fresh_context(context), MOVE: state, COMMENT: comment}
    return tk.get_action("package_patch")(moving, payload)


def _has_personal_data(dataset: Mapping[str, Any]) -> bool:
    none = visibility.NO_PERSONAL_DATA
    return (dataset.get("personal_data") or none) != none


def note(dataset_id: str | None, before: str | None, after: str) -> None:
    """Keep the step of a write until it is stored. A new dataset that waits for nobody takes none.

    CKAN gives validators a copy of the context, so the session carries it, which is the write's own.
    """
    step = before != after if before else after == workflow.SUBMITTED
    model.Session().info[STEP] = (dataset_id, before, after) if step else None


def record(context: Mapping[str, Any], dataset: Mapping[str, Any]) -> None:
    """Write the step that the dataset has taken, within its transaction."""
    dataset_id, before, after = model.Session().info.pop(STEP, None) or (None, None, None)
    if after is None or dataset_id not in (None, dataset["id"]):
        return
    user = model.User.get(context.get("user"))
    model.Session.add(
        Review(
            dataset_id=dataset["id"],
            user_id=user.id if user else "",
            before=before,
            state=after,
            comment=context.get(COMMENT) or "",
            language=search.reader_language(),
        )
    )
    if before == workflow.PUBLISHED:
        activities.hide(dataset["id"], dataset.get("owner_org"))


def hide(dataset_id: str) -> None:
    """Let what is noted of a dataset go with it when it is deleted."""
    dataset = model.Package.get(dataset_id)
    if dataset is not None:
        activities.hide(dataset.id, dataset.owner_org)


def overview(context: Context, dataset: Mapping[str, Any]) -> dict[str, Any]:
    """What the bar on a dataset's page says and offers to one person."""
    state = workflow.state_of(dataset)
    stored = model.Package.get(dataset["id"])  # the index learns of a deletion a second later
    deleted = stored is not None and stored.state == "deleted"
    publisher = may_publish(context, [dataset["owner_org"]] if dataset.get("owner_org") else [])
    steps = storage.reviews(dataset["id"])
    return {
        "state": state,
        "deleted": deleted,
        "personal_data": _has_personal_data(dataset),
        "last": steps[0] if steps else None,
        "steps": steps,
        "may_submit": not (deleted or publisher) and state in FROM[workflow.SUBMITTED],
        "may_withdraw": not (deleted or publisher) and state in FROM[workflow.DRAFT],
        "may_publish": not deleted and publisher and state in FROM[workflow.PUBLISHED],
        "may_return": not deleted and publisher and state in FROM[workflow.RETURNED],
        "may_edit": not deleted
        and not workflow.is_locked(dataset, may_publish=publisher)
        and (publisher or state != workflow.PUBLISHED or bool(dataset["private"])),
        "may_restore": deleted and _allowed(context, "ccphva_dataset_restore", {"id": dataset["id"]}),
        "may_purge": deleted and _allowed(context, "dataset_purge", {"id": dataset["id"]}),
    }


def tasks(context: Context) -> dict[str, Any]:
    """What waits for one person: to decide on, to correct, to finish."""
    listed = tk.get_action("organization_list_for_user")(
        fresh_context(context), {"permission": "update_dataset"}
    )
    mine = [organization["id"] for organization in listed]
    own = [each for each in mine if may_publish(context, [each])]
    user = model.User.get(context.get("user"))
    author = user.id if user else ""
    return {
        "to_publish": storage.unpublished(own, [workflow.SUBMITTED]),
        "returned": storage.unpublished(mine, [workflow.RETURNED], author),
        "drafts": storage.unpublished(mine, [workflow.DRAFT], author),
        "waiting": storage.unpublished(
            [each for each in mine if each not in own], [workflow.SUBMITTED], author
        ),
    }
