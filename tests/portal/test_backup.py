"""Backup → destroy → restore → equal, on real databases; and archives that must be refused."""

from __future__ import annotations

import fcntl
import json
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ckanext.ccphva.operations.archive import Reader
from ckanext.ccphva.operations.errors import BrokenArchive
from instances import Portal, administrator
from local.database import run_permissions

pytestmark = pytest.mark.slow


@dataclass
class Saved:
    portal: Portal
    archive: Path
    picture: dict[str, Any]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A portal with content, its picture and its backup; the portal itself is then destroyed."""
    portal = Portal("avant", tmp_path_factory.mktemp("avant"))
    portal.write()
    portal.create_databases()
    try:
        portal.ckan("db", "upgrade")
        script = portal.ckan("datastore", "set-permissions").stdout
        with administrator(portal.databases["datastore"]) as cursor:
            run_permissions(cursor, script)
        portal.script("fill_instance.py")
        picture = portal.script("picture_instance.py")
        said = portal.ckan("ccphva", "backup").stdout
        archive = next(portal.backups.glob("*.tar"))
        assert str(archive) in said
        kept = tmp_path_factory.mktemp("bande") / archive.name
        shutil.move(archive, kept)
    finally:
        portal.ckan("search-index", "clear", check=False)
        portal.drop_databases()
        shutil.rmtree(portal.folder)
    return Saved(portal, kept, picture)


@pytest.fixture(scope="module")
def restored(saved: Saved, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A second, empty portal into which the archive was restored."""
    portal = Portal("apres", tmp_path_factory.mktemp("apres"))
    portal.write()
    portal.create_databases()
    try:
        portal.ckan(
            "ccphva", "restore", str(saved.archive), "--configuration-to", str(portal.folder / "original")
        )
        yield portal
    finally:
        portal.ckan("search-index", "clear", check=False)
        portal.drop_databases()


def damaged(archive: Path, member: str, folder: Path) -> Path:
    """A copy of the archive with one bit of one part turned."""
    copy = folder / archive.name
    shutil.copy(archive, copy)
    with tarfile.open(archive) as tar:
        part = tar.getmember(member)
    with copy.open("r+b") as file:
        file.seek(part.offset_data + part.size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    return copy


class TestArchive:
    def test_only_its_owner_may_read_it(self, saved: Saved) -> None:
        """The archive holds secrets and has mode 600."""
        assert stat.S_IMODE(saved.archive.stat().st_mode) == 0o600

    def test_it_is_an_ordinary_tar(self, saved: Saved) -> None:
        """Without this portal, tar and pg_restore open it: the dumps are PostgreSQL's own format."""
        names = subprocess.run(
            ["tar", "tf", saved.archive], capture_output=True, text=True, check=True
        ).stdout.split()
        assert {"ckan.dump", "datastore.dump", "configuration/ckan.ini", "manifest.json"} <= set(names)
        with tarfile.open(saved.archive) as tar:
            dump = tar.extractfile("ckan.dump")
            assert dump
            assert dump.read(5) == b"PGDMP"

    def test_its_manifest_counts_rows_and_names_versions(self, saved: Saved) -> None:
        """The manifest tells what is inside without restoring it."""
        with tarfile.open(saved.archive) as tar:
            file = tar.extractfile("manifest.json")
            assert file
            manifest = json.load(file)
        assert manifest["databases"]["ckan"]["tables"]["public.package"] == 3
        assert 500 in manifest["databases"]["datastore"]["tables"].values()
        assert manifest["versions"]["ckan"].startswith("2.12")
        assert manifest["missing"] == []


class TestRestored:
    @pytest.mark.parametrize("part", ["datasets", "organizations", "found", "files", "rows", "tables"])
    def test_it_equals_the_original(
        self, saved: Saved, restored: Portal, part: str, pictures: dict[str, Any]
    ) -> None:
        """Datasets, organisations, search, files, users, settings, tables are the original's."""
        ours = json.loads(json.dumps(pictures[part]).replace('"apres"', '"avant"'))
        assert saved.picture[part], part
        assert ours == saved.picture[part]

    def test_the_configuration_of_the_original_is_there_to_compare(self, restored: Portal) -> None:
        """--configuration-to lays the original's ini and territory aside; the portal keeps its own."""
        original = restored.folder / "original"
        assert "ckan.site_id = avant" in (original / "ckan.ini").read_text()
        assert (original / "territory" / "territory.yaml").is_file()
        assert "ckan.site_id = apres" in restored.ini.read_text()

    def test_nothing_is_left_over(self, restored: Portal) -> None:
        """No working folder of the restore stays among the files."""
        assert [p.name for p in restored.files.iterdir() if p.name.startswith(".")] == []

    def test_the_reading_role_still_cannot_write(self, restored: Portal) -> None:
        """The restored tables have CKAN's permissions, and the doctor finds the catalogue whole."""
        done = restored.ckan(
            "ccphva", "doctor", "--json", "--area", "services", "--area", "catalogue", check=False
        )
        findings = {f["check"]: f["level"] for f in json.loads(done.stdout)["findings"]}
        assert findings["services.reader"] in ("ok", "warn")
        assert (
            findings["catalogue.index"]
            == findings["catalogue.tables"]
            == findings["catalogue.migrations"]
            == "ok"
        )

    def test_a_portal_with_content_is_not_overwritten(self, saved: Saved, restored: Portal) -> None:
        """Without --force the restore is refused and nothing changes."""
        before = restored.script("picture_instance.py")
        done = restored.ckan("ccphva", "restore", str(saved.archive), check=False)
        assert done.returncode == 1
        assert "--force" in done.stderr
        assert restored.script("picture_instance.py") == before

    def test_a_portal_at_work_is_not_overwritten(self, saved: Saved, restored: Portal) -> None:
        """While another program is connected the restore is refused, even with --force."""
        with administrator(restored.databases["datastore"]) as cursor:
            cursor.execute("SELECT 1")
            done = restored.ckan(
                "ccphva", "restore", str(saved.archive), "--force", "--lang", "en", check=False
            )
        assert done.returncode == 1
        assert "Stop the portal" in done.stderr

    def test_forced_over_content_it_is_the_original_again(self, saved: Saved, restored: Portal) -> None:
        """--force replaces datasets, tables and files that came after the backup."""
        (restored.files / "resources" / "apres.txt").write_text("déposé après la sauvegarde")
        with administrator(restored.databases["datastore"]) as cursor:
            cursor.execute("CREATE TABLE en_trop (a int); ALTER TABLE en_trop OWNER TO ckan")
        restored.ckan("ccphva", "restore", str(saved.archive), "--force")
        again = json.loads(json.dumps(restored.script("picture_instance.py")).replace('"apres"', '"avant"'))
        assert again == saved.picture


class TestAgain:
    def test_only_the_last_are_kept_and_leavings_go(self, restored: Portal) -> None:
        """keep=1 leaves the newest archive; what a killed backup left goes; strangers stay."""
        restored.options["ccphva.backup.keep"] = "1"
        restored.write()
        restored.backups.mkdir(exist_ok=True)
        old = restored.backups / "ccphva-apres-20200101T000000Z.tar"
        stranger = restored.backups / "ccphva-autre-20200101T000000Z.tar"
        killed = restored.backups / "ccphva-apres-20260101T000000Z.part"
        for path in (old, stranger, killed):
            path.write_bytes(b"x")
        restored.ckan("ccphva", "backup")
        assert not old.exists()
        assert not killed.exists()
        assert stranger.exists()
        assert len(list(restored.backups.glob("ccphva-apres-*.tar"))) == 1

    def test_two_at_a_time_are_refused(self, restored: Portal) -> None:
        """While one backup holds the folder, a second one is refused and writes nothing."""
        before = sorted(restored.backups.iterdir())
        with (restored.backups / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = restored.ckan("ccphva", "backup", check=False)
        assert done.returncode == 1
        assert "Une autre sauvegarde" in done.stderr
        assert sorted(restored.backups.iterdir()) == before

    def test_a_failing_dump_leaves_no_archive(self, restored: Portal) -> None:
        """A table that may not be read ends the backup with a sentence; neither archive nor part stays."""
        before = sorted(p for p in restored.backups.iterdir() if p.name != ".lock")
        with administrator(restored.databases["datastore"]) as cursor:
            cursor.execute("CREATE TABLE public._interdite (a int)")
        try:
            done = restored.ckan("ccphva", "backup", check=False)
        finally:
            with administrator(restored.databases["datastore"]) as cursor:
                cursor.execute("DROP TABLE public._interdite")
        assert done.returncode == 1
        assert "✗" in done.stderr
        assert "Traceback" not in done.stderr
        assert sorted(p for p in restored.backups.iterdir() if p.name != ".lock") == before


@pytest.fixture(scope="module")
def pictures(restored: Portal) -> dict[str, Any]:
    return restored.script("picture_instance.py")


class TestRefusals:
    @pytest.mark.parametrize(
        "member", ["ckan.dump", "datastore.dump", "configuration/ckan.ini", "manifest.json", "files/"]
    )
    def test_an_altered_part_is_named(self, saved: Saved, tmp_path: Path, member: str) -> None:
        """One bit turned in a part, or in an uploaded file: refused with the part's name."""
        with tarfile.open(saved.archive) as tar:
            part = next(n for n in tar.getnames() if n.startswith(member))
        with pytest.raises(BrokenArchive) as refused:
            Reader(damaged(saved.archive, part, tmp_path)).verify()
        assert refused.value.part == part

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.98])
    def test_a_cut_archive_is_refused(self, saved: Saved, tmp_path: Path, share: float) -> None:
        """An archive that ends early is refused as not whole."""
        copy = tmp_path / "coupee.tar"
        content = saved.archive.read_bytes()
        copy.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(BrokenArchive):
            Reader(copy).verify()

    def test_a_part_that_was_slipped_in_is_refused(self, saved: Saved, tmp_path: Path) -> None:
        """What the manifest does not list is not restored, least of all outside the folder of files."""
        copy = tmp_path / saved.archive.name
        shutil.copy(saved.archive, copy)
        with tarfile.open(copy, "a") as tar:
            tar.add(__file__, "files/storage/../../../etc/cron.d/x")
        with pytest.raises(BrokenArchive, match="cron"):
            Reader(copy).verify()

    def test_the_command_refuses_before_it_touches_anything(
        self, saved: Saved, restored: Portal, tmp_path: Path
    ) -> None:
        """The operator reads the part's name and that nothing was touched; the portal is as before."""
        before = restored.script("picture_instance.py")
        broken = damaged(saved.archive, "datastore.dump", tmp_path)
        done = restored.ckan("ccphva", "restore", str(broken), "--force", check=False)
        assert done.returncode == 1
        assert "datastore.dump" in done.stderr
        assert "rien n'a été modifié" in done.stderr
        assert restored.script("picture_instance.py") == before

    def test_check_only_looks(self, saved: Saved, restored: Portal) -> None:
        """--check says that the archive is whole, on a portal that is not empty, and changes nothing."""
        assert "entière" in restored.ckan("ccphva", "restore", str(saved.archive), "--check").stdout
