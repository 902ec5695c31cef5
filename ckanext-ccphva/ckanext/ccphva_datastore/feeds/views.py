"""The page of a feed's contract: make a resource live, change what it promises, end it."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva_datastore.feeds import forms
from ckanext.ccphva_datastore.feeds.contract import CHANGEABLE
from ckanext.ccphva_datastore.loading.views import AT, refusing
from flask import Blueprint
from werkzeug.wrappers import Response

__all__ = ["ccphva_feeds"]

ccphva_feeds = Blueprint("ccphva_feeds", __name__)


@ccphva_feeds.route(f"{AT}/feed")
@refusing
def show(id: str, resource_id: str) -> str:  # noqa: A002
    """The contract, or an empty form for one."""
    place = _place(id, resource_id)
    feed = _feed(resource_id)
    return _page(place, feed, forms.of(feed["contract"]) if feed else forms.blank())


@ccphva_feeds.route(f"{AT}/feed", methods=["POST"])
@refusing
def save(id: str, resource_id: str) -> str | Response:  # noqa: A002
    """Make or change the contract; what does not fit is told beside its field, and nothing typed is lost."""
    place, feed = _place(id, resource_id), _feed(resource_id)
    if feed:
        shown = forms.of(feed["contract"]) | {
            name: tk.request.form.get(name, "").strip() for name in CHANGEABLE
        }
    else:
        shown = forms.typed(tk.request.form)
    if "more" in tk.request.form:
        return _page(place, feed, forms.longer(shown))
    try:
        if feed:
            tk.get_action("ccphva_feed_update")(
                {}, {"resource_id": resource_id, **{name: shown[name] for name in CHANGEABLE}}
            )
        else:
            tk.get_action("ccphva_feed_create")({}, {"resource_id": resource_id, **forms.document(shown)})
    except tk.ValidationError as refused:
        faults: dict[str, Any] = refused.error_dict
        told = {name: [str(text) for text in texts] for name, texts in faults.items()}
        return _page(place, feed, shown, forms.beside(told, shown))
    tk.h.flash_success(tk._("The contract holds from now on."))
    return tk.redirect_to("ccphva_feeds.show", id=id, resource_id=resource_id)


@ccphva_feeds.route(f"{AT}/feed/end", methods=["POST"])
@refusing
def end(id: str, resource_id: str) -> Response:  # noqa: A002
    """Drop the feed and its rows; the resource stays."""
    _place(id, resource_id)
    tk.get_action("ccphva_feed_delete")({}, {"resource_id": resource_id})
    tk.h.flash_success(tk._("The feed has ended; its rows are gone."))
    return tk.redirect_to("ccphva_feeds.show", id=id, resource_id=resource_id)


def _place(name: str, resource_id: str) -> dict[str, Any]:
    """Dataset and resource, for somebody who may change them.

    :raises ckan.logic.NotAuthorized, ckan.logic.NotFound: he may not; there is none.
    """
    tk.check_access("resource_update", {}, {"id": resource_id})
    resource = tk.get_action("resource_show")({}, {"id": resource_id})
    dataset = tk.get_action("package_show")({}, {"id": name})
    if resource["package_id"] != dataset["id"]:
        raise tk.ObjectNotFound
    return {"pkg_dict": dataset, "pkg": dataset, "resource": resource, "res": resource}


def _feed(resource_id: str) -> dict[str, Any] | None:
    try:
        return tk.get_action("ccphva_feed_show")({}, {"resource_id": resource_id})
    except tk.ObjectNotFound:
        return None


def _page(
    place: dict[str, Any],
    feed: dict[str, Any] | None,
    shown: forms.Typed,
    faults: dict[str, Any] | None = None,
) -> str:
    site = str(tk.config["ckan.site_url"]).rstrip("/")
    found = faults or {"rows": {}, "others": {}}
    return tk.render(
        "datastore/feed.html",
        place
        | {
            "feed": feed,
            "contract": shown,
            "offered": forms.OFFERED,
            "address": f"{site}/live/{place['res']['id']}",
            "faults": found,
            "has_faults": bool(found["rows"] or found["others"]),
        },
    )
