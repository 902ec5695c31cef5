"""What a run of a source would make of its first records. Reads the source, writes nothing.

The same reader, steps, payload and schema as in a run, so that what is shown is what comes.

Imports `bulk`, `catalogue`, `config`, `payload`, `settings`, `storage` and `outcomes`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ckan.plugins.toolkit as tk
from ccphva_harvesters import (
    Client,
    ConfigError,
    Dataset,
    HarvestError,
    Outcome,
    RowSource,
    Table,
    Write,
    harvest,
)
from ccphva_harvesters.rows import peek
from ckan import model as core
from ckanext.ccphva.shared import harvesting
from ckanext.ccphva_harvest import config, outcomes, payload, settings, storage
from ckanext.ccphva_harvest.bulk import writing
from ckanext.ccphva_harvest.catalogue import CkanCatalogue
from ckanext.ccphva_harvest.model import record_id

MOST, ROWS = 20, 5
"""Datasets that are shown, and rows of each of their tables."""
SECONDS = 20.0
"""A source that is slower is shown as far as it came."""


def of(source: Any, kind: tuple[str, str], *, user: str) -> dict[str, Any]:
    """Reach a source and say what a run would make of its first records.

    :param source: the register's source.
    :param kind: the library's source and format.
    :param user: account that harvests write by.
    :returns: `says` (the source of itself) or `error` (why it cannot be read); `datasets`, each with `title`,
        `name`, `status` (`added`, `updated`, `unchanged` or `failed`), `visibility`, `licence`, `resources`,
        `problems`, `reason` (what the schema has against it) and `tables` (`title`, `columns`, `rows`,
        `error`); `failed`: records that could not be read; `more`: whether the source has further ones.
    """
    owner = core.Session.get_one(core.Package, source.id).owner_org or ""
    found: dict[str, Any] = {"says": "", "error": "", "datasets": [], "failed": [], "more": False}
    try:
        file = settings.parse(*kind, source.url, source.config).file
    except ConfigError as error:
        return found | {"error": str(error)}
    catalogue = CkanCatalogue(
        source.id, "", file, user=user, owner_org=owner, commit_index=False, cancelled=lambda: False
    )
    ends = time.monotonic() + SECONDS
    shown: dict[str, dict[str, Any]] = {}
    with Client(allow_networks=config.allowed_networks(), user_agent=config.user_agent()) as client:
        reader = file.build_source(client)
        try:
            found["says"] = reader.check()
        except HarvestError as error:
            return found | {"error": str(error)}

        def show(dataset: Dataset) -> None:
            shown[dataset.guid] = _dataset(catalogue, dataset) | {"tables": []}
            if isinstance(reader, RowSource) and file.personal_data == "none":
                shown[dataset.guid]["tables"] = [_table(reader, each, dataset) for each in dataset.tables]

        def tell(outcome: Outcome) -> None:
            if entry := shown.get(outcome.guid or ""):
                entry["status"] = "failed" if entry["reason"] else outcome.status
            elif outcome.status == "failed":
                found["failed"].append({"record": outcome.record, "reason": outcome.reason})

        with harvesting():
            report = harvest(
                reader,
                file.format,
                file.steps,
                _Known(source.id),
                dry_run=True,
                limit=MOST,
                on_dataset=show,
                on_outcome=tell,
                cancelled=_passed(ends),
            )
    core.Session.rollback()
    return found | {
        "datasets": list(shown.values()),
        "error": report.error or "",
        "more": not report.complete and not report.error,
    }


def _passed(ends: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > ends


class _Known:
    """The catalogue as far as a preview needs it: what it knows of the source."""

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id

    def known(self) -> Mapping[str, str]:
        return storage.known(self.source_id)

    def apply(self, batch: Sequence[Write]) -> Iterable[Outcome]:
        raise NotImplementedError

    def withdraw(self, guids: Sequence[str]) -> Iterable[Outcome]:
        raise NotImplementedError


def _dataset(catalogue: CkanCatalogue, dataset: Dataset) -> dict[str, Any]:
    wanted = catalogue.wanted(dataset)
    package = core.Session.get(core.Package, record_id(catalogue.source_id, dataset.guid))
    if package is None:
        taken = storage.names_taken([payload.slug_of(dataset)])
        wanted["name"] = payload.name_of(dataset, catalogue.source_id, taken.__contains__)
    else:
        wanted |= {"id": package.id, "name": package.name}
    shown = {
        "title": payload.text_of(wanted.get("title_translated")) or dataset.guid,
        "name": wanted["name"],
        "status": "",
        "visibility": wanted["visibility"],
        "licence": _licence(wanted),
        "resources": [
            {
                "name": payload.text_of(each.get("name_translated")),
                "url": each["url"],
                "format": str(each.get("format") or "").rpartition("/")[2],
            }
            for each in wanted["resources"]
        ],
        "problems": [{"code": each.code, "message": each.message} for each in dataset.problems],
        "reason": "",
    }
    try:
        writing.validated(wanted, catalogue.context(), package)
    except tk.ValidationError as error:
        shown["reason"] = outcomes.reason_of(error)
    return shown


def _licence(wanted: Mapping[str, Any]) -> str:
    """The licence of the dataset, or of its first file that has one."""
    things = (wanted, *wanted["resources"])
    return next((str(each["license_id"]) for each in things if each.get("license_id")), "")


def _table(reader: RowSource, table: Table, dataset: Dataset) -> dict[str, Any]:
    rows, outcome = peek(reader, table, dataset.guid, ROWS)
    columns = [column.name for column in table.columns]
    return {
        "title": table.title,
        "columns": columns,
        "rows": [[row.get(column) for column in columns] for row in rows],
        "error": outcome.error or "",
    }
