"""Harvesting for an open data catalogue, without the catalogue: sources, formats, steps and one loop.

What this module exports is the public API; everything else may change. The library never imports ckan.
"""

from __future__ import annotations

from .catalogues import JsonlCatalogue, MemoryCatalogue
from .config import Guards, Publication, SourceFile, load_file, load_mapping, load_text
from .errors import (
    BlockedError,
    ConfigError,
    FatalError,
    HarvestError,
    NotModifiedError,
    PageLoopError,
    ParseError,
    RecordError,
    RetriableError,
    SourceError,
    TooLargeError,
)
from .fingerprint import changed_fields, fingerprint
from .http import Client, Limits, Response
from .model import Dataset, Kind, Outcome, Problem, Record, RunReport, Status, Write
from .protocols import Catalogue, Format, Source, Step
from .registry import load as load_part
from .registry import names as part_names
from .run import harvest

__all__ = [
    "BlockedError",
    "Catalogue",
    "Client",
    "ConfigError",
    "Dataset",
    "FatalError",
    "Format",
    "Guards",
    "HarvestError",
    "JsonlCatalogue",
    "Kind",
    "Limits",
    "MemoryCatalogue",
    "NotModifiedError",
    "Outcome",
    "PageLoopError",
    "ParseError",
    "Problem",
    "Publication",
    "Record",
    "RecordError",
    "Response",
    "RetriableError",
    "RunReport",
    "Source",
    "SourceError",
    "SourceFile",
    "Status",
    "Step",
    "TooLargeError",
    "Write",
    "changed_fields",
    "fingerprint",
    "harvest",
    "load_file",
    "load_mapping",
    "load_part",
    "load_text",
    "part_names",
]
