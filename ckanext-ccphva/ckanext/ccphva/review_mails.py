"""The follower that tells people of a step: of a submission those who may publish, of the answer its author.

It reads what `reviews.py` noted, so that a mail server that rests delays a mail and loses none.
A mail is in the language in which its reader last took a step himself, else in the portal's own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import mailer
from ckanext.ccphva import languages, storage, workflow
from ckanext.ccphva.changelog import Change
from ckanext.ccphva.model import Review
from flask_babel import force_locale

log = logging.getLogger(__name__)

PATIENCE = timedelta(days=1)
"""How long a mail that nobody took is tried again: at each change of a dataset, and hourly."""


class ReviewMails:
    """Follows the change log for the steps of datasets (`ckanext.ccphva.shared.Follower`)."""

    name = "review-mails"

    def follow(self, changes: Sequence[Change]) -> None:
        if any(change.kind == "dataset" for change in changes):
            self.sweep()

    def sweep(self) -> None:
        """Mail every step that nobody was told of."""
        for step in storage.steps_to_mail():
            dataset = model.Package.get(step.dataset_id)
            told = [_tell(reader, step, dataset) for reader in _readers(step, dataset)] if dataset else []
            if not told or any(told) or datetime.now(UTC) - step.at > PATIENCE:
                storage.note_mailed(step)


def _readers(step: Review, dataset: model.Package) -> Iterator[model.User]:
    """Who has to know of a step, and did not take it himself."""
    if step.state == workflow.SUBMITTED:
        found = storage.publishers(dataset.owner_org)
    elif step.state in (workflow.RETURNED, workflow.PUBLISHED):
        found = storage.author(dataset)
    else:
        found = []
    for user in found:
        if user.id != step.user_id and user.email and user.state == "active":
            yield user


def _tell(reader: model.User, step: Review, dataset: model.Package) -> bool:
    """Mail one person; False where the mail server refuses or rests."""
    language = storage.language_of(reader.id) or str(tk.config["ckan.locale_default"])
    with force_locale(language):
        subject, sentence = _words(step.state)
    actor = model.User.get(step.user_id)
    title = languages.best(languages.parse(dataset.extras.get("title_translated")), language) or dataset.name
    address = tk.h.url_for("dataset.read", id=dataset.name, locale=language, _external=True)
    body = [sentence % {"who": actor.display_name if actor else "", "title": title}, step.comment, address]
    try:
        mailer.mail_user(reader, subject % title, "\n\n".join(part for part in body if part))
    except mailer.MailerException as fault:
        log.warning("A mail about a dataset was refused", extra={"dataset": dataset.id, "reason": str(fault)})
        return False
    return True


def _words(state: str) -> tuple[str, str]:
    if state == workflow.SUBMITTED:
        return tk._("To publish: %s"), tk._("%(who)s submits this dataset for publication: %(title)s")
    if state == workflow.RETURNED:
        return tk._("To correct: %s"), tk._("%(who)s returns this dataset to you: %(title)s")
    return tk._("Published: %s"), tk._("%(who)s has published this dataset: %(title)s")
