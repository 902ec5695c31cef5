"""Environments of real peers: each its own, under ``var/peers``, with pinned versions, kept between runs.

Imports nothing of the project.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "var" / "peers"


def environment(name: str, *requirements: str) -> Path:
    """Python of the environment ``name`` that holds exactly ``requirements``; makes it when it is not there.

    Two test processes that ask at once make it once.
    """
    home = PEERS / name
    stamp = home / f".installed-{hashlib.sha256(' '.join(requirements).encode()).hexdigest()[:12]}"
    PEERS.mkdir(parents=True, exist_ok=True)
    with (PEERS / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            began = time.monotonic()
            shutil.rmtree(home, ignore_errors=True)
            _run("/usr/bin/python3", "-m", "venv", str(home))
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
            _run(*pip, "--disable-pip-version-check", *requirements)
            stamp.write_text(f"{time.monotonic() - began:.1f} s\n")
    return home / "bin" / "python"


def debian(program: str, package: str) -> Path:
    """A program of Debian that only tests need; installs its package when it is not there.

    :raises RuntimeError: it is not there and we may not install it
    """
    path = Path(program)
    with (PEERS.parent / ".apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            _run(*as_root, "apt-get", "update", "-q")
            _run(*as_root, "apt-get", "install", "-q", "-y", "--no-install-recommends", package)
    return path


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:6])} failed: {done.stderr[-2000:]}")
