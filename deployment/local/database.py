"""The PostgreSQL cluster of an instance: made once, never run by root, reached by TCP on loopback."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
from psycopg2 import sql

from local.configuration import context, render
from local.console import Failure, step
from local.settings import POSTGRES_BIN, UNITS, Instance

DATABASES = ("ckan", "datastore", *(f"{kind}_{unit}" for unit in UNITS for kind in ("ckan", "datastore")))
ROLES = ("ckan", "datastore_read")


def prepare_cluster(instance: Instance) -> None:
    """Make the cluster when there is none; a half-made one of a killed set-up is made again."""
    data = instance.paths["postgres"]
    done = "ccphva.ready"
    if not (data / done).exists():
        with step("Making the PostgreSQL cluster"):
            _make(instance, data)
            (data / done).touch()
    conf = data / "conf.d"
    (conf / "portal.conf").write_text(render("postgresql.conf.j2", context(instance)))
    (conf / "portal.conf").chmod(0o644)


def _make(instance: Instance, data: Path) -> None:
    if data.is_symlink():
        shutil.rmtree(data.resolve(), ignore_errors=True)
        data.unlink()
    shutil.rmtree(data, ignore_errors=True)
    owner = pwd.getpwnam("postgres") if instance.is_root else None
    if owner and not _can_reach(instance.home):
        # Root's checkout may lie where the user of PostgreSQL cannot go; no parent's mode is changed for it.
        elsewhere = Path("/var/lib/ccphva-portal") / hashlib.sha256(str(data).encode()).hexdigest()[:12]
        shutil.rmtree(elsewhere, ignore_errors=True)
        elsewhere.mkdir(parents=True)
        data.symlink_to(elsewhere)
    else:
        data.mkdir(parents=True)
    if owner:
        os.chown(data, owner.pw_uid, owner.pw_gid)
    data.chmod(0o700)
    log = instance.paths["log"] / "initdb.log"
    command = [
        POSTGRES_BIN / "initdb",
        "-D",
        data.resolve(),
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--auth=scram-sha-256",
    ]
    with log.open("w") as out, tempfile.NamedTemporaryFile("w") as password:
        password.write(instance.secrets["postgres"])
        password.flush()
        if owner:
            os.chown(password.name, owner.pw_uid, owner.pw_gid)
            command = ["runuser", "-u", "postgres", "--", *command]
        command = [str(part) for part in [*command, f"--pwfile={password.name}"]]
        made = subprocess.run(command, stdout=out, stderr=out, check=False, cwd="/")
    if made.returncode:
        raise Failure(
            "The PostgreSQL cluster could not be made",
            "The log says why; a full disk and a missing locale are the usual causes",
            log,
        )
    (data / "conf.d").mkdir()
    with (data / "postgresql.conf").open("a") as conf:
        conf.write("include_dir = 'conf.d'\n")
    if owner:
        os.chown(data / "conf.d", owner.pw_uid, owner.pw_gid)


def _can_reach(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    return (
        subprocess.run(
            ["runuser", "-u", "postgres", "--", "test", "-x", str(folder)],
            check=False,
            stderr=subprocess.DEVNULL,
        ).returncode
        == 0
    )


def prepare_databases(instance: Instance) -> None:
    """Roles, databases and extensions; safe to repeat."""
    with administrator(instance, "postgres") as cursor:
        for role in ROLES:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            password = instance.secrets["ckan" if role == "ckan" else "datastore"]
            cursor.execute(
                sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(password)
                )
            )
        for database in DATABASES:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if not cursor.fetchone():
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER ckan ENCODING 'UTF8'").format(sql.Identifier(database))
                )
    for database in DATABASES:
        with administrator(instance, database) as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis")
            # The reader of tables has no business in the catalogue's database.
            readers = ROLES if database.startswith("datastore") else ROLES[:1]
            name, roles = sql.Identifier(database), sql.SQL(", ").join(map(sql.Identifier, readers))
            cursor.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(name))
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, roles))


@contextmanager
def administrator(instance: Instance, database: str) -> Iterator[Any]:
    """A cursor of the cluster's administrator, each statement its own transaction."""
    with closing(psycopg2.connect(instance.database_url("postgres", database))) as connection:
        connection.autocommit = True
        yield connection.cursor()


def set_datastore_permissions(instance: Instance, ini: Path) -> None:
    """Run CKAN's own permission script as the cluster's administrator."""
    from local.catalogue import ckan

    script = ckan(instance, "datastore", "set-permissions", ini=ini)
    database = "datastore" if ini == instance.ini() else f"datastore_{ini.stem}"
    with administrator(instance, database) as cursor:
        run_permissions(cursor, script)


def run_permissions(cursor: Any, script: str) -> None:
    """Execute what `ckan datastore set-permissions` prints, which is written for psql.

    It locks every table of the database: where an autovacuum looks at a fresh `spatial_ref_sys` in that
    moment, PostgreSQL ends one of the two, and the script is tried again.
    """
    text = "\n".join(line for line in script.splitlines() if not line.startswith("\\connect"))
    for _ in range(4):
        try:
            cursor.execute(text)
        except psycopg2.errors.DeadlockDetected:
            continue
        return
    cursor.execute(text)
