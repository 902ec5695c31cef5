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
from ccphva_harvesters import Dataset, Outcome, RetriableError, SourceFile, Write, changed_fields
from ckan import logic
from ckan import model as core
from ckan.lib import search
from ckan.types import Context
from ckanext.ccphva.shared import harvesting
from ckanext.ccphva_harvest import corrections, outcomes, payload, storage, tables
from ckanext.ccphva_harvest.bulk import indexing, reading, writing
from ckanext.ccphva_harvest.model import HarvestRecord, now, record_id
from ckanext.ccphva_harvest.register import HarvestSource
from sqlalchemy import exc

log = logging.getLogger(__name__)
_INDEXED_AT_ONCE = 100
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
                self._index(missing, {})
            return storage.known(self.source_id)

    def apply(self, batch: Sequence[Write]) -> Iterable[Outcome]:
        """Write new datasets together and each other one in its own transaction, then bring all to the index.

        A batch that breaks is given again by the run, one dataset at a time, so that the culprit fails alone.
        """
        with _out_of_order("the database"), harvesting():
            new, others = self._new(batch) if len(batch) > 1 else ([], batch)
            done, shown = self._created(new)
            done += [self._applied(write) for write in others]
            written = [o for o in done if o.status in {"added", "updated"}]
            refused = self._index([record_id(self.source_id, str(o.guid)) for o in written], shown)
        core.Session.remove()  # a long run must not hold every dataset it ever wrote
        return [outcomes.not_indexed(o, refused.get(record_id(self.source_id, str(o.guid)))) for o in done]

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
                    yield Outcome(status="failed", record=guid, guid=guid, reason=outcomes.reason_of(error))
                    continue
            yield Outcome(status="deleted", record=guid, guid=guid)
        core.Session.remove()

    # -- new datasets ----------------------------------------------------------------------------------------

    def _new(self, batch: Sequence[Write]) -> tuple[list[Write], list[Write]]:
        """Which datasets can be made together, and the others."""
        ids = {record_id(self.source_id, write.dataset.guid): write for write in batch}
        seen = storage.there(ids)
        new = [
            id_
            for id_, write in ids.items()
            if id_ not in seen
            and writing.is_plain({**write.dataset.fields, "resources": write.dataset.resources})
        ]
        return [ids[id_] for id_ in new], [write for id_, write in ids.items() if id_ not in new]

    def _created(self, writes: Sequence[Write]) -> tuple[list[Outcome], dict[str, reading.Both]]:
        """One transaction for all that have nothing against them; also what the index needs of them."""
        done, valid, context = [], [], self.context()
        taken = storage.names_taken({payload.slug_of(write.dataset) for write in writes})
        owners = storage.organisations({write.dataset.owner or self.owner_org for write in writes})
        for write in writes:
            if self.cancelled():
                done.append(outcomes.left_out(write))
                continue
            wanted = self.wanted(write.dataset)
            wanted["id"] = record_id(self.source_id, write.dataset.guid)
            wanted["name"] = payload.name_of(write.dataset, self.source_id, taken.__contains__)
            taken.add(wanted["name"])
            try:
                valid.append((write, writing.validated(wanted, context)))
            except Exception as error:  # a poisoned record stays out of the transaction
                done.append(outcomes.outcome(write, "failed", reason=outcomes.reason_of(error)))
        if not valid:
            return done, {}
        try:
            shown = writing.create([new for _, new in valid], context)
            self._remember([write for write, _ in valid], "added")
            core.Session.commit()
        except Exception:  # the run gives them again, one by one
            core.Session.rollback()
            raise
        del owners  # held till here, so that each validator finds them in the session
        return done + [outcomes.outcome(write, "added") for write, _ in valid], shown

    # -- one dataset -----------------------------------------------------------------------------------------

    def _applied(self, write: Write) -> Outcome:
        if self.cancelled():
            return outcomes.left_out(write)
        try:
            return self._write(write)
        except exc.OperationalError:
            raise
        except Exception as error:  # a poisoned record rolls back alone
            core.Session.rollback()
            return outcomes.outcome(write, "failed", reason=outcomes.reason_of(error))

    def _write(self, write: Write) -> Outcome:
        dataset, id_ = write.dataset, record_id(self.source_id, write.dataset.guid)
        record = core.Session.get(HarvestRecord, id_)
        package = core.Session.get(core.Package, record.dataset_id if record else id_)
        if package and record and record.state == "active" and package.state == "deleted":
            by_hand = "its dataset was deleted by hand: restore it, or purge it to harvest it anew"
            return outcomes.outcome(write, "skipped", reason=by_hand)
        wanted = self.wanted(dataset)
        changed = self._changed(record, dataset)
        context = self.context()
        gone: list[str] = []
        if package is None:
            taken = storage.names_taken([payload.slug_of(dataset)])
            name = payload.name_of(dataset, self.source_id, taken.__contains__)
            wanted |= {"id": id_, "name": name}
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
        self._remember([write], status)
        core.Session.commit()
        for resource in gone:  # CKAN itself would keep the rows of a table that the source has no more
            tk.get_action("datastore_delete")(self.context(), {"resource_id": resource, "force": True})
        return outcomes.outcome(write, status, fields=changed)

    def wanted(self, dataset: Dataset) -> dict[str, Any]:
        """The dataset's payload, with a resource for each of its tables."""
        wanted = payload.package(dataset, self.file, self.owner_org)
        wanted["resources"] += self._tables(dataset)
        if any(tables.is_feed(table) for table in dataset.tables):
            wanted.setdefault("frequency", CONTINUOUS)
        return wanted

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
        storage.retire_objects([record.dataset_id])
        there = package is not None and package.state == "active"
        core.Session.flush()
        storage.enter([self._entry(guid, record.dataset_id, "deleted", msgspec.json.encode({"guid": guid}))])
        if there:
            # It commits everything of this session, after the index has let go of the dataset.
            tk.get_action("package_delete")(
                {"user": self.user, "ignore_auth": True}, {"id": record.dataset_id}
            )
        core.Session.commit()

    def _remember(self, writes: Sequence[Write], status: str) -> None:
        """The register's entries and our records, before the index asks for them."""
        ids = {record_id(self.source_id, write.dataset.guid): write for write in writes}
        storage.retire_objects(ids)
        moment = now()
        core.Session.flush()
        storage.remember(
            {
                "id": id_, "source_id": self.source_id, "guid": write.dataset.guid, "dataset_id": id_,
                "fingerprint": write.fingerprint, "state": "active", "indexed": False, "last_seen": moment,
            }
            for id_, write in ids.items()
        )  # fmt: skip
        contents = {id_: msgspec.json.encode(write.dataset, order="sorted") for id_, write in ids.items()}
        storage.enter(
            self._entry(write.dataset.guid, id_, status, contents[id_]) for id_, write in ids.items()
        )

    def _entry(self, guid: str, dataset_id: str, status: str, content: bytes) -> dict[str, Any]:
        """An entry of the register: every step of ckanext-harvest at once."""
        steps = ("gathered", "fetch_started", "fetch_finished", "import_started", "import_finished")
        return {
            "guid": guid, "package_id": dataset_id, "content": content.decode(), "report_status": status,
            "state": "COMPLETE", "current": status != "deleted", "harvest_job_id": self.job_id,
            "harvest_source_id": self.source_id, **dict.fromkeys(steps, now()),
        }  # fmt: skip

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

    def context(self) -> Any:
        """For CKAN's actions and validators: nobody's rights are asked, the caller commits."""
        return {
            "model": core,
            "session": core.Session,
            "user": self.user,
            "ignore_auth": True,
            "defer_commit": True,
            "return_id_only": True,
        }

    # -- the index -------------------------------------------------------------------------------------------

    def _index(self, dataset_ids: Sequence[str], shown: Mapping[str, reading.Both]) -> dict[str, str]:
        """Bring committed datasets to the index; returns what it said of those that it refuses.

        :param shown: those that were read already.
        :raises RetriableError: the index does not answer.
        """
        refused: dict[str, str] = {}
        source = HarvestSource.get(self.source_id)
        for start in range(0, len(dataset_ids), _INDEXED_AT_ONCE):
            part = dataset_ids[start : start + _INDEXED_AT_ONCE]
            known = {id_: shown[id_] for id_ in part if id_ in shown}
            others = [id_ for id_ in part if id_ not in shown]
            refused |= self._indexed(known | reading.shown(others, self.context()))
        if dataset_ids and self.commit_index:
            search.commit()
        del source  # held till here: ckanext-harvest asks for it with each document
        storage.mark_indexed([id_ for id_ in dataset_ids if id_ not in refused])
        return refused

    def _indexed(self, shown: Mapping[str, reading.Both]) -> dict[str, str]:
        """One request for all; where the index has something against it, one for each to find the culprit."""
        try:
            indexing.add(shown.values())
        except search.SearchIndexError as error:
            if not search.is_available():
                raise RetriableError("solr", "the index does not answer") from error
            if len(shown) > 1:
                each = [self._indexed({id_: both}) for id_, both in shown.items()]
                return {id_: cause for causes in each for id_, cause in causes.items()}
            log.warning("The index refuses dataset %s: %s", *shown, error)
            return dict.fromkeys(shown, str(error))
        return {}


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


def _resource(resource: core.Resource) -> dict[str, Any]:
    return {**(resource.extras or {}), "id": resource.id, "url": resource.url, "format": resource.format}


def _groups(package: core.Package) -> list[dict[str, str]]:
    """Themes that agents put the dataset into stay."""
    return [{"id": group.id} for group in package.get_groups("group")]
