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
from .model import (
    Column,
    Dataset,
    Kind,
    Outcome,
    Problem,
    Receipt,
    Record,
    Rejected,
    Row,
    RunReport,
    Status,
    Table,
    TableOutcome,
    Told,
    Write,
)
from .protocols import Catalogue, Format, Listening, Retiring, RowSource, Source, Step, Tables
from .registry import load as load_part
from .registry import names as part_names
from .rows import carry, peek, push
from .run import harvest
from .tables import JsonlTables, MemoryTables

__all__ = [
    "BlockedError",
    "Catalogue",
    "Client",
    "Column",
    "ConfigError",
    "Dataset",
    "FatalError",
    "Format",
    "Guards",
    "HarvestError",
    "JsonlCatalogue",
    "JsonlTables",
    "Kind",
    "Limits",
    "Listening",
    "MemoryCatalogue",
    "MemoryTables",
    "NotModifiedError",
    "Outcome",
    "PageLoopError",
    "ParseError",
    "Problem",
    "Publication",
    "Receipt",
    "Record",
    "RecordError",
    "Rejected",
    "Response",
    "Retiring",
    "RetriableError",
    "Row",
    "RowSource",
    "RunReport",
    "Source",
    "SourceError",
    "SourceFile",
    "Status",
    "Step",
    "Table",
    "TableOutcome",
    "Tables",
    "Told",
    "TooLargeError",
    "Write",
    "carry",
    "changed_fields",
    "fingerprint",
    "harvest",
    "load_file",
    "load_mapping",
    "load_part",
    "load_text",
    "part_names",
    "peek",
    "push",
]
