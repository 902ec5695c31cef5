"""What platforms told by themselves becomes rows, by the sink of harvests: same table, same key, no mark.

A notification that comes twice, or again by a run, is one row; one that is lost comes by the next run.
Imports `engine`, `listening`, `settings`, `tables`.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from ccphva_harvesters import Client, Listening, ParseError, RetriableError, Row, Table, push
from ckan import model as core
from ckanext.ccphva_harvest import config, engine, listening, settings
from ckanext.ccphva_harvest.register import HarvestSource
from ckanext.ccphva_harvest.settings import Settings
from ckanext.ccphva_harvest.tables import CkanTables
from ckanext.harvest.logic import HarvestJobExists
from sqlalchemy import exc

log = logging.getLogger(__name__)
WAKE = 60
"""Seconds between two runs that notifications may ask for."""


def drain() -> int:
    """Write what waits, of each source; one that fails does not keep the others.

    :returns: number of rows that are new.
    """
    return sum(_drained(source_id) for source_id in listening.notices().waiting())


def _drained(source_id: str) -> int:
    box = listening.notices()
    known = box.known(source_id)
    if known is None:
        return 0  # its platform is being asked just now; what waits is bounded
    try:
        with box.taking(source_id) as bodies:
            rows = _write(source_id, known, bodies) if bodies else 0
        box.count(source_id, "rows", rows)
    except (RetriableError, exc.OperationalError, exc.InterfaceError) as error:
        core.Session.rollback()
        log.warning("Source %s: what it told waits: %s", source_id, error)
    except Exception:  # whatever it is, it must not come again every two seconds: the next run begins anew
        core.Session.rollback()
        log.exception("Source %s: what it told is left to its next run", source_id)
        box.close(source_id)
    else:
        return rows
    finally:
        core.Session.remove()
    return 0


def _write(source_id: str, known: bytes, bodies: list[bytes]) -> int:
    wanted = _settings(source_id)
    if wanted is None or wanted.listen is None or wanted.file.personal_data != "none":
        listening.stop(source_id)
        return 0
    told = _Told()
    with Client(allow_networks=config.allowed_networks(), user_agent=config.user_agent()) as client:
        reader = wanted.file.build_source(client)
        if isinstance(reader, Listening):
            told.read(reader, known, bodies)
    if told.unreadable:
        listening.notices().count(source_id, "unreadable", told.unreadable)
    sink, accepted = CkanTables(source_id, engine.act, wanted.retention), 0
    for table, rows in told.tables.values():
        outcome = push(rows, table, table.id, sink)
        accepted += outcome.accepted
        if outcome.retriable:
            raise RetriableError("datastore", outcome.error or "it does not answer")
        if outcome.error or outcome.rejected:
            log.warning("Source %s, %s: %s %s", source_id, table.id, outcome.error or "", outcome.reasons)
    if told.wake:
        _ask_for_run(source_id)
    return accepted


class _Told:
    """Rows of many notifications by table: one write a table, not one a notification."""

    def __init__(self) -> None:
        self.tables: dict[str, tuple[Table, list[Row]]] = {}
        self.unreadable, self.wake = 0, False

    def read(self, reader: Listening, known: bytes, bodies: list[bytes]) -> None:
        for body in bodies:
            try:
                told = reader.told(known, body)
            except ParseError:
                self.unreadable += 1
                continue
            self.wake = self.wake or told.wake
            for table, rows in told.rows:
                self.tables.setdefault(table.id, (table, []))[1].extend(rows)


def _settings(source_id: str) -> Settings | None:
    """How a source is configured; None when it is not there, or rests."""
    source: Any = HarvestSource.get(source_id)
    package = core.Session.get(core.Package, source_id)
    harvester: Any = engine.harvester_of(source.type) if source and source.active else None
    if package is None or package.state != "active" or not hasattr(harvester, "format_type"):
        return None
    found = settings.parse(harvester.source_type, harvester.format_type, source.url, source.config)
    core.Session.remove()
    return found


def _ask_for_run(source_id: str) -> None:
    """There is something that only a run reads."""
    if not listening.notices().first_in(source_id, WAKE):
        return
    with suppress(HarvestJobExists):  # the one at work, or the next, reads it
        engine.act("harvest_job_create", source_id=source_id, run=True)
