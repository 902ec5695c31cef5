"""Doctor: the machine below the portal: room on its disks, folders, backups."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import ckan.plugins.toolkit as tk
from ckanext.ccphva import config
from ckanext.ccphva.operations import backup, stores
from ckanext.ccphva.operations.findings import Finding, Level, fail, ok, warn
from ckanext.ccphva.operations.text import Text

LEAST, LITTLE = 500_000_000, 5_000_000_000
HOURS = 26


def disk() -> Iterator[Finding]:
    """Room below every folder that grows, one finding a disk."""
    seen: set[int] = set()
    for folder in [*stores.folders().values(), config.backup_folder(), Path(tk.config["__file__"]).parent]:
        place = next(p for p in (folder, *folder.parents) if p.exists())
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(place)
        free, share = usage.free // 10**6, usage.free * 100 // usage.total
        mend = Text(
            f"du -xh {place} | sort -h | tail ; journalctl --vacuum-size=500M ; réduisez ccphva.backup.keep",
            f"du -xh {place} | sort -h | tail; journalctl --vacuum-size=500M; lower ccphva.backup.keep",
        )
        found = (
            f"Il reste {free} Mo ({share} %) sur le disque de {place}",
            f"{free} MB ({share} %) are free on the disk of {place}",
        )
        level = room(usage.free, usage.total)
        yield Finding(level, "machine.disk", Text(*found), "" if level is Level.OK else mend)


def room(free: int, total: int) -> Level:
    """How good it is to have so many bytes free."""
    if free < LEAST:
        return Level.FAIL
    return Level.WARN if free < LITTLE or free * 20 < total else Level.OK


def folders() -> Iterator[Finding]:
    """Folders for uploads can be written, and are not open to every account."""
    good = True
    for folder in stores.folders().values():
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            good = False
            yield fail(
                "machine.folders",
                f"Le portail ne peut pas écrire dans {folder}",
                f"The portal cannot write to {folder}",
                f"install -d -o ccphva -m 750 {folder}",
            )
        elif folder.stat().st_mode & stat.S_IWOTH:
            good = False
            yield fail(
                "machine.folders",
                f"Tout compte peut écrire dans {folder}",
                f"Every account can write to {folder}",
                f"chmod o-w {folder}",
            )
    if good:
        yield ok("machine.folders", "Les dossiers de dépôt sont en place", "Upload folders are in place")
    for name in stores.remote():
        yield warn(
            "machine.remote",
            f"Le stockage distant {name} n'est pas dans les sauvegardes",
            f"The remote storage {name} is not in the backups",
            Text("Sauvegardez-le chez son fournisseur", "Back it up at its provider"),
        )


def backups() -> Iterator[Finding]:
    """A fresh backup exists, and nobody else can read it."""
    folder = config.backup_folder()
    found = backup.archives(folder)
    for path in found:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield fail(
                "machine.backups",
                f"La sauvegarde {path.name} est lisible par d'autres comptes",
                f"The backup {path.name} can be read by other accounts",
                f"chmod 600 {path}",
            )
    if not found:
        yield warn(
            "machine.backups",
            f"Aucune sauvegarde dans {folder}",
            f"No backup in {folder}",
            "ckan ccphva backup",
        )
        return
    age = (time.time() - found[-1].stat().st_mtime) / 3600
    told = (
        f"La dernière sauvegarde a {age:.0f} h ({len(found)} gardées)",
        f"The last backup is {age:.0f} h old ({len(found)} kept)",
    )
    if age > HOURS:
        yield warn("machine.backups", *told, "systemctl status ccphva-backup.timer; ckan ccphva backup")
    else:
        yield ok("machine.backups", *told)


CHECKS = (disk, folders, backups)
