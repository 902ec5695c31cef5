"""Pages of themes and communes: parse, ask an action, render."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckanext.ccphva import helpers
from flask import Blueprint

__all__ = ["ccphva_browsing"]

ccphva_browsing = Blueprint("ccphva_browsing", __name__)


@ccphva_browsing.route("/themes")
def themes() -> str:
    found = tk.get_action("ccphva_theme_list")({}, {"language": helpers.language()})
    return tk.render("browsing/themes.html", {"themes": found})


@ccphva_browsing.route("/themes/<code>")
def theme(code: str) -> str:
    return tk.render("browsing/theme.html", {"theme": _shown("ccphva_theme_show", code)})


@ccphva_browsing.route("/communes")
def communes() -> str:
    found = tk.get_action("ccphva_commune_list")({}, {"language": helpers.language()})
    return tk.render("browsing/communes.html", {"communes": found})


@ccphva_browsing.route("/communes/<code>")
def commune(code: str) -> str:
    return tk.render("browsing/commune.html", {"commune": _shown("ccphva_commune_show", code)})


def _shown(action: str, code: str) -> dict[str, object]:
    try:
        return tk.get_action(action)({}, {"id": code, "language": helpers.language()})
    except tk.ObjectNotFound:
        tk.abort(404)
