"""The files of a production host, judged by the programs that will read them: systemd, nginx, CKAN."""

from __future__ import annotations

import configparser
import re
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from local import configuration, production
from local.console import Failure
from local.settings import ROOT, Instance

PROCESSES = ("web", "worker", "beat", "jobs", "loads", "follower")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=example.org",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> production.Host:
    """The host of production.yaml on paths that exist here, which `systemd-analyze verify` asks for."""
    data = yaml.safe_load(production.DESCRIPTION.read_text())
    base = tmp_path_factory.mktemp("host")
    names = {"configuration": base / "etc", "data": base / "data", "backups": base / "backups"}
    data["paths"] = {name: str(path) for name, path in names.items()} | {"software": str(ROOT)}
    data["tls"] = {"certificate": str(certificate / "certificate.pem"), "key": str(certificate / "key.pem")}
    for path in names.values():
        path.mkdir()
    return msgspec.convert(data, production.Host)


@pytest.fixture(scope="module")
def made(host: production.Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return production.write(host, tmp_path_factory.mktemp("out"))


def directives(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


class TestUnits:
    def test_systemd_accepts_them(self, made: Path) -> None:
        """`systemd-analyze verify` has no complaint about any unit of ours."""
        units = sorted(str(path) for path in (made / "systemd").iterdir())
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
        )
        complaints = [line for line in done.stderr.splitlines() if "ccphva" in line]
        assert complaints == []
        assert done.returncode == 0, done.stderr

    def test_systemd_would_find_a_mistake(self, made: Path, tmp_path: Path) -> None:
        """The check above is one that can fail: an unknown program is reported."""
        broken = tmp_path / "ccphva-broken.service"
        broken.write_text(
            (made / "systemd" / "ccphva-web.service").read_text().replace("gunicorn --bind", "nosuch --bind")
        )
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(broken)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0

    def test_every_process_of_a_local_run_has_its_unit(self, made: Path) -> None:
        """Local run and production come from one list; the machine's own services are not ours there, and no
        demonstration's sensors."""
        local = {p.name for p in configuration.processes(Instance(made / "home", 5900, "ccphva"))}
        units = {p.stem.removeprefix("ccphva-") for p in (made / "systemd").glob("*.service")}
        assert local - units - {"cse", "simulator"} == {"postgres", "redis", "solr", "mail", "nginx"}
        assert units - local == {"backup", "doctor"}

    @pytest.mark.parametrize("name", [*PROCESSES, "backup", "doctor"])
    def test_units_are_hardened(self, made: Path, host: production.Host, name: str) -> None:
        """No unit runs as root, writes outside its folders or grows without end."""
        unit = directives(made / "systemd" / f"ccphva-{name}.service")
        assert unit["User"] == ["ccphva"]
        assert unit["NoNewPrivileges"] == unit["PrivateTmp"] == unit["ProtectHome"] == ["true"]
        assert unit["ProtectSystem"] == ["strict"]
        assert unit["MemoryMax"] == [host.memory[name]]
        assert unit["CapabilityBoundingSet"] == [""]
        writable = unit["ReadWritePaths"][0].split()
        assert host.paths.data in writable
        assert (host.paths.backups in writable) is (name in ("backup", "doctor"))

    @pytest.mark.parametrize("name", PROCESSES)
    def test_programs_come_back_by_themselves(self, made: Path, name: str) -> None:
        """Restart without limit, and a stop or start of the target takes all along."""
        unit = directives(made / "systemd" / f"ccphva-{name}.service")
        assert unit["Restart"] == ["always"]
        assert unit["StartLimitIntervalSec"] == ["0"]
        assert unit["PartOf"] == ["ccphva.target"]
        assert f"ccphva-{name}.service" in directives(made / "systemd" / "ccphva.target")["Wants"][0]

    def test_a_worker_host_gets_only_its_programs(self, host: production.Host, tmp_path: Path) -> None:
        """`processes: [worker]` makes no unit for web, beat, jobs and follower."""
        small = msgspec.structs.replace(host, processes=["worker"])
        units = {p.name for p in (production.write(small, tmp_path) / "systemd").glob("ccphva-*.service")}
        assert units == {"ccphva-worker.service", "ccphva-backup.service", "ccphva-doctor.service"}


class TestSecrets:
    def test_they_stand_in_private_files_only(self, made: Path) -> None:
        """No secret is in a file that others may read; those with secrets have mode 600."""
        secrets = production._secrets(made).values()
        for path in (p for p in made.rglob("*") if p.is_file()):
            if any(secret in path.read_text(errors="replace") for secret in secrets):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
        assert all(secret not in (made / "etc" / "ckan.ini").read_text() for secret in secrets)

    def test_a_second_call_keeps_them(self, host: production.Host, made: Path) -> None:
        """Making the files again does not lock a running portal out of its database."""
        before = (made / "etc" / "secrets.ini").read_text()
        production.write(host, made)
        assert (made / "etc" / "secrets.ini").read_text() == before

    def test_ckan_reads_both_files_as_one(self, made: Path) -> None:
        """CKAN's own loader joins ckan.ini and secrets.ini."""
        from ckan.cli import CKANConfigLoader

        config = CKANConfigLoader(str(made / "etc" / "ckan.ini")).get_config()
        secrets = production._secrets(made)
        assert config["SECRET_KEY"] == secrets["session"]
        assert config["sqlalchemy.url"].endswith(f"{secrets['ckan']}@127.0.0.1:5432/ckan")
        assert config["ckan.site_url"] == "https://donnees.example.org"
        assert config["SESSION_COOKIE_SECURE"] == "true"

    def test_beat_finds_the_broker_without_ckan(self, made: Path) -> None:
        """Celery's clock does not load CKAN: it follows `use = config:secrets.ini` by itself."""
        code = (
            "from ckanext.ccphva_harvest import ini; print(ini.option('ccphva.celery.broker_url'));"
            "import sys; print('ckan.common' in sys.modules)"
        )
        said = subprocess.run(
            [sys.executable, "-c", code],
            env={"CKAN_INI": str(made / "etc" / "ckan.ini")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert said == [f"redis://:{production._secrets(made)['redis']}@127.0.0.1:6379/1", "False"]


class TestSameAsLocal:
    def test_both_configurations_have_the_same_options(self, made: Path, tmp_path: Path) -> None:
        """A local run has the options that production has, and the other way round: one template."""
        instance = Instance(tmp_path / "home", 5900, "ccphva")
        configuration.write(instance)
        local, main, secret = (configparser.RawConfigParser() for _ in range(3))
        for parser in (local, main, secret):
            parser.optionxform = str  # type: ignore[assignment, method-assign]
        local.read(instance.ini())
        main.read(made / "etc" / "ckan.ini")
        secret.read(made / "etc" / "secrets.ini")
        assert {*local["app:main"]} == {*main["app:main"], *secret["app:main"]}

    def test_plugins_are_the_same(self, made: Path) -> None:
        """What was tested is what runs."""
        main = configparser.RawConfigParser()
        main.read(made / "etc" / "ckan.ini")
        assert main["app:main"]["ckan.plugins"] == configuration.PLUGINS


class TestNginx:
    @pytest.fixture
    def wrapper(self, made: Path, tmp_path: Path) -> Path:
        """A main file that includes the site inside http{}, as Debian's does."""
        for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (tmp_path / name).mkdir()
        temporary = "\n".join(
            f"{kind}_temp_path {tmp_path}/{folder};"
            for kind, folder in (
                ("client_body", "body"),
                ("proxy", "proxy"),
                ("fastcgi", "fastcgi"),
                ("uwsgi", "uwsgi"),
                ("scgi", "scgi"),
            )
        )
        # `nginx -t` binds the ports: an ordinary user may not bind 80 and 443.
        site = (made / "nginx" / "ccphva.conf").read_text()
        high, count = re.subn(r"(listen (?:\[::\]:)?)(80|443)\b", lambda m: f"{m[1]}50{m[2]:0>3}", site)
        assert count >= 2
        (tmp_path / "site.conf").write_text(high)
        path = tmp_path / "nginx.conf"
        path.write_text(
            f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}\naccess_log off;\n"
            f"include {tmp_path}/site.conf;\n}}\n"
        )
        return path

    def test_nginx_accepts_the_site(self, wrapper: Path) -> None:
        """`nginx -t` with a self-signed certificate has no complaint."""
        done = subprocess.run(
            ["/usr/sbin/nginx", "-e", "stderr", "-t", "-c", wrapper],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr

    def test_nginx_would_find_a_mistake(self, wrapper: Path) -> None:
        """The check above is one that can fail: a missing certificate is reported."""
        site = wrapper.with_name("site.conf")
        site.write_text(site.read_text().replace("certificate.pem", "nosuch.pem"))
        done = subprocess.run(
            ["/usr/sbin/nginx", "-e", "stderr", "-t", "-c", wrapper],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "nosuch.pem" in done.stderr


class TestDescription:
    @pytest.mark.parametrize(
        ("path", "value", "said"),
        [
            (("web", "port"), "five", "$.web.port"),
            (("wbe",), {}, "wbe"),
            (("paths", "colour"), "red", "$.paths"),
            (("processes",), ["web", "nosuch"], "$.processes"),
            (("memory",), {"web": "1G"}, "$.memory"),
        ],
    )
    def test_a_wrong_entry_is_named_with_its_path(
        self, tmp_path: Path, path: tuple[str, ...], value: object, said: str
    ) -> None:
        """An operator's mistake ends with the place of the mistake, and nothing is written."""
        data = yaml.safe_load(production.DESCRIPTION.read_text())
        place = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        file = tmp_path / "host.yaml"
        file.write_text(yaml.safe_dump(data))
        with pytest.raises(Failure) as failure:
            production.read(file)
        assert said in str(failure.value)

    def test_an_unknown_territory_is_named(self, host: production.Host, tmp_path: Path) -> None:
        """A territory without a folder is refused before anything is rendered."""
        with pytest.raises(Failure, match="territory"):
            production.write(msgspec.structs.replace(host, territory="atlantis"), tmp_path)
        assert not (tmp_path / "systemd").exists()

    def test_the_solr_configset_is_complete(self, made: Path) -> None:
        """The schema holds our fields beside CKAN's."""
        schema = (made / "solr" / "conf" / "schema.xml").read_text()
        assert 'name="title_lb"' in schema
        assert 'name="validated_data_dict"' in schema
        assert (made / "solr" / "conf" / "solrconfig.xml").is_file()

    def test_the_first_roles_and_databases_can_be_made(self, made: Path) -> None:
        """databases.sql makes what the configuration asks for and keeps the reader out of the catalogue."""
        text = (made / "databases.sql").read_text()
        assert "REVOKE CONNECT ON DATABASE ckan, datastore FROM PUBLIC" in text
        assert production._secrets(made)["datastore"] in text
