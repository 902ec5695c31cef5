"""A dataset of the library as CKAN's actions take it. No database, no request.

Imports nothing of the plugin.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ccphva_harvesters import Dataset, SourceFile

LANGUAGES = ("fr", "de", "en", "lb")
_LONGEST_NAME = 100
_HASH = 8


def name_of(dataset: Dataset, source_id: str) -> str:
    """Address of the dataset's page: its title and a short hash of where it comes from.

    Two titles that are equal, and two sources with the same record, so never meet.
    """
    title = text_of(dataset.fields.get("title_translated")) or dataset.identifier or dataset.guid
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "dataset"
    digest = hashlib.sha256(f"{source_id}\n{dataset.guid}".encode()).hexdigest()[:_HASH]
    return f"{slug[: _LONGEST_NAME - _HASH - 1].strip('-')}-{digest}"


def text_of(value: Any) -> str:
    """The text of a multilingual field in the first of our languages that it has."""
    if not isinstance(value, Mapping):
        return str(value or "").strip()
    order = [*LANGUAGES, *sorted(value)]
    return next((str(value[code]).strip() for code in order if str(value.get(code) or "").strip()), "")


def visibility_of(dataset: Dataset, file: SourceFile) -> str:
    """`open`, or `private` where personal data may be or a condition is not met."""
    wanted = file.publication
    if wanted.state != "published" or file.personal_data != "none":
        return "private"
    return "open" if all(_MEETS[condition](dataset) for condition in wanted.conditions) else "private"


def _has_licence(dataset: Dataset) -> bool:
    if dataset.fields.get("license_id"):
        return True
    return bool(dataset.resources) and all(resource.get("license_id") for resource in dataset.resources)


_MEETS = {
    "no_personal_data": lambda _: True,  # the source's word for it was looked at before
    "licence_known": _has_licence,
    "required_fields": lambda dataset: bool(text_of(dataset.fields.get("notes_translated"))),
}


def package(dataset: Dataset, file: SourceFile, owner_org: str) -> dict[str, Any]:
    """Payload for `package_create`, without name and id.

    `title` and `notes` stand beside their translations for schemas that do not fill them; `private` follows
    `visibility`.
    """
    visibility = visibility_of(dataset, file)
    fields = dict(dataset.fields)
    return {
        **fields,
        "type": "dataset",
        "title": text_of(fields.get("title_translated")),
        "notes": text_of(fields.get("notes_translated")),
        "owner_org": owner_org,
        "visibility": visibility,
        "private": visibility == "private",
        "personal_data": file.personal_data,
        "state": "active",
        "resources": [resource(fields) for fields in dataset.resources],
    }


def resource(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A distribution as a resource; CKAN wants `name` and `url` even when the source has none."""
    found = dict(fields)
    found.setdefault("url", "")
    for core, translated in (("name", "name_translated"), ("description", "description_translated")):
        if translated in found:
            found.setdefault(core, text_of(found[translated]))
    return found


def keep_resource_ids(fresh: Sequence[dict[str, Any]], old: Sequence[Mapping[str, Any]]) -> None:
    """Give former resources their ids back: by URI, then by address and format, then by address."""
    left = list(old)
    for keys in (("uri",), ("url", "format"), ("url",)):
        for candidate in fresh:
            if "id" in candidate or not all(candidate.get(key) for key in keys):
                continue
            for former in left:
                if all(former.get(key) == candidate[key] for key in keys):
                    candidate["id"] = former["id"]
                    left.remove(former)
                    break
