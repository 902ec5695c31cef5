"""One instance of the portal on this machine: its folder, ports, secrets and territory."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import secrets as random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from local.console import Failure

ROOT = Path(os.environ.get("PORTAL_ROOT", Path(__file__).parents[2]))
DEPLOYMENT = ROOT / "deployment"
TOOLS = ROOT / "var" / "tools"
VENV = TOOLS / "venv"
CSE = TOOLS / "cse" / "bin" / "acmecse"
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
UNITS = ("unit", "unit_b")
"""What tests that run inside pytest may empty, one for each of the processes that share them out: databases,
index core, number in Redis, files."""
SECRETS = ("session", "csrf", "token", "supervisor", "redis", "postgres", "ckan", "datastore")


@dataclass(frozen=True)
class Instance:
    """Everything that differs between two portals on one machine.

    :param home: folder that holds all that this instance makes.
    :param port: first port; the others follow by `ports.ini`.
    :param territory: folder below `deployment/territories`.
    :param throwaway: a test instance: its database does not wait for the disk.
    """

    home: Path
    port: int
    territory_name: str
    throwaway: bool = False

    @cached_property
    def ports(self) -> dict[str, int]:
        parser = configparser.ConfigParser()
        parser.read(DEPLOYMENT / "local" / "ports.ini")
        return {name: self.port + int(offset) for name, offset in parser["offsets"].items()}

    def folder(self, name: str) -> Path:
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @cached_property
    def paths(self) -> dict[str, Path]:
        names = (
            "log",
            "run",
            "files",
            "redis",
            "nginx",
            "solr",
            "mail",
            "backups",
            "metrics",
            "tmp",
            "pages",
            "cse",
        )
        found = {name: self.folder(name) for name in names}
        for part in (
            "cur",
            "new",
            "tmp",
        ):  # mailbox.Maildir makes them only where the folder is not there yet
            self.folder(f"mail/{part}")
        territory = DEPLOYMENT / "territories" / self.territory_name
        if not (territory / "territory.yaml").is_file():
            known = ", ".join(sorted(p.parent.name for p in territory.parent.glob("*/territory.yaml")))
            raise Failure(
                f"There is no territory {self.territory_name!r}", f"Set TERRITORY to one of: {known}"
            )
        return found | {
            "home": self.home,
            "territory": territory,
            "demo": territory / "demo",
            "resting": self.folder("nginx"),
            "i18n": TOOLS / "i18n",
            "postgres": self.home / "postgres",
        }

    @cached_property
    def territory(self) -> dict[str, Any]:
        return yaml.safe_load((self.paths["territory"] / "territory.yaml").read_text())

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Passwords and keys of this instance, made once and kept with mode 600."""
        path = self.home / "secrets.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        if missing := [name for name in SECRETS if name not in kept]:
            kept |= {name: random.token_hex(24) for name in missing}
            self.home.mkdir(parents=True, exist_ok=True)
            write_private(path, json.dumps(kept, indent=1))
        return kept

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    @property
    def sensors(self) -> Path | None:
        """The sensors that a demonstration makes up: of a territory that has some, where ACME is installed.

        Not on a test instance: tests that want a platform start their own.
        """
        path = self.paths["territory"] / "simulator" / "things.yaml"
        return path if path.is_file() and not self.throwaway and CSE.exists() else None

    @property
    def site_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def database_url(self, user: str, database: str) -> str:
        return f"postgresql://{user}:{self.secrets[password_of(user)]}@127.0.0.1:{self.ports['postgres']}/{database}"

    def redis_url(self, number: int) -> str:
        return f"redis://:{self.secrets['redis']}@127.0.0.1:{self.ports['redis']}/{number}"

    def ini(self, unit: str = "") -> Path:
        """CKAN's configuration file: the portal's, or that of one of `UNITS`."""
        return self.home / f"{unit or 'ckan'}.ini"


def password_of(user: str) -> str:
    """The secret that holds a database role's password."""
    return {"postgres": "postgres", "ckan": "ckan"}.get(user, "datastore")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_text(text)
    fresh.replace(path)


def fingerprint(*paths: Path, extra: str = "") -> str:
    """A short hash of files, or of all files below folders: what a stamp remembers."""
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def instance_from_environment(environ: dict[str, str] | None = None, testing: bool = False) -> Instance:
    env = os.environ if environ is None else environ
    home = env.get("TEST_HOME", "var/test") if testing else env.get("PORTAL_HOME", "var")
    port = env.get("TEST_PORT", "5600") if testing else env.get("PORT", "5000")
    if not port.isdigit() or not 1024 <= int(port) <= 65000:
        raise Failure(f"PORT is {port!r}", "Give a number between 1024 and 65000, for example PORT=5000")
    return Instance((ROOT / home).resolve(), int(port), env.get("TERRITORY", "ccphva"), throwaway=testing)
