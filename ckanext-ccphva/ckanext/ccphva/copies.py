"""What a new dataset takes over from one that it starts from. Imports nothing of CKAN."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

from ckanext.ccphva import workflow

LONGEST_NAME = 100

ITS_OWN = frozenset({
    "id", "name", "uri", "identifier", "alternate_identifier",
    "issued", "modified", "version", "version_notes", "has_version",
    "is_version_of", "is_referenced_by", "hash", "creator_user_id", "metadata_created",
    "metadata_modified", "state", "private", "workflow", "access_rights",
    "url", "organization", "extras", "relationships_as_object", "relationships_as_subject",
    "num_resources", "num_tags", "isopen", "license_title", "license_url",
})  # fmt: skip
"""Fields that say something of one dataset, or that CKAN fills."""
_OF_A_RESOURCE = frozenset({
    "id", "package_id", "uri", "identifier", "issued",
    "modified", "hash", "hash_algorithm", "created", "metadata_modified",
    "last_modified", "cache_last_updated", "cache_url", "position", "state",
    "url_type", "datastore_active",
    "datastore_contains_all_records_of_source_file", "revision_id", "size",
})  # fmt: skip


def start(original: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Payload of a new draft. An uploaded file stays with its dataset: the copy has no right to it."""
    taken = {field: value for field, value in original.items() if field not in ITS_OWN and value}
    linked = [each for each in original.get("resources", ()) if not each.get("url_type")]
    taken["resources"] = [
        {field: value for field, value in each.items() if field not in _OF_A_RESOURCE and value}
        for each in linked
    ]
    taken["groups"] = [{"name": group["name"]} for group in original.get("groups", ())]
    return {**taken, "name": name, "workflow": workflow.DRAFT}


def free_name(name: str, taken: Collection[str]) -> str:
    """The first of `name-2`, `name-3`, … that is not taken."""
    for number in count(2):
        ending = f"-{number}"
        wanted = name[: LONGEST_NAME - len(ending)] + ending
        if wanted not in taken:
            return wanted
    raise AssertionError("count() has no end")
