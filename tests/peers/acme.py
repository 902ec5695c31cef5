"""ACME, a oneM2M CSE, as a peer on loopback.

Without a configuration it opens a dialogue, so it always gets one; the database is in memory.
"""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import environments, processes

PINS = Path(__file__).parents[2] / "deployment" / "requirements" / "cse.txt"
"""The same as the demonstration's."""
REQUIREMENTS = [line for line in PINS.read_text().splitlines() if not line.startswith("#")]
_INI = """[basic.config]
baseDirectory={folder}
dataDirectory={folder}
cseType=IN
cseID=id-in
cseName=cse-in
adminID=CAdmin
networkInterface=127.0.0.1
cseHost=127.0.0.1
httpPort={port}
databaseType=memory
logLevel=warning
consoleTheme=dark
secret=acme
"""


class Acme:
    """A running CSE and what tests put into it."""

    def __init__(self, base: str, started: float) -> None:
        self.base, self.started = base, started

    def request(
        self, method: str, path: str, body: Any = None, type_: int | None = None, origin: str = "CAdmin"
    ) -> dict[str, Any]:
        """One request of oneM2M; the answer's JSON."""
        headers = {"X-M2M-Origin": origin, "X-M2M-RI": "t", "X-M2M-RVI": "4", "Accept": "application/json"}
        headers["Content-Type"] = "application/json" + (f";ty={type_}" if type_ else "")
        data = None if body is None else json.dumps(body).encode()
        url = self.base.rpartition("/")[0] + "/" + path
        asked = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as exc:
            raise AssertionError(f"{method} {path}: {exc.code} {exc.read()[:500]!r}") from None

    def entity(self, name: str, *labels: str) -> str:
        """An AE; its path."""
        body = {"rn": name, "api": f"Nccphva.{name}", "srv": ["4"], "rr": False, "lbl": list(labels)}
        self.request("POST", "cse-in", {"m2m:ae": body}, 2, f"C{name.title()}")
        return f"cse-in/{name}"

    def container(self, parent: str, name: str, *labels: str, **more: Any) -> str:
        """A container; its path."""
        labelled = {"lbl": list(labels)} if labels else {}  # an empty list is an error
        self.request("POST", parent, {"m2m:cnt": {"rn": name, **labelled, **more}}, 3)
        return f"{parent}/{name}"

    def put(self, path: str, con: Any) -> dict[str, Any]:
        """A content instance."""
        return self.request("POST", path, {"m2m:cin": {"con": con}}, 4)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Acme]:
    """A CSE for a test."""
    python = environments.environment("acme", *REQUIREMENTS)
    port = processes.free_port()
    (folder / "acme.ini").write_text(_INI.format(folder=folder, port=port))
    base = f"http://127.0.0.1:{port}/cse-in"
    command = [python.with_name("acmecse"), "-dir", folder, "--config", "acme.ini", "--headless"]
    asked = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": "0", "X-M2M-RVI": "4"}
    with processes.running([*command, "--db-type", "memory"], base, folder, headers=asked) as seconds:
        yield Acme(base, seconds)
