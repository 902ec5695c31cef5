"""Earlier files of a resource, kept as long as the resource is there."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva_datastore import config
from ckanext.ccphva_datastore.loading import model
from ckanext.ccphva_datastore.loading.files import File


def place(resource_id: str, number: int) -> Path:
    return folder(resource_id) / str(number)


def folder(resource_id: str) -> Path:
    """Beside CKAN's own files, so that one backup holds both."""
    return Path(tk.config["ckan.storage_path"]) / "versions" / resource_id[:3] / resource_id


def keep(resource_id: str, file: File, columns: list[dict[str, Any]] | None = None) -> model.Version:
    """The version that this file is: a new one, or the latest where it has the same content."""
    known = model.versions(resource_id)
    if known and known[0].sha256 == file.sha256:
        return known[0]
    folder(resource_id).mkdir(parents=True, exist_ok=True)
    number = (known[0].number if known else 0) + 1
    target = place(resource_id, number)
    _link(file.path, target)
    version = model.add_version(
        resource_id, name=file.name, size=target.stat().st_size, sha256=file.sha256, columns=columns
    )
    _let_go(resource_id)
    return version


def _link(source: Path, target: Path) -> None:
    """CKAN renames a new upload over the old one, so a second name keeps the old bytes."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        partial = target.with_name(f"{target.name}~")
        shutil.copyfile(source, partial)
        partial.rename(target)


def _let_go(resource_id: str) -> None:
    """The oldest files beyond the number that is kept; what was known of them stays in the list."""
    for version in model.versions(resource_id)[config.versions_kept() :]:
        place(resource_id, version.number).unlink(missing_ok=True)


def listed(resource_id: str) -> list[dict[str, Any]]:
    """Versions as an action tells them, the latest first."""
    return [
        {
            "version": each.number,
            "at": each.at.isoformat(),
            "name": each.name,
            "size": each.size,
            "sha256": each.sha256,
            "columns": each.columns,
            "kept": place(resource_id, each.number).is_file(),
        }
        for each in model.versions(resource_id)
    ]


def forget(resource_id: str) -> None:
    shutil.rmtree(folder(resource_id), ignore_errors=True)


def compare(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> dict[str, Any]:
    """What a new file changes in the columns: `added`, `gone`, and `changed` with both types."""
    old, new = dict(before), dict(after)
    if not old:
        return {}
    return {
        "added": [name for name in new if name not in old],
        "gone": [name for name in old if name not in new],
        "changed": [
            {"name": name, "before": old[name], "after": kind}
            for name, kind in new.items()
            if name in old and old[name] != kind
        ],
    }
