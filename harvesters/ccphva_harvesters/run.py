"""The one loop of every harvest: source → records → format → dataset → steps → catalogue → outcomes → rows.

Nothing is withdrawn unless the source was read to its end without an error, is not empty and did not shrink
beyond the guard. One bad record never takes others down.

Imports only ``errors``, ``fingerprint``, ``model``, ``protocols`` and ``rows``.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from .errors import FatalError, HarvestError, NotModifiedError, RecordError, RetriableError
from .fingerprint import fingerprint
from .model import Dataset, Outcome, Record, RunReport, Status, TableOutcome, Write
from .protocols import Catalogue, Fetching, Format, RowSource, Source, Step, Tables
from .rows import carry

log = logging.getLogger(__name__)
OnOutcome = Callable[[Outcome], None]
SHRINK = 0.2
"""Share of the known datasets that may vanish in one run before withdrawal is held."""


def harvest(
    source: Source,
    format: Format,  # noqa: A002  (the protocol's own name)
    steps: Sequence[Step],
    catalogue: Catalogue,
    *,
    dry_run: bool = False,
    limit: int | None = None,
    batch: int = 100,
    shrink: float = SHRINK,
    allow_empty: bool = False,
    on_outcome: OnOutcome | None = None,
    on_dataset: Callable[[Dataset], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    tables: Tables | None = None,
    personal_data: str | None = None,
    on_table: Callable[[TableOutcome], None] | None = None,
) -> RunReport:
    """Bring ``catalogue`` to what ``source`` says and report one outcome a record.

    :param dry_run: read and compare, write nothing; outcomes are what a run would make
    :param limit: stop after so many records (the run is then incomplete and withdraws nothing)
    :param batch: number of datasets handed to ``catalogue.apply`` at once
    :param shrink: withdraw nothing when more than this share of the known datasets is missing
    :param allow_empty: let an empty source empty the catalogue (and pass the shrink guard)
    :param on_outcome: called once for each outcome, as it falls
    :param on_dataset: called with each dataset after the steps (for a preview)
    :param cancelled: asked before each record and each batch; true ends the run, incomplete
    :param tables: where rows of datasets with tables go; without it no row is read. Rows of a dataset follow
        its outcome, and only when the catalogue has the dataset
    :param personal_data: what the source declares; rows are taken only of one that says ``none``
    :param on_table: called once for each table, after its rows
    :returns: a report, also when the source failed: look at ``error``, ``complete`` and ``failed``
    """
    run = _Run(source, format, steps, catalogue, dry_run, limit, batch, on_outcome, on_dataset, cancelled)
    run.tables, run.personal_data, run.on_table = None if dry_run else tables, personal_data, on_table
    return run.go(shrink, allow_empty)


class _Run:
    """State of one run."""

    def __init__(
        self,
        source: Source,
        fmt: Format,
        steps: Sequence[Step],
        catalogue: Catalogue,
        dry_run: bool,
        limit: int | None,
        batch: int,
        on_outcome: OnOutcome | None,
        on_dataset: Callable[[Dataset], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.source, self.format, self.steps, self.catalogue = source, fmt, steps, catalogue
        self.dry_run, self.limit, self.batch = dry_run, limit, max(1, batch)
        self.on_outcome, self.on_dataset, self.is_cancelled = on_outcome, on_dataset, cancelled
        self.known: dict[str, str] = {}
        self.seen: set[str] = set()
        self.pending: list[Write] = []
        self.laden: list[Dataset] = []
        self.tables: Tables | None = None
        self.personal_data: str | None = None
        self.on_table: Callable[[TableOutcome], None] | None = None
        self.row_counts: Counter[str] = Counter()
        self.counts: Counter[Status] = Counter()
        self.read = 0
        self.nameless_failures = 0
        self.cancelled = False
        self.held: tuple[str, ...] = ()
        self.held_reason: str | None = None

    def go(self, shrink: float, allow_empty: bool) -> RunReport:
        started = time.monotonic()
        error: HarvestError | None = None
        complete = not_modified = False
        try:
            self.known = dict(self.catalogue.known())
            try:
                complete = self._read()
            finally:
                self._flush()
                self._carry()
            if complete and not self.cancelled:
                self._withdraw(shrink, allow_empty)
        except NotModifiedError:
            complete = not_modified = True
            self.counts["unchanged"] = len(self.known)
        except HarvestError as exc:
            error, complete = exc, False
        except Exception as exc:  # outermost line: a fault of a part ends the run in a report, not in the air
            log.exception("A part of the harvest failed in a way it should not")
            error, complete = FatalError(f"unexpected {type(exc).__name__}: {exc}"), False
        return RunReport(
            added=self.counts["added"],
            updated=self.counts["updated"],
            unchanged=self.counts["unchanged"],
            deleted=self.counts["deleted"],
            skipped=self.counts["skipped"],
            failed=self.counts["failed"],
            read=self.read,
            rows_accepted=self.row_counts["accepted"],
            rows_unchanged=self.row_counts["unchanged"],
            rows_rejected=self.row_counts["rejected"],
            tables_failed=self.row_counts["failed"],
            complete=complete and not self.cancelled,
            not_modified=not_modified,
            cancelled=self.cancelled,
            dry_run=self.dry_run,
            held=self.held,
            held_reason=self.held_reason,
            error=None if error is None else str(error),
            retriable=isinstance(error, RetriableError),
            retry_after=error.retry_after if isinstance(error, RetriableError) else None,
            seconds=round(time.monotonic() - started, 3),
        )

    # -- reading -----------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Read the source; true when it was read to its end."""
        records = iter(self.source.records())
        while not self._stop():
            if self.limit is not None and self.read >= self.limit:
                return False
            record = next(records, None)
            if record is None:
                return True
            self.read += 1
            self._one(record)
            if len(self.pending) >= self.batch:
                self._flush()
            self._carry()
        return False

    def _stop(self) -> bool:
        if self.is_cancelled is not None and self.is_cancelled():
            self.cancelled = True
        return self.cancelled

    def _one(self, record: Record) -> None:
        """Take one record to its outcomes; whatever it does, the next one gets its turn."""
        if record.guid is not None and record.guid in self.seen:
            self._tell(record, "skipped", record.guid, f"{record.guid} came twice in this run")
            return
        found = False
        try:
            if record.unchanged:
                if record.guid in self.known:
                    self.seen.add(str(record.guid))
                    self._tell(record, "unchanged", record.guid, None)
                    return
                record = cast("Fetching", self.source).fetch(record.id)
            for dataset in self.format.datasets(record):
                found = True
                self._dataset(record, dataset)
        except (FatalError, RetriableError):
            raise
        except RecordError as exc:
            self._failed(record, exc.cause)
        except Exception as exc:  # the loop's outermost line: a poisoned record must not take others down
            self._failed(record, f"unexpected {type(exc).__name__}: {exc}")
        else:
            if not found:
                self._tell(record, "skipped", None, "it holds no dataset")

    def _dataset(self, record: Record, dataset: Dataset) -> None:
        guid = dataset.guid
        if guid in self.seen:
            self._tell(record, "skipped", guid, f"{guid} came twice in this run")
            return
        self.seen.add(guid)  # before the steps: a step that fails must not cost the dataset
        for step in self.steps:
            changed = step(dataset)
            if changed is None:
                self.seen.discard(guid)
                self._tell(record, "skipped", guid, f"left out by step {step.name}")
                return
            dataset = changed
        if self.on_dataset is not None:
            self.on_dataset(dataset)
        print_ = fingerprint(dataset)
        known = self.known.get(guid)
        if known == print_:
            self._tell(record, "unchanged", guid, None, dataset)
            self._load(dataset)
            return
        write = Write(
            action="add" if known is None else "update",
            dataset=dataset,
            fingerprint=print_,
            record_id=record.id,
            record_url=record.url,
        )
        self.pending.append(write)

    # -- writing -----------------------------------------------------------------------------------------

    def _flush(self) -> None:
        writes, self.pending = self.pending, []
        if not writes:
            return
        if self.dry_run:
            for write in writes:
                self._emit(_outcome(write, "added" if write.action == "add" else "updated"))
            return
        by_guid = {write.dataset.guid: write.dataset for write in writes}
        for outcome in self._applied(writes):
            self._emit(outcome)
            if outcome.status in ("added", "updated", "unchanged") and outcome.guid in by_guid:
                self._load(by_guid[outcome.guid])

    def _applied(self, writes: Sequence[Write]) -> Iterable[Outcome]:
        """One outcome a write, in order; a batch that breaks is tried again one by one."""
        try:
            given = {o.guid: o for o in self.catalogue.apply(writes)}
        except (FatalError, RetriableError):
            raise
        except Exception as exc:  # see _one: the culprit alone may fail
            if len(writes) == 1:
                cause = (
                    exc.cause if isinstance(exc, RecordError) else f"unexpected {type(exc).__name__}: {exc}"
                )
                return [_outcome(writes[0], "failed", cause)]
            return [outcome for write in writes for outcome in self._applied([write])]
        missing = "the catalogue gave no outcome"
        return [given.get(w.dataset.guid) or _outcome(w, "failed", missing) for w in writes]

    # -- rows --------------------------------------------------------------------------------------------

    def _load(self, dataset: Dataset) -> None:
        if dataset.tables and self.tables is not None:
            self.laden.append(dataset)

    def _carry(self) -> None:
        """Rows of the datasets whose outcome has fallen."""
        laden, self.laden = self.laden, []
        for dataset in laden:
            for table in dataset.tables:
                if self._stop():
                    return
                refused = self._refused()
                if refused is None and isinstance(self.source, RowSource) and self.tables is not None:
                    outcome = carry(self.source, table, dataset.guid, self.tables, cancelled=self._stop)
                else:
                    outcome = TableOutcome(table=table.id, dataset=dataset.guid, error=refused)
                self._count_rows(outcome)

    def _refused(self) -> str | None:
        if self.personal_data != "none":
            return f"no rows of a source whose personal_data is {self.personal_data or 'not declared'}"
        return None if isinstance(self.source, RowSource) else "this source gives no rows"

    def _count_rows(self, outcome: TableOutcome) -> None:
        for name in ("accepted", "unchanged", "rejected"):
            self.row_counts[name] += getattr(outcome, name)
        self.row_counts["failed"] += outcome.error is not None
        if self.on_table is not None:
            self.on_table(outcome)

    def _withdraw(self, shrink: float, allow_empty: bool) -> None:
        missing = sorted(self.known.keys() - self.seen)
        if not missing:
            return
        reason = self._hold(len(missing), shrink, allow_empty)
        if reason is not None:
            self.held, self.held_reason = tuple(missing), reason
            return
        for start in range(0, len(missing), self.batch):
            guids = missing[start : start + self.batch]
            if self._stop():
                return
            if self.dry_run:
                given = [Outcome(status="deleted", record=g, guid=g) for g in guids]
            else:
                given = list(self.catalogue.withdraw(guids))
            for outcome in given:
                self._emit(outcome)

    def _hold(self, missing: int, shrink: float, allow_empty: bool) -> str | None:
        """Why nothing may be withdrawn, or None."""
        if self.nameless_failures:
            return f"{self.nameless_failures} unreadable records: which datasets they stand for is not known"
        if allow_empty:
            return None
        if not self.seen:
            return f"the source is empty, {missing} datasets are here"
        share = missing / len(self.known)
        if share > shrink:
            gone = f"{missing} of {len(self.known)} datasets are gone"
            return f"{gone} ({share:.0%}, at most {shrink:.0%} allowed)"
        return None

    # -- telling -----------------------------------------------------------------------------------------

    def _failed(self, record: Record, cause: str) -> None:
        if record.guid is None:
            self.nameless_failures += 1
        else:
            self.seen.add(record.guid)
        self._tell(record, "failed", record.guid, cause)

    def _tell(
        self,
        record: Record,
        status: Status,
        guid: str | None,
        reason: str | None,
        dataset: Dataset | None = None,
    ) -> None:
        problems = () if dataset is None else dataset.problems
        self._emit(
            Outcome(
                status=status, record=record.id, guid=guid, reason=reason, url=record.url, problems=problems
            )
        )

    def _emit(self, outcome: Outcome) -> None:
        self.counts[outcome.status] += 1
        if self.on_outcome is not None:
            self.on_outcome(outcome)


def _outcome(write: Write, status: Status, reason: str | None = None) -> Outcome:
    return Outcome(
        status=status,
        record=write.record_id,
        guid=write.dataset.guid,
        reason=reason,
        url=write.record_url,
        problems=write.dataset.problems,
    )
