"""Who may know of a dataset: three states, and what core fields follow from them. Imports nothing of CKAN.

*open*: description and data are public. *restricted*: the description is public, data are by grant.
*private*: both are for the owner and its grants. Core `private` and `access_rights` follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ckanext.ccphva.languages import N_

OPEN, RESTRICTED, PRIVATE = STATES = ("open", "restricted", "private")
NO_PERSONAL_DATA = "none"
PERSONAL_DATA = (NO_PERSONAL_DATA, "possible", "yes")

_AUTHORITY = "http://publications.europa.eu/resource/authority/access-right/"
ACCESS_RIGHTS = {
    OPEN: _AUTHORITY + "PUBLIC",
    RESTRICTED: _AUTHORITY + "RESTRICTED",
    PRIVATE: _AUTHORITY + "NON_PUBLIC",
}
_TRUE = {"true", "yes", "on", "1", "t", "y"}


class Decision(NamedTuple):
    """What to store, and the faults by field."""

    visibility: str
    personal_data: str
    faults: dict[str, str]

    @property
    def private(self) -> bool:
        return self.visibility == PRIVATE

    @property
    def access_rights(self) -> str:
        return ACCESS_RIGHTS[self.visibility]


def is_true(value: Any) -> bool:
    """A yes in the ways in which clients of CKAN say it."""
    return str(value).strip().lower() in _TRUE


def decide(given: Mapping[str, Any], stored: Mapping[str, Any] | None) -> Decision:
    """Decide on the state of a dataset.

    What a payload changes counts; `visibility` wins over core `private`, and `private` over the rights that
    another catalogue states. What a payload leaves out stays as it was: a client that does not know
    `personal_data` must not publish by silence.

    :param given: `visibility`, `private`, `access_rights`, `personal_data` as far as the payload has them.
    :param stored: `visibility`, `private` and `personal_data` before this write, None for a new dataset.
    """
    personal = str(given.get("personal_data") or (stored or {}).get("personal_data") or NO_PERSONAL_DATA)
    wanted, chosen = _wanted(given, stored)
    faults: dict[str, str] = {}
    if wanted not in STATES:
        faults["visibility"] = N_("unknown state: expected open, restricted or private")
        wanted = PRIVATE
    if personal not in PERSONAL_DATA:
        faults["personal_data"] = N_("unknown value: expected none, possible or yes")
        wanted = PRIVATE
    elif personal != NO_PERSONAL_DATA and wanted != PRIVATE:
        if chosen:
            faults["visibility"] = N_("personal data cannot be published: only `private` is possible")
        wanted = PRIVATE
    return Decision(wanted, personal, faults)


def _wanted(given: Mapping[str, Any], stored: Mapping[str, Any] | None) -> tuple[str, bool]:
    """The state that a payload asks for, and whether it asks for it by a change of its own."""
    visibility, private = given.get("visibility") or None, given.get("private")
    hidden = None if private in (None, "") else is_true(private)
    if stored is None:
        if visibility is not None:
            return str(visibility), True
        return (PRIVATE, True) if hidden else (_stated(given.get("access_rights")), False)
    kept, was_hidden = stored.get("visibility") or OPEN, bool(stored.get("private"))
    if visibility is not None and visibility != kept:
        return str(visibility), True
    if hidden is not None and hidden != was_hidden:
        return (PRIVATE if hidden else OPEN), True
    return (PRIVATE if was_hidden else kept), False


def _stated(rights: Any) -> str:
    """The state of a dataset whose rights another catalogue states: its description is public already."""
    found = {uri: state for state, uri in ACCESS_RIGHTS.items()}.get(str(rights), OPEN)
    return RESTRICTED if found == PRIVATE else found
