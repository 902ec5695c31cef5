"""What the tests of loads on the running stack share: a file, sent as a browser or script sends it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from stack import Stack, payload, wait_for


@dataclass
class File:
    """A resource with an upload; `sent` is the monotonic time of the answer."""

    stack: Stack
    dataset: str
    id: str
    name: str
    sent: float

    def search(self, **query: Any) -> dict[str, Any]:
        answer = self.stack.call("datastore_search", resource_id=self.id, **query)
        return answer.json()["result"] if answer.status_code == 200 else {}

    def total(self) -> int | None:
        """The table's number of rows, None where there is none or the portal does not answer."""
        try:
            return self.search(limit=0).get("total")
        except (requests.RequestException, ValueError):
            return None

    def show(self) -> dict[str, Any]:
        try:
            return self.stack.call("ccphva_load_show", id=self.id).json()["result"]
        except (requests.RequestException, ValueError, KeyError):
            return {"state": "", "finished": None}

    def versions(self) -> list[dict[str, Any]]:
        return self.stack.call("ccphva_version_list", id=self.id).json()["result"]

    def replace(self, content: bytes) -> None:
        send(self.stack, "resource_patch", self.name, content, id=self.id)


def send(stack: Stack, action: str, filename: str, content: bytes, **fields: str) -> dict[str, Any]:
    answer = requests.post(
        f"{stack.url}/api/3/action/{action}",
        data=fields | {"url": filename},
        files={"upload": (filename, content)},
        headers={"Authorization": stack.token},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


@contextmanager
def file_on_stack(stack: Stack, name: str, content: bytes, **dataset: Any) -> Iterator[File]:
    """An uploaded file in a dataset of its own, gone when the block ends."""
    given = payload(stack, f"fichier-{uuid.uuid4().hex[:12]}") | {"resources": []} | dataset
    made = stack.call("package_create", **given).json()["result"]
    texts = '{"fr": "Fichier"}'
    sent = send(
        stack, "resource_create", name, content, package_id=made["id"], name=name, name_translated=texts
    )
    try:
        yield File(stack, made["id"], sent["id"], name, time.monotonic())
    finally:
        assert wait_for(stack.green, 60)
        stack.call("datastore_delete", resource_id=sent["id"], force=True)
        stack.call("dataset_purge", id=made["id"])
