"""The actions that the portal offers, in groups, and their description as OpenAPI 3.1.

The portal's own (`ccphva_…`) are all there, those of CKAN that clients of a catalogue need as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckanext.ccphva.developers import docstrings
from ckanext.ccphva.developers.docstrings import Described, Parameter
from ckanext.ccphva.languages import N_

Data = dict[str, Any]
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "catalogue": (
        N_("Find and read"),
        ("package_search", "package_show", "package_list", "resource_show", "organization_list",
         "organization_show", "tag_list", "license_list", "status_show"),
    ),
    "tables": (
        N_("Tables and live data"),
        ("datastore_search", "datastore_info", "datastore_create", "datastore_upsert", "datastore_delete"),
    ),
    "publishing": (
        N_("Describe and publish"),
        ("package_create", "package_patch", "package_update", "package_delete", "resource_create",
         "resource_patch", "resource_delete"),
    ),
    "harvesting": (
        N_("Bring data in"),
        ("harvest_source_list", "harvest_source_show", "harvest_source_create", "harvest_job_create",
         "harvest_job_show"),
    ),
    "account": (
        N_("Account and tokens"),
        ("api_token_create", "api_token_list", "api_token_revoke", "user_show"),
    ),
}  # fmt: skip
_OWN = (
    (re.compile(r"^ccphva_harvest_"), "harvesting"),
    (re.compile(r"^ccphva_(table|feed|rows|live|load|datastore)"), "tables"),
    (re.compile(r"^ccphva_(dataset_(?!search)|fee|deleted|quality|keyword|theme_suggest)"), "publishing"),
    (re.compile(r"^ccphva_"), "catalogue"),
)
_INTERNAL = frozenset({"ccphva_live_gate"})
_CORE = ("ckan.logic.action.get", "ckan.logic.action.create", "ckan.logic.action.update",
         "ckan.logic.action.patch", "ckan.logic.action.delete", "ckanext.datastore.logic.action")  # fmt: skip


@dataclass(frozen=True)
class Action:
    """:param reads: whether it changes nothing, and may be called by GET."""

    name: str
    group: str
    reads: bool
    described: Described


def actions() -> list[Action]:
    """All actions of the interface, by group and name."""
    groups = {name: group for group, (_, names) in GROUPS.items() for name in names}
    for plugin in p.PluginImplementations(p.IActions):
        for name in plugin.get_actions():
            if name.startswith("ccphva_") and name not in _INTERNAL:
                groups[name] = next(group for pattern, group in _OWN if pattern.match(name))
    order = list(GROUPS)
    found = [_action(name, group) for name, group in groups.items()]
    return sorted(filter(None, found), key=lambda each: (order.index(each.group), each.name))


def _action(name: str, group: str) -> Action | None:
    try:
        function = tk.get_action(name)
    except KeyError:
        return None  # a plugin that is not loaded
    return Action(name, group, bool(getattr(function, "side_effect_free", False)), _described(name, function))


def _described(name: str, function: Callable[..., Any]) -> Described:
    """Of an action that is core's with something added: core's parameters stand before ours."""
    own = docstrings.read(function.__doc__)
    core = next((found for module in _CORE if (found := _of_core(module, name))), None)
    if core is None or core is function:
        return own
    stock = docstrings.read(core.__doc__)
    known = {each.name for each in own.parameters}
    before = tuple(each for each in stock.parameters if each.name not in known)
    text = " ".join(part for part in (stock.text, own.summary, own.text) if part and part != stock.summary)
    return Described(
        stock.summary, text, before + own.parameters, own.answer or stock.answer, own.errors or stock.errors
    )


def _of_core(module: str, name: str) -> Callable[..., Any] | None:
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def openapi(found: list[Action], title: str, description: str, version: str) -> Data:
    """The interface as OpenAPI 3.1.0 (spec.openapis.org/oas/v3.1.0)."""
    site = str(tk.config["ckan.site_url"]).rstrip("/")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": description,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": site}],
        "tags": [{"name": name, "description": tk._(text)} for name, (text, _) in GROUPS.items()],
        "security": [{}, {"token": []}],
        "paths": {f"/api/3/action/{each.name}": _path(each) for each in found},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": tk._("An API token, made on the page of one's account."),
                }
            },
            "schemas": {
                "Success": {
                    "type": "object",
                    "required": ["success", "result"],
                    "properties": {"help": {"type": "string"}, "success": {"const": True}, "result": {}},
                },
                "Fault": {
                    "type": "object",
                    "required": ["success", "error"],
                    "properties": {
                        "success": {"const": False},
                        "error": {"type": "object", "properties": {"__type": {"type": "string"}}},
                    },
                },
            },
        },
    }


def _path(action: Action) -> Data:
    operation: Data = {
        "operationId": action.name,
        "tags": [action.group],
        "summary": action.described.summary or action.name,
        "responses": {
            "200": _answer(action.described.answer or tk._("Done"), "Success"),
            "400": _answer(tk._("The question is not understood"), "Fault"),
            "403": _answer(tk._("Not allowed"), "Fault"),
            "404": _answer(tk._("Not found"), "Fault"),
            "409": _answer(tk._("Something given is not valid"), "Fault"),
        },
    }
    if action.described.text:
        operation["description"] = action.described.text
    if action.reads:
        operation["parameters"] = [_query(each) for each in action.described.parameters]
        return {"get": operation}
    properties = {each.name: _schema(each) for each in action.described.parameters}
    required = [each.name for each in action.described.parameters if each.required]
    body: Data = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    operation["security"] = [{"token": []}]
    return {"post": operation}


def _answer(text: str, schema: str) -> Data:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}


def _query(parameter: Parameter) -> Data:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.text,
        "schema": {"type": parameter.type} if parameter.type not in ("", "array", "object") else {},
    }


def _schema(parameter: Parameter) -> Data:
    return {"description": parameter.text} | ({"type": parameter.type} if parameter.type else {})
