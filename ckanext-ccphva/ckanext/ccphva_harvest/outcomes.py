"""What became of a record, as the library's run is told it. Imports nothing of the plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
import msgspec
from ccphva_harvesters import Outcome, Write


def outcome(write: Write, status: Any, **more: Any) -> Outcome:
    """The outcome of a write, with the record's name, address and problems."""
    dataset = write.dataset
    return Outcome(
        status=status,
        record=write.record_id,
        guid=dataset.guid,
        url=write.record_url,
        problems=dataset.problems,
        **more,
    )


def left_out(write: Write) -> Outcome:
    """The outcome of a write whose turn did not come."""
    return outcome(write, "skipped", reason="the job was ended before its turn came")


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


def not_indexed(outcome: Outcome, cause: str | None) -> Outcome:
    """A dataset that is written and that the index refuses, if there is a cause."""
    if cause is None:
        return outcome
    return msgspec.structs.replace(
        outcome, status="failed", reason=f"it is written, but the index refuses it: {cause}"
    )
