"""The four sockets of the road. Parts are composed by ``run.harvest``, never inherited.

A part that a source file can name has a ``Config`` struct (``msgspec``, unknown keys refused) and a
factory ``(config, client) -> Source``, ``(config) -> Format`` or ``(config) -> Step``; see ``registry``.

Imports only ``model``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from .model import Dataset, Outcome, Record, Write


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


class Component(Protocol):
    """What the registry knows of a named part before it builds it."""

    Config: type[Any]
