"""Rows of harvested sources on the whole stack: through the API, on Celery's workers, into the DataStore."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ccphva_harvesters import Client
from ccphva_harvesters.sources.onem2m import OneM2MConfig, OneM2MSource, Receiver, Subscriptions
from ccphva_harvesters.sources.onem2m.client import SUBSCRIPTION
from harvesting import Site
from peers import acme
from test_harvest_celery import Portal, wait_for

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC)


def bins(*levels: float) -> str:
    rows = [
        {"id": n, "at": (NOW - timedelta(hours=5 - n)).isoformat(), "measure": {"level": level}}
        for n, level in enumerate(levels)
    ]
    return json.dumps({"data": rows})


def configuration(**rows: Any) -> str:
    columns = {
        "id": {"type": "integer"},
        "at": {"type": "timestamp"},
        "level": {"path": "measure.level", "type": "number", "unit": "%"},
    }
    return json.dumps(
        {
            "source": {
                "dataset": {"id": "bacs", "title": "Bacs à déchets"},
                "rows": {"records": "data", "columns": columns, "key": ["id"], **rows},
            }
        }
    )


@pytest.fixture
def portal(stack_url: str, stack_home: Path) -> Portal:
    return Portal(stack_url, stack_home)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


class Source:
    """A source on the stack and its one dataset."""

    def __init__(self, portal: Portal, kind: str, url: str, config: str) -> None:
        self.portal = portal
        self.made = portal.act(
            "harvest_source_create", name=f"source-{os.urandom(4).hex()}", title="Épreuve", url=url,
            source_type=kind, owner_org=portal.act("organization_list")[0], config=config,
        )  # fmt: skip

    def run(self) -> dict[str, Any]:
        """One whole job, by a worker of the stack."""
        job = self.portal.act("harvest_job_create", source_id=self.made["id"], run=True)

        def done() -> Any:
            shown = self.portal.act("harvest_job_show", id=job["id"])
            return shown if shown["status"] == "Finished" else None

        return wait_for(done, 90)

    def dataset(self) -> dict[str, Any]:
        """The one dataset of the source, once the index has it."""
        query = f"harvest_source_id:{self.made['id']}"

        def found() -> Any:
            return self.portal.act("package_search", fq=query, include_private=True)["results"]

        (dataset,) = wait_for(found, 10)
        return self.portal.act("package_show", id=dataset["id"])

    def rows(self) -> list[dict[str, Any]]:
        (resource,) = self.dataset()["resources"]
        return self.portal.act("datastore_search", resource_id=resource["id"], sort="_id")["records"]

    def remove(self) -> None:
        self.portal.act("harvest_source_clear", id=self.made["id"])
        self.portal.act("package_delete", id=self.made["id"])


def test_a_table_of_an_application(portal: Portal, site: Site) -> None:
    """Dataset and rows arrive; again, nothing is written; a changed row is the only one that is."""
    url = site.serve("/bacs", bins(10, 20, 30), "application/json")
    source = Source(portal, "ccphva_rest", url, configuration())
    try:
        job = source.run()
        assert job["run"]["counts"]["rows_accepted"] == 3, job
        (resource,) = source.dataset()["resources"]
        assert resource["datastore_active"] is True
        assert [(row["id"], row["level"]) for row in source.rows()] == [(0, 10), (1, 20), (2, 30)]
        before = source.dataset()["metadata_modified"]
        again = source.run()
        counts = again["run"]["counts"]
        assert (counts["unchanged"], counts["rows_unchanged"], counts.get("rows_accepted", 0)) == (1, 3, 0)
        assert source.dataset()["metadata_modified"] == before
        site.serve("/bacs", bins(10, 25, 30), "application/json")
        assert source.run()["run"]["counts"]["rows_accepted"] == 1
        assert [row["level"] for row in source.rows()] == [10, 25, 30]
        config = json.loads(configuration())
        config["source"]["dataset"]["title"] = "Bacs de tri"
        portal.act("harvest_source_patch", id=source.made["id"], config=json.dumps(config))
        source.run()
        assert source.dataset()["title"] == "Bacs de tri"
        assert source.dataset()["resources"][0]["datastore_active"] is True
        assert [row["level"] for row in source.rows()] == [10, 25, 30]
    finally:
        source.remove()


def test_a_table_that_grows_is_live(portal: Portal, site: Site) -> None:
    """Rows named by a series and their time are a feed; a bad row is told and costs itself only."""
    body = json.loads(bins(10, 20))
    body["data"].append({"id": 3, "at": "yesterday", "measure": {"level": 4}})
    url = site.serve("/bacs", json.dumps(body), "application/json")
    config = configuration(mode="append", key=["id", "at"], time="at", since="from")
    source = Source(portal, "ccphva_rest", url, config)
    try:
        job = source.run()
        counts = job["run"]["counts"]
        assert (counts["rows_accepted"], counts["rows_rejected"]) == (2, 1), job
        assert any("at: not a time" in error["message"] for error in job["gather_error_summary"])
        (resource,) = source.dataset()["resources"]
        feed = portal.act("ccphva_feed_show", resource_id=resource["id"])
        assert (feed["contract"]["key"], feed["contract"]["time"]) == (["id"], "at")
        assert source.dataset()["frequency"].endswith("/UPDATE_CONT")
        (mark,) = portal.act("ccphva_rows_marks", resource_id=resource["id"]).values()
        assert mark == (NOW - timedelta(hours=4)).isoformat()
        assert len(source.rows()) == 2
        assert source.run()["run"]["counts"].get("rows_accepted", 0) == 0
        assert any(path.startswith("/bacs?from=") for path in site.asked)
    finally:
        source.remove()


def test_rows_of_a_source_with_personal_data_stay_out(portal: Portal, site: Site) -> None:
    """The dataset comes, private; not one of its rows does, and the job says why."""
    url = site.serve("/bacs", bins(10), "application/json")
    config = json.dumps(json.loads(configuration()) | {"personal_data": "possible"})
    source = Source(portal, "ccphva_rest", url, config)
    try:
        job = source.run()
        assert job["run"]["counts"]["tables_failed"] == 1
        assert any("personal_data" in error["message"] for error in job["gather_error_summary"])
    finally:
        source.remove()


@pytest.mark.slow
def test_sensors_of_a_platform(portal: Portal, tmp_path: Path) -> None:
    """A real CSE: its sensors are a live feed, a second run writes nothing, what comes later is added, and a
    source that is cleared leaves no subscription behind, of its own only."""
    with acme.running(tmp_path) as cse, Client(allow_networks=["127.0.0.0/8"]) as client:
        path = cse.entity("dechets", "kind:bins")
        sensor = cse.container(path, "bac-1", "lat:49.48", "lon:5.92")
        for level in (10, 20, 30):
            cse.put(sensor, {"fillLevel": level})
        config = {
            "source": {
                "originator": "CAdmin",
                "labels": ["kind:bins"],
                "properties": {"fillLevel": {"unit": "%"}},
            },
            "steps": [{"set": {"fields": {"license_id": "etalab-2.0"}}}],
        }
        source = Source(portal, "ccphva_onem2m", cse.base, json.dumps(config))
        removed = False
        try:
            assert source.run()["run"]["counts"]["rows_accepted"] == 3
            (resource,) = source.dataset()["resources"]
            feed = portal.act("ccphva_feed_show", resource_id=resource["id"])
            assert feed["contract"]["key"] == ["source_id", "property"]
            rows = source.rows()
            assert [(row["value_num"], row["unit"]) for row in rows] == [(10, "%"), (20, "%"), (30, "%")]
            assert source.run()["run"]["counts"].get("rows_accepted", 0) == 0
            assert [row["_id"] for row in source.rows()] == [row["_id"] for row in rows]
            cse.put(sensor, {"fillLevel": 40})
            assert source.run()["run"]["counts"]["rows_accepted"] == 1
            assert [row["value_num"] for row in source.rows()] == [10, 20, 30, 40]

            ours = OneM2MConfig(url=cse.base, originator="CAdmin", labels=("kind:bins",))
            made = OneM2MSource(ours, client)
            described = [record.content for record in made.records()]
            things = made.things(described[0].tables[0].id)  # type: ignore[attr-defined]
            with Receiver(lambda _: []) as receiver:
                for key in (source.made["id"], "another"):
                    assert Subscriptions(made.cse, key, receiver.url).make(things) == {}

                def subscriptions() -> list[str]:
                    return made.cse.discover(made.cse.name, SUBSCRIPTION)

                assert len(subscriptions()) == 2
                source.remove()
                removed = True
                wait_for(lambda: len(subscriptions()) == 1, 20)
                assert subscriptions()[0].endswith(Subscriptions(made.cse, "another", "").name)
        finally:
            if not removed:
                source.remove()
