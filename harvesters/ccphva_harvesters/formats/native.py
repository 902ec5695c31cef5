"""Datasets that their source describes itself: sensors, features, business applications, files.

Such a source puts a ``Dataset`` into each record; nothing is left to map here. What the source does not know
(licence, publisher, themes) is added by steps.

Imports only ``errors`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ccphva_harvesters.errors import RecordError
from ccphva_harvesters.model import Dataset, Record


class NativeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing can be said under ``format:`` with ``type: native``."""


class Native:
    """Gives the dataset that the record holds."""

    Config = NativeConfig

    def __init__(self, config: NativeConfig | None = None) -> None:
        self.config = config or NativeConfig()

    def datasets(self, record: Record) -> Iterable[Dataset]:
        if isinstance(record.content, RecordError):  # the source saw that it is nothing
            raise record.content
        if not isinstance(record.content, Dataset):
            raise RecordError(record.id, "its source does not describe datasets: name another format")
        return [record.content]
