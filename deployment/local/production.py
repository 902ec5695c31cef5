"""`./portal production [file.yaml]`: what a production host needs: systemd units, nginx site, CKAN and Solr.

Made from the same templates and the same list of processes as a local run. Nothing is installed: the runbook
(docs/operator/exploitation.md) says which file goes where.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

import msgspec
import yaml

from local import configuration, search
from local.configuration import Place, Process, portal_processes, render
from local.console import Failure, say
from local.settings import DEPLOYMENT, ROOT, write_private

DESCRIPTION = DEPLOYMENT / "production" / "production.yaml"
OUT = ROOT / "var" / "production"
SECRETS = ("session", "csrf", "token", "ckan", "datastore", "redis")
DOCTOR_AT = "06:30"
Name = Literal["web", "worker", "beat", "jobs", "loads", "follower", "gateway"]


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A wrong or unknown key is an error with its path."""


class Paths(_Strict):
    software: str
    configuration: str
    data: str
    backups: str


class Tls(_Strict):
    certificate: str
    key: str


class Services(_Strict):
    postgresql: str
    redis: str
    solr: str
    mail: str
    mail_starttls: bool


class Web(_Strict):
    port: int
    workers: int
    threads: int


class Gateway(_Strict):
    port: int


class Worker(_Strict):
    concurrency: int


class Backup(_Strict):
    at: str
    keep: int


class Host(_Strict):
    """One production host, as `production.yaml` describes it."""

    territory: str
    site_id: str
    server_name: str
    account: str
    paths: Paths
    tls: Tls
    services: Services
    processes: list[Name]
    web: Web
    gateway: Gateway
    worker: Worker
    memory: dict[str, str]
    backup: Backup
    harvest_networks: list[str]


def read(path: Path) -> Host:
    """The description of a host.

    :raises Failure: with the path of the wrong entry, such as `$.web.port`.
    """
    try:
        host = msgspec.convert(yaml.safe_load(path.read_text()), Host)
    except (msgspec.ValidationError, yaml.YAMLError, OSError) as error:
        raise Failure(f"{path.name} cannot be used: {error}", f"Compare it with {DESCRIPTION}") from error
    if lacking := {*host.processes, "backup", "doctor"} - host.memory.keys():
        raise Failure(
            f"$.memory lacks {', '.join(sorted(lacking))}", f"Compare {path.name} with {DESCRIPTION}"
        )
    return host


def write(host: Host, out: Path = OUT) -> Path:
    """Render everything into a folder of its own; secrets are made once and kept."""
    values = context(host, _secrets(out))
    for name in ("systemd", "nginx", "etc", "solr", "www"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True, mode=0o755)
    _write_units(host, values, out / "systemd")
    (out / "nginx" / "ccphva.conf").write_text(render("nginx.conf.j2", values))
    (out / "www" / "resting.html").write_text(render("resting.html.j2", values))
    (out / "etc" / "ckan.ini").write_text(render("ckan.ini.j2", values))
    write_private(out / "etc" / "secrets.ini", _secrets_ini(values))
    write_private(out / "databases.sql", render("databases.sql.j2", values))
    shutil.copytree(DEPLOYMENT / "solr" / "conf", out / "solr" / "conf")
    (out / "solr" / "conf" / "schema.xml").write_text(search.joined_schema())
    return out


def _secrets_ini(values: dict[str, Any]) -> str:
    return "[app:main]\nuse = egg:ckan\n" + render("secrets.ini.j2", values)


def context(host: Host, secrets: dict[str, str]) -> dict[str, Any]:
    """What the templates may use; the same names as in a local run."""
    territory = DEPLOYMENT / "territories" / host.territory
    if not (territory / "territory.yaml").is_file():
        raise Failure(f"$.territory: there is no territory {host.territory!r}", f"See {territory.parent}")
    data = yaml.safe_load((territory / "territory.yaml").read_text())
    software, writable = Path(host.paths.software), Path(host.paths.data)
    url = f"postgresql://{{}}:{{}}@{host.services.postgresql}/{{}}"
    redis = f"redis://:{secrets['redis']}@{host.services.redis}"
    return {
        "local": False,
        "unit": "",
        "account": host.account,
        "site_id": host.site_id,
        "site_url": f"https://{host.server_name}",
        "server_name": host.server_name,
        "base_uri": data["base_uri"],
        "territory": data,
        "tls": host.tls,
        "plugins": configuration.PLUGINS,
        "processes": portal_processes_of(host),
        "secrets": secrets,
        "paths": {
            "software": software,
            "configuration": Path(host.paths.configuration),
            "data": writable,
            "files": writable / "files",
            "metrics": writable / "metrics",
            "tmp": writable / "tmp",
            "pages": writable / "pages",
            "resting": writable / "www",
            "backups": Path(host.paths.backups),
            "i18n": software / "var" / "tools" / "i18n",
            "territory": software / "deployment" / "territories" / host.territory,
        },
        "ports": {"gunicorn": host.web.port, "gateway": host.gateway.port},
        "database": {
            "ckan": url.format("ckan", secrets["ckan"], "ckan"),
            "datastore_write": url.format("ckan", secrets["ckan"], "datastore"),
            "datastore_read": url.format("datastore_read", secrets["datastore"], "datastore"),
        },
        "solr_url": host.services.solr,
        "redis_url": f"{redis}/0",
        "celery_url": f"{redis}/1",
        "smtp": {
            "server": host.services.mail,
            "starttls": str(host.services.mail_starttls).lower(),
            "mail_from": data["mail_from"],
            "mail_to": data["mail_to"],
        },
        "harvest_networks": " ".join(host.harvest_networks),
        "backups_kept": host.backup.keep,
    }


def portal_processes_of(host: Host) -> list[Process]:
    """The programs that this host runs."""
    return [process for process in portal_processes(place(host)) if process.name in host.processes]


def place(host: Host) -> Place:
    data = Path(host.paths.data)
    return Place(
        python=Path(host.paths.software) / "var" / "tools" / "venv" / "bin",
        ini=Path(host.paths.configuration) / "ckan.ini",
        home=data,
        metrics=data / "metrics",
        tmp=data / "tmp",
        schedule=data / "beat",
        port=host.web.port,
        gateway=host.gateway.port,
        web_workers=host.web.workers,
        web_threads=host.web.threads,
        worker_concurrency=host.worker.concurrency,
    )


def _write_units(host: Host, values: dict[str, Any], folder: Path) -> None:
    writable = [values["paths"]["data"]]
    for process in values["processes"]:
        more = {"process": process, "memory": host.memory[process.name], "writable": writable}
        (folder / f"ccphva-{process.name}.service").write_text(render("systemd/service.j2", values | more))
    where = place(host)
    environment = {"CKAN_INI": str(where.ini), "TMPDIR": str(where.tmp)}
    for name, at in (("backup", host.backup.at), ("doctor", DOCTOR_AT)):
        process = Process(
            name, f"{where.python}/ckan -c {where.ini} ccphva {name}", where.home, environment=environment
        )
        more = {
            "process": process,
            "memory": host.memory[name],
            "writable": [*writable, values["paths"]["backups"]],
            "at": at,
        }
        (folder / f"ccphva-{name}.service").write_text(render("systemd/oneshot.j2", values | more))
        (folder / f"ccphva-{name}.timer").write_text(render("systemd/timer.j2", values | more))
    (folder / "ccphva.target").write_text(render("systemd/target.j2", values))


def _secrets(out: Path) -> dict[str, str]:
    """Made once; a second call keeps them, so that running portals stay valid."""
    path = out / "secrets.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    if any(name not in kept for name in SECRETS):
        kept = {name: token_hex(24) for name in SECRETS} | kept
        out.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(kept, indent=1))
    return kept


def command(arguments: list[str]) -> None:
    """Write the files of the host that the first argument describes."""
    out = write(read(Path(arguments[0]) if arguments else DESCRIPTION))
    say(f"Written into {out}; docs/operator/exploitation.md says which file goes where")
