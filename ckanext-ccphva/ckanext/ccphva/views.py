"""The portal's own pages: parse, ask an action, render. Core's routes of the same address give way."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckanext.ccphva import helpers, narrative
from ckanext.ccphva.form_views import ccphva_forms
from flask import Blueprint

__all__ = ["ccphva_forms", "ccphva_pages"]

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
