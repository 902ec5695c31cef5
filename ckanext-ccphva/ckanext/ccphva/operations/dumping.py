"""pg_dump and pg_restore: the programs of PostgreSQL do the work, streamed into and out of an archive."""

# ruff: noqa: E501 -- sentences stay whole, so that what an operator quotes is found by a search
from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from ckanext.ccphva.operations import postgres
from ckanext.ccphva.operations.errors import Failed, Refused
from ckanext.ccphva.operations.postgres import Database

PIECE = 1 << 20
# Made by the administrator and not by the role that restores; `prepare` looks that they are there.
OF_ADMINISTRATOR = re.compile(
    r"^\d+; \d+ \d+ (EXTENSION|COMMENT - EXTENSION|TABLE DATA public spatial_ref_sys|SCHEMA - public|COMMENT - SCHEMA public) "
)


@dataclass(frozen=True)
class Snapshot:
    """One moment of one database, kept while `cursor` lives."""

    database: Database
    identifier: str
    cursor: Any


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """Export a REPEATABLE READ snapshot: counts and dump then see the same rows, whatever is written meanwhile."""
    with database.cursor(autocommit=False) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield Snapshot(database, postgres.one(cursor, "SELECT pg_export_snapshot()"), cursor)


def program(name: str, server: int) -> str:
    """The path of `pg_dump` or `pg_restore` that is not older than the server.

    :param server: `server_version_num`.
    """
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    candidates = [str(folder / name) for folder in sorted(folders, key=lambda f: f.parent.name, reverse=True)]
    for candidate in [*candidates, shutil.which(name)]:
        if candidate and Path(candidate).exists():
            said = subprocess.run(
                [candidate, "--version"], capture_output=True, text=True, check=False
            ).stdout
            version = re.search(r"(\d+)\.\d", said)
            if version and int(version[1]) >= server // 10_000:
                return candidate
    wanted = server // 10_000
    raise Refused(
        f"{name} en version {wanted} ou plus récente manque : apt install postgresql-client-{wanted}",
        f"{name} of version {wanted} or newer is missing: apt install postgresql-client-{wanted}",
    )


def dump(taken: Snapshot, out: Any, *, server: int) -> None:
    """Write the database as it was at the snapshot, in PostgreSQL's custom format.

    :param out: anything with `write(bytes)`.
    """
    command = [program("pg_dump", server), "--format=custom", f"--snapshot={taken.identifier}", "--no-owner"]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=taken.database.environment
        ) as running,
    ):
        _pump(cast(IO[bytes], running.stdout), out)
        running.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    if running.returncode:
        raise Failed(
            f"La base {taken.database.name} n'a pas pu être sauvegardée, aucune archive n'est écrite : {said[-500:]}",
            f"The database {taken.database.name} could not be dumped, no archive is written: {said[-500:]}",
        )


def _pump(source: IO[bytes], out: Any) -> None:
    while piece := source.read(PIECE):
        out.write(piece)


def contents(path: Path, server: int) -> list[str]:
    """The entries of a dump; raises `CalledProcessError` when it is not readable."""
    command = [program("pg_restore", server), "--list", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def load(database: Database, path: Path, server: int, grants: bool) -> None:
    """Fill an empty database from a dump, whole or not at all.

    :param grants: also restore who may read what; needs the roles of the original.
    """
    listing = path.with_suffix(".list")
    wanted = [line for line in contents(path, server) if not OF_ADMINISTRATOR.match(line)]
    listing.write_text("\n".join(wanted) + "\n")
    command = [
        program("pg_restore", server),
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        f"--use-list={listing}",
        f"--dbname={database.parameters['dbname']}",
        *([] if grants else ["--no-privileges"]),
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=database.environment)
    if done.returncode:
        raise Failed(
            f"La base {database.name} est vide, sa restauration a échoué ; corrigez et relancez avec --force : {done.stderr.strip()[-500:]}",
            f"The database {database.name} is empty, restoring it failed; mend it and call again with --force: {done.stderr.strip()[-500:]}",
        )
