"""Sitemaps, citations and pictures of datasets: parse, ask, write."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search import SearchError, SolrConnectionError
from ckanext.ccphva import config, facts, helpers, outages, outlines
from ckanext.ccphva.discovery import citation, picture, sitemap
from flask import Blueprint, Response

__all__ = ["ccphva_discovery"]

ccphva_discovery = Blueprint("ccphva_discovery", __name__)


def address(route: str, **values: Any) -> str:
    """A whole address; of the pages in no language of their own with ``locale="default"``."""
    return str(tk.h.url_for(route, _external=True, **values))


@ccphva_discovery.route("/sitemap.xml")
def sitemap_index() -> Response:
    return _xml(lambda: sitemap.index(address))


@ccphva_discovery.route("/sitemaps/<name>.xml")
def sitemap_file(name: str) -> Response:
    if name == "pages":
        return _xml(lambda: sitemap.pages(address))
    kind, _, number = name.rpartition("-")
    if kind != "datasets" or not (number.isascii() and number.isdigit() and len(number) < 7):
        tk.abort(404)
    return _xml(lambda: sitemap.datasets(address, int(number)))


@ccphva_discovery.route("/dataset/<name>/citation.<any(bib,ris,json):ending>")
def cite(name: str, ending: str) -> Response:
    dataset = _dataset(name)
    _, media_type, write = citation.FORMS[ending]
    answer = Response(write(helpers.ccphva_citation(dataset)), content_type=f"{media_type}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{dataset["name"]}.{ending}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@ccphva_discovery.route("/dataset/<name>/picture.png")
def dataset_picture(name: str) -> Response:
    dataset = _dataset(name)
    owner = dataset.get("organization")
    drawn = picture.draw(
        helpers.ccphva_translated(dataset, "title"),
        helpers.ccphva_translated(owner, "title") if owner else "",
        helpers.ccphva_territory("title"),
        facts.place(dataset),
        outlines.load(config.territory_folder()),
    )
    return Response(drawn, mimetype="image/png")


def _dataset(id_: str) -> dict[str, Any]:
    try:
        return tk.get_action("package_show")({}, {"id": id_})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        tk.abort(404)


def _xml(make: Any) -> Response:
    try:
        text = make()
    except (SearchError, SolrConnectionError):
        answer = Response("", 503, mimetype="application/xml")
        answer.headers["Retry-After"] = str(outages.RETRY_AFTER)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    if text is None:
        tk.abort(404)
    return Response(text, mimetype="application/xml")
