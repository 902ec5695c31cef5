"""The loop: one outcome a record, nothing lost to a bad one, nothing withdrawn in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from ccphva_harvesters import (
    Dataset,
    FatalError,
    MemoryCatalogue,
    NotModifiedError,
    Outcome,
    Record,
    RecordError,
    RetriableError,
    RunReport,
    Write,
    harvest,
)


class Words:
    """A source of words: each is a record; an exception in the list is raised when its turn comes."""

    def __init__(self, *words: str | Exception) -> None:
        self.words = words
        self.given = 0

    def check(self) -> str:
        """Always there."""
        return "words"

    def records(self) -> Iterator[Record]:
        """``name=value`` is a record with a guid, ``?value`` one without."""
        for word in self.words:
            if isinstance(word, Exception):
                raise word
            self.given += 1
            name, _, value = word.partition("=")
            yield Record(id=name, guid=None if name.startswith("?") else name, content=value)


class WordFormat:
    """The value is the version; ``bad``, ``poison`` and ``none`` misbehave."""

    def datasets(self, record: Record) -> Iterable[Dataset]:
        """One dataset, or what the value asks for."""
        if record.content == "bad":
            raise RecordError(record.id, "it is bad")
        if record.content == "poison":
            raise ZeroDivisionError("poison")
        if record.content == "none":
            return []
        return [Dataset(guid=record.id, fields={"version": record.content})]


class LeaveOut:
    """A step that leaves out one value."""

    name = "leave-out"

    def __call__(self, dataset: Dataset) -> Dataset | None:
        """Everything but ``out``."""
        return None if dataset.fields["version"] == "out" else dataset


def go(catalogue: Any, *words: str | Exception, **options: Any) -> tuple[RunReport, list[Outcome]]:
    """A harvest of words with its outcomes."""
    outcomes: list[Outcome] = []
    steps = options.pop("steps", [])
    report = harvest(Words(*words), WordFormat(), steps, catalogue, on_outcome=outcomes.append, **options)
    return report, outcomes


def statuses(outcomes: list[Outcome]) -> dict[str, str]:
    """Status by record."""
    return {o.record: o.status for o in outcomes}


MANY = [f"r{n:02}=1" for n in range(20)]


def test_first_second_and_changed_run() -> None:
    """Added, then unchanged without a write, then one updated and one deleted."""
    catalogue = MemoryCatalogue()
    assert go(catalogue, *MANY)[0].added == 20
    report, _ = go(catalogue, *reversed(MANY))
    assert (report.unchanged, report.writes, report.ok) == (20, 0, True)
    report, outcomes = go(catalogue, "r00=2", *MANY[1:19])
    assert (report.updated, report.deleted, report.unchanged) == (1, 1, 18)
    assert next(o for o in outcomes if o.status == "updated").fields == ("version",)
    assert statuses(outcomes)["r19"] == "deleted"


def test_one_poisoned_record_among_a_thousand() -> None:
    """999 arrive, one is reported with its reason, whatever it raises."""
    words = [f"r{n}=1" for n in range(1000)]
    for poison, reason in (("bad", "it is bad"), ("poison", "unexpected ZeroDivisionError: poison")):
        report, outcomes = go(MemoryCatalogue(), *words[:500], f"r500={poison}", *words[501:])
        assert (report.added, report.failed, report.complete) == (999, 1, True)
        assert [o.reason for o in outcomes if o.status == "failed"] == [reason]


def test_a_failed_record_keeps_its_dataset() -> None:
    """What cannot be read today is not withdrawn."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, _ = go(catalogue, "r00=bad", *MANY[1:])
    assert (report.failed, report.deleted, len(catalogue.entries)) == (1, 0, 20)


def test_a_failed_record_nobody_can_name_holds_all_withdrawal() -> None:
    """It might be any of the missing ones."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, _ = go(catalogue, "?=bad", *MANY[1:])
    assert (report.deleted, report.held) == (0, ("r00",))
    assert "not known" in str(report.held_reason)


def test_the_same_guid_twice() -> None:
    """The second is left out with a reason and counts as one outcome."""
    report, outcomes = go(MemoryCatalogue(), "a=1", "b=1", "a=2")
    assert (report.added, report.skipped) == (2, 1)
    assert outcomes[0].reason == "a came twice in this run"


def test_a_record_without_dataset_is_an_outcome_too() -> None:
    """One outcome a record."""
    report, outcomes = go(MemoryCatalogue(), "a=1", "b=none")
    assert (report.read, len(outcomes), statuses(outcomes)["b"]) == (2, 2, "skipped")


def test_a_step_leaves_out_and_what_was_there_goes() -> None:
    """A dataset no longer wanted is withdrawn like one that vanished."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, outcomes = go(catalogue, "r00=out", *MANY[1:], steps=[LeaveOut()])
    assert (report.skipped, report.deleted) == (1, 1)
    assert outcomes[0].reason == "left out by step leave-out"


@pytest.mark.parametrize(
    "error", [FatalError("broken"), RetriableError("u", "busy", 30), KeyError("a fault of ours")]
)
def test_a_source_that_breaks_withdraws_nothing_and_keeps_what_was_read(error: Exception) -> None:
    """What came before the break is written; the report says what happened."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, _ = go(catalogue, "r00=2", error)
    assert (report.updated, report.deleted, report.complete) == (1, 0, False)
    assert report.error
    assert report.retriable == isinstance(error, RetriableError)
    assert report.retry_after == (30 if report.retriable else None)


def test_an_empty_source_is_held() -> None:
    """An empty catalogue deletes nothing unless that is wanted."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, _ = go(catalogue)
    assert (report.deleted, len(report.held), report.complete) == (0, 20, True)
    assert report.held_reason == "the source is empty, 20 datasets are here"
    assert go(catalogue, allow_empty=True)[0].deleted == 20


def test_a_shrunken_source_is_held() -> None:
    """A fifth may go, more is held, and the share is the operator's to set."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, _ = go(catalogue, *MANY[5:])
    assert (report.deleted, report.held_reason) == (0, "5 of 20 datasets are gone (25%, at most 20% allowed)")
    assert go(catalogue, *MANY[4:])[0].deleted == 4
    assert go(catalogue, *MANY[10:], shrink=0.5)[0].deleted == 6


def test_swapped_ids_are_two_updates() -> None:
    """Two records that exchange names are changed, not lost and not doubled."""
    catalogue = MemoryCatalogue()
    go(catalogue, "a=1", "b=2")
    report, _ = go(catalogue, "a=2", "b=1")
    assert (report.updated, report.added, report.deleted) == (2, 0, 0)


def test_a_limit_withdraws_nothing() -> None:
    """A limited run reads so many records, lazily, and is incomplete."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    source = Words(*MANY)
    report = harvest(source, WordFormat(), [], catalogue, limit=3)
    assert (report.read, source.given, report.complete, report.deleted) == (3, 3, False, 0)


def test_a_dry_run_says_what_a_run_does() -> None:
    """Same outcomes, nothing written."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    words = ("r00=2", "new=1", *MANY[2:])
    before = catalogue.writes
    dry, dry_outcomes = go(catalogue, *words, dry_run=True)
    assert catalogue.writes == before
    wet, wet_outcomes = go(catalogue, *words)
    assert statuses(dry_outcomes) == statuses(wet_outcomes)
    assert (dry.added, dry.updated, dry.deleted) == (wet.added, wet.updated, wet.deleted) == (1, 1, 1)


def test_a_run_can_be_cancelled() -> None:
    """What was read is written, nothing is withdrawn, the report says so."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    turns = iter([False, False, True])
    report, _ = go(catalogue, "r00=2", "r01=2", "r02=2", cancelled=lambda: next(turns, True))
    assert (report.cancelled, report.complete, report.updated, report.deleted) == (True, False, 2, 0)


def test_not_modified_ends_well() -> None:
    """A source that says nothing changed is a whole run without a record."""
    catalogue = MemoryCatalogue()
    go(catalogue, *MANY)
    report, _ = go(catalogue, NotModifiedError("u"))
    assert (report.not_modified, report.ok, report.complete, report.unchanged) == (True, True, True, 20)
    assert report.writes == 0


class Moody(MemoryCatalogue):
    """A catalogue that chokes on batches holding a certain guid, and forgets another one's outcome."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.sizes: list[int] = []

    def apply(self, batch: Sequence[Write]) -> Iterator[Outcome]:
        """Raise for ``choke``, be silent about ``mute``."""
        self.sizes.append(len(batch))
        if any(write.dataset.guid == "choke" for write in batch):
            raise self.error
        return (o for o in super().apply(batch) if o.guid != "mute")


def test_a_batch_that_breaks_is_written_one_by_one() -> None:
    """Only the culprit fails."""
    catalogue = Moody(ValueError("too long"))
    report, outcomes = go(catalogue, "a=1", "choke=1", "b=1")
    assert (report.added, report.failed, report.error) == (2, 1, None)
    assert [o.reason for o in outcomes if o.status == "failed"] == ["unexpected ValueError: too long"]
    assert catalogue.sizes == [3, 1, 1, 1]


def test_a_catalogue_out_of_order_stops_the_run() -> None:
    """A database that is away is not a thousand bad records."""
    report, outcomes = go(Moody(RetriableError("db", "away")), "a=1", "choke=1", "b=1")
    assert (report.failed, report.retriable, report.complete, outcomes) == (0, True, False, [])


def test_a_missing_outcome_is_a_failure() -> None:
    """A catalogue that says nothing is not believed."""
    report, outcomes = go(Moody(ValueError()), "a=1", "mute=1")
    assert (report.added, report.failed) == (1, 1)
    assert outcomes[-1].reason == "the catalogue gave no outcome"


def test_batches_have_their_size() -> None:
    """The catalogue is asked a batch at a time."""
    catalogue = Moody(ValueError())
    go(catalogue, *MANY, batch=8)
    assert catalogue.sizes == [8, 8, 4]


def test_a_report_is_plain_json() -> None:
    """The portal stores it as it is."""
    report, _ = go(MemoryCatalogue(), *MANY)
    assert msgspec.json.decode(msgspec.json.encode(report), type=RunReport) == report


def test_known_is_read_once() -> None:
    """A run compares with what was there when it began."""

    class Counting(MemoryCatalogue):
        asked = 0

        def known(self) -> Mapping[str, str]:
            """Count the questions."""
            self.asked += 1
            return super().known()

    catalogue = Counting()
    go(catalogue, *MANY, batch=2)
    assert catalogue.asked == 1
