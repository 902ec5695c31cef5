"""Data of restricted datasets: a stranger sees nothing that leads to them. Imports nothing of CKAN.

The index holds no such thing either; who has the right to the data reads it from the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ckanext.ccphva import visibility

DATASET_FIELDS = ("sample", "has_version")
RESOURCE_FIELDS = (
    "url", "url_type", "access_url", "download_url", "access_services", "hash", "hash_algorithm",
    "datastore_active", "cache_url", "on_same_domain", "original_url",
)  # fmt: skip
INDEX_FIELDS = ("res_url", "res_extras_download_url", "res_extras_access_url", "sample", "extras_sample")


def is_restricted(dataset: Mapping[str, Any]) -> bool:
    """Whether only the description is public; also of a dataset whose extras are still a list."""
    extras = {each["key"]: each.get("value") for each in dataset.get("extras") or () if "key" in each}
    return (dataset.get("visibility") or extras.get("visibility")) == visibility.RESTRICTED


def without_data(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The description of a dataset, without anything that leads to its data."""
    found = {name: value for name, value in dataset.items() if name not in DATASET_FIELDS}
    if "extras" in found:
        found["extras"] = [each for each in found["extras"] if each.get("key") not in DATASET_FIELDS]
    found["resources"] = [resource_without_data(each) for each in dataset.get("resources") or ()]
    return found


def resource_without_data(resource: Mapping[str, Any]) -> dict[str, Any]:
    addresses = {resource.get(name) for name in ("url", "access_url", "download_url")}
    hidden = {*RESOURCE_FIELDS, *(("uri",) if resource.get("uri") in addresses else ())}
    return {name: value for name, value in resource.items() if name not in hidden}


def document_without_data(document: Mapping[str, Any]) -> dict[str, Any]:
    """The search document of a restricted dataset; another one as it is."""
    found = dict(document)
    if not is_restricted(json.loads(found["validated_data_dict"])):
        return found
    for name in ("data_dict", "validated_data_dict"):
        found[name] = json.dumps(without_data(json.loads(found[name])))
    for name in [name for name in found if name in INDEX_FIELDS or name.startswith("res_extras_")]:
        del found[name]
    return found
