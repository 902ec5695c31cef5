"""Where a portal keeps files: `ckan.storage_path` and CKAN's named storages with a folder of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import ckan.plugins.toolkit as tk

# Made again by CKAN itself, or ours while a restore is at work.
TRANSIENT = {"webassets", ".incoming", ".replaced", ".restoring"}
_STORAGE = re.compile(r"ckan\.files\.storage\.(\w+)\.path")


def folders() -> dict[str, Path]:
    """Name in the archive → folder. What lies below `ckan.storage_path` is not named twice."""
    main = Path(tk.config["ckan.storage_path"]).resolve()
    found = {"storage": main}
    for key, value in tk.config.items():
        if (match := _STORAGE.fullmatch(key)) and value:
            folder = Path(value)
            if folder.is_absolute() and not folder.resolve().is_relative_to(main):
                found[match[1]] = folder.resolve()
    return found


def remote() -> list[str]:
    """Names of storages that are not folders (object stores): a backup does not hold them."""
    types = {
        key.split(".")[3]: str(value)
        for key, value in tk.config.items()
        if key.startswith("ckan.files.storage.") and key.endswith(".type")
    }
    return sorted(
        name for name, kind in types.items() if kind not in ("ckan:fs", "ckan:fs:public", "file_keeper:fs")
    )


def entries(store: str, folder: Path) -> list[Path]:
    """What lies directly in a folder and is somebody's upload, or holds uploads.

    CKAN's uploads are in folders; files directly below `ckan.storage_path` are made by the portal itself.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        e
        for e in found
        if e.name not in TRANSIENT and not e.is_symlink() and (store != "storage" or e.is_dir())
    ]


def files() -> Iterator[tuple[str, Path]]:
    """Name in the archive and path of every uploaded file; links are not followed."""
    for store, folder in folders().items():
        for entry in entries(store, folder):
            for path in sorted(entry.rglob("*")) if entry.is_dir() else (entry,):
                if path.is_file() and not path.is_symlink():
                    yield f"files/{store}/{path.relative_to(folder).as_posix()}", path
