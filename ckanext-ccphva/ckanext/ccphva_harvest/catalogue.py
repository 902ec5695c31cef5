"""The library's `Catalogue` on CKAN: one source's datasets, each written whole or not at all.

A dataset, its entry in the register and our record are one transaction; the search index follows after the
commit, and what did not reach it is found again by its record.

Imports `storage`, `model`, `payload`, `tables`, `corrections` and, of the plugin, nothing else; of `ccphva`
its public face.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import ckan.plugins.toolkit as tk
import msgspec
import sqlalchemy as sa
from ccphva_harvesters import Dataset, Outcome, RetriableError, SourceFile, Write, changed_fields
from ckan import logic
from ckan import model as core
from ckan.lib import search
from ckan.types import Context
from ckanext.ccphva.shared import harvesting
from ckanext.ccphva_harvest import corrections, payload, storage, tables
from ckanext.ccphva_harvest.model import HarvestRecord, now, record_id
from ckanext.ccphva_harvest.register import HarvestObject
from sqlalchemy import exc

log = logging.getLogger(__name__)
CONTINUOUS = "http://publications.europa.eu/resource/authority/frequency/UPDATE_CONT"
"""The rhythm of a dataset whose rows come as they are measured, where its source names none."""


class CkanCatalogue:
    """Datasets of one source in CKAN.

    :param user: account that the datasets are written by.
    :param owner_org: organisation of the source, which owns its datasets.
    :param commit_index: ask Solr for a commit after each batch.
    :param cancelled: asked before each write, as a sign of life; true leaves the rest of a batch out.
    """

    def __init__(
        self,
        source_id: str,
        job_id: str,
        file: SourceFile,
        *,
        user: str,
        owner_org: str,
        commit_index: bool,
        cancelled: Callable[[], bool],
    ) -> None:
        self.source_id, self.job_id, self.file = source_id, job_id, file
        self.user, self.owner_org, self.commit_index = user, owner_org, commit_index
        self.cancelled = cancelled

    # -- the protocol ----------------------------------------------------------------------------------------

    def known(self) -> Mapping[str, str]:
        """Fingerprint by guid; what an interrupted run did not index is indexed first."""
        with _out_of_order("the database"):
            if missing := storage.unindexed(self.source_id):
                self._index(missing)
            return storage.known(self.source_id)

    def apply(self, batch: Sequence[Write]) -> Iterable[Outcome]:
        """Write each dataset in its own transaction, then bring all to the index."""
        with _out_of_order("the database"), harvesting():
            outcomes = [self._applied(write) for write in batch]
            written = [o for o in outcomes if o.status in {"added", "updated"}]
            refused = self._index([record_id(self.source_id, str(o.guid)) for o in written])
        core.Session.remove()  # a long run must not hold every dataset it ever wrote
        return [_refused(o, refused.get(record_id(self.source_id, str(o.guid)))) for o in outcomes]

    def withdraw(self, guids: Sequence[str]) -> Iterator[Outcome]:
        """Delete datasets as a person would: their state changes, and they can be restored."""
        for guid in guids:
            with _out_of_order("the database"):
                try:
                    self._withdraw(guid)
                except (exc.OperationalError, search.SearchIndexError):
                    raise
                except Exception as error:  # one dataset that cannot be deleted must not keep the others
                    core.Session.rollback()
                    yield Outcome(status="failed", record=guid, guid=guid, reason=reason_of(error))
                    continue
            yield Outcome(status="deleted", record=guid, guid=guid)
        core.Session.remove()

    # -- one dataset -----------------------------------------------------------------------------------------

    def _applied(self, write: Write) -> Outcome:
        def outcome(status: Any, **more: Any) -> Outcome:
            guid, problems = write.dataset.guid, write.dataset.problems
            return Outcome(
                status=status,
                record=write.record_id,
                guid=guid,
                url=write.record_url,
                problems=problems,
                **more,
            )

        if self.cancelled():
            return outcome("skipped", reason="the job was ended before its turn came")
        try:
            return self._write(write, outcome)
        except exc.OperationalError:
            raise
        except Exception as error:  # a poisoned record rolls back alone
            core.Session.rollback()
            return outcome("failed", reason=reason_of(error))

    def _write(self, write: Write, outcome: Callable[..., Outcome]) -> Outcome:
        dataset, id_ = write.dataset, record_id(self.source_id, write.dataset.guid)
        record = core.Session.get(HarvestRecord, id_)
        package = core.Session.get(core.Package, record.dataset_id if record else id_)
        if package and record and record.state == "active" and package.state == "deleted":
            return outcome(
                "skipped",
                reason="its dataset was deleted by hand: restore it, or purge it to harvest it anew",
            )
        wanted = payload.package(dataset, self.file, self.owner_org)
        wanted["resources"] += self._tables(dataset)
        if any(tables.is_feed(table) for table in dataset.tables):
            wanted.setdefault("frequency", CONTINUOUS)
        changed = self._changed(record, dataset)
        context = self._context()
        gone: list[str] = []
        if package is None:
            wanted |= {"id": id_, "name": payload.name_of(dataset, self.source_id, _is_taken)}
            tk.get_action("package_create")(context, wanted)
        else:
            former = [_resource(r) for r in package.resources_all]
            payload.keep_resource_ids(wanted["resources"], former)
            gone = payload.keep_tables(wanted["resources"], former)
            wanted = corrections.kept(wanted, self._former(record, former), package.id)
            gone = sorted(set(gone) - {each.get("id") for each in wanted["resources"]})
            wanted |= {"id": package.id, "name": package.name, "groups": _groups(package)}
            context["changed_entities"] = {"packages": {package.id}}  # activity asks for it
            tk.get_action("package_update")(context, wanted)
        status = "added" if write.action == "add" else "updated"
        self._remember(write, id_, status)
        core.Session.commit()
        for resource in gone:  # CKAN itself would keep the rows of a table that the source has no more
            tk.get_action("datastore_delete")(self._context(), {"resource_id": resource, "force": True})
        return outcome(status, fields=changed)

    def _tables(self, dataset: Dataset) -> list[dict[str, Any]]:
        """A resource for each table, whose rows follow once the dataset is there."""
        language = payload.language_of(dataset)
        return [
            payload.table(tables.resource_id(self.source_id, table.id), table, language)
            for table in dataset.tables
        ]

    def _withdraw(self, guid: str) -> None:
        id_ = record_id(self.source_id, guid)
        record = core.Session.get_one(HarvestRecord, id_)
        package = core.Session.get(core.Package, record.dataset_id)
        record.state = "withdrawn"
        storage.retire_objects(record.dataset_id)
        there = package is not None and package.state == "active"
        self._enter(guid, record.dataset_id, "deleted", content=msgspec.json.encode({"guid": guid}).decode())
        if there:
            # It commits everything of this session, after the index has let go of the dataset.
            tk.get_action("package_delete")(
                {"user": self.user, "ignore_auth": True}, {"id": record.dataset_id}
            )
        core.Session.commit()

    def _remember(self, write: Write, id_: str, status: str) -> None:
        """The register's entry and our record, before the index asks for them."""
        storage.retire_objects(id_)
        self._enter(
            write.dataset.guid,
            id_,
            status,
            content=msgspec.json.encode(write.dataset, order="sorted").decode(),
        )
        values = {
            "source_id": self.source_id,
            "guid": write.dataset.guid,
            "dataset_id": id_,
            "last_seen": now(),
        }
        record = HarvestRecord(id=id_, fingerprint=write.fingerprint, state="active", indexed=False, **values)
        core.Session.merge(record)

    def _enter(self, guid: str, dataset_id: str, status: str, content: str) -> None:
        moment = now()
        core.Session.flush()
        core.Session.execute(
            sa.insert(HarvestObject).values(
                guid=guid, package_id=dataset_id, content=content, report_status=status, state="COMPLETE",
                current=status != "deleted", harvest_job_id=self.job_id, harvest_source_id=self.source_id,
                gathered=moment, fetch_started=moment, fetch_finished=moment, import_started=moment,
                import_finished=moment,
            )
        )  # fmt: skip

    def _changed(self, record: HarvestRecord | None, dataset: Dataset) -> tuple[str, ...]:
        """Names of the fields in which the dataset differs from the version that we hold."""
        former = self._version(record)
        return changed_fields(former, dataset) if former else ()

    def _former(
        self, record: HarvestRecord | None, resources: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any] | None:
        """What the source said of the dataset the last time, as a payload whose resources have their ids."""
        version = self._version(record)
        if version is None:
            return None
        former = payload.package(version, self.file, self.owner_org)
        former["resources"] += self._tables(version)
        payload.keep_resource_ids(former["resources"], resources)
        return former

    def _version(self, record: HarvestRecord | None) -> Dataset | None:
        """The version of the dataset that we hold, None if nobody knows it any more."""
        held = storage.current_object(record) if record else None
        try:
            return msgspec.json.decode(held.content, type=Dataset) if held else None
        except msgspec.DecodeError:
            return None

    def _context(self) -> Any:
        return {"user": self.user, "ignore_auth": True, "defer_commit": True, "return_id_only": True}

    # -- the index -------------------------------------------------------------------------------------------

    def _index(self, dataset_ids: Sequence[str]) -> dict[str, str]:
        """Bring committed datasets to the index; returns what it said of those that it refuses.

        :raises RetriableError: the index does not answer.
        """
        refused: dict[str, str] = {}
        for id_ in dataset_ids:
            try:
                logic.index_update_package(self._context(), id_, defer_commit=True)
            except search.SearchIndexError as error:
                if not search.is_available():
                    raise RetriableError("solr", "the index does not answer") from error
                refused[id_] = str(error)
                log.warning("The index refuses dataset %s: %s", id_, error)
        if dataset_ids and self.commit_index:
            search.commit()
        storage.mark_indexed([id_ for id_ in dataset_ids if id_ not in refused])
        return refused


def purge(dataset_ids: Sequence[str], *, user: str) -> None:
    """Remove for good what is left of a source's datasets, for somebody who may clear the source."""
    for dataset_id in dataset_ids:
        if core.Package.get(dataset_id):
            context: Context = {"user": user, "ignore_auth": True}
            tk.get_action("dataset_purge")(context, {"id": dataset_id})


def index_source(source_id: str) -> None:
    """Bring a source's own page to the index as `package_create` does.

    ckanext-harvest's reindexing leaves the copy that `package_show` answers from without `source_type`,
    `config` and `frequency`: after its first harvest a source could not be edited or patched any more.
    """
    context: Context = {"ignore_auth": True}
    logic.index_update_package(context, source_id)


class _out_of_order:  # noqa: N801 -- reads as a statement
    """Turns the failure of a service that the catalogue stands on into a run that is tried again."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None: ...

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, exc.OperationalError | search.SearchIndexError):
            what = "the index" if isinstance(error, search.SearchIndexError) else self.what
            raise RetriableError("catalogue", f"{what} does not answer") from error


def reason_of(error: Exception) -> str:
    """One line for a person: what CKAN has against a dataset."""
    if isinstance(error, tk.ValidationError):
        return "; ".join(_flat(error.error_dict)) or str(error)
    return f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:500]}"


def _flat(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for at, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{at}]")
    elif value:
        texts = value if isinstance(value, list) else [value]
        yield f"{path}: {', '.join(str(text) for text in texts)}"


def _refused(outcome: Outcome, cause: str | None) -> Outcome:
    if cause is None:
        return outcome
    return msgspec.structs.replace(
        outcome, status="failed", reason=f"it is written, but the index refuses it: {cause}"
    )


def _is_taken(name: str) -> bool:
    """Whether a dataset has the name, deleted ones included: CKAN keeps their names."""
    return core.Session.query(core.Package.id).filter(core.Package.name == name).first() is not None


def _resource(resource: core.Resource) -> dict[str, Any]:
    return {**(resource.extras or {}), "id": resource.id, "url": resource.url, "format": resource.format}


def _groups(package: core.Package) -> list[dict[str, str]]:
    """Themes that agents put the dataset into stay."""
    return [{"id": group.id} for group in package.get_groups("group")]
