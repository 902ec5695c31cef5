"""The portal's own pages: parse, ask an action, render. Core's routes of the same address give way."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckanext.ccphva import helpers, licences, narrative
from ckanext.ccphva.browsing_views import ccphva_browsing
from ckanext.ccphva.codelist_views import ccphva_codelists
from ckanext.ccphva.developers_views import ccphva_developers
from ckanext.ccphva.discovery_views import ccphva_discovery
from ckanext.ccphva.form_views import ccphva_forms
from ckanext.ccphva.publication_views import ccphva_publication
from ckanext.ccphva.rdf import licences as licence_rdf
from ckanext.ccphva.search_views import ccphva_search
from ckanext.dcat.utils import catalog_uri
from flask import Blueprint, Response

__all__ = [
    "ccphva_browsing",
    "ccphva_codelists",
    "ccphva_developers",
    "ccphva_discovery",
    "ccphva_forms",
    "ccphva_pages",
    "ccphva_publication",
    "ccphva_search",
]

ccphva_pages = Blueprint("ccphva_pages", __name__)


@ccphva_pages.before_app_request
def name_the_site() -> None:
    """Core's templates write `g.site_title` everywhere: give them the title in the reader's language."""
    tk.g.site_title = helpers.ccphva_territory("title")
    tk.g.site_description = helpers.ccphva_territory("subtitle")


@ccphva_pages.route("/")
def home() -> str:
    return tk.render("home/index.html", {"home": tk.get_action("ccphva_home_show")({}, {})})


@ccphva_pages.route("/about")
def about() -> str:
    return page(narrative.ABOUT)


@ccphva_pages.route("/pages/<name>")
def page(name: str) -> str:
    try:
        shown = tk.get_action("ccphva_page_show")({}, {"name": name, "language": helpers.language()})
    except tk.ObjectNotFound:
        tk.abort(404)
    return tk.render("home/about.html", {"page": shown})


@ccphva_pages.route("/licences")
def licence_list() -> str:
    return tk.render("licences/index.html", {"licences": _licences()})


@ccphva_pages.route("/licences/<name>")
def licence_read(name: str) -> str:
    found = next((each for each in _licences() if each["id"] == name), None)
    if found is None:
        tk.abort(404)
    return tk.render("licences/read.html", {"licence": found})


@ccphva_pages.route("/licences.<any(ttl,rdf,jsonld):ending>")
def licence_scheme(ending: str) -> Response:
    return _rdf(list(licences.by_id().values()), ending)


@ccphva_pages.route("/licences/<name>.<any(ttl,rdf,jsonld):ending>")
def licence_concept(name: str, ending: str) -> Response:
    found = licences.by_id().get(name)
    if found is None:
        tk.abort(404)
    return _rdf([found], ending)


@ccphva_pages.route("/fees/review")
def fee_review() -> str:
    try:
        overdue = tk.get_action("ccphva_fee_review_list")({}, {})
    except tk.NotAuthorized:
        tk.abort(403)
    return tk.render("fees/review.html", {"overdue": overdue})


def _licences() -> list[dict[str, object]]:
    return tk.get_action("ccphva_licence_list")({}, {"language": helpers.language()})


def _rdf(found: list[licences.Licence], ending: str) -> Response:
    syntax, media_type = licence_rdf.MEDIA[ending]
    return Response(licence_rdf.scheme(found, catalog_uri()).serialize(format=syntax), mimetype=media_type)
