"""`ckan ccphva restore FILE`: bring an archive back into an instance. Nothing is touched before everything was checked."""

# ruff: noqa: E501 -- sentences stay whole, so that what an operator quotes is found by a search
from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ckanext.ccphva.operations import backup, dumping, ini, postgres, stores
from ckanext.ccphva.operations.archive import Reader
from ckanext.ccphva.operations.errors import BrokenArchive, Failed, Refused
from ckanext.ccphva.operations.text import Text
from packaging.version import Version

Say = Callable[[Text], None]


def run(
    path: Path, force: bool, say: Say, configuration_to: Path | None = None, check_only: bool = False
) -> None:
    """Restore databases, permissions, migrations, files and index, in this order.

    :param force: overwrite an instance that is not empty.
    :param configuration_to: folder that takes the ini files and the territory of the original; the instance keeps its own.
    :param check_only: look at the archive, touch nothing.
    :raises BrokenArchive: with the broken part's name.
    :raises Refused: when the instance cannot take the archive; nothing was touched.
    """
    reader = Reader(path)
    with ExitStack() as stack:
        stack.callback(reader.close)
        scratch = stack.enter_context(_scratch(check_only))
        reader.verify()
        say(
            Text(
                f"L'archive de {reader.manifest['site_url']} du {reader.manifest['made']} est entière",
                f"The archive of {reader.manifest['site_url']} of {reader.manifest['made']} is whole",
            )
        )
        _look_into_dumps(reader, scratch)
        if check_only:
            return
        _refuse_unfit(reader)
        if configuration_to:
            for name in reader.names("configuration/"):
                reader.extract(name, configuration_to / name.removeprefix("configuration/"))
        _warn(reader.manifest, say)
        _refuse_busy(force)
        _bring_files_near(reader)
        for database in postgres.databases():
            say(Text(f"Base {database.name}", f"Database {database.name}"))
            _fill(database, reader.manifest, scratch)
        _swap_files()
        _finish(say)


@contextmanager
def _scratch(check_only: bool) -> Iterator[Path]:
    """A folder for the dumps: beside the files, where room was made for a restore, or anywhere for a look."""
    if check_only:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    folder = stores.folders()["storage"] / ".restoring"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _look_into_dumps(reader: Reader, scratch: Path) -> None:
    for name, facts in reader.manifest["databases"].items():
        dump = scratch / f"{name}.dump"
        reader.extract(dump.name, dump)
        try:
            dumping.contents(dump, facts["server"])
        except subprocess.CalledProcessError as error:
            raise BrokenArchive(
                dump.name,
                f"n'est pas lisible ({error.stderr.strip()})",
                f"is not readable ({error.stderr.strip()})",
            ) from error


def _refuse_unfit(reader: Reader) -> None:
    """Everything that would make the restore stop half way is found here."""
    manifest = reader.manifest
    if Version(manifest["versions"]["ccphva-portal"]) > Version(theirs := backup.versions()["ccphva-portal"]):
        raise Refused(
            f"L'archive vient d'un portail plus récent que celui-ci ({theirs}). Mettez d'abord le portail à jour.",
            f"The archive comes from a newer portal than this one ({theirs}). Update the portal first.",
        )
    if lacking := manifest["databases"].keys() - {d.name for d in postgres.databases()}:
        raise Refused(
            f"L'archive contient {', '.join(lacking)} et le greffon n'est pas chargé ici. Complétez ckan.plugins.",
            f"The archive holds {', '.join(lacking)} and the plugin is not loaded here. Complete ckan.plugins.",
        )
    if strange := {name.split("/")[1] for name in reader.names("files/")} - stores.folders().keys():
        raise Refused(
            f"Le stockage {', '.join(sorted(strange))} n'est pas configuré ici : ckan.files.storage.<nom>.path",
            f"The storage {', '.join(sorted(strange))} is not configured here: ckan.files.storage.<name>.path",
        )
    for database in postgres.databases():
        with database.cursor() as cursor:
            _refuse_server(database.name, manifest["databases"][database.name], postgres.facts(cursor))
    needed = backup.SPARE + sum(manifest["members"][name]["size"] for name in reader.names(""))
    for folder in stores.folders().values():
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < needed:
            raise Refused(
                f"Il faut {needed // 10**6} Mo libres sous {folder}.",
                f"{needed // 10**6} MB must be free below {folder}.",
            )


def _refuse_server(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    if ours["server"] // 10_000 < theirs["server"] // 10_000:
        raise Refused(
            f"La base {name} vient de PostgreSQL {theirs['server'] // 10_000} ; ce serveur est plus ancien.",
            f"The database {name} comes from PostgreSQL {theirs['server'] // 10_000}; this server is older.",
        )
    if lacking := theirs["extensions"].keys() - ours["extensions"].keys():
        mend = "; ".join(f"CREATE EXTENSION {extension}" for extension in sorted(lacking))
        raise Refused(
            f"Il manque à la base {name} : {', '.join(sorted(lacking))}. Comme administrateur de PostgreSQL : {mend}",
            f"The database {name} lacks: {', '.join(sorted(lacking))}. As administrator of PostgreSQL: {mend}",
        )


def _refuse_busy(force: bool) -> None:
    """Programs that still write, or content that somebody would miss, end the restore here."""
    postgres.release()
    for database in postgres.databases():
        with database.cursor() as cursor:
            if count := postgres.others(cursor):
                raise Refused(
                    f"{count} programmes travaillent encore sur la base {database.name}. Arrêtez le portail : systemctl stop ccphva.target",
                    f"{count} programs still work on the database {database.name}. Stop the portal: systemctl stop ccphva.target",
                )
            if not force and postgres.has_content(cursor):
                raise Refused(
                    f"La base {database.name} n'est pas vide. Pour remplacer tout ce qu'elle contient : --force",
                    f"The database {database.name} is not empty. To replace all that is in it: --force",
                )
    if not force and (found := next(stores.files(), None)):
        raise Refused(
            f"Il y a déjà des fichiers déposés ({found[1].name}). Pour les remplacer : --force",
            f"There are uploaded files already ({found[1].name}). To replace them: --force",
        )


def _warn(manifest: dict[str, Any], say: Say) -> None:
    if manifest["token_key"] != backup.token_key():
        say(Text(
            "Attention : api_token.jwt.decode.secret diffère de l'original ; les jetons d'API restaurés ne seront pas valides",
            "Beware: api_token.jwt.decode.secret differs from the original; restored API tokens will not be valid",
        ))  # fmt: skip
    if names := manifest["remote"]:
        say(Text(
            f"Attention : les fichiers des stockages distants {', '.join(names)} ne sont pas dans l'archive",
            f"Beware: the files of the remote storages {', '.join(names)} are not in the archive",
        ))  # fmt: skip


def _bring_files_near(reader: Reader) -> None:
    """Write the files beside the present ones, so that only a rename remains to be done."""
    for folder in stores.folders().values():
        shutil.rmtree(folder / ".incoming", ignore_errors=True)
        (folder / ".incoming").mkdir(parents=True)
    for name in reader.names("files/"):
        _, store, relative = name.split("/", 2)
        reader.extract(name, stores.folders()[store] / ".incoming" / relative)


def _swap_files() -> None:
    for store, folder in stores.folders().items():
        old, new = folder / ".replaced", folder / ".incoming"
        old.mkdir(exist_ok=True)
        for entry in stores.entries(store, folder):
            entry.rename(old / entry.name)
        for entry in list(new.iterdir()):
            entry.rename(folder / entry.name)
        shutil.rmtree(old)
        new.rmdir()


def _fill(database: postgres.Database, manifest: dict[str, Any], scratch: Path) -> None:
    theirs = manifest["databases"][database.name]
    with database.cursor() as cursor:
        known = set(postgres.column(cursor, "SELECT rolname FROM pg_roles"))
        server = int(postgres.one(cursor, "SHOW server_version_num"))
    postgres.empty(database)
    dumping.load(database, scratch / f"{database.name}.dump", server, grants=known >= set(theirs["roles"]))
    with database.cursor() as cursor:
        ours = postgres.counts(cursor)
        if database.name == "datastore":
            postgres.let_read(cursor, postgres.reader().parameters["user"])
    if differing := {name for name, rows in theirs["tables"].items() if ours.get(name) != rows}:
        raise Failed(
            f"Tables restaurées avec un autre nombre de lignes que l'original : {', '.join(sorted(differing))}",
            f"Tables restored with another number of rows than the original: {', '.join(sorted(differing))}",
        )


def _finish(say: Say) -> None:
    say(Text("Migrations", "Migrations"))
    ckan("db", "upgrade")
    say(Text("Index de recherche", "Search index"))
    ckan("ccphva", "rebuild")
    say(Text("Restauré. Vérifiez avec : ckan ccphva doctor", "Restored. Check with: ckan ccphva doctor"))


def ckan(*arguments: str) -> str:
    """Run a `ckan` command in a process of its own, which sees the database as it is now."""
    command = [str(Path(sys.executable).with_name("ckan")), "-c", str(ini.path()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        again = f"ckan -c {tk.config['__file__']} {' '.join(arguments)}"
        raise Failed(
            f"Les données sont restaurées, mais une étape reste à refaire : {again} ({said})",
            f"The data are restored, but one step remains to be done again: {again} ({said})",
        )
    return done.stdout
