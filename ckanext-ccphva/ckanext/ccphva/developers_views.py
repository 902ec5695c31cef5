"""The page for developers and the description of the interface: parse, ask, write."""

from __future__ import annotations

from typing import Any

import ckan
import ckan.plugins.toolkit as tk
import orjson
import yaml
from ckanext.ccphva import helpers
from ckanext.ccphva.developers import interface, page
from flask import Blueprint, Response

__all__ = ["ccphva_developers"]

ccphva_developers = Blueprint("ccphva_developers", __name__)


@ccphva_developers.route("/developers")
def read() -> str:
    return tk.render("developers/read.html", {"developers": page.page(helpers.language())})


@ccphva_developers.route("/developers/openapi.<any(json,yaml):ending>")
def openapi(ending: str) -> Response:
    document = _document()
    if ending == "json":
        return Response(orjson.dumps(document, option=orjson.OPT_INDENT_2), mimetype="application/json")
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110)
    return Response(text, mimetype="application/yaml")


def _document() -> dict[str, Any]:
    title = helpers.ccphva_territory("title")
    about = tk._("The programming interface of the portal: CKAN's, with what this portal adds.")
    return interface.openapi(interface.actions(), title, about, ckan.__version__)
