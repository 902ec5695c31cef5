"""Supervisor: starts, watches and stops the programs of an instance, spoken to over its own XML-RPC."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import xmlrpc.client
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.configuration import processes
from local.console import Failure, say, tail
from local.settings import VENV, Instance

RUNNING = 20
HOME = "PORTAL_INSTANCE"
"""Names, in the environment of each program, the folder of the instance that it belongs to."""


class Supervisor:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        address = (
            f"http://portal:{instance.secrets['supervisor']}@127.0.0.1:{instance.ports['supervisor']}/RPC2"
        )
        self._api = xmlrpc.client.ServerProxy(address).supervisor

    @property
    def pid(self) -> int | None:
        """The process id of a live supervisord of this instance, or None."""
        try:
            pid = int((self.instance.paths["run"] / "supervisord.pid").read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self.instance.home / "supervisord.conf").encode() in arguments else None

    def start(self) -> None:
        """Start supervisord in the background; it starts the base programs by itself."""
        self._end_orphans()
        self._refuse_taken_ports()
        log = self.instance.paths["log"] / "supervisord.log"
        command = [VENV / "bin" / "supervisord", "-c", self.instance.home / "supervisord.conf"]
        done = subprocess.run(
            [str(c) for c in command],
            check=False,
            capture_output=True,
            text=True,
            start_new_session=True,
            env={**os.environ, HOME: str(self.instance.home)},
        )
        if done.returncode:
            raise Failure(
                f"The processes could not be started: {done.stderr.strip()[:300]}",
                "Call again; `./portal down` first if that does not help",
                log,
            )
        wait_until(lambda: bool(self._states()), "supervisor", 10, log)

    def _orphans(self) -> list[int]:
        """Programs that a killed supervisord of this instance left behind; never those of another checkout,
        be it on the same ports.
        """
        child = f"\0{HOME}={self.instance.home}\0".encode()
        nginx = f"{self.instance.home}/nginx.conf".encode()  # it writes its title over its environment
        return [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit()
            and (child in b"\0" + _read_bytes(folder / "environ") or nginx in _read_bytes(folder / "cmdline"))
        ]

    def _end_orphans(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            orphans = self._orphans()
            if not orphans:
                return
            say(f"Ending {len(orphans)} programs that a killed run left behind")
            for pid in orphans:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            end = time.monotonic() + 10
            while self._orphans() and time.monotonic() < end:
                time.sleep(0.2)

    def _refuse_taken_ports(self) -> None:
        for name, port in self.instance.ports.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise Failure(
                        f"Port {port} ({name}) is in use by another program",
                        f"Stop it, or choose other ports: PORT={self.instance.port + 100} ./portal run",
                    ) from error

    def start_all(self) -> None:
        """Start every program that is not running yet; returns at once."""
        for name, state in self._states().items():
            if state["statename"] in {"STOPPED", "EXITED", "FATAL"}:
                self._api.startProcess(name, False)

    def stop(self, seconds: float = 60) -> None:
        """Stop all programs and supervisord itself."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + seconds
        while self.pid == pid:
            if time.monotonic() > end:
                raise Failure(f"supervisord (process {pid}) does not stop", f"End it with: kill -9 {pid}")
            time.sleep(0.1)

    def restart(self, *names: str) -> None:
        for name in names:
            if self._states()[name]["statename"] == "RUNNING":
                self._api.stopProcess(name)
            self._api.startProcess(name, False)

    def states(self) -> dict[str, dict[str, Any]]:
        return self._states() if self.pid else {}

    def _states(self) -> dict[str, dict[str, Any]]:
        try:
            return {str(p["name"]): dict(p) for p in self._api.getAllProcessInfo()}  # type: ignore[union-attr]
        except (OSError, xmlrpc.client.Error):
            return {}

    def wait_for_base(self) -> None:
        """Return when database, queue, search and mail answer on their ports."""
        for process in processes(self.instance):
            if process.base:
                port = self.instance.ports[process.name]
                wait_until(
                    lambda port=port: answers(port),
                    process.name,
                    60,
                    self.instance.paths["log"] / f"{process.name}.log",
                )
        address = f"http://127.0.0.1:{self.instance.ports['solr']}/solr/ckan/admin/ping"
        wait_until(lambda: responds(address), "solr", 60, self.instance.paths["log"] / "solr.log")

    def wait_for_pages(self) -> None:
        """Return when the portal answers a page."""
        wait_until(
            lambda: responds(f"{self.instance.site_url}/api/3/action/status_show"),
            "web",
            90,
            self.instance.paths["log"] / "web.log",
        )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def wait_until(ready: Any, name: str, seconds: float, log: Path) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise Failure(
                f"{name} does not answer after {seconds:.0f} s\n{tail(log)}", "Its log says why", log
            )
        time.sleep(0.1)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def responds(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 -- loopback only
            return response.status == 200
    except (OSError, urllib.error.HTTPError):
        return False
