"""Renders every configuration file of an instance from the templates that production uses too."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from local.settings import CSE, DEPLOYMENT, POSTGRES_BIN, TOOLS, UNITS, VENV, Instance, write_private

PLUGINS = (
    "ccphva ccphva_harvest ccphva_dcat ccphva_csw ccphva_ckan ccphva_ogcapi_records ccphva_ogcapi_features "
    "ccphva_wfs ccphva_onem2m ccphva_rest ccphva_folder harvest dcat dcat_json_interface structured_data "
    "spatial_metadata spatial_query scheming_datasets scheming_organizations scheming_groups activity "
    "image_view text_view datatables_view datastore ccphva_datastore"
)


@dataclass(frozen=True)
class Process:
    """A program that runs all the time, for supervisor and for systemd alike.

    :param base: what the others need (database, queue, search), started first.
    :param group: a stop goes to the whole process group.
    """

    name: str
    command: str
    directory: Path
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    base: bool = False
    stop_signal: str = "TERM"
    stop_seconds: int = 15
    group: bool = False


@dataclass(frozen=True)
class Place:
    """Where the portal's own programs work: what differs between a local run and production.

    :param python: folder of the environment's programs.
    :param home: folder that they start in and may write to.
    """

    python: Path
    ini: Path
    home: Path
    metrics: Path
    tmp: Path
    schedule: Path
    port: int
    gateway: int
    web_workers: int = 2
    web_threads: int = 4
    worker_concurrency: int = 2


def portal_processes(place: Place) -> list[Process]:
    """The portal's own programs, the same in a local run and in production."""
    with_ckan = {
        "CKAN_INI": str(place.ini),
        "PROMETHEUS_MULTIPROC_DIR": str(place.metrics),
        "TMPDIR": str(place.tmp),
    }
    python, home = place.python, place.home
    celery = f"{python}/celery -A ckanext.ccphva_harvest.celery_app"
    return [
        Process(
            "web",
            # With --reuse-port a new master need not wait for the last worker of a killed one.
            f"{python}/gunicorn --bind 127.0.0.1:{place.port} --reuse-port --no-control-socket "
            f"--workers {place.web_workers} --threads {place.web_threads} --timeout 120 "
            f"--graceful-timeout 10 --max-requests 5000 --max-requests-jitter 500 "
            f"--config python:ckanext.ccphva.gunicorn ckanext.ccphva.wsgi:application",
            home,
            environment=with_ckan,
        ),
        Process(
            "worker",
            f"{celery} worker --loglevel INFO --concurrency {place.worker_concurrency} "
            "--queues harvest,load,render,mail",
            home,
            environment=with_ckan,
            stop_seconds=30,
        ),
        Process(
            "beat",
            f"{celery} beat --loglevel WARNING --schedule {place.schedule} --pidfile=",
            home,
            environment=with_ckan,
        ),
        Process(
            "gateway",
            f"{python}/python -m ckanext.ccphva_datastore.gateway --port {place.gateway}",
            home,
            environment=with_ckan,
        ),
        Process("jobs", f"{python}/ckan -c {place.ini} ccphva work", home, environment=with_ckan),
        Process(
            "loads",
            f"{python}/ckan -c {place.ini} ccphva work load",
            home,
            environment=with_ckan,
            stop_seconds=30,
        ),
        Process("follower", f"{python}/ckan -c {place.ini} ccphva follow", home, environment=with_ckan),
    ]


def processes(instance: Instance) -> list[Process]:
    """All programs of a local instance, in the order in which they start."""
    paths, ports, home = instance.paths, instance.ports, instance.home
    python = VENV / "bin"
    place = Place(
        python=python,
        ini=instance.ini(),
        home=home,
        metrics=paths["metrics"],
        tmp=paths["tmp"],
        schedule=paths["run"] / "beat",
        port=ports["gunicorn"],
        gateway=ports["gateway"],
    )
    return [
        Process(
            "postgres",
            f"{POSTGRES_BIN}/postgres -D {paths['postgres'].resolve()}",
            Path("/"),
            user="postgres" if instance.is_root else "",
            base=True,
            stop_signal="INT",
        ),
        Process("redis", f"/usr/bin/redis-server {home}/redis.conf", paths["redis"], base=True),
        Process(
            "solr",
            "/usr/bin/java -Xms128m -Xmx512m -XX:+UseSerialGC -Dlog4j2.level=WARN "
            f"-Dsolr.jetty.host=127.0.0.1 -cp {TOOLS}/solr/* "
            f"{DEPLOYMENT}/solr/Launcher.java {paths['solr']} {ports['solr']}",
            paths["solr"],
            base=True,
        ),
        Process(
            "mail",
            f"{python}/python -m aiosmtpd -n -l 127.0.0.1:{ports['mail']} "
            f"-c aiosmtpd.handlers.Mailbox {paths['mail']}",
            home,
            base=True,
        ),
        *portal_processes(place),
        Process(
            "nginx",
            f"/usr/sbin/nginx -e stderr -p {paths['nginx']} -c {home}/nginx.conf",
            home,
            stop_signal="QUIT",
        ),
        *_sensors(instance),
    ]


def _sensors(instance: Instance) -> list[Process]:
    """The demonstration's platform and its invented sensors."""
    if instance.sensors is None:
        return []
    cse, port = instance.paths["cse"], instance.ports["cse"]
    return [
        Process(
            "cse",
            f"{CSE} -dir {cse} --config acme.ini --headless --db-type memory",
            cse,
            group=True,
        ),
        Process(
            "simulator",
            f"{VENV}/bin/python -m local.simulator http://127.0.0.1:{port}/cse-in {instance.sensors} "
            "--past 48 --every 10 --wait 60",
            instance.home,
            environment={
                "PYTHONPATH": str(DEPLOYMENT),
                "CCPHVA_PULSE_URL": instance.redis_url(0),
                "CCPHVA_PULSE_SITE": instance.territory_name,
            },
        ),
    ]


def context(instance: Instance, unit: str = "") -> dict[str, Any]:
    """What the templates may use; `unit` points to databases that tests may empty."""
    suffix = f"_{unit}" if unit else ""
    number = 5 + 2 * UNITS.index(unit) if unit else 0
    return {
        "local": True,
        "root": instance.is_root,
        "throwaway": instance.throwaway,
        "unit": unit,
        "paths": instance.paths | ({"files": instance.folder(f"{unit}-files")} if unit else {}),
        "ports": instance.ports,
        "secrets": instance.secrets,
        "territory": instance.territory,
        "processes": processes(instance),
        "plugins": PLUGINS,
        "site_id": unit or instance.territory_name,
        "site_url": instance.site_url,
        "base_uri": instance.territory["base_uri"],
        "server_name": "_",
        "database": {
            "ckan": instance.database_url("ckan", f"ckan{suffix}"),
            "datastore_write": instance.database_url("ckan", f"datastore{suffix}"),
            "datastore_read": instance.database_url("datastore_read", f"datastore{suffix}"),
        },
        "solr_url": f"http://127.0.0.1:{instance.ports['solr']}/solr/{unit or 'ckan'}",
        "redis_url": instance.redis_url(number),
        "celery_url": instance.redis_url(number + 1),
        "smtp": {
            "server": f"127.0.0.1:{instance.ports['mail']}",
            "starttls": "false",
            "mail_from": instance.territory["mail_from"],
            "mail_to": instance.territory["mail_to"],
        },
        "cse_url": f"http://127.0.0.1:{instance.ports['cse']}/cse-in" if instance.sensors else "",
        "harvest_networks": "127.0.0.0/8",
        "backups_kept": 3,
    }


def render(template: str, values: dict[str, Any]) -> str:
    loader = jinja2.FileSystemLoader(DEPLOYMENT / "templates")
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html.j2"]),
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


FILES = {
    "ckan.ini.j2": "ckan.ini",
    "supervisord.conf.j2": "supervisord.conf",
    "nginx.conf.j2": "nginx.conf",
    "redis.conf.j2": "redis.conf",
    "acme.ini.j2": "cse/acme.ini",
}


def changed(instance: Instance) -> bool:
    """Whether a running instance was started with another configuration than the one that holds now."""
    values = context(instance)
    written = [*map(instance.ini, UNITS), *(instance.home / name for name in FILES.values())]
    return not all(path.exists() for path in written) or any(
        (instance.home / name).read_text() != render(template, values) for template, name in FILES.items()
    )


def write(instance: Instance) -> None:
    """Write all configuration files of the instance; those with secrets are readable by their owner only."""
    values = context(instance)
    for template, name in FILES.items():
        write_private(instance.home / name, render(template, values))
    for unit in UNITS:
        write_private(instance.ini(unit), render("ckan.ini.j2", context(instance, unit)))
    for folder in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        (instance.paths["nginx"] / folder).mkdir(exist_ok=True)
    (instance.paths["nginx"] / "resting.html").write_text(render("resting.html.j2", values))
