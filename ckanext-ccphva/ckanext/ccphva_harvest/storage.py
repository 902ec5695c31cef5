"""All queries on runs and records, and the lock of a source. Imports `model` only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from ckan import model as core
from ckanext.ccphva_harvest.model import HarvestRecord, HarvestRun, now
from ckanext.ccphva_harvest.register import (
    HarvestGatherError,
    HarvestJob,
    HarvestObject,
    HarvestObjectError,
    HarvestSource,
)
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql import insert

LOCKS = 0x43435048  # "CCPH": keeps our advisory locks apart from everybody else's

_BEAT = sa.text("""
    WITH beat AS (
        UPDATE ccphva_harvest_run SET heartbeat = :now, counts = CAST(:counts AS jsonb)
        WHERE job_id = :job_id
    )
    SELECT status FROM harvest_job WHERE id = :job_id
""")


class Lock:
    """The right to harvest one source, held by a connection of its own for as long as it lives.

    Its connection also carries the signs of life: when it is lost, so is the lock, and the run stops.
    """

    def __init__(self, connection: sa.engine.Connection) -> None:
        self._connection = connection

    def beat(self, job_id: str, counts: str) -> str | None:
        """Leave a sign of life and return the job's status.

        :param counts: outcomes so far, as JSON.
        """
        values = {"job_id": job_id, "now": now(), "counts": counts}
        return self._connection.execute(_BEAT, values).scalar()


@contextmanager
def source_lock(source_id: str) -> Iterator[Lock | None]:
    """The source's lock, or None when another run holds it."""
    engine: Any = core.meta.engine
    with engine.connect() as raw:
        connection = raw.execution_options(isolation_level="AUTOCOMMIT")
        values = {"space": LOCKS, "source": source_id}
        taken = connection.execute(sa.text("SELECT pg_try_advisory_lock(:space, hashtext(:source))"), values)
        if not taken.scalar():
            yield None
            return
        try:
            yield Lock(connection)
        finally:
            try:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:space, hashtext(:source))"), values)
            except exc.SQLAlchemyError:
                connection.invalidate()  # the lock went with the connection


# -- runs --------------------------------------------------------------------------------------------------


def queue_run(job_id: str, source_id: str, request_id: str) -> str:
    """Note that a job waits for a worker; a run that exists keeps its attempts.

    :returns: the id of the request that asked for the job first.
    """
    moment = now()
    values = {"heartbeat": moment, "not_before": None}
    fresh = {"job_id": job_id, "source_id": source_id, "request_id": request_id, "queued": moment, **values}
    statement = insert(HarvestRun).values(attempt=0, counts={}, report={}, validators={}, **fresh)
    statement = statement.on_conflict_do_update(index_elements=["job_id"], set_=values)
    asked_by = core.Session.execute(statement.returning(HarvestRun.request_id)).scalar_one()
    core.Session.commit()
    return asked_by


def begin_attempt(job_id: str) -> int:
    """Number of the attempt that begins now."""
    moment = now()
    statement = (
        sa.update(HarvestRun)
        .where(HarvestRun.job_id == job_id)
        .values(
            attempt=HarvestRun.attempt + 1,
            started=sa.func.coalesce(HarvestRun.started, moment),
            heartbeat=moment,
            not_before=None,
        )
        .returning(HarvestRun.attempt)
    )
    attempt = core.Session.execute(statement).scalar_one()
    job = sa.update(HarvestJob).where(HarvestJob.id == job_id, HarvestJob.gather_started.is_(None))
    core.Session.execute(job.values(gather_started=moment))
    core.Session.commit()
    return attempt


def postpone(job_id: str, seconds: float, report: Mapping[str, Any]) -> None:
    """Let the sweeper try again after so many seconds."""
    _change_run(job_id, not_before=now() + timedelta(seconds=seconds), report=dict(report))


def finish_run(
    job_id: str, counts: Mapping[str, int], report: Mapping[str, Any], validators: Mapping[str, Any]
) -> None:
    """Close a run with its counts."""
    values = {"counts": dict(counts), "report": dict(report), "validators": dict(validators)}
    _change_run(job_id, finished=now(), heartbeat=now(), not_before=None, **values)


def _change_run(job_id: str, **values: Any) -> None:
    core.Session.execute(sa.update(HarvestRun).where(HarvestRun.job_id == job_id).values(**values))
    core.Session.commit()


def runs(job_ids: Sequence[str]) -> dict[str, HarvestRun]:
    """Runs by job id."""
    found = core.Session.query(HarvestRun).filter(HarvestRun.job_id.in_(job_ids))
    return {run.job_id: run for run in found}


def last_validators(source_id: str, key: str) -> dict[str, str]:
    """ETag and Last-Modified of the source's last run, when that was clean and configured the same."""
    query = core.Session.query(HarvestRun.validators).filter_by(source_id=source_id)
    last = query.filter(HarvestRun.finished.isnot(None)).order_by(HarvestRun.finished.desc()).first()
    kept = dict(last[0]) if last else {}
    return kept if kept.pop("key", None) == key else {}


def finish_gathering(job_id: str) -> None:
    """Tell the register that nothing more comes: from here on it may close the job."""
    values = {"gather_finished": now()}
    core.Session.execute(sa.update(HarvestJob).where(HarvestJob.id == job_id).values(**values))
    core.Session.commit()


def close_job(job_id: str) -> None:
    """Set the times of a job that was ended by hand."""
    moment = now()
    values = {
        "finished": sa.func.coalesce(HarvestJob.finished, moment),
        "gather_finished": sa.func.coalesce(HarvestJob.gather_finished, moment),
    }
    core.Session.execute(sa.update(HarvestJob).where(HarvestJob.id == job_id).values(**values))
    core.Session.commit()


def silent_jobs(seconds: float) -> list[tuple[str, str]]:
    """Running jobs whose worker gave no sign of life, or whose next attempt is due: (job id, source id)."""
    moment = now()
    query = (
        core.Session.query(HarvestJob.id, HarvestJob.source_id)
        .outerjoin(HarvestRun, HarvestRun.job_id == HarvestJob.id)
        .filter(HarvestJob.status == "Running", HarvestJob.gather_finished.is_(None))
        .filter(
            sa.or_(
                HarvestRun.not_before <= moment,
                sa.and_(
                    HarvestRun.not_before.is_(None),
                    sa.func.coalesce(HarvestRun.heartbeat, HarvestJob.created)
                    < moment - timedelta(seconds=seconds),
                ),
            )
        )
    )
    return [(row[0], row[1]) for row in query]


def gathered_sources() -> list[str]:
    """Sources with a job that only waits to be closed."""
    query = core.Session.query(HarvestJob.source_id).filter(HarvestJob.status == "Running")
    return [row[0] for row in query.filter(HarvestJob.gather_finished.isnot(None)).distinct()]


def has_running_job(source_id: str) -> bool:
    """True while a job of the source runs."""
    query = core.Session.query(HarvestJob.id).filter_by(source_id=source_id, status="Running")
    return query.first() is not None


def last_job_created(source_id: str) -> Any:
    """Time of the source's last job, or None."""
    return core.Session.query(sa.func.max(HarvestJob.created)).filter_by(source_id=source_id).scalar()


def active_sources() -> list[Any]:
    """Sources that may be run, and whose package is there."""
    query = core.Session.query(HarvestSource).filter(HarvestSource.active.is_(True))
    return (
        query.join(core.Package, core.Package.id == HarvestSource.id)
        .filter(core.Package.state == "active")
        .all()
    )


def sources_of(owners: Sequence[str]) -> list[tuple[Any, str, str]]:
    """Sources of some organisations that were not deleted: source, name, title of its organisation."""
    query = (
        core.Session.query(HarvestSource, core.Package.name, core.Group.title)
        .join(core.Package, core.Package.id == HarvestSource.id)
        .join(core.Group, core.Group.id == core.Package.owner_org)
        .filter(core.Package.state == "active", core.Package.owner_org.in_(list(owners)))
    )
    return [(source, name, title or "") for source, name, title in query]


def last_successes(source_ids: Sequence[str]) -> dict[str, Any]:
    """End of the last run without an error, by source."""
    query = sa.select(HarvestRun.source_id, sa.func.max(HarvestRun.finished)).where(
        HarvestRun.source_id.in_(source_ids), sa.func.coalesce(HarvestRun.report["error"].astext, "") == ""
    )
    found = core.Session.execute(query.group_by(HarvestRun.source_id))
    return {source_id: moment for source_id, moment in found if moment}


def last_runs(source_ids: Sequence[str], most: int) -> dict[str, list[HarvestRun]]:
    """The last runs that came to an end, the latest first, by source."""
    turn = sa.func.row_number().over(
        partition_by=HarvestRun.source_id, order_by=(HarvestRun.finished.desc(), HarvestRun.job_id)
    )
    ended = sa.select(HarvestRun.job_id, turn.label("turn")).where(
        HarvestRun.source_id.in_(source_ids), HarvestRun.finished.isnot(None)
    )
    numbered = ended.subquery()
    query = core.Session.query(HarvestRun).join(numbered, numbered.c.job_id == HarvestRun.job_id)
    found: dict[str, list[HarvestRun]] = {}
    for run in query.filter(numbered.c.turn <= most).order_by(numbered.c.turn):
        found.setdefault(run.source_id, []).append(run)
    return found


# -- records -----------------------------------------------------------------------------------------------


def known(source_id: str) -> dict[str, str]:
    """Fingerprint by guid of the source's active records whose dataset still exists."""
    query = core.Session.query(HarvestRecord.guid, HarvestRecord.fingerprint)
    query = query.join(core.Package, core.Package.id == HarvestRecord.dataset_id)
    return {
        row[0]: row[1]
        for row in query.filter(HarvestRecord.source_id == source_id, HarvestRecord.state == "active")
    }


def unindexed(source_id: str) -> list[str]:
    """Datasets of the source that were committed and did not reach the index."""
    query = core.Session.query(HarvestRecord.dataset_id).filter_by(source_id=source_id, indexed=False)
    return [row[0] for row in query.filter(HarvestRecord.state == "active")]


def there(ids: Iterable[str]) -> set[str]:
    """Which of these records or datasets exist, in whatever state."""
    every = list(ids)
    query = sa.union(
        sa.select(HarvestRecord.id).where(HarvestRecord.id.in_(every)),
        sa.select(core.Package.id).where(core.Package.id.in_(every)),
    )
    return set(core.Session.execute(query).scalars())


def names_taken(names: Iterable[str]) -> set[str]:
    """Which of these names are a dataset's, deleted ones included: CKAN keeps their names."""
    query = sa.select(core.Package.name).where(core.Package.name.in_(list(names)))
    return set(core.Session.execute(query).scalars())


def organisations(ids: Iterable[str]) -> list[core.Group]:
    """Organisations by id."""
    return core.Session.query(core.Group).filter(core.Group.id.in_(list(ids))).all()


def mark_indexed(dataset_ids: Sequence[str]) -> None:
    """Note that datasets are in the index."""
    statement = sa.update(HarvestRecord).where(HarvestRecord.dataset_id.in_(dataset_ids)).values(indexed=True)
    core.Session.execute(statement)
    core.Session.commit()


def mark_seen(ids: Iterable[str]) -> None:
    """Note that the source still names these records."""
    moment, every = now(), list(ids)
    for start in range(0, len(every), 1000):
        part = HarvestRecord.id.in_(every[start : start + 1000])
        core.Session.execute(sa.update(HarvestRecord).where(part).values(last_seen=moment))
    core.Session.commit()


def current_object(record: HarvestRecord) -> Any:
    """The register's entry of the version that the catalogue holds."""
    query = core.Session.query(HarvestObject).filter_by(package_id=record.dataset_id, current=True)
    return query.order_by(HarvestObject.import_finished.desc()).first()


def retire_objects(dataset_ids: Iterable[str]) -> None:
    """No entry of the datasets is current any more."""
    where = sa.and_(HarvestObject.package_id.in_(list(dataset_ids)), HarvestObject.current.is_(True))
    core.Session.execute(sa.update(HarvestObject).where(where).values(current=False))


def remember(records: Iterable[Mapping[str, Any]]) -> None:
    """Write records anew, with all their columns."""
    statement = insert(HarvestRecord)
    columns = HarvestRecord.__table__.c
    fresh = {each.name: statement.excluded[each.name] for each in columns if each.name != "id"}
    core.Session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=fresh), [dict(each) for each in records]
    )


def enter(entries: Iterable[Mapping[str, Any]]) -> None:
    """Write entries of the register."""
    core.Session.execute(sa.insert(HarvestObject), [dict(each) for each in entries])


def forget_errors(job_id: str) -> None:
    """Drop what an earlier attempt of the job reported as failed: this one looks again."""
    failed = sa.select(HarvestObject.id).where(
        HarvestObject.harvest_job_id == job_id, HarvestObject.state == "ERROR"
    )
    core.Session.execute(
        sa.delete(HarvestObjectError).where(HarvestObjectError.harvest_object_id.in_(failed))
    )
    core.Session.execute(
        sa.delete(HarvestObject).where(HarvestObject.harvest_job_id == job_id, HarvestObject.state == "ERROR")
    )
    core.Session.execute(sa.delete(HarvestGatherError).where(HarvestGatherError.harvest_job_id == job_id))
    core.Session.commit()


def written_by(job_id: str) -> int:
    """Number of datasets that earlier attempts of the job wrote (they look unchanged to a later one)."""
    query = core.Session.query(sa.func.count(HarvestObject.id)).filter_by(
        harvest_job_id=job_id, state="COMPLETE"
    )
    return query.filter(HarvestObject.report_status.in_(["added", "updated"])).scalar()


def written_entries(job_id: str, offset: int, limit: int) -> tuple[list[Any], int]:
    """Entries of datasets that a job wrote or withdrew, in its order; and how many there are in all."""
    query = core.Session.query(HarvestObject).filter_by(harvest_job_id=job_id, state="COMPLETE")
    query = query.filter(HarvestObject.report_status.in_(["added", "updated", "deleted"]))
    query = query.filter(HarvestObject.package_id.isnot(None))  # a harvester of others may leave it out
    ordered = query.order_by(HarvestObject.import_finished, HarvestObject.id)
    return ordered.offset(offset).limit(limit).all(), query.count()


def job_errors(job_id: str) -> list[str]:
    """What went wrong with a job as a whole, or with its tables."""
    query = core.Session.query(HarvestGatherError.message).filter_by(harvest_job_id=job_id)
    return [str(row[0]) for row in query.order_by(HarvestGatherError.created)]


def record_errors(job_id: str) -> Iterator[tuple[str, Any]]:
    """What went wrong with single records: message and entry of each."""
    query = core.Session.query(HarvestObjectError.message, HarvestObject)
    query = query.join(HarvestObject, HarvestObject.id == HarvestObjectError.harvest_object_id)
    for message, entry in query.filter(HarvestObject.harvest_job_id == job_id).order_by(HarvestObject.guid):
        yield str(message or ""), entry


def forget_source(source_id: str) -> list[str]:
    """Drop records and runs of a source; returns the datasets that the records named."""
    datasets = [row[0] for row in core.Session.query(HarvestRecord.dataset_id).filter_by(source_id=source_id)]
    for table in (HarvestRecord, HarvestRun):
        core.Session.execute(sa.delete(table).where(table.source_id == source_id))
    core.Session.commit()
    return datasets


def loosen_datasets(source_id: str) -> None:
    """Drop followers and collaborators of a source's datasets, whose keys would stop their deletion."""
    objects = sa.select(HarvestObject.package_id).where(HarvestObject.harvest_source_id == source_id)
    core.Session.execute(sa.delete(core.PackageMember).where(core.PackageMember.package_id.in_(objects)))
    core.Session.execute(
        sa.delete(core.UserFollowingDataset).where(core.UserFollowingDataset.object_id.in_(objects))
    )
    core.Session.commit()
