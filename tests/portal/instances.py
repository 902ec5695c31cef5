"""Further portals on the services of the test stack, with databases, ini and files of their own."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

UNIT = Path(os.environ.get("CKAN_INI", "unit.ini"))
HOME = UNIT.parent
HERE = Path(__file__).parent
CKAN = Path(sys.executable).with_name("ckan")


@dataclass
class Portal:
    """A portal made of the test stack's services.

    :param options: what differs from the configuration of the tests.
    """

    name: str
    folder: Path
    options: dict[str, str] = field(default_factory=dict)

    @property
    def databases(self) -> dict[str, str]:
        return {"ckan": f"ckan_{self.name}", "datastore": f"datastore_{self.name}"}

    @property
    def ini(self) -> Path:
        return self.folder / "ckan.ini"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def write(self) -> None:
        """The unit configuration with databases, site and folders of its own."""
        self.files.mkdir(parents=True, exist_ok=True)
        text = UNIT.read_text()
        options = {
            "ckan.site_id": self.name,
            "ckan.storage_path": str(self.files),
            "ccphva.backup.folder": str(self.backups),
            "ckan.search.solr_commit": "true",
        } | self.options
        text = re.sub(r"/(ckan|datastore)_unit\w*", rf"/\1_{self.name}", text)
        for key, value in options.items():
            line = f"{key} = {value}"
            text, count = re.subn(rf"(?m)^{re.escape(key)} *=.*$", line.replace("\\", r"\\"), text)
            if not count:
                text = text.replace("[app:main]\n", f"[app:main]\n{line}\n")
        self.ini.write_text(text)
        self.ini.chmod(0o600)

    def create_databases(self) -> None:
        for database in self.databases.values():
            with administrator("postgres") as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
                cursor.execute(f"CREATE DATABASE {database} OWNER ckan")
            with administrator(database) as cursor:
                cursor.execute("CREATE EXTENSION postgis")

    def drop_databases(self) -> None:
        with administrator("postgres") as cursor:
            for database in self.databases.values():
                cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def ckan(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `ckan` command on this portal."""
        done = subprocess.run(
            [str(CKAN), "-c", str(self.ini), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def script(self, name: str) -> Any:
        """Run a script of this folder in a CKAN of this portal; it prints JSON on its last line."""
        done = subprocess.run(
            [sys.executable, str(HERE / name), str(self.ini)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def administrator(database: str) -> Iterator[Any]:
    """A cursor of the test cluster's administrator."""
    secrets = json.loads((HOME / "secrets.json").read_text())
    parser = configparser.RawConfigParser()
    parser.read(UNIT)
    port = re.search(r"@127\.0\.0\.1:(\d+)/", parser["app:main"]["sqlalchemy.url"])
    assert port
    parameters = {"host": "127.0.0.1", "port": port[1], "user": "postgres", "password": secrets["postgres"]}
    with closing(psycopg2.connect(**parameters, dbname=database)) as connection:
        connection.autocommit = True
        yield connection.cursor()
