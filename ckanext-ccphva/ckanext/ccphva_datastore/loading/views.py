"""Pages of a resource's file: what became of it, its versions, its text."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from functools import wraps
from typing import Any

import ckan.plugins.toolkit as tk
import flask
from ckanext.ccphva_datastore.loading import versions
from flask import Blueprint
from werkzeug.wrappers import Response

__all__ = ["ccphva_loads"]

ccphva_loads = Blueprint("ccphva_loads", __name__)

AT = "/dataset/<id>/resource/<resource_id>"


def refusing(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 403 and 404 where the actions of a view refuse."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except tk.NotAuthorized:
            return tk.abort(403)
        except tk.ObjectNotFound:
            return tk.abort(404)

    return answer


@ccphva_loads.route(f"{AT}/load")
@refusing
def show(id: str, resource_id: str) -> str:  # noqa: A002
    """What became of the file: types, first rows, changes, versions."""
    return tk.render("datastore/load.html", _page(id, resource_id))


@ccphva_loads.route(f"{AT}/load", methods=["POST"])
@refusing
def submit(id: str, resource_id: str) -> str | Response:  # noqa: A002
    """Take the file again with the chosen types."""
    form = tk.request.form
    types = {
        name.removeprefix("type-"): kind for name, kind in form.items() if name.startswith("type-") and kind
    }
    wanted: dict[str, Any] = {"id": resource_id, "types": types}
    wanted |= {name: form[name].strip() for name in ("layer", "crs") if name in form}
    try:
        tk.get_action("ccphva_load_submit")({}, wanted)
    except tk.ValidationError as refused:
        return tk.render(
            "datastore/load.html", _page(id, resource_id) | {"error_summary": refused.error_summary}
        )
    tk.h.flash_success(tk._("The file waits to be loaded."))
    return tk.redirect_to("ccphva_loads.show", id=id, resource_id=resource_id)


def _page(name: str, resource_id: str) -> dict[str, Any]:
    resource = tk.get_action("resource_show")({}, {"id": resource_id})
    dataset = tk.get_action("package_show")({}, {"id": name})
    if resource["package_id"] != dataset["id"]:
        raise tk.ObjectNotFound
    return {
        "pkg_dict": dataset,
        "pkg": dataset,
        "resource": resource,
        "res": resource,
        "load": tk.get_action("ccphva_load_show")({}, {"id": resource_id}),
        "versions": tk.get_action("ccphva_version_list")({}, {"id": resource_id}),
        "error_summary": {},
    }


@ccphva_loads.route(f"{AT}/version/<int:number>")
@refusing
def version(id: str, resource_id: str, number: int) -> Response:  # noqa: A002, ARG001
    """The file that a resource had, to whom its data are open."""
    found = tk.get_action("ccphva_version_list")({}, {"id": resource_id})
    known = next((each for each in found if each["version"] == number), None)
    if known is None or not known["kept"]:
        raise tk.ObjectNotFound
    answer = flask.send_file(
        versions.place(resource_id, number),
        mimetype=mimetypes.guess_type(known["name"])[0] or "application/octet-stream",
        as_attachment=True,
        download_name=known["name"],
        etag=known["sha256"],
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Checksum-Sha256"] = known["sha256"]
    return answer


@ccphva_loads.route(f"{AT}/text")
@refusing
def text(id: str, resource_id: str) -> str:  # noqa: A002
    """The text of a document, one page a time, and where the asked words stand."""
    page = max(tk.request.args.get("page", 1, type=int), 1)
    words = tk.request.args.get("q", "").strip()
    resource = tk.get_action("resource_show")({}, {"id": resource_id})
    dataset = tk.get_action("package_show")({}, {"id": id})
    shown = tk.get_action("ccphva_document_show")({}, {"id": resource_id, "offset": 0, "limit": 1})
    if not shown["pages"]:
        raise tk.ObjectNotFound
    pages = tk.get_action("ccphva_document_show")({}, {"id": resource_id, "offset": page - 1, "limit": 1})[
        "pages"
    ]
    hits = []
    if words:
        hits = tk.get_action("ccphva_document_search")({}, {"q": words, "id": resource_id, "limit": 50})[
            "results"
        ]
    return tk.render(
        "datastore/text.html",
        {
            "pkg_dict": dataset,
            "pkg": dataset,
            "resource": resource,
            "res": resource,
            "page": page,
            "pages": pages,
            "q": words,
            "hits": hits,
        },
    )
