"""Addresses of the explorer: the resource's page, the explorer alone, the description of its API."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from ckanext.ccphva_datastore import relations
from ckanext.ccphva_datastore.exploring import openapi, page
from ckanext.ccphva_datastore.exploring.page import Place
from flask import Blueprint, Response

ccphva_tables = Blueprint("ccphva_tables", __name__, url_prefix="/dataset/<id>/resource/<resource_id>")


def on_resource_page(view: Callable[..., Any]) -> Callable[..., Any]:
    """Core's page of a resource, with the explorer laid beside it for the template (`g.ccphva_table`)."""

    @wraps(view)
    def shown(package_type: str, id: str, resource_id: str) -> Any:  # noqa: A002
        tk.g.ccphva_table = _explorer(id, resource_id)
        return view(package_type=package_type, id=id, resource_id=resource_id)

    return shown


@ccphva_tables.route("/table")
def part(id: str, resource_id: str) -> str:  # noqa: A002
    """The explorer alone, for a script that puts it in the place of the present one."""
    explorer = _explorer(id, resource_id)
    if explorer is None:
        tk.abort(404, tk._("Resource not found"))
    return tk.render("tables/explorer.html", {"table": explorer})


@ccphva_tables.route("/openapi.json")
def description(id: str, resource_id: str) -> Response:  # noqa: A002
    """OpenAPI 3.1 of this table."""
    found = openapi.document(_context(), _dataset(id, resource_id))
    if found is None:
        tk.abort(404, tk._("Resource not found"))
    return Response(json.dumps(found, ensure_ascii=False, indent=1), mimetype="application/json")


@ccphva_tables.route("/api")
def readable(id: str, resource_id: str) -> str:  # noqa: A002
    """The same for people."""
    dataset, resource = _dataset(id, resource_id)
    found = openapi.document(_context(), (dataset, resource))
    if found is None:
        tk.abort(404, tk._("Resource not found"))
    names = {
        "document": found,
        "pkg": dataset,
        "pkg_dict": dataset,
        "res": resource,
        "dataset_type": dataset["type"],
    }
    return tk.render("tables/api.html", names)


def _context() -> Context:
    return Context(user=tk.current_user.name)


def _dataset(name: str, resource_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Dataset and resource, as far as this reader may know of them."""
    try:
        dataset = tk.get_action("package_show")(_context(), {"id": name})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        tk.abort(404, tk._("Dataset not found"))
    resource = next((each for each in dataset["resources"] if each["id"] == resource_id), None)
    if resource is None:
        tk.abort(404, tk._("Resource not found"))
    return dataset, resource


def _explorer(name: str, resource_id: str) -> dict[str, Any] | None:
    if "\0" in resource_id or relations.locate(resource_id) is None:
        return None  # most resources have no table: their pages cost nothing more
    try:
        dataset = tk.get_action("package_show")(_context(), {"id": name})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return None
    resource = next((each for each in dataset["resources"] if each["id"] == resource_id), None)
    if resource is None:
        return None
    return page.show(_context(), _place(dataset, resource), tk.request.args.to_dict(flat=False))


def _place(dataset: dict[str, Any], resource: dict[str, Any]) -> Place:
    where = {"id": dataset["name"], "resource_id": resource["id"]}
    return Place(
        resource,
        tk.url_for(f"{dataset['type']}_resource.read", **where),
        tk.url_for("ccphva_tables.part", **where),
        tk.url_for("ccphva_tables.readable", **where),
    )
