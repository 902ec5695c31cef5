"""`ckan ccphva backup`: one archive with both databases, the files and the configuration, whole or not at all.

Order, so that a portal that goes on working meanwhile is still restored in one piece: the snapshots of both databases
are taken first, within milliseconds; then they are dumped; the files come last. A file that was uploaded in between is
in the archive without a mention (harmless); a file that was deleted in between is named under `missing`.
"""

# ruff: noqa: E501 -- sentences stay whole, so that what an operator quotes is found by a search
from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva import config
from ckanext.ccphva.operations import dumping, ini, postgres, stores
from ckanext.ccphva.operations.archive import Reader, Writer
from ckanext.ccphva.operations.errors import Refused

SPARE = 100_000_000


@dataclass(frozen=True)
class Report:
    path: Path
    bytes: int
    datasets: int
    files: int
    missing: list[str]
    remote: list[str]
    removed: list[Path]


def run(folder: Path | None = None) -> Report:
    """Write an archive and remove those that are too many.

    :param folder: instead of `ccphva.backup.folder`.
    :raises Refused: when there is no room, or another backup is at work.
    """
    target = folder or config.backup_folder()
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(target):
        for left in target.glob("*.part"):  # of a backup that was killed: the lock is ours
            left.unlink()
        path = target / f"{prefix()}{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
        if path.exists():
            raise Refused(f"{path} existe déjà", f"{path} exists already")
        part = path.with_suffix(".part")
        writer = Writer(part)
        try:
            written = _write(writer, target)
            _verify(part)
            part.rename(path)
        except BaseException:
            writer.abandon()
            part.unlink(missing_ok=True)
            raise
        files = sum(name.startswith("files/") for name in writer.members)
        datasets = written["databases"]["ckan"]["tables"].get("public.package", 0)
        removed = _remove_old(target)
        return Report(path, writer.bytes, datasets, files, written["missing"], written["remote"], removed)


def _write(writer: Writer, target: Path) -> dict[str, Any]:
    """Databases, files, configuration, manifest; the manifest is returned."""
    with ExitStack() as stack:
        taken = [stack.enter_context(dumping.snapshot(database)) for database in postgres.databases()]
        facts: dict[str, dict[str, Any]] = {
            s.database.name: postgres.facts(s.cursor) | {"tables": postgres.counts(s.cursor)} for s in taken
        }
        _refuse_full_disk(target, facts)
        for snapshot in taken:
            name = snapshot.database.name
            writer.add(f"{name}.dump", partial(dumping.dump, snapshot, server=facts[name]["server"]))
    missing = _add_files(writer)
    for name, source in ini.configuration_files():
        writer.add_file(f"configuration/{name}", source)
    written = manifest(facts, missing)
    writer.close(written)
    return written


def prefix() -> str:
    """How the archives of this portal begin; others in the same folder are left alone."""
    return f"ccphva-{tk.config['ckan.site_id']}-"


def archives(folder: Path) -> list[Path]:
    """This portal's archives, oldest first."""
    return sorted(folder.glob(f"{prefix()}[0-9]*T[0-9]*Z.tar"))


def manifest(facts: dict[str, Any], missing: list[str]) -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "site_id": tk.config["ckan.site_id"],
        "site_url": tk.config["ckan.site_url"],
        "versions": versions(),
        "plugins": list(tk.config["ckan.plugins"]),
        "token_key": token_key(),
        "databases": facts,
        "missing": missing,
        "remote": stores.remote(),
    }


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("ccphva-portal", "ckan")}


def token_key() -> str:
    """A fingerprint of the key that signs API tokens: with another key, restored tokens are not valid."""
    keys = tk.config.get("api_token.jwt.decode.secret") or tk.config.get("SECRET_KEY") or ""
    text = " ".join(keys) if isinstance(keys, list) else str(keys)
    return hashlib.sha256(b"ccphva backup" + text.encode()).hexdigest()[:16]


def _add_files(writer: Writer) -> list[str]:
    missing = []
    for name, path in stores.files():
        try:
            writer.add_file(name, path)
        except FileNotFoundError:
            missing.append(name)
    return missing


def _verify(part: Path) -> None:
    """Read back what was written: a disk that lies is better found now than on the day of need."""
    reader = Reader(part)
    try:
        reader.verify()
    finally:
        reader.close()


def _refuse_full_disk(target: Path, facts: dict[str, Any]) -> None:
    # Dumps are compressed; the size of the databases is more than they will need.
    needed = SPARE + sum(f["bytes"] for f in facts.values()) + sum(_size(path) for _, path in stores.files())
    free = shutil.disk_usage(target).free
    if free < needed:
        raise Refused(
            f"Il reste {free // 10**6} Mo sous {target}, il en faut {needed // 10**6}. Faites de la place ou donnez un autre dossier : --to DOSSIER",
            f"{free // 10**6} MB are free below {target}, {needed // 10**6} are needed. Make room or give another folder: --to FOLDER",
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _remove_old(folder: Path) -> list[Path]:
    kept = config.backups_kept()
    removed = archives(folder)[:-kept] if kept else []
    for path in removed:
        path.unlink()
    return removed


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(
                f"Une autre sauvegarde est en cours dans {folder}. Attendez sa fin.",
                f"Another backup is at work in {folder}. Wait for its end.",
            ) from error
        yield
