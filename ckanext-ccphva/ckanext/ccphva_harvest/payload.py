"""A dataset of the library as CKAN's actions take it. No database, no request.

Imports only `texts`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ccphva_harvesters import Dataset, SourceFile, Table
from ckanext.ccphva_harvest import texts

LANGUAGES = ("fr", "de", "en", "lb")
_HASH = 8
_LONGEST_SLUG = 100 - _HASH - 1
_SHORTEST_NAME = 2
_RESERVED = {"edit", "new", "search"}
"""Names that CKAN keeps for pages of its own."""
TABLE_URL = "_datastore_only_resource"
"""Address that CKAN gives a resource whose rows are all it has."""
_LONG_TEXTS = ("provenance", "purpose", "rights", "version_notes")
_CLOSED = ("authority/access-right/RESTRICTED", "authority/access-right/NON_PUBLIC")


def name_of(dataset: Dataset, source_id: str, taken: Callable[[str], bool] = lambda _: False) -> str:
    """Address of the dataset's page: its title, and a short hash of where it comes from if another has it.

    :param taken: whether a name is another dataset's; the hash makes two records' names differ.
    """
    slug = slug_of(dataset)
    if len(slug) >= _SHORTEST_NAME and slug not in _RESERVED and not taken(slug):
        return slug
    digest = hashlib.sha256(f"{source_id}\n{dataset.guid}".encode()).hexdigest()[:_HASH]
    return f"{slug or 'dataset'}-{digest}"


def slug_of(dataset: Dataset) -> str:
    """A dataset's title as an address would have it; empty where it has no Latin letter."""
    title = text_of(dataset.fields.get("title_translated")) or dataset.identifier or dataset.guid
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _shortened(re.sub(r"[^a-z0-9]+", "-", plain).strip("-"))


def _shortened(slug: str) -> str:
    """A slug that leaves room for the hash, cut between words where it can be."""
    if len(slug) <= _LONGEST_SLUG:
        return slug
    cut = slug[: _LONGEST_SLUG + 1]
    return (cut.rpartition("-")[0] or cut[:-1]).strip("-")


def text_of(value: Any) -> str:
    """The text of a multilingual field in the first of our languages that it has."""
    if not isinstance(value, Mapping):
        return str(value or "").strip()
    order = [*LANGUAGES, *sorted(value)]
    return next((str(value[code]).strip() for code in order if str(value.get(code) or "").strip()), "")


def visibility_of(dataset: Dataset, file: SourceFile) -> str:
    """`private` where personal data may be or a condition is not met; else what the source says of access.

    Who states closed rights elsewhere has published the description already: that is `restricted`.
    """
    wanted = file.publication
    if wanted.state != "published" or file.personal_data != "none":
        return "private"
    if not all(_MEETS[condition](dataset) for condition in wanted.conditions):
        return "private"
    return "restricted" if str(dataset.fields.get("access_rights", "")).endswith(_CLOSED) else "open"


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
    """Payload for `package_create`, without name and id; `private` follows `visibility`.

    :param owner_org: organisation of the source; a step may have chosen another one.
    """
    visibility = visibility_of(dataset, file)
    return {
        **_cleaned(dataset.fields, "title", "notes"),
        "type": dataset.kind,
        "owner_org": dataset.owner or owner_org,
        "visibility": visibility,
        "private": visibility == "private",
        "personal_data": file.personal_data,
        "state": "active",
        "resources": [_resource(fields) for fields in dataset.resources],
    }


def _resource(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A distribution as a resource; CKAN wants a `url` even when the source has none."""
    return {"url": "", **_cleaned(fields, "name", "description")}


def table(id_: str, described: Table, language: str) -> dict[str, Any]:
    """A table as a resource without a file: its address is the DataStore's own."""
    return {
        "id": id_,
        "url": TABLE_URL,
        "url_type": "datastore",
        "name_translated": {language: texts.plain(described.title) or described.id},
    }


def language_of(dataset: Dataset) -> str:
    """The language that the source titles its datasets in."""
    titles = dataset.fields.get("title_translated")
    return next((code for code in LANGUAGES if code in (titles or ())), LANGUAGES[0])


def _cleaned(fields: Mapping[str, Any], *core: str) -> dict[str, Any]:
    """Fields whose texts by language bear no HTML and stand alone: CKAN's own follow from them."""
    found = dict(fields)
    for name in _LONG_TEXTS:
        if isinstance(by_language := found.get(name), Mapping):
            found[name] = {code: texts.plain(text) for code, text in by_language.items()}
    for name in core:
        if by_language := found.get(f"{name}_translated"):
            found[f"{name}_translated"] = {code: texts.plain(text) for code, text in by_language.items()}
            found.pop(name, None)
    if by_language := found.get("keywords_translated"):
        found["keywords_translated"] = {
            code: [word for raw in words if (word := texts.keyword(raw))]
            for code, words in by_language.items()
        }
        found.pop("tags", None)
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


def keep_tables(fresh: Sequence[dict[str, Any]], old: Sequence[Mapping[str, Any]]) -> list[str]:
    """Let resources with a table stay known to CKAN as such: a whole update would forget it.

    :returns: resources of tables that are gone.
    """
    there = {each["id"] for each in old if each.get("datastore_active") and each.get("url") == TABLE_URL}
    kept = [resource for resource in fresh if resource.get("id") in there]
    for resource in kept:
        resource["datastore_active"] = True
    return sorted(there - {resource["id"] for resource in kept})
