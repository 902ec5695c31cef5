"""The page of a dataset's source: where it comes from, what was corrected, and whose word shall stand."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

__all__ = ["ccphva_corrections"]

ccphva_corrections = Blueprint("ccphva_corrections", __name__)
STEPS = {"remove": "ccphva_harvest_correction_remove", "keep": "ccphva_harvest_correction_keep"}


@ccphva_corrections.route("/dataset/<name>/source")
def source(name: str) -> str:
    try:
        dataset = tk.get_action("package_show")({}, {"id": name})
        found = tk.get_action("ccphva_harvest_provenance_show")(
            {}, {"id": name, "language": str(tk.h.lang())}
        )
    except tk.ObjectNotFound:
        tk.abort(404)
    except tk.NotAuthorized:
        tk.abort(403)
    if found["source"] is None:
        tk.abort(404)
    return tk.render(
        "harvesting/source.html",
        {"pkg_dict": dataset, "pkg": dataset, "dataset_type": dataset["type"], "provenance": found},
    )


@ccphva_corrections.route("/dataset/<name>/source/<any(remove,keep):step>", methods=["POST"])
def take(name: str, step: str) -> Response:
    try:
        tk.get_action(STEPS[step])({}, {"id": name, "path": tk.request.form.get("path", "")})
    except tk.ObjectNotFound:
        tk.abort(404)
    except tk.NotAuthorized:
        tk.abort(403)
    except tk.ValidationError as refused:
        for fault in refused.error_summary.values():
            tk.h.flash_error(str(fault))
    else:
        done = {"remove": tk._("The source's word stands again."), "keep": tk._("Your correction stays.")}
        tk.h.flash_success(done[step])
    return tk.redirect_to("ccphva_corrections.source", name=name)


@ccphva_corrections.route("/dashboard/conflicts")
def conflicts() -> str:
    try:
        found = tk.get_action("ccphva_harvest_conflict_list")({}, {})
    except tk.NotAuthorized:
        tk.abort(403)
    return tk.render("harvesting/conflicts.html", {"conflicts": found})
