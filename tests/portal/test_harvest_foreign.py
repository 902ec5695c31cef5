"""Harvesters of other extensions on our workers: gather, fetch and import as ckanext-harvest calls them."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import pytest
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_harvest import tasks
from ckanext.harvest.interfaces import IHarvester
from ckanext.harvest.model import HarvestGatherError, HarvestJob, HarvestObject, HarvestObjectError
from harvesting import act, harvest, make_job, make_source


class Stranger(p.SingletonPlugin):
    """A harvester as others write them: one good record, one unchanged, one that breaks."""

    p.implements(IHarvester)

    def info(self) -> dict[str, str]:
        return {"name": "stranger", "title": "Stranger", "description": "Not of this house"}

    def gather_stage(self, job: HarvestJob) -> list[str]:
        if job.source.url.endswith("/broken"):
            raise ValueError("no list today")
        made = [HarvestObject(guid=guid, job=job) for guid in ("good", "same", "bad")]
        for entry in made:
            entry.save()
        return [entry.id for entry in made]

    def fetch_stage(self, entry: HarvestObject) -> bool | str:
        return "unchanged" if entry.guid == "same" else True

    def import_stage(self, entry: HarvestObject) -> bool:
        if entry.guid == "bad":
            raise ValueError("this one breaks")
        entry.package_id = factories.Dataset(owner_org=factories.Organization()["id"])["id"]
        entry.current = True
        entry.save()
        return True


pytestmark = pytest.mark.usefixtures(
    "with_plugins", "clean_db", "clean_index", "with_request_context", "stranger"
)


@pytest.fixture
def stranger(with_plugins: None, provide_plugin: Any) -> None:
    """The harvester beside the portal's own plugins; `with_plugins` unloads them all."""
    provide_plugin("stranger", Stranger)
    p.load("stranger")


def test_a_foreign_harvester_runs_on_our_workers() -> None:
    """Each of its records has its outcome in the register, and the job is finished when all are done."""
    source = make_source("http://x.example/list", source_type="stranger")
    job = harvest(source)
    assert job["status"] == "Finished"
    counts = {name: job["stats"][name] for name in ("added", "not modified", "errored")}
    assert counts == {"added": 1, "not modified": 1, "errored": 1}
    states = {entry.guid: entry.state for entry in HarvestObject.filter(harvest_job_id=job["id"])}
    assert states == {"good": "COMPLETE", "same": "COMPLETE", "bad": "ERROR"}
    assert "this one breaks" in model.Session.query(HarvestObjectError.message).scalar()


def test_a_foreign_harvester_that_cannot_gather() -> None:
    """Its error ends the job, with its words."""
    source = make_source("http://x.example/broken", source_type="stranger")
    job = harvest(source)
    assert (job["status"], job["stats"]["errored"]) == ("Finished", 1)
    assert "no list today" in model.Session.query(HarvestGatherError.message).scalar()


def test_a_foreign_run_that_was_killed_goes_on() -> None:
    """Objects that a dead worker left open are done by the next one; the others are not done again."""
    source = make_source("http://x.example/list", source_type="stranger")
    job_id = make_job(source)
    job: Any = HarvestJob.get(job_id)
    done = HarvestObject(guid="done", job=job, state="COMPLETE", report_status="added", current=True)
    open_ = HarvestObject(guid="good", job=job, state="IMPORT")
    for entry in (done, open_):
        entry.save()
    assert tasks.run_job(job_id) == "finished"
    job = act("harvest_job_show", id=job_id)
    assert (job["status"], job["stats"]["added"], job["stats"]["errored"]) == ("Finished", 2, 0)
    assert HarvestObject.filter(harvest_job_id=job_id).count() == 2
