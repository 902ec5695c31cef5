"""ckanext-harvest's register with our engine behind it: what we change of it and what we refuse."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import harvesting
import pytest
from ckan import model
from ckan.tests import factories, helpers
from ckanext.ccphva_harvest import schedule, settings, storage, tasks
from ckanext.ccphva_harvest.celery_app import app as celery
from ckanext.ccphva_harvest.logic import action, auth
from ckanext.ccphva_harvest.model import HarvestRecord, HarvestRun, now
from ckanext.harvest.interfaces import IHarvester
from ckanext.harvest.model import HarvestJob, HarvestObject, HarvestSource
from ckanext.harvest.queue import get_connection
from harvesting import Site, act, catalog, datasets, harvest, make_job, make_source

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index", "with_request_context")

CHANGED = {
    "harvest_send_job_to_gather_queue",
    "harvest_jobs_run",
    "harvest_job_abort",
    "harvest_job_show",
    "harvest_job_list",
    "harvest_source_show_status",
    "harvest_source_clear",
}
"""Design §7.1: these and nothing else."""


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def test_what_we_change_of_the_register() -> None:
    """Exactly the actions that the design names are chained, and one auth function; all else is our own."""
    own = p.get_plugin("ccphva_harvest")
    chained = {name for name, found in own.get_actions().items() if getattr(found, "chained_action", False)}
    assert chained == CHANGED | {"package_update"}
    assert {name for name in own.get_actions() if not name.startswith("ccphva_harvest_")} == chained
    rights = own.get_auth_functions()
    assert {name for name in rights if not name.startswith("ccphva_harvest_")} == {"harvest_object_show"}
    stock = p.get_plugin("harvest")
    assert set(stock.get_actions()) >= CHANGED
    assert "harvest_object_show" in stock.get_auth_functions()
    for module in (action, auth):
        assert all(
            inspect.getdoc(found) for name, found in vars(module).items() if name.startswith("harvest_")
        )


def test_our_functions_are_outermost() -> None:
    """What a client calls is ours first, so that nothing of stock runs before it."""
    order = tk.config["ckan.plugins"]
    order = order if isinstance(order, list) else order.split()
    assert order.index("ccphva_harvest") < order.index("harvest")
    assert tk.get_action("harvest_jobs_run").__wrapped__ is not None  # type: ignore[attr-defined]


def test_the_harvester_is_in_the_register() -> None:
    """The form of a source offers DCAT with a field for its configuration."""
    (info,) = [found for found in act("harvesters_info_show") if found["name"] == "ccphva_dcat"]
    assert info["show_config"] is True
    assert info["title"] == "DCAT"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ('{"source": {"page_size": 3}}', r"\$\.source\.page_size: unknown key"),
        ('{"source": {"max_pages": "many"}}', r"\$\.source\.max_pages"),
        ('{"format": {"langs": []}}', r"\$\.format\.langs: unknown key"),
        ('{"steps": ["nothing"]}', r"\$\.steps\[0\]"),
        ('{"every": "soon"}', r"\$\.every: expected whole minutes"),
        ('{"every": 0}', r"\$\.every: expected whole minutes"),
        ('{"owner_org": "x"}', r"\$\.owner_org: the organisation of the source decides"),
        ('{"colour": "red"}', r"\$\.colour: unknown key"),
        ('{"source": {"type": "csw"}}', r"\$\.source\.type"),
        ('{"source": []}', r"\$\.source: expected a mapping"),
        ("[1]", r"\$: expected a mapping"),
        ("a: [", r"\$: neither JSON nor YAML"),
        ('{"personal_data": "perhaps"}', r"\$\.personal_data"),
    ],
)
def test_wrong_configuration(config: str, path: str) -> None:
    """Whatever is unknown or wrong is refused with the path of the key."""
    harvester = next(
        found for found in p.PluginImplementations(IHarvester) if found.info()["name"] == "ccphva_dcat"
    )
    with pytest.raises(Exception, match=path):
        harvester.validate_config(config)


def test_wrong_configuration_through_the_action() -> None:
    """The form's error names the path, and no source is made."""
    with pytest.raises(tk.ValidationError) as caught:
        make_source("http://x.example/c", '{"source": {"page_size": 3}}')
    assert "$.source.page_size: unknown key" in str(caught.value.error_dict["config"])
    assert HarvestSource.filter(url="http://x.example/c").first() is None


def test_yaml_is_kept_as_json() -> None:
    """A configuration may be written as YAML; the register, which reads JSON only, gets JSON."""
    source = make_source("http://x.example/c", "every: 15\nsteps:\n  - licence: {default: etalab-2.0}\n")
    kept = HarvestSource.get(source["id"]).config
    assert json.loads(kept) == {"every": 15, "steps": [{"licence": {"default": "etalab-2.0"}}]}
    assert settings.minutes_of(kept) == 15


def test_another_address_in_the_configuration() -> None:
    """The source's address cannot be contradicted."""
    with pytest.raises(Exception, match=r"\$\.source\.url"):
        settings.parse("dcat", "dcat-ap", "http://a.example/", '{"source": {"url": "http://b.example/"}}')


# -- stock queues stay off -----------------------------------------------------------------------------------


def test_stock_queues_do_not_start(cli: Any) -> None:
    """`ckan harvester gather-consumer` and `fetch-consumer` refuse at once, and so do our stages."""
    from ckan.cli.cli import ckan

    assert tk.config["ckan.harvest.mq.type"] == "celery"
    with pytest.raises(Exception, match="not a valid queue type celery"):
        get_connection()
    for command in ("gather-consumer", "fetch-consumer"):
        result = cli.invoke(ckan, ["harvester", command])
        assert result.exit_code != 0
        assert "not a valid queue type" in str(result.exception)
    harvester = next(
        found for found in p.PluginImplementations(IHarvester) if found.info()["name"] == "ccphva_dcat"
    )
    for stage in (harvester.gather_stage, harvester.fetch_stage, harvester.import_stage):
        with pytest.raises(NotImplementedError, match="Celery"):
            stage(None)


# -- jobs ----------------------------------------------------------------------------------------------------


def test_a_job_goes_to_celery_with_its_request(site: Site) -> None:
    """Creating a job marks it as running and puts one task on the queue, with the request's id."""
    from ckanext.ccphva.shared import bind_request_id

    celery.control.purge()
    source = make_source(site.serve("/c", catalog(["a"])))
    with bind_request_id("request-of-this-test"):
        job = act("harvest_job_create", source_id=source["id"])
    assert act("harvest_job_show", id=job["id"])["status"] == "Running"
    with celery.connection_for_read() as connection, connection.SimpleQueue("harvest") as queue:
        message = queue.get(timeout=5)
        message.ack()
    assert message.headers["task"] == "ccphva_harvest.run_job"
    assert json.loads(message.headers["argsrepr"].replace("'", '"').replace("(", "[").replace(",)", "]")) == [
        job["id"]
    ]
    assert message.headers["ccphva_request_id"] == "request-of-this-test"
    assert model.Session.get(HarvestRun, job["id"]).request_id == "request-of-this-test"


def test_a_queue_that_does_not_answer_loses_no_job(site: Site, monkeypatch: Any) -> None:
    """With Redis away the job is taken all the same; the sweeper hands it over later."""
    source = make_source(site.serve("/c", catalog(["a"])))
    monkeypatch.setattr(celery.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(celery.amqp, "_producer_pool", None)
    celery.set_current()
    job = act("harvest_job_create", source_id=source["id"])
    assert act("harvest_job_show", id=job["id"])["status"] == "Running"
    assert storage.silent_jobs(-1) == [(job["id"], source["id"])]


def test_a_source_that_is_not_active(site: Site) -> None:
    """No job runs for a source that was deleted."""
    source = make_source(site.serve("/c", catalog(["a"])))
    job = HarvestJob(source_id=source["id"])
    job.save()
    act("package_delete", id=source["id"])
    with pytest.raises(tk.ValidationError):
        act("harvest_send_job_to_gather_queue", id=job.id)


def test_counts_of_unchanged_records_everywhere(site: Site) -> None:
    """Job, jobs and state of the source show the unchanged records, of which the register has no rows."""
    source = make_source(site.serve("/c", catalog(list("abc"))))
    harvest(source)
    job = harvest(source)
    assert HarvestObject.filter(harvest_job_id=job["id"]).count() == 0
    listed = act("harvest_job_list", source_id=source["id"])[0]
    status = act("harvest_source_show_status", id=source["id"])
    for shown in (job, listed, status["last_job"]):
        assert (shown["id"], shown["stats"]["not modified"]) == (job["id"], 3)
    assert status["total_datasets"] == 3
    assert all(entry.state != "WAITING" for entry in HarvestObject.filter(harvest_source_id=source["id"]))
    assert job["run"]["counts"] == {
        "added": 0, "updated": 0, "unchanged": 3, "deleted": 0, "skipped": 0, "failed": 0, "read": 3,
    }  # fmt: skip


def test_a_source_stays_whole_after_its_harvest(site: Site) -> None:
    """Type, frequency and configuration are still shown after a job and a clearing; stock loses them."""
    source = make_source(site.serve("/c", catalog(["a"])), '{"every": 15}', frequency="DAILY")
    harvest(source)
    for _ in range(2):
        shown = act("harvest_source_show", id=source["id"])
        assert (shown["source_type"], shown["frequency"]) == ("ccphva_dcat", "DAILY")
        assert json.loads(shown["config"]) == {"every": 15}
        assert shown["status"]["job_count"] == HarvestJob.filter(source_id=source["id"]).count()
        act("harvest_source_patch", id=source["id"], title="Autre titre")
        act("harvest_source_clear", id=source["id"])


def test_abort_wants_to_know_what() -> None:
    """Stock fails with an UnboundLocalError here."""
    with pytest.raises(tk.ValidationError):
        act("harvest_job_abort")


def test_clear(site: Site) -> None:
    """Clearing a source deletes all its datasets, also followed ones and those without history."""
    source = make_source(site.serve("/c", catalog(list("ab"))))
    job = harvest(source)
    user = factories.User()
    for dataset in datasets(source):
        helpers.call_action("follow_dataset", {"user": user["name"]}, id=dataset["id"])
    HarvestObject.filter(guid="http://x.example/d/b").delete()
    model.Session.commit()
    act("harvest_source_clear", id=source["id"])
    assert model.Session.query(model.Package).filter_by(type="dataset").count() == 0
    for table in (HarvestRecord, HarvestRun):
        assert model.Session.query(table).filter_by(source_id=source["id"]).count() == 0
    assert HarvestJob.get(job["id"]) is None
    assert harvesting.indexed() == {}
    assert harvest(source)["stats"]["added"] == 2


def test_clear_waits_for_the_end_of_a_job(site: Site) -> None:
    """A source whose job runs is not cleared under it."""
    source = make_source(site.serve("/c", catalog(["a"])))
    make_job(source)
    with pytest.raises(tk.ValidationError):
        act("harvest_source_clear", id=source["id"])


# -- times ---------------------------------------------------------------------------------------------------


def test_every_minutes_and_frequencies(site: Site) -> None:
    """A source's own minutes, or the register's frequency, start its jobs; nothing starts twice."""
    url = site.serve("/c", catalog(["a"]))
    often = make_source(url, '{"every": 10}')
    daily = make_source(url + "?daily", frequency="DAILY")
    manual = make_source(url + "?manual")
    act("harvest_jobs_run")
    jobs = {
        source["id"]: HarvestJob.filter(source_id=source["id"]).all() for source in (often, daily, manual)
    }
    assert [len(jobs[source["id"]]) for source in (often, daily, manual)] == [1, 1, 0]
    assert HarvestSource.get(daily["id"]).next_run > datetime.utcnow() + timedelta(hours=23)
    act("harvest_jobs_run")
    assert HarvestJob.filter(source_id=often["id"]).count() == 1
    (job,) = jobs[often["id"]]
    tasks.run_job(job.id)
    assert schedule.start_due({"user": harvesting.site_user(), "ignore_auth": True}) == []
    job = HarvestJob.get(job.id)
    job.created = now() - timedelta(minutes=11)
    job.save()
    assert schedule.start_due({"user": harvesting.site_user(), "ignore_auth": True}) == [often["id"]]
    celery.control.purge()


@pytest.mark.parametrize(
    ("frequency", "after", "expected"),
    [
        ("MANUAL", datetime(2026, 1, 31), None),
        ("ALWAYS", datetime(2026, 1, 31), datetime(2026, 1, 31, 0, 5)),
        ("DAILY", datetime(2026, 1, 31), datetime(2026, 2, 1)),
        ("WEEKLY", datetime(2026, 1, 31), datetime(2026, 2, 7)),
        ("BIWEEKLY", datetime(2026, 1, 31), datetime(2026, 2, 14)),
        ("MONTHLY", datetime(2026, 2, 1), datetime(2026, 3, 1)),
    ],
)
def test_next_run(frequency: str, after: datetime, expected: datetime | None) -> None:
    """Each of the register's frequencies means what its name says."""
    assert schedule.next_run(frequency, after) == expected


def test_the_sweeper_brings_silent_jobs_back(site: Site) -> None:
    """A running job without a sign of life is queued again, once; one that lives is left alone."""
    source = make_source(site.serve("/c", catalog(["a"])))
    job_id = make_job(source)
    tasks.sweep()
    assert celery.control.purge() == 0
    run = model.Session.get(HarvestRun, job_id)
    run.heartbeat = now() - timedelta(minutes=5)
    model.Session.commit()
    tasks.sweep()
    tasks.sweep()
    assert celery.control.purge() == 1
