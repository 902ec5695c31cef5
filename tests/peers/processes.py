"""Peers as processes on loopback: started, waited for, ended by their own id.

Imports nothing of the project.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    url: str,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = 90,
) -> Iterator[float]:
    """A process that answers at ``url``; gives how many seconds its start took."""
    log = folder / "peer.log"
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not answers(url, headers or {}):
            if process.poll() is not None or time.monotonic() - began > seconds:
                raise RuntimeError(f"{command[0]} does not answer: {log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)
        yield time.monotonic() - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def answers(url: str, headers: Mapping[str, str]) -> bool:
    """True when something speaks HTTP there and is content."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=2) as answer:
            return bool(answer.status < 400)
    except (urllib.error.URLError, OSError):
        return False
