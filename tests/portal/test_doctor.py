"""The doctor finds each thing that is made wrong here, on real services, and `rebuild` mends what it says."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.tests import factories
from ckan.tests.helpers import call_action
from ckanext.ccphva import config
from ckanext.ccphva.operations import (
    backup,
    catalogue_checks,
    doctor,
    index,
    machine_checks,
    postgres,
    service_checks,
)
from ckanext.ccphva.operations import configuration_checks as checks
from ckanext.ccphva.operations.findings import Finding, Level
from instances import Portal
from sqlalchemy import text

pytestmark = pytest.mark.usefixtures("with_plugins")
ROOT = Path(__file__).parents[2]


def levels(check: Callable[[], Iterator[Finding]]) -> dict[str, str]:
    """Names and worst levels of what a check finds."""
    found: dict[str, str] = {}
    order = [Level.OK, Level.WARN, Level.FAIL]
    for finding in check():
        found[finding.check] = max(
            found.get(finding.check, Level.OK), finding.level, key=lambda v: order.index(Level(v))
        )
    return found


@pytest.fixture
def nobody() -> str:
    """host:port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def silent(done: int, of: int) -> None:
    """A progress that nobody watches."""


class TestConfiguration:
    @pytest.mark.parametrize(
        ("key", "value", "check", "finding", "level"),
        [
            ("SECRET_KEY", "court", checks.secrets, "secrets", "fail"),
            ("SECRET_KEY", "changeme-before-you-start-the-portal", checks.secrets, "secrets", "fail"),
            ("WTF_CSRF_SECRET_KEY", "a" * 48, checks.secrets, "secrets", "fail"),
            ("api_token.jwt.decode.secret", "", checks.secrets, "secrets", "fail"),
            ("ckan.site_url", "http://donnees.example.org", checks.addresses, "site_url", "fail"),
            ("ckan.site_url", "https://example.org/portail", checks.addresses, "site_url", "fail"),
            ("ckan.site_url", "https://example.org", checks.addresses, "site_url", "ok"),
            ("ckanext.dcat.base_uri", "", checks.addresses, "base_uri", "fail"),
            ("email_to", "", checks.addresses, "mail", "warn"),
            ("ckan.locale_default", "en", checks.languages, "languages", "fail"),
            ("ckan.locales_offered", ["fr", "en"], checks.languages, "languages", "warn"),
            ("ckan.locales_offered", ["fr", "de", "en", "lb", "it"], checks.languages, "languages", "fail"),
            ("ckan.harvest.mq.type", "redis", checks.fixed, "fixed", "fail"),
            ("ckan.datastore.sqlsearch.enabled", True, checks.fixed, "fixed", "fail"),
            ("debug", True, checks.fixed, "fixed", "fail"),
            ("ckan.plugins", ["harvest", "ccphva_harvest"], checks.plugins, "plugins", "fail"),
            ("ccphva.couleur", "rouge", checks.declared, "options", "warn"),
            ("ccphva.backup.keep", "beaucoup", checks.declared, "options", "fail"),
        ],
    )  # fmt: skip
    def test_a_wrong_option_is_found(
        self,
        ckan_config: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        key: str,
        value: object,
        check: Any,
        finding: str,
        level: str,
    ) -> None:
        """One wrong value, one finding of the right level."""
        monkeypatch.setitem(ckan_config, key, value)
        assert levels(check)[f"configuration.{finding}"] == level

    @pytest.mark.ckan_config("ckan.search.solr_commit", False)
    def test_the_generated_configuration_is_found_good(self) -> None:
        """What `./portal` writes passes every check of the configuration but the in-process exceptions."""
        for check in checks.CHECKS:
            assert set(levels(check).values()) == {"ok"}, [f for f in check() if f.level is not Level.OK]

    def test_one_role_for_reading_and_writing_is_found(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same role twice, or two databases, is not what the tables' safety rests on."""
        monkeypatch.setitem(ckan_config, "ckan.datastore.read_url", ckan_config["ckan.datastore.write_url"])
        assert levels(checks.roles) == {"configuration.roles": "fail"}

    def test_an_ini_that_others_can_read_is_found(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Mode 644 on a file with secrets fails; without secrets it does not matter."""
        ini = tmp_path / "ckan.ini"
        shutil.copy(ckan_config["__file__"], ini)
        monkeypatch.setitem(ckan_config, "__file__", str(ini))
        ini.chmod(0o644)
        assert levels(checks.permissions) == {"configuration.permissions": "fail"}
        ini.write_text("[app:main]\nckan.site_id = x\n")
        assert levels(checks.permissions) == {"configuration.permissions": "ok"}

    def test_every_finding_has_a_mend_in_both_languages(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody is left with a fault and no next step."""
        for key in ("ckan.harvest.mq.type", "ckanext.dcat.base_uri", "email_to"):
            monkeypatch.setitem(ckan_config, key, "")
        bad = [f for f in doctor.examine(["configuration"]) if f.level is not Level.OK]
        assert len(bad) >= 3
        for finding in bad:
            for language in ("fr", "en"):
                assert finding.text.to(language)
                assert finding.mend_to(language)


class TestServices:
    def test_the_stack_is_found_well(self) -> None:
        """Databases, index, queue and mail of the test stack answer; the reading role cannot write."""
        assert levels(service_checks.databases) == {"services.ckan": "ok", "services.datastore": "ok"}
        assert levels(service_checks.search) == {"services.search": "ok", "services.search.schema": "ok"}
        assert levels(service_checks.queue) == {"services.queue": "ok"}
        assert levels(service_checks.mail) == {"services.mail": "ok"}
        assert levels(service_checks.reader)["services.reader"] in ("ok", "warn")

    def test_a_reading_role_that_can_write_is_found(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is tried, not believed; and the trial leaves nothing behind."""
        monkeypatch.setitem(ckan_config, "ckan.datastore.read_url", ckan_config["ckan.datastore.write_url"])
        assert levels(service_checks.reader) == {"services.reader": "fail"}
        with postgres.databases()[1].cursor() as cursor:
            assert postgres.one(cursor, "SELECT to_regclass('public.ccphva_doctor')") is None

    @pytest.mark.parametrize(
        ("key", "value", "check", "finding", "level"),
        [
            (
                "sqlalchemy.url",
                "postgresql://ckan:x@{}/ckan",
                service_checks.databases,
                "services.ckan",
                "fail",
            ),
            (
                "ckan.datastore.read_url",
                "postgresql://r:x@{}/datastore",
                service_checks.reader,
                "services.reader",
                "fail",
            ),
            ("solr_url", "http://{}/solr/ckan", service_checks.search, "services.search", "fail"),
            ("smtp.server", "{}", service_checks.mail, "services.mail", "warn"),
            ("ccphva.celery.broker_url", "redis://{}/1", service_checks.workers, "services.workers", "fail"),
        ],
    )
    def test_a_service_that_is_away_is_found(
        self,
        ckan_config: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        nobody: str,
        key: str,
        value: str,
        check: Any,
        finding: str,
        level: str,
    ) -> None:
        """Within ten seconds, with its name and without its password."""
        monkeypatch.setitem(ckan_config, key, value.format(nobody))
        began = time.monotonic()
        assert levels(check)[finding] == level
        assert time.monotonic() - began < 10
        assert all(":x@" not in f.text.fr for f in check())

    def test_queues_without_a_worker_are_found(self) -> None:
        """On the tests' own queue nobody works."""
        assert levels(service_checks.workers) == {"services.workers": "fail"}

    def test_a_schema_without_our_fields_is_found(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A Solr core that has CKAN's schema only: each field that it lacks is named."""

        class Stock(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"fields": [{"name": "id"}, {"name": "title_fr"}]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stock) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            monkeypatch.setitem(
                ckan_config, "solr_url", f"http://127.0.0.1:{server.server_address[1]}/solr/ckan"
            )
            said = {f.check: f.text.fr for f in service_checks.search()}
            server.shutdown()
        assert "title_lb" in said["services.search.fields"]
        assert "title_fr," not in said["services.search.fields"]

    def test_the_fields_asked_for_are_those_that_are_added(self) -> None:
        """The doctor asks for no field that deployment/solr/fields.xml does not add."""
        # The file is our own.
        root = ElementTree.parse(ROOT / "deployment" / "solr" / "fields.xml").getroot()  # noqa: S314
        added = {field.attrib["name"] for field in root.iter("field")}
        assert added >= service_checks.FIELDS


class TestMachine:
    @pytest.mark.parametrize(
        ("free", "total", "level"),
        [
            (400_000_000, 10**12, Level.FAIL),
            (2_000_000_000, 10**10, Level.WARN),
            (20_000_000_000, 10**12, Level.WARN),
            (60_000_000_000, 10**12, Level.OK),
        ],
    )
    def test_little_room_is_said_early(self, free: int, total: int, level: Level) -> None:
        """Below 500 MB it fails, below 5 GB or a twentieth it warns."""
        assert machine_checks.room(free, total) is level

    def test_a_missing_folder_is_found(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Uploads into a folder that is not there would fail later, on somebody's click."""
        monkeypatch.setitem(ckan_config, "ckan.storage_path", str(tmp_path / "nosuch"))
        assert levels(machine_checks.folders)["machine.folders"] == "fail"

    def test_old_open_and_missing_backups_are_found(
        self, ckan_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """None: a warning. Fresh: fine. Two days old: a warning. Readable by others: a failure."""
        monkeypatch.setitem(ckan_config, "ccphva.backup.folder", str(tmp_path))
        assert levels(machine_checks.backups) == {"machine.backups": "warn"}
        archive = tmp_path / f"{backup.prefix()}20260101T000000Z.tar"
        archive.touch(mode=0o600)
        assert levels(machine_checks.backups) == {"machine.backups": "ok"}
        old = time.time() - 48 * 3600
        os.utime(archive, (old, old))
        assert levels(machine_checks.backups) == {"machine.backups": "warn"}
        archive.chmod(0o644)
        assert levels(machine_checks.backups) == {"machine.backups": "fail"}


def dataset(**more: object) -> dict[str, Any]:
    """A dataset of an organisation of its own."""
    return factories.Dataset(owner_org=factories.Organization()["id"], **more)


def drop_tables() -> None:
    """Other tests' tables outlive their resources when the catalogue's database is emptied."""
    with postgres.databases()[1].cursor() as cursor:
        for schema, name in postgres.tables(cursor):
            if schema == "public" and not name.startswith("_"):
                cursor.execute(f'DROP TABLE public."{name}" CASCADE')


@pytest.mark.usefixtures("clean_db", "clean_index")
class TestCatalogue:
    def test_index_and_database_that_agree_are_found_well(self) -> None:
        """Two datasets through the API: no drift."""
        dataset()
        dataset(visibility="private")
        assert levels(catalogue_checks.drift) == {"catalogue.index": "ok"}

    def test_drift_in_each_direction_is_found_and_mended(self) -> None:
        """Missing, stale and phantom documents are told apart, and --only-drift writes exactly these."""
        missing, stale, good = (dataset()["id"] for _ in range(3))
        solr = make_connection()
        solr.delete(q=f'id:"{missing}"', commit=True)
        phantom = {
            "id": "fantome",
            "index_id": "fantome",
            "site_id": tk.config["ckan.site_id"],
            "entity_type": "package",
        }
        solr.add([phantom], commit=True)
        model.Session.execute(
            text(
                "UPDATE package SET metadata_modified = metadata_modified + interval '1 hour' WHERE id = :id"
            ),
            {"id": stale},
        )
        model.Session.commit()
        found = index.drift()
        assert (found.missing, found.stale, found.phantoms) == ([missing], [stale], ["fantome"])
        assert levels(catalogue_checks.drift) == {"catalogue.index": "fail"}
        result = index.rebuild(only_drift=True, progress=silent)
        assert (result.written, result.removed, result.failed) == (2, 1, {})
        assert not index.drift()
        assert {good, missing, stale} == index.in_index().keys()

    def test_another_portal_in_the_same_core_is_left_alone(self) -> None:
        """A rebuild removes no document of another site."""
        solr = make_connection()
        solr.add(
            [{"id": "voisin", "index_id": "voisin", "site_id": "voisin", "entity_type": "package"}],
            commit=True,
        )
        try:
            index.rebuild(only_drift=False, progress=silent)
            assert solr.search("*:*", fq=['site_id:"voisin"']).hits == 1
        finally:
            solr.delete(q='site_id:"voisin"', commit=True)

    def test_a_dataset_that_cannot_be_indexed_does_not_keep_the_others_out(self) -> None:
        """The rebuild goes on, and names it with its reason."""
        good, bad = dataset()["id"], dataset()["id"]
        make_connection().delete(q="*:*", commit=True)
        model.Session.execute(
            text("UPDATE package SET type = 'genre-inconnu', metadata_created = NULL WHERE id = :id"),
            {"id": bad},
        )
        model.Session.commit()
        result = index.rebuild(only_drift=False, progress=silent)
        assert result.failed.keys() == {bad}
        assert index.in_index().keys() == {good}

    def test_deleted_datasets_do_not_belong_into_the_index(self) -> None:
        """A deleted dataset is neither missing nor a phantom; its document, if one stays, is."""
        call_action("package_delete", {"user": factories.Sysadmin()["name"]}, id=dataset()["id"])
        assert not index.drift()

    def test_tables_without_resource_and_resources_without_table_are_found(self) -> None:
        """Both directions between catalogue and tables."""
        drop_tables()
        somebody = {"user": factories.Sysadmin()["name"]}
        resource = call_action("resource_create", somebody, package_id=dataset()["id"], url="")
        fields = [{"id": "a", "type": "int"}]
        call_action("datastore_create", dict(somebody), resource_id=resource["id"], force=True, fields=fields)
        try:
            assert levels(catalogue_checks.tables) == {"catalogue.tables": "ok"}
            with postgres.databases()[1].cursor() as cursor:
                cursor.execute("CREATE TABLE public.orpheline (a int)")
            assert levels(catalogue_checks.tables) == {"catalogue.tables": "warn"}
            with postgres.databases()[1].cursor() as cursor:
                cursor.execute(f'DROP TABLE "{resource["id"]}" CASCADE')
            assert levels(catalogue_checks.tables) == {"catalogue.tables": "fail"}
        finally:
            drop_tables()

    def test_a_pending_migration_is_found(self) -> None:
        """A plugin whose tables are of an earlier version is named."""
        assert levels(catalogue_checks.migrations) == {"catalogue.migrations": "ok"}
        with postgres.databases()[0].cursor() as cursor:
            before = postgres.one(cursor, "SELECT version_num FROM harvest_alembic_version")
            cursor.execute("DELETE FROM harvest_alembic_version")
            try:
                said = [f for f in catalogue_checks.migrations() if f.level is Level.FAIL]
            finally:
                cursor.execute("INSERT INTO harvest_alembic_version VALUES (%s)", [before])
        assert len(said) == 1
        assert "harvest" in said[0].text.fr

    def test_a_follower_that_stands_still_is_found(self) -> None:
        """Changes that wait for more than five minutes are a failure; changes that were followed are not."""
        with postgres.databases()[0].cursor() as cursor:
            if not postgres.one(cursor, "SELECT to_regclass('ccphva_follower') IS NOT NULL"):
                pytest.fail("the change log's tables are missing")
            cursor.execute("DELETE FROM ccphva_change; DELETE FROM ccphva_follower")
            cursor.execute("INSERT INTO ccphva_follower (name, xid, seq) VALUES ('essai', 0, 0)")
            cursor.execute(
                "INSERT INTO ccphva_change (xid, at, kind, operation, entity_id)"
                " VALUES (1, now() - interval '10 minutes', 'package', 'insert', 'x')"
            )
            assert levels(catalogue_checks.followers) == {"catalogue.followers": "fail"}
            cursor.execute("UPDATE ccphva_follower SET xid = 1, seq = (SELECT max(seq) FROM ccphva_change)")
            assert levels(catalogue_checks.followers) == {"catalogue.followers": "ok"}
            cursor.execute("DELETE FROM ccphva_change; DELETE FROM ccphva_follower")


class TestExamination:
    def test_a_check_that_breaks_is_a_finding(self) -> None:
        """The examination goes on after an error that nobody expected."""

        def broken() -> Iterator[Finding]:
            raise RuntimeError("inattendu")
            yield

        found = list(doctor._run("machine", broken))
        assert [(f.level, f.check) for f in found] == [(Level.FAIL, "machine.broken")]
        assert "inattendu" in found[0].text.fr

    @pytest.mark.slow
    def test_the_command_speaks_json_and_ends_with_a_code(self, tmp_path: Path) -> None:
        """`--json` is one object with counts and findings; code 1 exactly when something fails."""
        portal = Portal(
            "unit", tmp_path, {"ckan.search.solr_commit": "false", "ckan.harvest.mq.type": "redis"}
        )
        portal.write()
        bad = portal.ckan(
            "ccphva", "doctor", "--json", "--area", "configuration", "--lang", "en", check=False
        )
        report = json.loads(bad.stdout)
        assert bad.returncode == 1
        assert report["counts"]["fail"] == 1
        assert [f["check"] for f in report["findings"] if f["level"] == "fail"] == ["configuration.fixed"]
        assert "should be celery" in bad.stdout
        portal.options["ckan.harvest.mq.type"] = "celery"
        portal.write()
        good = portal.ckan("ccphva", "doctor", "--area", "configuration", check=False)
        assert good.returncode == 0, good.stdout
        assert "✗" not in good.stdout

    def test_options_are_typed(self) -> None:
        """`config.py` gives a path and a number, not strings."""
        assert isinstance(config.backup_folder(), Path)
        assert isinstance(config.backups_kept(), int)
