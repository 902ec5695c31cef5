"""What the tests of loads share: uploads from bytes, loaded at once in this process."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

from catalogue_support import call_action
from ckan.tests import factories
from ckanext.ccphva_datastore.loading import model, tasks
from werkzeug.datastructures import FileStorage

YARDSTICKS = Path(__file__).resolve().parents[3] / "shared" / "yardsticks"


def upload(name: str, content: bytes, dataset: str = "", **fields: Any) -> dict[str, Any]:
    """A resource with an uploaded file, of a new dataset where none is named."""
    if not dataset:
        dataset = make_dataset()
    file = FileStorage(io.BytesIO(content), name)
    return call_action("resource_create", package_id=dataset, name=name, upload=file, url=name, **fields)


def replace(resource: dict[str, Any], name: str, content: bytes) -> None:
    file = FileStorage(io.BytesIO(content), name)
    call_action("resource_patch", id=resource["id"], upload=file, url=name)


def make_dataset(**fields: Any) -> str:
    organization = fields.pop("owner_org", None) or factories.Organization()["id"]
    made = call_action(
        "package_create",
        name=f"charge-{uuid.uuid4().hex[:12]}",
        title="Charge",
        owner_org=organization,
        **fields,
    )
    return made["id"]


def load(resource: dict[str, Any], force: bool = False) -> dict[str, Any]:
    """Load now, and say what became of it."""
    tasks.load(resource["id"], force)
    return show(resource)


def show(resource: dict[str, Any]) -> dict[str, Any]:
    return call_action("ccphva_load_show", id=resource["id"])


def loaded(name: str, content: bytes, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    resource = upload(name, content, **fields)
    return resource, load(resource)


def rows(resource: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    found = call_action("datastore_search", resource_id=resource["id"], limit=32000, **query)
    return found["records"]


def types(found: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["type"] for each in found["columns"]}


def reason(resource: dict[str, Any]) -> dict[str, Any]:
    load = model.load_of(resource["id"])
    assert load is not None
    return load.reason or {}


__all__ = [
    "YARDSTICKS",
    "load",
    "loaded",
    "make_dataset",
    "reason",
    "replace",
    "rows",
    "show",
    "types",
    "upload",
]
