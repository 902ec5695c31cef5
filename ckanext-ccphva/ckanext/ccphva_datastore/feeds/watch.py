"""Looks after feeds every minute: coming months, retention, and a mail to the owner of one that is silent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import mailer
from ckanext.ccphva.shared import Change
from ckanext.ccphva_datastore.feeds import storage
from ckanext.ccphva_datastore.feeds.storage import State
from flask_babel import force_locale

log = logging.getLogger(__name__)


class Watch:
    """A follower (`ckanext.ccphva.shared`) that only sweeps."""

    name = "feeds"
    every = 60
    """Seconds between two sweeps."""

    def follow(self, changes: Sequence[Change]) -> None:
        pass

    def sweep(self) -> None:
        now = datetime.now(UTC)
        for state in storage.states():
            if gone := storage.tend(state, now):
                log.info(
                    "Rows of a feed have reached their end", extra={"feed": state.resource_id, "rows": gone}
                )
            if state.alerted is None and state.is_silent(now) and tell(state, now):
                storage.note_alert(state.resource_id)


def tell(state: State, now: datetime) -> bool:
    """Mail the administrators of the feed's organisation once a silence; False: try again."""
    resource = model.Resource.get(state.resource_id)
    dataset = resource.package if resource else None
    if dataset is None or dataset.state != "active":
        return True
    told, refused = 0, 0
    for reader in _owners(dataset):
        with force_locale(str(tk.config["ckan.locale_default"])):
            subject = tk._("Silent feed: %s") % dataset.title
            body = tk._("No row has come for %(minutes)d minutes; one was promised every %(promised)d.") % {
                "minutes": state.silent_seconds(now) // 60,
                "promised": max((state.contract.freshness or 0) // 60, 1),
            }
            address = tk.h.url_for(
                "resource.read", id=dataset.name, resource_id=state.resource_id, _external=True
            )
        try:
            mailer.mail_user(reader, subject, f"{body}\n\n{address}")
            told += 1
        except mailer.MailerException as fault:
            refused += 1
            log.warning("A mail about a feed was refused", extra={"reason": str(fault)})
    return told > 0 or not refused


def _owners(dataset: model.Package) -> list[model.User]:
    query = model.Session.query(model.User).join(model.Member, model.Member.table_id == model.User.id)
    found = query.filter(
        model.Member.group_id == dataset.owner_org,
        model.Member.table_name == "user",
        model.Member.capacity == "admin",
        model.Member.state == "active",
        model.User.state == "active",
    )
    return [user for user in found if user.email]
