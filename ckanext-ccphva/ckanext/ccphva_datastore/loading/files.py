"""The file of a resource: from CKAN's storage, or fetched from its address through the guarded client."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ccphva_harvesters import Client, HarvestError, Limits, NotModifiedError, TooLargeError
from ckan.lib import uploader
from ckanext.ccphva_datastore import config
from ckanext.ccphva_datastore.loading.faults import Fault

MB = 1_000_000
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class File:
    """A file on this machine, and how to know next time that it is the same."""

    path: Path
    name: str
    sha256: str
    source: dict[str, Any]


def is_upload(resource: dict[str, Any]) -> bool:
    return resource.get("url_type") == "upload"


def stored(resource: dict[str, Any]) -> Path | None:
    """Where CKAN keeps an upload."""
    path = getattr(uploader.get_resource_uploader(dict(resource)), "get_path", None)
    return Path(path(resource["id"])) if path else None


def mark(resource: dict[str, Any]) -> str:
    """What changes when somebody changes the file: cheap, unlike its checksum; empty: not to be known so."""
    path = stored(resource) if is_upload(resource) else None
    if path is None or not path.is_file():
        return ""
    stat = path.stat()
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"


def obtain(resource: dict[str, Any], folder: Path, before: dict[str, Any]) -> File | None:
    """The file, or None where the address says that it is the one of last time.

    :param folder: where a fetched file may be written.
    :param before: `source` of the last load.
    :raises Fault: it is not there, too large, or its address is refused.
    """
    if is_upload(resource):
        path = stored(resource)
        if path is None or not path.is_file():
            raise Fault("missing")
        if path.stat().st_size > config.load_megabytes() * MB:
            raise Fault("large", most=config.load_megabytes())
        digest = checksum(path)
        name = Path(str(resource.get("url") or "")).name or resource["id"]
        return File(path, name, digest, {"sha256": digest, "mark": mark(resource)})
    return _fetched(resource, folder, before)


def _fetched(resource: dict[str, Any], folder: Path, before: dict[str, Any]) -> File | None:
    url = str(resource.get("url") or "")
    size = config.load_megabytes() * MB
    limits = Limits(wire_bytes=size, decoded_bytes=size, attempts=2, total=600)
    known = before if before.get("url") == url else {}
    try:
        with Client(
            limits=limits,
            allow_networks=config.load_networks(),
            user_agent=f"{tk.config['ckan.site_id']} (+{tk.config['ckan.site_url']})",
        ) as client:
            answer = client.get(url, etag=known.get("etag"), last_modified=known.get("last_modified"))
    except NotModifiedError:
        return None
    except TooLargeError as error:
        raise Fault("large", most=config.load_megabytes()) from error
    except HarvestError as error:
        raise Fault("address", reason=str(error)) from error
    if answer.not_modified:
        return None
    path = folder / "fetched"
    path.write_bytes(answer.body)
    digest = hashlib.sha256(answer.body).hexdigest()
    source = {
        "url": url, "sha256": digest, "etag": answer.etag, "last_modified": answer.last_modified,
    }  # fmt: skip
    return File(path, Path(url.partition("?")[0]).name or "file", digest, source)


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
