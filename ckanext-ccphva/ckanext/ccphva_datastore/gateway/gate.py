"""What a caller may do with a feed: CKAN's answer (`ccphva_live_gate`), held for three seconds.

CKAN decides by the token, the organisation's roles, the dataset's visibility and the perimeters; nothing of
that is decided again here. A token that is revoked, a user that is blocked, a dataset that becomes private
are known here when the answer has run out, at most `trust` seconds and a call later.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests
from ckanext.ccphva_datastore.feeds import contract as contracts
from ckanext.ccphva_datastore.feeds.contract import Contract
from ckanext.ccphva_datastore.gateway.errors import Refusal

MOST = 50_000
_SECONDS = 10


@dataclass(frozen=True)
class Pass:
    """What one caller may do with one feed; `relation` is schema and name of what he reads of it."""

    user: str
    contract: Contract
    reads: bool
    writes: bool
    personal_data: bool
    relation: tuple[str, str] = ("", "")
    columns: tuple[str, ...] = ()
    open: bool = False


class Gate:
    """Asks CKAN, once for all who ask the same at the same time."""

    def __init__(self, portal: str, trust: float) -> None:
        self._address, self._trust = f"{portal}/api/3/action/ccphva_live_gate", trust
        self._known: dict[tuple[str, str], tuple[float, asyncio.Future[Pass | None]]] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="gate")
        self._local = threading.local()

    async def ask(self, resource_id: str, token: str) -> Pass | None:
        """The pass of who bears this token; None where there is nothing for him.

        :raises Refusal: 401, the token is not valid (any more); 503, CKAN does not answer.
        """
        key, now = (token, resource_id), time.monotonic()
        asked, answer = self._known.get(key, (0.0, None))
        if answer is None or (answer.done() and now - asked > self._trust):
            if len(self._known) > MOST:
                self._forget(now)
            answer = asyncio.ensure_future(
                asyncio.get_running_loop().run_in_executor(self._threads, self._call, resource_id, token)
            )
            self._known[key] = (now, answer)
        try:
            return await asyncio.shield(answer)
        except Refusal as refusal:
            if refusal.status == 503:
                self._known.pop(key, None)
            raise

    def forget(self, resource_id: str) -> None:
        """Ask again about a feed that was found to be another than CKAN said."""
        for key in [key for key in self._known if key[1] == resource_id]:
            del self._known[key]

    def _forget(self, now: float) -> None:
        self._known = {k: v for k, v in self._known.items() if now - v[0] <= self._trust}

    def _call(self, resource_id: str, token: str) -> Pass | None:
        headers = {"Authorization": token} if token else {}
        try:
            answer = self._session().post(
                self._address, json={"resource_id": resource_id}, headers=headers, timeout=_SECONDS
            )
            found = answer.json()["result"] if answer.status_code == 200 else None
        except (requests.RequestException, ValueError, KeyError):
            found = None
        if found is None:
            raise Refusal(503, "away")
        if token and not found["user"]:
            raise Refusal(401, "no_token")
        return _pass(found) if found["read"] or found["write"] else None

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return self._local.session


def _pass(found: dict[str, Any]) -> Pass:
    seen = {}
    if found["read"]:
        schema, name = found["relation"]
        seen = {"relation": (schema, name), "columns": tuple(found["columns"]), "open": found["open"]}
    return Pass(
        found["user"], contracts.read(found["contract"]), found["read"], found["write"],
        found["personal_data"], **seen,
    )  # fmt: skip
