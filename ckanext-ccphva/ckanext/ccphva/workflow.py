"""On the way to publication: draft, submitted, returned, published. Imports nothing of CKAN.

`workflow` says how far a dataset has come, `visibility` who may know of it once it is published. As long as
it is not published, core `private` is true whatever the visibility, so that every door of CKAN keeps it. A
dataset without the field is older than it, and published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ckanext.ccphva.languages import N_
from ckanext.ccphva.visibility import PRIVATE, is_true

DRAFT, SUBMITTED, RETURNED, PUBLISHED = STATES = ("draft", "submitted", "returned", "published")

EDITORS, ADMINS = PUBLISHERS = ("editors", "admins")
"""Who publishes in an organisation: whoever may edit its datasets, or its administrators."""


class Decision(NamedTuple):
    """The state to store, and what is wrong with the one that was asked for."""

    state: str
    fault: str | None = None


def state_of(stored: Mapping[str, Any]) -> str:
    return str(stored.get("workflow") or PUBLISHED)


def is_published(stored: Mapping[str, Any]) -> bool:
    return state_of(stored) == PUBLISHED


def decide(
    given: Mapping[str, Any],
    stored: Mapping[str, Any] | None,
    *,
    public: bool,
    may_publish: bool,
    move: str | None = None,
) -> Decision:
    """Decide how far a write brings a dataset.

    Core's word for publication is `private: false`: from somebody who may publish it publishes, from others
    it submits. A payload cannot name another state than the stored one; the actions of the workflow do that.

    :param given: `workflow` and core `private`, as far as the payload has them.
    :param stored: `workflow` and `public` (whether everybody knows of it) before, None for a new dataset.
    :param public: whether everybody is to know of it once it is published.
    :param move: the state that an action of the workflow asks for, with its rights checked.
    """
    wanted = str(given.get("workflow") or "")
    if wanted and wanted not in STATES:
        fault = N_("unknown state: expected draft, submitted, returned or published")
        return Decision(state_of(stored) if stored else DRAFT, fault)
    if move:
        return Decision(move)
    if stored is None:
        return _new(wanted, public, may_publish)
    kept = state_of(stored)
    if wanted and wanted != kept:
        return Decision(kept, N_("submit, publish or return the dataset by the action for it"))
    if is_locked(stored, may_publish=may_publish):
        return Decision(kept, N_("this dataset is submitted: withdraw the submission to change it"))
    if kept != PUBLISHED:
        asked = given.get("private") not in (None, "") and not is_true(given["private"])
        return Decision((PUBLISHED if may_publish else SUBMITTED) if asked and public else kept)
    if may_publish or not (public or stored.get("public")):
        return Decision(PUBLISHED)
    if stored.get("public"):
        fault = N_(
            "this dataset is published: an administrator of its organisation changes it, or returns it"
        )
        return Decision(PUBLISHED, fault)
    return Decision(SUBMITTED)


def is_locked(stored: Mapping[str, Any], *, may_publish: bool) -> bool:
    """Whether somebody may change nothing, data included: what is submitted waits as it was submitted."""
    return state_of(stored) == SUBMITTED and not may_publish


def _new(wanted: str, public: bool, may_publish: bool) -> Decision:
    """A new dataset of somebody who may not publish waits for somebody who may."""
    if wanted == RETURNED:
        return Decision(DRAFT, N_("a new dataset cannot be returned"))
    if may_publish:
        return Decision(wanted or PUBLISHED)
    if wanted == DRAFT or not public:
        return Decision(DRAFT)
    return Decision(SUBMITTED)


def stored_private(stored: Mapping[str, Any]) -> bool:
    """Core `private` as the author meant it: a dataset that is not published yet is private for now only."""
    if is_published(stored):
        return bool(stored.get("private"))
    return stored.get("visibility") == PRIVATE
