"""Runs one job of the register: lock, signs of life, the library's loop, counts, end.

A run may be killed at any point and begun again: what is in the catalogue is known by its fingerprint.

Imports `catalogue`, `tables`, `listening`, `settings`, `storage`, `config` and the public face of
`ccphva`; asks the plugins for the kind of a source.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import msgspec
from ccphva_harvesters import (
    Client,
    ConfigError,
    Outcome,
    Retiring,
    RetriableError,
    RunReport,
    TableOutcome,
    harvest,
)
from ckan import model as core
from ckanext.ccphva.shared import harvesting
from ckanext.ccphva_harvest import config, foreign, listening, settings, storage
from ckanext.ccphva_harvest.catalogue import CkanCatalogue
from ckanext.ccphva_harvest.model import now, record_id
from ckanext.ccphva_harvest.register import (
    HarvestGatherError,
    HarvestJob,
    HarvestObject,
    HarvestObjectError,
    HarvestSource,
)
from ckanext.ccphva_harvest.tables import CkanTables
from ckanext.harvest.interfaces import IHarvester
from sqlalchemy import exc

log = logging.getLogger(__name__)
_BEAT_EVERY = 1.0
_LONGEST_PAUSE = 600.0
_MOST_REASONS = 10
_COUNTS = ("added", "updated", "unchanged", "deleted", "skipped", "failed", "read")
_ROW_COUNTS = ("rows_accepted", "rows_unchanged", "rows_rejected", "tables_failed")


def run(job_id: str) -> str:
    """Do the job if it is still wanted and nobody else harvests its source.

    :returns: what became of it: `gone`, `busy`, `finished`, `postponed` or `aborted`.
    """
    job = HarvestJob.get(job_id)
    if job is None or job.status != "Running" or job.gather_finished:
        return "gone"
    source_id = job.source_id
    core.Session.remove()
    with storage.source_lock(source_id) as lock:
        if lock is None:
            return "busy"
        try:
            ended = _Attempt(job_id, source_id, lock).go()
        finally:
            core.Session.remove()
    if ended != "postponed":
        tk.get_action("harvest_jobs_run")(
            {"user": user_name(), "ignore_auth": True}, {"source_id": source_id}
        )
    return ended


def user_name() -> str:
    """The account under which harvests write: the configured one, else the site's own."""
    named = config.harvest_user()
    return named or tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]


def retire(source_id: str) -> int:
    """Take back what a source left at its platform, such as subscriptions; how many things that were.

    The source is known there by its id.
    """
    listening.stop(source_id)
    source = HarvestSource.get(source_id)
    harvester = harvester_of(source.type) if source else None
    if harvester is None or not hasattr(harvester, "format_type"):
        return 0
    file = settings.parse(harvester.source_type, harvester.format_type, source.url, source.config).file
    core.Session.remove()
    with Client(allow_networks=config.allowed_networks(), user_agent=config.user_agent()) as client:
        reader = file.build_source(client)
        taken = reader.retire(source_id) if isinstance(reader, Retiring) else 0
    log.info("Source %s: %d things taken back from its platform", source_id, taken)
    return taken


def act(action: str, **data: Any) -> Any:
    """Call an action as a worker: there is no person whose rights could be asked for."""
    with harvesting():
        return tk.get_action(action)({"user": user_name(), "ignore_auth": True}, data)


def harvester_of(source_type: str) -> Any:
    """The plugin that knows sources of a type, or None."""
    known: list[Any] = list(p.PluginImplementations(IHarvester))
    return next((plugin for plugin in known if plugin.info()["name"] == source_type), None)


class _Attempt:
    """One try at one job, under the source's lock."""

    def __init__(self, job_id: str, source_id: str, lock: storage.Lock) -> None:
        self.job_id, self.source_id, self.lock = job_id, source_id, lock
        self.counts: Counter[str] = Counter()
        self.seen: list[str] = []
        self.failures: list[Outcome] = []
        self.last_beat = 0.0
        self.lost = False
        self.validators: dict[str, Any] = {}
        self.unheard: str | None = None

    def go(self) -> str:
        storage.queue_run(self.job_id, self.source_id, "")
        attempt = storage.begin_attempt(self.job_id)
        if attempt > config.attempts():
            return self._end(
                RunReport(error=f"given up after {attempt - 1} attempts that did not come to an end")
            )
        storage.forget_errors(self.job_id)
        source = HarvestSource.get(self.source_id)
        harvester = harvester_of(source.type)
        if harvester is None:
            return self._end(RunReport(error=f"no plugin knows sources of type {source.type!r}"))
        if not hasattr(harvester, "format_type"):
            return self._end(foreign.run(harvester, self.job_id, self.cancelled))
        earlier = storage.written_by(self.job_id)
        try:
            report = self._harvest(source, harvester)
        except ConfigError as error:
            report = RunReport(error=str(error))
        if report.retriable and attempt < config.attempts():
            pause = max(config.backoff() * 2 ** (attempt - 1), report.retry_after or 0)
            storage.postpone(self.job_id, min(pause, _LONGEST_PAUSE), msgspec.to_builtins(report))
            log.warning("Job %s: %s; attempt %d in %d s", self.job_id, report.error, attempt + 1, pause)
            return "postponed"
        return self._end(msgspec.structs.replace(report, unchanged=max(0, report.unchanged - earlier)))

    def _harvest(self, source: Any, harvester: Any) -> RunReport:
        wanted = settings.parse(harvester.source_type, harvester.format_type, source.url, source.config)
        owner_org = core.Session.get_one(core.Package, self.source_id).owner_org
        if owner_org is None:
            raise ConfigError("$", "the source belongs to no organisation, so nobody would own its datasets")
        key = f"{wanted.key}:{owner_org}"
        catalogue = CkanCatalogue(
            self.source_id, self.job_id, wanted.file,
            user=user_name(), owner_org=owner_org, commit_index=config.commits_index(),
            cancelled=self.cancelled,
        )  # fmt: skip
        core.Session.remove()
        with Client(allow_networks=config.allowed_networks(), user_agent=config.user_agent()) as client:
            reader = wanted.file.build_source(client, **storage.last_validators(self.source_id, key))
            report = harvest(
                reader,
                wanted.file.format,
                wanted.file.steps,
                catalogue,
                batch=config.batch(),
                shrink=wanted.file.guards.shrink,
                allow_empty=wanted.file.guards.allow_empty,
                on_outcome=self.on_outcome,
                cancelled=self.cancelled,
                tables=CkanTables(self.source_id, act, wanted.retention),
                personal_data=wanted.file.personal_data,
                on_table=self.on_table,
            )
            if report.ok and not report.cancelled:
                # After the run: what comes in between is read by the next one, from its marks.
                self.unheard = listening.follow(reader, self.source_id, wanted)
        if report.ok and report.complete and not report.held:
            found = {name: getattr(reader, name, None) for name in ("etag", "last_modified")}
            self.validators = {"key": key, **{name: value for name, value in found.items() if value}}
        return report

    # -- during the run --------------------------------------------------------------------------------------

    def cancelled(self) -> bool:
        """A sign of life at most every second; true when the job was ended by hand.

        :raises RetriableError: the connection that holds the lock is lost, and the lock with it.
        """
        if self.lost:
            raise RetriableError("catalogue", "the lock of the source is lost")
        if time.monotonic() - self.last_beat < _BEAT_EVERY:
            return False
        self.last_beat = time.monotonic()
        try:
            return self.lock.beat(self.job_id, json.dumps(self.counts)) != "Running"
        except exc.DBAPIError as error:
            self.lost = True  # somebody else may hold it now: not one write more
            raise RetriableError("catalogue", "the lock of the source is lost") from error

    def on_outcome(self, outcome: Outcome) -> None:
        self.counts[outcome.status] += 1
        if outcome.status == "failed":
            self._report(outcome)
        elif outcome.status == "unchanged" and outcome.guid:
            self.seen.append(record_id(self.source_id, outcome.guid))

    def on_table(self, outcome: TableOutcome) -> None:
        """Count rows; what went wrong with a table stands among the errors of the job."""
        for name in ("accepted", "unchanged", "rejected"):
            self.counts[f"rows_{name}"] += getattr(outcome, name)
        messages = [outcome.error] if outcome.error else []
        messages += [f"{count} rows left out: {reason}" for reason, count in outcome.reasons.items()]
        job = core.Session.get(HarvestJob, self.job_id)
        for message in messages[:_MOST_REASONS]:
            core.Session.add(HarvestGatherError(message=f"{outcome.table}: {message}", job=job))
        core.Session.commit()

    def _report(self, outcome: Outcome) -> None:
        """An entry in the register for a record that failed."""
        moment = now()
        content = msgspec.json.encode(outcome, order="sorted").decode()
        entry = HarvestObject(
            guid=outcome.guid or outcome.record, content=content, state="ERROR", report_status="errored",
            current=False, import_finished=moment, job=core.Session.get(HarvestJob, self.job_id),
        )  # fmt: skip
        core.Session.add(HarvestObjectError(message=outcome.reason or "", stage="Import", object=entry))
        core.Session.commit()

    # -- its end ---------------------------------------------------------------------------------------------

    def _end(self, report: RunReport) -> str:
        """Close run and job; the register may finish it from `gather_finished` on, so that comes last."""
        storage.mark_seen(self.seen)
        job = core.Session.get(HarvestJob, self.job_id)
        for message in (
            self.unheard,
            report.error,
            report.held_reason and f"Nothing was withdrawn: {report.held_reason}",
        ):
            if message:
                core.Session.add(HarvestGatherError(message=message, job=job))
        core.Session.commit()
        counts = {name: getattr(report, name) for name in _COUNTS}
        counts |= {name: count for name in _ROW_COUNTS if (count := getattr(report, name))}
        told = msgspec.to_builtins(msgspec.structs.replace(report, held=report.held[:100]))
        storage.finish_run(self.job_id, counts, told, self.validators)
        if report.cancelled:
            storage.close_job(self.job_id)
            return "aborted"
        storage.finish_gathering(self.job_id)
        log.info("Job %s: %s", self.job_id, counts)
        return "finished"


def fail(job_id: str, error: Exception) -> None:
    """After an error that nobody foresaw: the job ends with it, unless the database itself is away."""
    core.Session.rollback()
    if isinstance(error, exc.OperationalError | exc.InterfaceError):
        return  # the sweeper finds the job by its silence
    job = HarvestJob.get(job_id)
    if job is None or job.status != "Running":
        return
    core.Session.add(HarvestGatherError(message=f"unexpected {type(error).__name__}: {error}", job=job))
    core.Session.commit()
    storage.finish_run(job_id, {}, {"error": str(error)}, {})
    storage.finish_gathering(job_id)
