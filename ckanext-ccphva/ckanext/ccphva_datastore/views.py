"""Pages and files of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.lib.navl.dictization_functions as navl
import ckan.plugins.toolkit as tk
import psycopg2
from ckan.types import CKANApp, Context
from ckanext.ccphva_datastore import backend, dump
from ckanext.ccphva_datastore.exploring import query as queries
from ckanext.ccphva_datastore.exploring.views import ccphva_tables, on_resource_page
from ckanext.ccphva_datastore.feeds.views import ccphva_feeds
from ckanext.ccphva_datastore.loading.views import ccphva_loads
from ckanext.datastore.backend import DatastoreBackend
from ckanext.datastore.blueprint import dump_schema
from flask import Response

__all__ = ["ccphva_feeds", "ccphva_loads", "ccphva_tables"]


ADDRESS = ("column", "op", "value", "search")
"""Parameters of the explorer, which the download of a filtered table takes along."""


def install(app: CKANApp) -> CKANApp:
    """Serve `/datastore/dump/<id>` by `dump`; its address and its link in core's pages stay."""
    backend.require()
    if "datastore.dump" in app.view_functions:
        app.view_functions["datastore.dump"] = whole_table
    for endpoint, view in app.view_functions.items():
        if endpoint.endswith("resource.read"):
            app.view_functions[endpoint] = on_resource_page(view)
    return app


def whole_table(resource_id: str) -> Response:
    """`GET /datastore/dump/<id or alias>`: the parameters of core, of the explorer, `safe` and `gzip`.

    400: a parameter is wrong; 404: no such table for this reader; 503: too many dumps at a time.
    """
    default, one_of, boolean = map(_validator, ("default", "one_of", "boolean_validator"))
    schema = dump_schema() | {
        "format": [default("csv"), one_of(list(dump.FORMATS))],
        "safe": [default(False), boolean],
        "gzip": [default(False), boolean],
    }
    arguments = tk.request.args
    asked = queries.from_address(arguments.to_dict(flat=False))
    several = {"fields": asked["fields"]} if len(asked["fields"]) > 1 else {}
    known = {name: value for name, value in arguments.to_dict().items() if name not in ADDRESS}
    data, errors = navl.validate(known | several, schema)
    if errors:
        return _refused(errors)
    data |= {"search": asked["search"], "where": asked["where"]}
    try:
        ready = dump.prepare(Context(user=tk.current_user.name), data | {"resource_id": _table(resource_id)})
        pieces = ready.pieces()
        first = next(pieces)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return tk.abort(404, tk._("DataStore resource not found"))
    except tk.ValidationError as error:
        return _refused(error.error_dict)
    except (psycopg2.DataError, psycopg2.ProgrammingError):
        return _refused({"query": [tk._("The query is not valid")]})
    except dump.Busy:
        text = tk._("Many tables are being downloaded. Please try again in a minute.")
        return Response(text, status=503, mimetype="text/plain", headers={"Retry-After": "60"})
    return _sent(resource_id, ready.form, first, pieces, data)


def _validator(name: str) -> Any:
    return tk.get_validator(name)


def _table(resource_id: str) -> str:
    """The id behind an id or alias, if this reader may read its resource."""
    exists, target = DatastoreBackend.get_active_backend().resource_id_from_alias(resource_id)
    if not exists:
        raise tk.ObjectNotFound
    found = target or resource_id
    tk.check_access("datastore_search", Context(user=tk.current_user.name), {"resource_id": found})
    return found


def _refused(errors: dict[str, Any]) -> Response:
    lines = [f"{name}: {' '.join(map(str, texts))}" for name, texts in errors.items()]
    return Response("\n".join(lines), status=400, mimetype="text/plain")


def _sent(
    name: str, form: dump.Format, first: bytes, rest: Iterator[bytes], data: dict[str, Any]
) -> Response:
    pieces = _chained(first, rest)
    if data["bom"]:
        pieces = dump.with_bom(pieces)
    extension, media = form.extension, form.media
    if data["gzip"]:
        pieces, extension, media = dump.gzipped(pieces), f"{extension}.gz", "application/gzip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{extension}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(pieces, content_type=media, headers=headers)


def _chained(first: bytes, rest: Any) -> Iterator[bytes]:
    try:
        yield first
        yield from rest
    finally:
        rest.close()
