"""A batch of datasets into the search index with one request. Imports `reading`.

The document of a dataset is the one that `PackageSearchIndex.index_package` would make and send: its fields,
those of plugins, and the labels of who may see it. The rare ones that need more (relations, tags of a
vocabulary) go through core, one by one.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import orjson
import pysolr
import requests
from ckan import logic
from ckan import model as core
from ckan.lib import plugins as forms
from ckan.lib import search
from ckan.lib.navl.dictization_functions import MissingNullEncoder
from ckan.lib.search.common import make_connection
from ckan.lib.search.index import KEY_CHARS, RESERVED_FIELDS, escape_xml_illegal_chars
from ckanext.ccphva_harvest.bulk import reading
from dateutil import parser

Document = dict[str, Any]
_PARTS = ("extras", "tags", "groups", "resources", "relationships_as_subject", "relationships_as_object")
_OF_RESOURCES = {
    "name": "res_name", "description": "res_description", "format": "res_format", "url": "res_url",
    "resource_type": "res_type",
}  # fmt: skip


def add(shown: Collection[reading.Both]) -> None:
    """Send datasets to the index; who calls asks for its commit.

    :raises ckan.lib.search.SearchIndexError: it refuses one of them, or does not answer.
    """
    plain: list[reading.Both] = []
    for both in shown:
        if _is_plain(both[0]):
            plain.append(both)
        else:
            logic.index_update_package_dicts(both, defer_commit=True)
    connection = make_connection()
    connection.encoder = _Encoder()
    try:
        connection.add(documents(plain), commit=False)
    except (pysolr.SolrError, requests.RequestException, OSError) as error:
        raise search.SearchIndexError(str(error)[:1000]) from error


class _Encoder:
    """JSON for pysolr, without its detours."""

    def encode(self, found: list[Document]) -> str:
        return orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS).decode()


def documents(shown: Collection[reading.Both]) -> list[Document]:
    """What the index is sent of plain datasets."""
    ids = [fields["id"] for fields, _ in shown]
    owners = {fields["owner_org"] for fields, _ in shown}
    held = core.Session.query(core.Group).filter(core.Group.id.in_(owners)).all()
    packages = {each.id: each for each in core.Session.query(core.Package).filter(core.Package.id.in_(ids))}
    labels = forms.get_permission_labels()
    found = []
    for fields, own_fields in shown:
        document = _document(fields, own_fields)
        for plugin in p.PluginImplementations(p.IPackageController):
            document = plugin.before_dataset_index(document)
        document["permission_labels"] = labels.get_dataset_labels(packages[fields["id"]])
        found.append(document)
    del held  # until here, so that each document finds its organisation in the session
    return found


def _is_plain(fields: Mapping[str, Any]) -> bool:
    related = fields["relationships_as_subject"] or fields["relationships_as_object"]
    in_vocabulary = any(tag.get("vocabulary_id") for tag in fields["tags"])
    return fields["state"] == "active" and not related and not in_vocabulary


def _document(fields: Mapping[str, Any], own_fields: Mapping[str, Any]) -> Document:
    """A document before plugins see it."""
    document = {name: value for name, value in fields.items() if name not in _PARTS}
    document |= {
        "data_dict": json.dumps(fields),
        "validated_data_dict": json.dumps(own_fields, cls=MissingNullEncoder),
        "capacity": "private" if fields["private"] else "public",
        "dataset_type": fields["type"],
        "entity_type": "package",
        "groups": [group["name"] for group in fields["groups"]],
        "index_id": hashlib.md5(f"{fields['id']}{tk.config['ckan.site_id']}".encode()).hexdigest(),  # noqa: S324
        "metadata_created": fields["metadata_created"] + "Z",
        "metadata_modified": fields["metadata_modified"] + "Z",
        "organization": fields["organization"]["name"] if fields["organization"] else None,
        "site_id": tk.config["ckan.site_id"],
        "tags": [tag["name"] for tag in fields["tags"]],
        **_of_resources(fields["resources"]),
    }
    if title := fields["title"]:
        document |= {
            "title": escape_xml_illegal_chars(title).lstrip(),
            "title_string": escape_xml_illegal_chars(title),
        }
    if fields["notes"]:
        document["notes"] = escape_xml_illegal_chars(fields["notes"])
    known = {*RESERVED_FIELDS, *fields, "data_dict", "validated_data_dict", "title_string"}
    for extra in fields["extras"]:
        name = "".join(sign for sign in extra["key"] if sign in KEY_CHARS)
        document[f"extras_{name}"] = extra["value"]
        if name not in known:
            document[name] = extra["value"]
    return _with_dates(document)


def _of_resources(resources: Sequence[Mapping[str, Any]]) -> Mapping[str, list[Any]]:
    """A list a field, with a value for each resource."""
    found: dict[str, list[Any]] = defaultdict(list)
    names = _OF_RESOURCES | {name: f"res_extras_{name}" for name in core.Resource.get_extra_columns()}
    for resource in resources:
        for name, field in names.items():
            found[field].append(resource.get(name, ""))
    return found


def _with_dates(document: Document) -> Document:
    """Fields called `_date` as the index wants dates; without those that are none."""
    for name in [name for name in document if name.endswith("_date")]:
        try:
            moment = parser.parse(document.pop(name) or "none")
        except (ValueError, OverflowError):
            continue
        document[name] = moment.isoformat() + ("" if moment.tzinfo else "Z")
    return document
