"""Actions of loads, versions and documents."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model as core
from ckan.logic import validate
from ckan.types import Context
from ckanext.ccphva_datastore import relations
from ckanext.ccphva_datastore.loading import model, tasks, versions
from ckanext.ccphva_datastore.loading.columns import TYPES
from ckanext.ccphva_datastore.loading.faults import told
from ckanext.ccphva_datastore.logic import schema

__all__ = [
    "ccphva_document_search",
    "ccphva_document_show",
    "ccphva_load_show",
    "ccphva_load_submit",
    "ccphva_version_list",
]

Data = dict[str, Any]
OFFERED = ("text", "int", "numeric", "bool", "date", "timestamp", "timestamptz", "geojson", "wkt")


def ccphva_load_submit(context: Context, data_dict: Data) -> Data:
    """Take a resource's file again, with the types, the sheet and the reference system that were chosen.

    :param id: the resource.
    :param types: `{column: type}`; types are ``text``, ``int``, ``numeric``, ``bool``, ``date``,
        ``timestamp``,
        ``timestamptz``, ``geojson`` and ``wkt``. Kept, and used at every later load.
    :param layer: the sheet of a workbook or the layer of a geographic file; empty: the portal's choice.
    :param crs: reference system of a file that does not say its own, such as ``EPSG:3857``.
    :returns: as ``ccphva_load_show``, in state ``waiting``.
    """
    data, errors = tk.navl_validate(dict(data_dict), schema.load_submit(), context)
    if errors:
        raise tk.ValidationError(errors)
    resource = _resource(data["id"])
    tk.check_access("ccphva_load_submit", context, {"id": resource.id})
    load = model.load_of(resource.id)
    chosen = dict(load.chosen) if load else {}
    if "types" in data:
        chosen["types"] = _types(data["types"])
    chosen |= {name: data[name] for name in ("layer", "crs") if name in data}
    source = dict(load.source) if load else {}
    source.pop("state", None)  # the same file is taken anew
    model.note(resource.id, state=model.WAITING, chosen=chosen, source=source)
    tasks.enqueue(resource.id)
    return ccphva_load_show(context, {"id": resource.id})


def _types(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise tk.ValidationError({"types": [tk._("expecting an object of columns and types")]})
    for column, kind in given.items():
        if kind not in TYPES:
            raise tk.ValidationError(
                {"types": [f"{column}: {told(_reason('type-choice', type=kind), tk._)}"]}
            )
    return {str(column): kind for column, kind in given.items()}


def _reason(code: str, **values: Any) -> Data:
    return {"code": code, "values": values}


@tk.side_effect_free
@validate(schema.load_show)
def ccphva_load_show(context: Context, data_dict: Data) -> Data:
    """What became of a resource's file; for who may edit it, as first rows and reasons hold data.

    :param id: the resource.
    :returns: ``state`` (``none``, ``waiting``, ``reading``, ``loading``, ``done``, ``refused``, ``nothing``),
        ``reason`` (in the reader's language), ``kind``, ``rows``, ``bytes`` read, times (UTC), ``encoding``,
        ``separator``, ``layer`` and ``others``, ``crs``, ``columns`` (``name``, ``heading``, ``type``,
        ``chosen``,
        ``format``, ``sample``), ``changes`` (``added``, ``gone``, ``changed``), ``closed`` perimeters.
    """
    resource = _resource(data_dict["id"])
    tk.check_access("ccphva_load_show", context, {"id": resource.id})
    load = model.load_of(resource.id)
    if load is None:
        return {"id": resource.id, "state": "none", "upload": resource.url_type == "upload", "columns": []}
    found = load.found or {}
    chosen = load.chosen.get("types") or {}
    return {
        "id": resource.id,
        "state": load.state,
        "reason": told(load.reason, tk._) if load.reason else "",
        "kind": load.kind,
        "rows": load.rows,
        "bytes": load.bytes,
        **{name: (time.isoformat() if (time := getattr(load, name)) else None)
           for name in ("queued", "started", "finished")},
        **{name: found.get(name) for name in ("encoding", "separator", "heading_line", "layer", "others", "crs")},  # noqa: E501
        "columns": [each | {"chosen": chosen.get(each["name"], "")} for each in found.get("columns") or []],
        "chosen": load.chosen,
        "changes": load.changes,
        "closed": load.closed,
        "upload": resource.url_type == "upload",
        "offered": list(OFFERED),
    }  # fmt: skip


@tk.side_effect_free
@validate(schema.load_show)
def ccphva_version_list(context: Context, data_dict: Data) -> list[Data]:
    """The files that a resource had and has, the latest first.

    :param id: the resource.
    :returns: each with ``version``, ``at`` (UTC), ``name``, ``size`` (bytes), ``sha256``, ``url``, ``kept``
        (whether
        the file is still there) and ``columns`` where it became a table.
    """
    resource = _resource(data_dict["id"])
    tk.check_access("ccphva_version_list", context, {"id": resource.id})
    return [
        each | {"url": tk.url_for("ccphva_loads.version", id=resource.package_id, resource_id=resource.id,
                                  number=each["version"], qualified=True)}
        for each in versions.listed(resource.id)
    ]  # fmt: skip


@tk.side_effect_free
@validate(schema.document_search)
def ccphva_document_search(context: Context, data_dict: Data) -> Data:
    """Pages of documents that hold the words, in the documents of datasets that the asker may read the data
    of.

    :param q: words as in a search engine: ``"two words"``, ``or``, ``-not``.
    :param language: ``fr``, ``de``, ``en`` or ``lb``: only pages in it; otherwise each in its own.
    :param id: only this resource.
    :param limit: at most 100.
    :returns: ``results``, best first, each with ``resource_id``, ``dataset_id``, ``page``, ``language`` and
        ``passage`` (found words between ``[[`` and ``]]``).
    """
    tk.check_access("ccphva_document_search", context, data_dict)
    from unidecode import unidecode

    words, limit = data_dict["q"], data_dict["limit"]
    ids = [data_dict["id"]] if data_dict.get("id") else None
    results: list[Data] = []
    allowed: dict[str, bool] = {}
    offset = 0
    while len(results) < limit and offset < 10 * limit:
        rows = model.find_pages(
            words, unidecode(words), data_dict.get("language") or None, ids, limit, offset
        )
        for row in rows:
            dataset = row["package_id"]
            if dataset not in allowed:
                allowed[dataset] = _may_see(context, dataset)
            if allowed[dataset]:
                results.append(
                    {
                        "resource_id": row["resource_id"],
                        "dataset_id": dataset,
                        "page": row["number"],
                        "language": row["language"],
                        "passage": row["passage"],
                    }
                )
        offset += limit
        if len(rows) < limit:
            break
    return {"results": results[:limit]}


@tk.side_effect_free
@validate(schema.document_show)
def ccphva_document_show(context: Context, data_dict: Data) -> Data:
    """The text of a document.

    :param id: the resource.
    :param offset: pages to leave out
    :param limit: at most 50 pages
    :returns: ``pages``, each with ``number``, ``language`` and ``text``.
    """
    resource = _resource(data_dict["id"])
    tk.check_access("ccphva_document_show", context, {"id": resource.id})
    return {"pages": model.pages_of(resource.id, data_dict["offset"], data_dict["limit"])}


def _may_see(context: Context, dataset_id: str) -> bool:
    try:
        tk.check_access("ccphva_dataset_data_show", Context(user=context.get("user", "")), {"id": dataset_id})
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False
    return True


def _resource(resource_id: str) -> Any:
    resource = core.Resource.get(resource_id)
    if resource is None or resource.state != "active":
        raise relations.not_found(resource_id)
    return resource
