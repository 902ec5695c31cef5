"""The search page, its suggestions and its feeds: parse, ask an action, render. Core's search page
gives way.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
import orjson
from ckan.lib.search.common import SearchError, SearchQueryError, SolrConnectionError
from ckanext.ccphva import helpers, outages
from ckanext.ccphva.finding import asking, feed, finder, page
from flask import Blueprint, Response, make_response, request

__all__ = ["ccphva_search"]

log = logging.getLogger(__name__)
ccphva_search = Blueprint("ccphva_search", __name__)
FED = 50
"""Datasets a page of a feed."""


def _asked() -> asking.Asked:
    return asking.read(request.args.items(multi=True))


def _found(asked: asking.Asked, **more: Any) -> dict[str, Any]:
    filters = {name: list(values) for name, values in {**asked.filters, **asked.others}.items()}
    payload = {
        "q": asked.q,
        "filters": filters,
        "sort": asked.sort,
        "page": asked.page,
        "language": helpers.language(),
        "include_private": tk.config.get("ckan.search.default_include_private", True),
    }
    if asked.bbox:
        payload["bbox"] = ",".join(map(str, asked.bbox))
    found = tk.get_action("ccphva_dataset_search")({}, payload | more)
    return found | {"unknown": list(asked.unknown)}


@ccphva_search.route("/dataset/", endpoint="search")
def search() -> Response:
    asked = _asked()
    try:
        shown = page.page(asked, _found(asked), helpers.language())
        status = 404 if shown["pages"]["beyond"] else 200
    except (SearchError, SolrConnectionError) as error:
        log.warning("No search: %s", error)
        shown, status = page.away(asked), 503
    answer = make_response(
        tk.render("package/search.html", {"dataset_type": "dataset", "finding": shown}), status
    )
    if status == 503:
        answer.headers["Retry-After"] = str(outages.RETRY_AFTER)
        answer.headers["Cache-Control"] = "no-store"
    return answer


@ccphva_search.route("/search/suggest")
def suggest() -> Response:
    """What begins as typed, in groups; an empty list while Solr is away: a search still explains it."""
    typed = request.args.get("q", "")
    try:
        found = (
            tk.get_action("ccphva_search_suggest")({}, {"q": typed, "language": helpers.language()})
            if typed
            else []
        )
    except (SearchError, SolrConnectionError):
        found = []
    answer = Response(orjson.dumps([_linked(each) for each in found]), mimetype="application/json")
    answer.headers["Cache-Control"] = (
        "private, no-store" if tk.current_user.is_authenticated else "public, max-age=60"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _linked(suggestion: dict[str, Any]) -> dict[str, Any]:
    kind, name = suggestion["kind"], suggestion["name"]
    addresses = {
        "dataset": lambda: tk.h.url_for("dataset.read", id=name),
        "organization": lambda: tk.h.url_for("organization.read", id=name),
        "theme": lambda: page.address(asking.Asked(filters={"theme": (name,)})),
    }
    return {"kind": kind, "title": suggestion["title"], "url": str(addresses[kind]())}


@ccphva_search.route("/search/feed.atom", endpoint="feed")
def atom() -> Response:
    """The datasets of a search, the last changed first unless it has an order of its own."""
    asked = _asked()
    order = asked.sort or "updated"
    try:
        found = _found(
            asked,
            rows=FED,
            sort=order,
            facets=False,
            cursor=asked.cursor or finder.FIRST_CURSOR,
            include_private=False,
        )
    except SearchQueryError:
        tk.abort(400, tk._("This address of a next page is not one of ours"))
    except (SearchError, SolrConnectionError):
        answer = Response(status=503)
        answer.headers["Retry-After"] = str(outages.RETRY_AFTER)
        return answer
    site = tk.config["ckan.site_url"].rstrip("/")
    here = page.feed_address(asked)
    links = {"self": site + here, "alternate": site + page.address(asked)}
    if found["next_cursor"]:
        links["next"] = (
            site + here + ("&" if "?" in here else "?") + asking.urlencode({"cursor": found["next_cursor"]})
        )
    title = helpers.ccphva_territory("title") + (f" – {asked.q}" if asked.q else "")
    entries = [_entry(each, site) for each in found["results"]]
    document = feed.atom(title, links, entries, helpers.language(), urlsplit(site).hostname or "localhost")
    return Response(document, content_type=f"{feed.MEDIA_TYPE}; charset=utf-8")


def _entry(dataset: dict[str, Any], site: str) -> dict[str, Any]:
    return {
        "id": dataset["id"],
        "title": dataset["title"],
        "summary": dataset["notes"],
        "author": (dataset["organization"] or {}).get("title", ""),
        "url": site + str(tk.h.url_for("dataset.read", id=dataset["name"])),
        "updated": dataset["metadata_modified"] or "",
    }
