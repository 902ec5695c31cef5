"""A harvest on real PostgreSQL, Solr and Redis: what comes in, what stays, what goes, and what survives."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import harvesting
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib.search import clear
from ckan.tests import factories
from ckanext.ccphva_harvest import engine, storage, tasks
from ckanext.ccphva_harvest.model import HarvestRecord, HarvestRun, now
from ckanext.harvest.model import HarvestJob, HarvestObject
from harvesting import Site, act, catalog, datasets, harvest, indexed, make_job, make_source, package_writes

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index", "with_request_context")
FACTS = harvesting.facts()
SERIES_THAT_ARE_DATASETS = {"fr-udata-series.rdf": 1}
"""Series that are also typed dcat:Dataset: FACTS.tsv counts them twice, a catalogue has them once."""

SERVICES = {
    "es-dcat-ap-es-catalog-hvd.ttl": 1,
    "fr-datagouv-udata-catalog.rdf": 1,
    "fr-udata-bnodes.rdf": 1,
    "hvd-example-ms-catalogue-hvd.ttl": 1,
    "hvd-example-service-sla.ttl": 1,
}
"""Services with an address that no distribution names: FACTS.tsv counts the others, too."""


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def stats(job: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Added, updated, not modified, deleted, errored."""
    counts = job["stats"]
    return tuple(counts[name] for name in ("added", "updated", "not modified", "deleted", "errored"))  # type: ignore[return-value]


# -- what comes in -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_third_party_documents(site: Site) -> None:
    """Datasets and files of every real document arrive and are found; again, nothing is written."""
    expected: dict[str, Any] = {}
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    for fact in FACTS:
        if not fact.parses or "hydra-paged" in fact.path.name:
            continue
        name = fact.path.name
        url = site.serve(
            f"/{name}", fact.path.read_bytes(), harvesting.MEDIA.get(fact.path.suffix, "application/json")
        )
        source = make_source(url, json.dumps({"source": {"base": "http://data.test.org/catalog"}}))
        number = fact.datasets + fact.series + SERVICES.get(name, 0)
        number -= SERIES_THAT_ARE_DATASETS.get(name, 0)
        expected[name] = ((number, 0, 0, 0, 0), number, number, fact.distributions, [], [])
        job, found = harvest(source), datasets(source)
        files = sum(len(dataset["resources"]) for dataset in found)
        errors = [job["object_error_summary"], job["gather_error_summary"]]
        first[name] = (stats(job), len(found), len(indexed(source)), files, *errors)
        before = indexed(source)
        with package_writes() as writes:
            again = harvest(source)
        touched = [title for title, version in indexed(source).items() if before.get(title) != version]
        second[name] = (stats(again), writes, touched)
    assert first == expected
    assert second == {name: ((0, 0, facts[1], 0, 0), [], []) for name, facts in expected.items()}


def test_broken_documents(site: Site) -> None:
    """A document that cannot be read ends its job with one error that says why, and keeps what is there."""
    for fact in [fact for fact in FACTS if not fact.parses]:
        source = make_source(site.serve(f"/{fact.path.name}", catalog(["a"])))
        harvest(source)
        site.serve(f"/{fact.path.name}", fact.path.read_bytes(), fact.media_type)
        job = harvest(source)
        assert stats(job) == (0, 0, 0, 0, 1), fact.path.name
        assert len(job["gather_error_summary"][0]["message"]) > 40
        assert len(datasets(source)) == 1


def test_fields_licence_and_visibility(site: Site) -> None:
    """Title, address, organisation, licence and visibility stand where people and clients look for them."""
    organization = factories.Organization()
    source = make_source(site.serve("/c", catalog({"a": "Bornes à verre"})), owner_org=organization["id"])
    harvest(source)
    (dataset,) = datasets(source)
    assert (dataset["title"], dataset["private"], dataset["owner_org"]) == (
        "Bornes à verre",
        False,
        organization["id"],
    )
    assert dataset["name"] == "bornes-a-verre"
    assert dataset["license_id"] == "etalab-2.0"
    assert dataset["visibility"] == "open"
    assert dataset["resources"][0]["url"] == "http://x.example/f/a.csv"


def test_unknown_licence_is_kept_and_flagged(site: Site) -> None:
    """A licence that nobody knows is kept as it is named, and the register's record says so."""
    document = catalog(["a"]).replace(
        "https://www.etalab.gouv.fr/licence-ouverte-open-licence", "https://x.example/own"
    )
    source = make_source(site.serve("/c", document))
    harvest(source)
    (dataset,) = datasets(source)
    assert dataset["license"] == "https://x.example/own"
    assert dataset.get("license_id") not in {"etalab-2.0", "cc-by-4.0"}
    entry = HarvestObject.filter(package_id=dataset["id"]).one()
    assert ["licence-unknown", "https://x.example/own"] in [
        [problem["code"], problem["message"]] for problem in json.loads(entry.content)["problems"]
    ]


def test_markup_in_texts(site: Site) -> None:
    """HTML of another catalogue becomes text and Markdown links, and costs no dataset."""
    html = "<p>Un <b>jeu</b></p><script>x()</script><a href='https://x.example/'>ici</a>"
    more = f'<http://x.example/d/a> dct:description "{html}"@fr .'
    source = make_source(site.serve("/c", catalog({"a": "Eau <em>potable</em>"}, more)))
    assert stats(harvest(source)) == (1, 0, 0, 0, 0)
    (dataset,) = datasets(source)
    assert dataset["title"] == "Eau potable"
    assert "Un jeu" in dataset["notes"]
    assert "[ici](https://x.example/)" in dataset["notes"]
    assert "x()" not in dataset["notes"]


def test_sources_that_may_hold_personal_data_stay_private(site: Site) -> None:
    """A source that declares personal data brings private datasets, whatever publication it asks for."""
    config = json.dumps({"personal_data": "possible", "publication": "published"})
    source = make_source(site.serve("/c", catalog(["a"])), config)
    harvest(source)
    assert [dataset["private"] for dataset in datasets(source)] == [True]


# -- what changes, what goes ---------------------------------------------------------------------------------


def test_a_changed_record_is_the_only_one_written(site: Site) -> None:
    """One changed title is one update that keeps id, page address and resources; the others stay."""
    url = site.serve("/c", catalog(list("abcde")))
    source = make_source(url)
    harvest(source)
    before, index = {d["uri"]: d for d in datasets(source)}, indexed()
    site.serve("/c", catalog({key: "Tout autre titre" if key == "c" else f"Jeu {key}" for key in "abcde"}))
    assert stats(harvest(source)) == (0, 1, 4, 0, 0)
    after = {d["uri"]: d for d in datasets(source)}
    changed = [uri for uri in after if after[uri]["metadata_modified"] != before[uri]["metadata_modified"]]
    assert changed == ["http://x.example/d/c"]
    old, new = before[changed[0]], after[changed[0]]
    assert (new["id"], new["name"], new["title"]) == (old["id"], old["name"], "Tout autre titre")
    assert [r["id"] for r in new["resources"]] == [r["id"] for r in old["resources"]]
    assert {name for name in index if indexed()[name] != index[name]} == {new["name"]}


def test_a_removed_record_is_withdrawn_and_comes_back(site: Site) -> None:
    """A record that is gone is deleted, can be restored, and is the same dataset when it comes back."""
    url = site.serve("/c", catalog(list("abcdefgh")))
    source = make_source(url)
    harvest(source)
    everything = {d["uri"]: d["id"] for d in datasets(source)}
    site.serve("/c", catalog(list("abcdefg")))
    assert stats(harvest(source)) == (0, 0, 7, 1, 0)
    (gone,) = datasets(source, "deleted")
    assert gone["uri"] == "http://x.example/d/h"
    assert len(indexed()) == 7
    act("package_patch", id=gone["id"], state="active")
    assert len(datasets(source)) == 8
    assert stats(harvest(source)) == (0, 0, 7, 0, 0)  # restored by hand: it stays
    site.serve("/c", catalog(list("abcdefgh")))
    assert stats(harvest(source)) == (1, 0, 7, 0, 0)
    assert {d["uri"]: d["id"] for d in datasets(source)} == everything


def test_an_empty_catalogue_withdraws_nothing(site: Site) -> None:
    """A source that suddenly has nothing costs no dataset, and the job says so."""
    source = make_source(site.serve("/c", catalog(list("abc"))))
    harvest(source)
    site.serve("/c", catalog([]))
    job = harvest(source)
    assert job["stats"]["deleted"] == 0
    assert len(datasets(source)) == 3 == len(indexed())
    assert "3 datasets are here" in job["gather_error_summary"][0]["message"]


def test_an_empty_catalogue_may_be_allowed(site: Site) -> None:
    """The source's own guards decide: allow_empty empties it."""
    source = make_source(
        site.serve("/c", catalog(list("abc"))), json.dumps({"guards": {"allow_empty": True}})
    )
    harvest(source)
    site.serve("/c", catalog([]))
    assert stats(harvest(source)) == (0, 0, 0, 3, 0)
    assert datasets(source) == []


def test_a_dataset_deleted_by_hand_stays_deleted(site: Site) -> None:
    """What a person deleted does not come back with the next change of its record."""
    source = make_source(site.serve("/c", catalog(list("ab"))))
    harvest(source)
    victim = next(d for d in datasets(source) if d["uri"].endswith("/a"))
    act("package_delete", id=victim["id"])
    site.serve("/c", catalog({"a": "Autre", "b": "Jeu b"}))
    assert stats(harvest(source)) == (0, 0, 1, 0, 0)
    assert [d["id"] for d in datasets(source, "deleted")] == [victim["id"]]


def test_a_purged_dataset_comes_back(site: Site) -> None:
    """A dataset whose row is gone is not known any more: the next run brings it in again."""
    source = make_source(site.serve("/c", catalog(list("ab"))))
    harvest(source)
    victim = datasets(source)[0]
    model.Session.execute(sa.text("DELETE FROM harvest_object WHERE package_id = :id"), {"id": victim["id"]})
    model.Session.commit()
    act("dataset_purge", id=victim["id"])
    assert stats(harvest(source)) == (1, 0, 1, 0, 0)
    assert len(datasets(source)) == 2


def test_agents_themes_stay(site: Site) -> None:
    """A dataset that an agent put into a group is still in it after an update from its source."""
    source = make_source(site.serve("/c", catalog(["a"])))
    harvest(source)
    (dataset,) = datasets(source)
    group = factories.Group(user=factories.Sysadmin())
    act("member_create", id=group["id"], object=dataset["id"], object_type="package", capacity="public")
    site.serve("/c", catalog({"a": "Autre titre"}))
    assert stats(harvest(source)) == (0, 1, 0, 0, 0)
    assert [g["id"] for g in datasets(source)[0]["groups"]] == [group["id"]]


# -- bad records ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_poisoned_record_costs_itself_only(site: Site) -> None:
    """One record that the catalogue refuses among fifty: 49 are in, one error names it and says why."""
    more = "<http://x.example/r/p7> dcat:downloadURL <javascript:alert(1)> ."
    source = make_source(site.serve("/c", catalog([f"p{number}" for number in range(50)], more)))
    job = harvest(source)
    assert stats(job) == (49, 0, 0, 0, 1)
    assert len(datasets(source)) == 49 == len(indexed())
    report = act("harvest_job_report", id=job["id"])
    (error,) = report["object_errors"].values()
    assert error["guid"] == "http://x.example/d/p7"
    assert "javascript" in error["errors"][0]["message"]
    rest = model.Session.execute(
        sa.text("SELECT count(*) FROM resource WHERE url LIKE 'javascript%'")
    ).scalar()
    assert rest == 0
    job = harvest(source)
    assert stats(job) == (0, 0, 49, 0, 1)  # tried again, and its page is not withdrawn


def test_a_failed_update_keeps_the_former_dataset(site: Site) -> None:
    """A record that became unusable leaves the last good version in place."""
    source = make_source(site.serve("/c", catalog(list("ab"))))
    harvest(source)
    more = "<http://x.example/r/a> dcat:downloadURL <javascript:alert(1)> ."
    site.serve("/c", catalog({"a": "Empoisonné", "b": "Jeu b"}, more))
    assert stats(harvest(source)) == (0, 0, 1, 0, 1)
    assert sorted(d["title"] for d in datasets(source)) == ["Jeu a", "Jeu b"]


# -- one at a time, aborted, interrupted ---------------------------------------------------------------------


def test_two_runs_of_one_source(site: Site, app: Any) -> None:
    """While one worker harvests a source, a second one leaves it alone; nothing is doubled."""
    arrived, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        arrived.set()
        go_on.wait(20)

    site.before_answer = hold
    source = make_source(site.serve("/c", catalog(list("abc"))))
    job_id = make_job(source)
    results: list[str] = []

    def worker() -> None:
        with app.flask_app.test_request_context():
            results.append(tasks.run_job(job_id))
            model.Session.remove()

    first = threading.Thread(target=worker)
    first.start()
    assert arrived.wait(20)
    assert tasks.run_job(job_id) == "busy"
    go_on.set()
    first.join(60)
    assert results == ["finished"]
    model.Session.remove()
    assert stats(act("harvest_job_show", id=job_id)) == (3, 0, 0, 0, 0)
    assert len(datasets(source)) == 3
    assert site.asked == ["/c"]


def test_abort(site: Site, app: Any) -> None:
    """An aborted job stops at its next sign of life, keeps what is in, withdraws nothing."""
    source = make_source(site.serve("/c", catalog(list("abcdef"))))
    harvest(source)
    job_ids: list[str] = []

    def abort() -> None:
        with app.flask_app.test_request_context():
            act("harvest_job_abort", id=job_ids[0])
            model.Session.remove()
        time.sleep(1.2)  # a worker looks every second

    site.serve("/c", catalog(list("abcdexyz")))
    site.before_answer = abort
    job_ids.append(make_job(source))
    assert tasks.run_job(job_ids[0]) == "aborted"
    job = act("harvest_job_show", id=job_ids[0])
    added, updated, _unchanged, deleted, errored = stats(job)
    assert (job["status"], added, updated, deleted, errored) == ("Finished", 0, 0, 0, 0)
    assert job["finished"]
    assert job["run"]["report"]["cancelled"] is True
    assert len(datasets(source)) == 6
    site.before_answer = lambda: None
    assert stats(harvest(source)) == (3, 0, 5, 1, 0)


class Killed(BaseException):
    """Stands for a worker that dies in the middle of its work."""


def test_a_killed_run_goes_on(site: Site, ckan_config: Any) -> None:
    """A run that dies after some batches is found by the sweeper and ends with the right counts."""
    ckan_config["ccphva.harvest.batch"] = 2
    source = make_source(site.serve("/c", catalog(list("abcdef"))))
    job_id = make_job(source)
    written: list[str] = []

    def die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO activity"):
            written.append(statement)
        if len(written) == 2:
            raise Killed

    sa.event.listen(model.meta.engine, "before_cursor_execute", die)
    try:
        with pytest.raises(Killed):
            tasks.run_job(job_id)
    finally:
        sa.event.remove(model.meta.engine, "before_cursor_execute", die)
    model.Session.remove()
    job = act("harvest_job_show", id=job_id)
    assert (job["status"], job["gather_finished"]) == ("Running", None)
    assert len(datasets(source)) == 2
    age = {"heartbeat": now() - timedelta(hours=1)}
    model.Session.execute(sa.update(HarvestRun).where(HarvestRun.job_id == job_id).values(**age))
    model.Session.commit()
    assert [found[0] for found in storage.silent_jobs(30)] == [job_id]
    assert tasks.run_job(job_id) == "finished"
    job = act("harvest_job_show", id=job_id)
    assert (job["status"], stats(job), job["run"]["attempt"]) == ("Finished", (6, 0, 0, 0, 0), 2)
    assert len(datasets(source)) == 6 == len(indexed())
    assert len({dataset["uri"] for dataset in datasets(source)}) == 6


def test_a_lost_lock_stops_the_run(site: Site, app: Any) -> None:
    """When the connection that holds the lock dies, the run writes nothing more and is tried again."""
    source = make_source(site.serve("/c", catalog(list("abc"))))
    job_id = make_job(source)

    def cut() -> None:
        time.sleep(1.2)  # past the first sign of life
        with model.meta.engine.connect() as connection:
            holders = "FROM pg_locks WHERE locktype = 'advisory' AND classid = :ours"
            cut_off = sa.text(f"SELECT pg_terminate_backend(pid) {holders}")
            assert connection.execute(cut_off, {"ours": storage.LOCKS}).scalars().all() == [True]

    site.before_answer = cut
    assert tasks.run_job(job_id) == "postponed"
    assert datasets(source) == []
    site.before_answer = lambda: None
    assert tasks.run_job(job_id) == "finished"
    assert stats(act("harvest_job_show", id=job_id)) == (3, 0, 0, 0, 0)


def test_an_index_that_is_away(site: Site, ckan_config: Any) -> None:
    """With Solr down the run is tried again; what was committed meanwhile then reaches the index, once."""
    source = make_source(site.serve("/c", catalog(list("abc"))))
    job_id = make_job(source)
    there, ckan_config["solr_url"] = ckan_config["solr_url"], "http://127.0.0.1:1/solr/none"
    assert tasks.run_job(job_id) == "postponed"
    ckan_config["solr_url"] = there
    assert "the index does not answer" in model.Session.get(HarvestRun, job_id).report["error"]
    assert indexed() == {}
    assert tasks.run_job(job_id) == "finished"
    assert stats(act("harvest_job_show", id=job_id)) == (3, 0, 0, 0, 0)
    assert len(indexed()) == 3 == len(datasets(source))


def test_datasets_that_missed_the_index_are_found_again(site: Site) -> None:
    """A dataset that was committed and not indexed is in the index after the next run."""
    source = make_source(site.serve("/c", catalog(list("ab"))))
    harvest(source)
    victim = datasets(source)[0]
    clear(victim["id"])
    model.Session.execute(
        sa.update(HarvestRecord).where(HarvestRecord.dataset_id == victim["id"]).values(indexed=False)
    )
    model.Session.commit()
    assert victim["name"] not in indexed()
    assert stats(harvest(source)) == (0, 0, 2, 0, 0)
    assert victim["name"] in indexed()


def test_a_source_that_does_not_answer_is_tried_again(site: Site, ckan_config: Any) -> None:
    """A refused connection postpones the job; when the source is back, the job ends well."""
    ckan_config["ccphva.harvest.backoff"] = 7
    address = site.serve("/c", catalog(["a"]))
    port = site.server.server_port
    site.close()
    source = make_source(address)
    job_id = make_job(source)
    assert tasks.run_job(job_id) == "postponed"
    job = act("harvest_job_show", id=job_id)
    assert (job["status"], job["gather_error_summary"]) == ("Running", [])
    run = model.Session.get(HarvestRun, job_id)
    assert timedelta(seconds=4) < run.not_before - now() <= timedelta(seconds=7)
    assert storage.silent_jobs(30) == []  # not before its time
    model.Session.execute(sa.update(HarvestRun).values(not_before=now()))
    model.Session.commit()
    assert [found[0] for found in storage.silent_jobs(30)] == [job_id]
    back = Site(port)
    back.serve("/c", catalog(["a"]))
    try:
        assert tasks.run_job(job_id) == "finished"
    finally:
        back.close()
    assert stats(act("harvest_job_show", id=job_id)) == (1, 0, 0, 0, 0)


def test_a_source_that_never_answers_is_given_up(site: Site, ckan_config: Any) -> None:
    """After its attempts the job ends with the reason."""
    ckan_config["ccphva.harvest.attempts"] = 1
    address = site.serve("/c", "")
    site.close()
    source = make_source(address)
    job = harvest(source)
    assert (job["status"], job["stats"]["errored"]) == ("Finished", 1)
    assert address in job["gather_error_summary"][0]["message"]


def test_private_networks_are_refused_unless_allowed(site: Site, ckan_config: Any) -> None:
    """Without `ccphva.harvest.allowed_networks` a source on loopback is never asked."""
    ckan_config["ccphva.harvest.allowed_networks"] = []
    source = make_source(site.serve("/c", catalog(["a"])))
    job = harvest(source)
    assert "not a public address" in job["gather_error_summary"][0]["message"]
    assert site.asked == []


def test_a_source_of_an_unknown_type(site: Site) -> None:
    """A job whose plugin is gone ends with that as its error instead of running for ever."""
    source = make_source(site.serve("/c", catalog(["a"])))
    job_id = make_job(source)
    model.Session.execute(
        sa.text("UPDATE harvest_source SET type = 'nobody' WHERE id = :id"), {"id": source["id"]}
    )
    model.Session.commit()
    assert tasks.run_job(job_id) == "finished"
    job = act("harvest_job_show", id=job_id)
    assert job["status"] == "Finished"
    assert "'nobody'" in job["gather_error_summary"][0]["message"]


def test_jobs_that_nobody_wants_any_more(site: Site) -> None:
    """A task that comes late, twice or for a job that is gone does nothing."""
    source = make_source(site.serve("/c", catalog(["a"])))
    job = harvest(source)
    assert engine.run(job["id"]) == "gone"
    assert engine.run("no-such-job") == "gone"
    assert HarvestJob.get(job["id"]).status == "Finished"


def test_a_source_that_says_nothing_changed(site: Site) -> None:
    """The ETag of a clean run is sent with the next one; another configuration forgets it."""
    site.etag = '"v1"'
    source = make_source(site.serve("/c", catalog(list("ab"))))
    harvest(source)
    job = harvest(source)
    assert (stats(job), job["run"]["report"]["not_modified"]) == ((0, 0, 2, 0, 0), True)
    act("harvest_source_patch", id=source["id"], config=json.dumps({"guards": {"shrink": 0.5}}))
    job = harvest(source)
    assert (stats(job), job["run"]["report"]["not_modified"]) == ((0, 0, 2, 0, 0), False)
