"""CKAN's own tables, permissions and content of an instance."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from local.configuration import PLUGINS
from local.console import Failure, say, step
from local.database import prepare_databases, set_datastore_permissions
from local.settings import ROOT, TOOLS, UNITS, VENV, Instance, fingerprint


def ckan(instance: Instance, *arguments: str, ini: Path | None = None) -> str:
    """Run a `ckan` command on the instance and return what it printed."""
    log = instance.paths["log"] / "setup.log"
    command = [str(VENV / "bin" / "ckan"), "-c", str(ini or instance.ini()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    with log.open("a") as out:
        out.write(f"$ ckan {' '.join(arguments)}\n{done.stdout}{done.stderr}\n")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1][:300]
        raise Failure(
            f"`ckan {' '.join(arguments)}` failed: {last}",
            "The log says why; mend it and call again",
            log,
        )
    return done.stdout


def prepare(instance: Instance) -> None:
    """Databases, tables, permissions, demo: each once, and again when its inputs change."""
    wanted = {
        "database": fingerprint(
            ROOT / "deployment" / "requirements" / "runtime.txt",
            *sorted((ROOT / "ckanext-ccphva").rglob("migration")),
            extra=PLUGINS + " ".join(UNITS),  # a plugin that joins brings its tables
        ),
        "scripts": (TOOLS / ".languages").read_text(),
        "demo": fingerprint(instance.paths["territory"]) + instance.site_url,
    }
    stamp = instance.home / "prepared.json"
    done = json.loads(stamp.read_text()) if stamp.exists() else {}
    if done.get("database") != wanted["database"]:
        with step("Making databases and tables"):
            prepare_databases(instance)
            for ini in (instance.ini(), *map(instance.ini, UNITS)):
                ckan(instance, "db", "upgrade", ini=ini)
                ckan(instance, "db", "pending-migrations", "--apply", ini=ini)
                set_datastore_permissions(instance, ini)
        stamp.write_text(json.dumps(done := done | {"database": wanted["database"]}))
    if done.get("scripts") != wanted["scripts"]:
        with step("Translating browser scripts"):
            ckan(instance, "translation", "js")
        stamp.write_text(json.dumps(done := done | {"scripts": wanted["scripts"]}))
    if done.get("demo") != wanted["demo"]:
        with step(f"Filling the portal with the territory {instance.territory_name!r}"):
            say(
                "  "
                + ckan(instance, "ccphva", "demo", "--accounts", str(instance.home / "accounts.json"))
                .strip()
                .replace("\n", "\n  ")
            )
        stamp.write_text(json.dumps(done | {"demo": wanted["demo"]}))
