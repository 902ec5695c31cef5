"""The sockets of the road. Parts are composed by ``run.harvest``, never inherited.

A part that a source file can name has a ``Config`` struct (``msgspec``, unknown keys refused) and a
factory ``(config, client) -> Source``, ``(config) -> Format`` or ``(config) -> Step``; see ``registry``.

Imports only ``model``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from .model import Dataset, Outcome, Receipt, Record, Row, Table, Told, Write


@runtime_checkable
class Source(Protocol):
    """Where records come from."""

    def check(self) -> str:
        """Try to reach the source; say in one sentence what is there, or raise ``HarvestError``."""
        ...

    def records(self) -> Iterator[Record]:
        """Give each record once, lazily. Raise ``FatalError`` or ``RetriableError`` when not all can be
        given: the run then withdraws nothing. Raise ``NotModifiedError`` before the first record when
        the source says so."""
        ...


class Fetching(Protocol):
    """What a source can besides when it gives records that it knows to be ``unchanged``."""

    def fetch(self, name: str) -> Record:
        """The record of this id in full. Raise ``RecordError`` when there is none."""
        ...


@runtime_checkable
class Format(Protocol):
    """What a record means."""

    def datasets(self, record: Record) -> Iterable[Dataset]:
        """Datasets of one record (most often one). Raise ``RecordError`` when it cannot be read."""
        ...


@runtime_checkable
class Step(Protocol):
    """One small change on the way, or a refusal."""

    name: str

    def __call__(self, dataset: Dataset) -> Dataset | None:
        """The changed dataset, or None to leave it out (it is then withdrawn if it was there)."""
        ...


@runtime_checkable
class Catalogue(Protocol):
    """Where datasets go. Implementations see one source's datasets only."""

    def known(self) -> Mapping[str, str]:
        """Fingerprint by guid of every dataset that this source has in the catalogue."""
        ...

    def apply(self, batch: Sequence[Write]) -> Iterable[Outcome]:
        """Write each dataset and store its fingerprint with it, atomically by dataset; one outcome each
        (``added``, ``updated``, ``skipped`` or ``failed``). Applying the same write twice is harmless.
        Raise ``FatalError``/``RetriableError`` only when the catalogue itself is out of order."""
        ...

    def withdraw(self, guids: Sequence[str]) -> Iterable[Outcome]:
        """Withdraw datasets that the source no longer has; one outcome each (``deleted``, …)."""
        ...


@runtime_checkable
class RowSource(Protocol):
    """What a source that gives datasets with tables has besides."""

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:
        """Rows of a table that this source described in this run, lazily.

        :param marks: watermark by series, as the sink keeps it; give what came at or after it. A row that
            is given twice is harmless under the table's key; one that is left out is lost.
        :raises FatalError, RetriableError: not all rows can be given; what was taken stays taken
        """
        ...


@runtime_checkable
class Retiring(Protocol):
    """What a source that leaves something at the other side has besides."""

    def retire(self, key: str) -> int:
        """Take back what was left there, when the source is removed here; how many things that were.

        :param key: names the source, as when they were left
        :raises FatalError, RetriableError: the other side does not let us
        """
        ...


@runtime_checkable
class Listening(Protocol):
    """What a source whose platform tells us of new rows has besides."""

    def listen(self, key: str, address: str) -> tuple[bytes, Mapping[str, str]]:
        """Have the platform call ``address`` for every series that this run has described.

        :param key: names the source, as for ``Retiring.retire``
        :returns: what ``told`` must know, and why, by series, where the platform did not let us
        :raises FatalError, RetriableError: the platform is out of order
        """
        ...

    def told(self, known: bytes, body: bytes) -> Told:
        """What one call of the platform means; asks nobody.

        :param known: as ``listen`` gave it, perhaps to another process
        :raises ParseError: it is no notification, or one of a stranger
        """
        ...


@runtime_checkable
class Tables(Protocol):
    """Where rows go."""

    def marks(self, table: str) -> Mapping[str, str]:
        """Watermark by series of a table, as of the last ``apply`` that went well."""
        ...

    def apply(self, table: Table, rows: Iterable[Mapping[str, Any]], marks: Mapping[str, str]) -> Receipt:
        """Take rows, then remember ``marks``; give the receipt only when both are safe.

        Mode ``append``: rows are added, or take the place of those under their key. Called many times a
        run; applying the same rows twice changes nothing. Mode ``replace``: the rows are the whole table,
        all or nothing: when the iterator raises, the old rows stay and the error goes through.

        :raises FatalError, RetriableError: the sink is out of order; the caller repeats from its marks
        """
        ...


class Component(Protocol):
    """What the registry knows of a named part before it builds it."""

    Config: type[Any]
