"""Pages of the code lists, and the same lists as SKOS: by ending, or by what the client accepts."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import helpers
from ckanext.ccphva.rdf.skos import MEDIA_TYPES
from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.wrappers import Response as Answer

__all__ = ["ccphva_codelists"]

ccphva_codelists = Blueprint("ccphva_codelists", __name__, url_prefix="/codelists")


@ccphva_codelists.route("")
def index() -> str:
    lists = tk.get_action("ccphva_codelist_list")({}, {"language": helpers.language()})
    return tk.render("codelists/index.html", {"lists": lists})


@ccphva_codelists.route("/<name>")
def read(name: str) -> Response | str:
    """The page; SKOS for a client that prefers it (RFC 9110 §12.5.1)."""
    wanted = request.accept_mimetypes.best_match(["text/html", *MEDIA_TYPES.values()], default="text/html")
    for ending, media_type in MEDIA_TYPES.items():
        if media_type == wanted:
            return document(name, ending)
    shown = shown_or_404(name, language=helpers.language())
    return tk.render("codelists/read.html", {"codelist": shown, "endings": list(MEDIA_TYPES)})


@ccphva_codelists.route("/<name>.<any(ttl, rdf, jsonld):ending>")
def document(name: str, ending: str) -> Response:
    text = shown_or_404(name, format=ending)["document"]
    answer = make_response(text)
    answer.headers["Content-Type"] = f"{MEDIA_TYPES[ending]}; charset=utf-8"
    answer.headers["Vary"] = "Accept"
    return answer


@ccphva_codelists.route("/<name>/<code>")
def concept(name: str, code: str) -> Answer:
    """A concept is no document: its list speaks of it (Cool URIs for the Semantic Web §4.3)."""
    shown_or_404(name, code=code)
    page = tk.url_for("ccphva_codelists.read", name=name)
    return redirect(f"{page}#{code}", 303)


def shown_or_404(name: str, **wanted: str) -> dict[str, Any]:
    try:
        return tk.get_action("ccphva_codelist_show")({}, {"name": name, **wanted})
    except tk.ObjectNotFound:
        tk.abort(404)
