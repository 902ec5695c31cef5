"""`/metrics`: right numbers, no person, no dataset, for loopback only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories
from ckanext.ccphva import changelog, health, measures
from ckanext.ccphva.middleware import Envelope
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

pytestmark = pytest.mark.usefixtures("ckan_config", "clean_db")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def door() -> Client:
    """The portal's outermost layer around an application that finds nothing."""

    def nothing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("404 NOT FOUND", [])
        return [b""]

    envelope = Envelope(nothing)
    return Client(lambda environ, start: envelope({"REMOTE_ADDR": "127.0.0.1"} | environ, start))


def scrape(door: Client, **more: Any) -> Samples:
    answer = door.get("/metrics", **more)
    assert answer.status_code == 200
    return samples(answer.get_data(as_text=True))


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.mark.usefixtures("with_plugins", "clean_index")
def test_requests_are_counted_by_route_without_names(app: Any) -> None:
    """A request is one more of its route; neither datasets nor persons nor organisations appear."""
    organization = factories.Organization(name="very-secret-organisation")
    factories.User(name="somebody-private")
    factories.Dataset(name="very-secret-dataset", owner_org=organization["id"])
    labels = {"endpoint": "api.action", "method": "GET", "status": "200"}
    client = app.test_client()
    before = scrape(client)
    for page in ("/api/3/action/status_show", "/dataset/very-secret-dataset", "/user/somebody-private"):
        client.get(page).close()
    text = client.get("/metrics").get_data(as_text=True)
    after = samples(text)
    name = "ccphva_http_requests_total"
    assert value(after, name, **labels) == value(before, name, **labels) + 1
    name = "ccphva_http_request_seconds_count"
    assert value(after, name, endpoint="api.action") == value(before, name, endpoint="api.action") + 1
    assert value(after, name, endpoint="dataset.read") >= 1
    assert "very-secret" not in text
    assert "somebody-private" not in text


def test_addresses_that_do_not_exist_make_one_row(door: Client) -> None:
    """A scanner's thousand addresses and odd methods do not make a thousand rows."""
    for number in range(5):
        door.get(f"/nothing/{number}").close()
    door.open("/nothing/x", method="BREW").close()
    found = scrape(door)
    labels = {label for (_, pairs) in found for _, label in pairs}
    assert not any("nothing" in label for label in labels)
    assert "BREW" not in labels
    count = value(found, "ccphva_http_requests_total", endpoint="none", method="GET", status="404")
    assert count >= 5


def test_datasets_and_lag_are_told(door: Client) -> None:
    """What the catalogue holds and what a follower has not read."""
    changelog.register("test-metrics")
    with model.ensure_engine().begin() as connection:
        connection.execute(
            sa.text("INSERT INTO package (id, name, state, private) VALUES ('m', 'm', 'active', false)")
        )
    found = scrape(door)
    assert value(found, "ccphva_datasets", state="active", private="false") == 1
    assert value(found, "ccphva_follower_lag_rows", follower="test-metrics") > 0
    assert value(found, "ccphva_follower_lag_seconds", follower="test-metrics") >= 0


def test_parts_and_queues_are_told(door: Client) -> None:
    """The parts of `/health`, the queues of Celery and of CKAN, and that every source answered."""
    found = scrape(door)
    assert value(found, "ccphva_up", part="database") == 1
    for queue in ("harvest", "load", "render", "mail"):
        assert ("ccphva_queue_length", (("queue", queue),)) in found
    assert value(found, "ccphva_disk_free_bytes") > 0
    assert {v for (name, _), v in found.items() if name == "ccphva_metrics_failed"} == {0.0}


@pytest.mark.ckan_config("ckan.redis.url", "redis://127.0.0.1:9/0")
@pytest.mark.ckan_config("ccphva.celery.broker_url", "redis://127.0.0.1:9/1")
def test_a_dead_source_does_not_hide_the_others(door: Client) -> None:
    """Without Redis the queues are missing, and said to be; the rest is there."""
    health.board = health.Board()
    found = scrape(door)
    assert value(found, "ccphva_metrics_failed", source="queues") == 1
    assert value(found, "ccphva_up", part="queue") == 0
    assert ("ccphva_disk_free_bytes", ()) in found


def test_outcomes_of_harvests_are_told_when_there_are_any(door: Client) -> None:
    """The table of the plugin of harvests is summed by outcome; without it the rest still answers."""
    with model.ensure_engine().begin() as connection:
        present = sa.inspect(connection).has_table("ccphva_harvest_run")
        if present:
            connection.execute(
                sa.text(
                    "INSERT INTO ccphva_harvest_run "
                    "(job_id, source_id, attempt, queued, finished, request_id, counts, report, validators) "
                    "VALUES ('j', 's', 1, now(), now(), '', '{\"added\": 3, \"errored\": 1}', '{}', '{}')"
                )
            )
    found = scrape(door)
    if present:
        assert value(found, "ccphva_harvest_records_total", outcome="added") == 3
        assert value(found, "ccphva_harvest_records_total", outcome="errored") == 1
    assert value(found, "ccphva_metrics_failed", source="harvests") == 0


@pytest.mark.parametrize(
    ("headers", "peer", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 200),
        ({"X-Forwarded-For": "203.0.113.9"}, "127.0.0.1", 403),
        ({"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}, "127.0.0.1", 403),
        ({"X-Forwarded-For": "nonsense"}, "127.0.0.1", 403),
        ({}, "203.0.113.9", 403),
        ({}, "::1", 200),
    ],
)
def test_only_loopback_may_read(door: Client, headers: dict[str, str], peer: str, status: int) -> None:
    """Whoever comes from elsewhere, directly or through nginx, is refused."""
    answer = door.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == status


@pytest.mark.ckan_config("ccphva.metrics.networks", ["203.0.113.0/24", "127.0.0.0/8"])
def test_another_network_may_be_allowed(door: Client) -> None:
    """A monitoring host of the territory is named in the configuration."""
    headers = {"X-Forwarded-For": "203.0.113.9"}
    assert door.get("/metrics", headers=headers).status_code == 200


COUNTING = """
import os, sys
from prometheus_client import Counter, Gauge
Counter("tested", "x", ["route"]).labels("a").inc(float(sys.argv[1]))
Gauge("living", "x", multiprocess_mode="livesum").set(1)
print(os.getpid())
"""
READING = """
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry(); MultiProcessCollector(registry); print(generate_latest(registry).decode())
"""


def run(code: str, folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_counts_of_ended_workers_are_kept_in_one_file(tmp_path: Path) -> None:
    """Workers come and go: their counts add up, their files do not."""
    for number in (1, 2, 4):
        measures.fold(tmp_path, int(run(COUNTING, tmp_path, str(number))))
    found = samples(run(READING, tmp_path))
    assert value(found, "tested_total", route="a") == 7
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["counter_0.db"]


def test_files_of_a_killed_portal_are_folded_at_the_next_start(tmp_path: Path) -> None:
    """After kill -9 of everything, the next start keeps the counts and clears the folder."""
    for number in (3, 5):
        run(COUNTING, tmp_path, str(number))
    measures.fold_dead(tmp_path)
    assert value(samples(run(READING, tmp_path)), "tested_total", route="a") == 8
    assert [path.name for path in tmp_path.glob("*.db")] == ["counter_0.db"]
