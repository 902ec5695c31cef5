"""Pages of a source that ckanext-harvest does not have."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint

__all__ = ["ccphva_sources"]

ccphva_sources = Blueprint("ccphva_sources", __name__)


@ccphva_sources.route("/harvest/preview/<id>")
def preview(id: str) -> str:  # noqa: A002 -- as in the register's own pages
    try:
        source = tk.get_action("harvest_source_show")({}, {"id": id})
        found = tk.get_action("ccphva_harvest_source_preview")({}, {"id": source["id"]})
    except tk.ObjectNotFound:
        tk.abort(404)
    except tk.NotAuthorized:
        tk.abort(403)
    except tk.ValidationError as refused:
        tk.abort(404, "; ".join(map(str, refused.error_summary.values())))
    tk.g.dataset_type = "harvest"  # the register's templates build their links from it
    return tk.render("harvesting/preview.html", {"harvest_source": source, "preview": found})


@ccphva_sources.route("/harvest/<source>/job/<id>/report")
def report(source: str, id: str) -> str:  # noqa: A002
    """Errors of a run by cause, and what it changed."""
    try:
        found = tk.get_action("ccphva_harvest_report_show")(
            {}, {"id": id, "offset": tk.request.args.get("offset", "0")}
        )
        shown = tk.get_action("harvest_source_show")({}, {"id": found["job"]["source_id"]})
    except tk.ObjectNotFound:
        tk.abort(404)
    except tk.NotAuthorized:
        tk.abort(403)
    except tk.ValidationError:
        tk.abort(400)
    if source not in (shown["name"], shown["id"]):
        tk.abort(404)
    tk.g.dataset_type = "harvest"
    return tk.render("harvesting/report.html", {"harvest_source": shown, "report": found})


@ccphva_sources.route("/dashboard/sources")
def condition() -> str:
    """How the sources do of those organisations for which one may write."""
    try:
        found = tk.get_action("ccphva_harvest_condition_list")({}, {})
    except tk.NotAuthorized:
        tk.abort(403)
    return tk.render("harvesting/condition.html", {"sources": found})
