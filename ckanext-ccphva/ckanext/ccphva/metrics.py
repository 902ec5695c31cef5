"""`/metrics`: what the portal does, as text for Prometheus. No person, no dataset and no address in any
label.

Requests are counted where they happen, in every process (prometheus_client's multiprocess mode when
PROMETHEUS_MULTIPROC_DIR is set). Queues, lags and outcomes are read when somebody asks.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckanext.ccphva import changelog, config, health, probes, pulse
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

CELERY_QUEUES = ("harvest", "load", "render", "mail")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests_total = Counter(
    "ccphva_http_requests", "Requests answered, by route and outcome.", ["endpoint", "method", "status"]
)
request_seconds = Histogram(
    "ccphva_http_request_seconds",
    "Time until the answer was sent, by route.",
    ["endpoint"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def observe(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request; a method that does not exist is counted as OTHER."""
    requests_total.labels(endpoint, method if method in METHODS else "OTHER", str(status)).inc()
    request_seconds.labels(endpoint).observe(seconds)


def allowed(environ: Mapping[str, str]) -> bool:
    """Whether the asker's address (the one that nginx saw, if it asked) may read metrics."""
    addresses = (
        environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if "HTTP_X_FORWARDED_FOR" in environ else []
    )
    networks = [ipaddress.ip_network(network) for network in config.metrics_networks()]
    try:
        hosts = [ipaddress.ip_address(a.strip()) for a in (*addresses, environ.get("REMOTE_ADDR", ""))]
    except ValueError:
        return False
    return all(any(host in network for network in networks) for host in hosts)


def text() -> bytes:
    """All measures in Prometheus' text format."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        ProcessCollector(registry=registry)
        shared = generate_latest(registry)
    else:
        shared = generate_latest(REGISTRY)
    asked = CollectorRegistry()
    asked.register(Portal())
    return shared + generate_latest(asked)


class Portal(Collector):
    """What is read when somebody asks; a source that does not answer is left out and said so."""

    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily(
            "ccphva_metrics_failed", "Sources that could not be read.", labels=["source"]
        )
        for source in SOURCES:
            try:
                found = list(source())
            # The outermost line of the loop: no source may hide the others.
            except Exception:
                log.info("A source of /metrics does not answer", extra={"source": source.__name__})
                failed.add_metric([source.__name__], 1)
            else:
                failed.add_metric([source.__name__], 0)
                yield from found
        yield failed


def parts() -> Iterable[Metric]:
    up = GaugeMetricFamily("ccphva_up", "Parts of the portal: 1 is up, 0 is down.", labels=["part"])
    for name, state in health.board.look().items():
        up.add_metric([name], float(state.up))
    yield up


def queues() -> Iterable[Metric]:
    length = GaugeMetricFamily("ccphva_queue_length", "Tasks that wait, by queue.", labels=["queue"])
    if config.broker_url():
        broker = pulse.connect(config.broker_url())
        for queue in CELERY_QUEUES:
            length.add_metric([queue], broker.llen(queue))
        length.add_metric(["at-work"], broker.hlen("unacked"))
    prefix = f"ckan:{tk.config['ckan.site_id']}:"
    client = probes.redis_connection()
    for key in client.smembers("rq:queues"):
        name = str(key).removeprefix("rq:queue:")
        if name.startswith(prefix):
            length.add_metric([f"ckan-{name.removeprefix(prefix)}"], client.llen(key))
    yield length


def change_log() -> Iterable[Metric]:
    rows = GaugeMetricFamily("ccphva_follower_lag_rows", "Changes not read yet.", labels=["follower"])
    seconds = GaugeMetricFamily(
        "ccphva_follower_lag_seconds", "Age of the oldest change not read yet.", labels=["follower"]
    )
    for lag in changelog.lags():
        rows.add_metric([lag.follower], lag.rows)
        seconds.add_metric([lag.follower], lag.seconds)
    yield rows
    yield seconds


def datasets() -> Iterable[Metric]:
    count = GaugeMetricFamily(
        "ccphva_datasets", "Datasets, by state and visibility.", labels=["state", "private"]
    )
    query = "SELECT coalesce(state, ''), coalesce(private, false), count(*) FROM package GROUP BY 1, 2"
    for state, private, number in _rows(query):
        count.add_metric([state, str(private).lower()], number)
    yield count


def harvests() -> Iterable[Metric]:
    """Outcomes that the plugin of harvests noted; nothing when its table is not there."""
    if not _rows("SELECT 1 FROM pg_tables WHERE tablename = 'ccphva_harvest_run'"):
        return
    outcomes = CounterMetricFamily(
        "ccphva_harvest_records", "Records harvested, by outcome.", labels=["outcome"]
    )
    query = (
        "SELECT key, sum(value::text::numeric) FROM ccphva_harvest_run, jsonb_each(counts) "
        "WHERE jsonb_typeof(value) = 'number' GROUP BY key ORDER BY key"
    )
    for outcome, number in _rows(query):
        outcomes.add_metric([outcome], float(number))
    yield outcomes
    runs = GaugeMetricFamily("ccphva_harvest_runs", "Harvests, by state.", labels=["state"])
    query = (
        "SELECT CASE WHEN finished IS NOT NULL THEN 'finished' WHEN started IS NOT NULL THEN 'running' "
        "ELSE 'waiting' END, count(*) FROM ccphva_harvest_run GROUP BY 1"
    )
    for state, number in _rows(query):
        runs.add_metric([state], number)
    yield runs


def disk() -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "ccphva_disk_free_bytes", "Free where uploaded files lie.", value=probes.free_bytes()
    )


def _rows(query: str) -> list[tuple]:
    with model.ensure_engine().connect() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = '2s'"))
        return [tuple(row) for row in connection.execute(sa.text(query))]


SOURCES: tuple[Callable[[], Iterable[Metric]], ...] = (
    parts,
    queues,
    change_log,
    datasets,
    harvests,
    disk,
)
