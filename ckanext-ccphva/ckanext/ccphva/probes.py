"""One look at each service that the portal needs: does it answer, and since when. SQL stands here, pages
do not.

A probe returns the time since when the service runs, if it can tell, and raises when it does not answer.
It opens a connection of its own: a full pool or a dead one must not hide the truth.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
import psycopg2
import redis
import requests
from celery import Celery
from ckanext.ccphva import config, pulse

Probe = Callable[[], float | None]
"""Returns the POSIX time since when the service runs, None when it cannot tell."""

SECONDS = 1.5
SIMULATOR = "simulator"


class Absent(Exception):  # noqa: N818
    """The service answers, but what should run there does not."""


def probes() -> dict[str, Probe]:
    """The parts that this portal has, by the name that `/health` gives them."""
    found: dict[str, Probe] = {
        "database": lambda: _postgres(tk.config["sqlalchemy.url"]),
        "search": _search,
        "queue": _queue,
        "jobs": lambda: _jobs("default"),
        "follower": lambda: _pulse("follower"),
        "disk": _disk,
    }
    if tk.config.get("ckan.datastore.write_url"):
        found["datastore"] = _datastore
    if "ccphva_datastore" in tk.config["ckan.plugins"]:
        found["loads"] = lambda: _jobs("load")
    if config.broker_url():
        found["workers"] = _workers
    if tk.config.get("smtp.server"):
        found["mail"] = _mail
    if config.demo_platform():
        found |= {"platform": _platform, SIMULATOR: lambda: _pulse(SIMULATOR)}
    return found


def _postgres(url: str) -> float:
    connection = psycopg2.connect(url, connect_timeout=2, options="-c statement_timeout=1500")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM pg_postmaster_start_time())")
            return float(cursor.fetchone()[0])  # type: ignore[index]
    finally:
        connection.close()


def _datastore() -> float:
    return max(_postgres(tk.config[f"ckan.datastore.{role}_url"]) for role in ("write", "read"))


def _search() -> None:
    auth = (tk.config.get("solr_user") or "", tk.config.get("solr_password") or "")
    address = f"{tk.config['solr_url'].rstrip('/')}/admin/ping"
    requests.get(address, timeout=SECONDS, auth=auth if auth[0] else None).raise_for_status()


def redis_connection() -> pulse.Connection:
    return pulse.connect(tk.config["ckan.redis.url"], SECONDS)


def _queue() -> float:
    seconds: Any = redis_connection().info("server")["uptime_in_seconds"]
    return time.time() - float(seconds)


def _workers() -> None:
    options = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "max_retries": 0}
    app = Celery("health", broker=config.broker_url(), broker_transport_options=options, set_as_current=False)
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=SECONDS)
        if not app.control.broadcast("ping", reply=True, timeout=1.0, limit=1, connection=connection):
            raise Absent


def _jobs(queue: str) -> float:
    """A worker of one of CKAN's own queues (RQ) that serves this site."""
    client, wanted, began = redis_connection(), f"ckan:{tk.config['ckan.site_id']}:{queue}", 0.0
    for key in client.smembers("rq:workers"):
        worker = client.hgetall(key)
        if not worker or "death" in worker or wanted not in worker.get("queues", "").split(","):
            continue
        if pulse.may_live(worker.get("hostname", ""), int(worker.get("pid", 0))):
            began = max(began, datetime.fromisoformat(worker["birth"]).timestamp())
    if not began:
        raise Absent
    return began


def _pulse(name: str) -> float:
    living = pulse.life(name, redis_connection(), tk.config["ckan.site_id"])
    if not living.count:
        raise Absent
    return living.began


def pulses() -> dict[str, Probe]:
    """Further processes that have a pulse, such as Celery's beat; empty when Redis cannot tell."""
    try:
        names = pulse.known(redis_connection(), tk.config["ckan.site_id"])
    except redis.RedisError:
        return {}
    # A portal that was a demonstration once does not miss its sensors.
    return {name: lambda name=name: _pulse(name) for name in sorted(set(names) - {SIMULATOR})}


def _platform() -> None:
    """The demonstration's oneM2M platform."""
    headers = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": "health", "X-M2M-RVI": "4"}
    requests.get(config.demo_platform(), headers=headers, timeout=SECONDS).raise_for_status()


def _mail() -> None:
    host, _, port = tk.config["smtp.server"].partition(":")
    with socket.create_connection((host, int(port or 25)), timeout=SECONDS) as connection:
        if not connection.recv(64).startswith(b"220"):
            raise Absent


def free_bytes() -> int:
    return shutil.disk_usage(tk.config["ckan.storage_path"]).free


def _disk() -> None:
    if free_bytes() < config.least_free_bytes():
        raise Absent
