"""Follow a CSE: subscribe first, then backfill, then take what is told and look again from time to time.

In this order there is no moment in which an observation is neither told nor read. What the portal does with
its own door and workers, this does in one process for the command line.

Imports only ``model``, ``protocols``, ``rows`` and the modules beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ccphva_harvesters.model import Dataset, Row, Table, TableOutcome
from ccphva_harvesters.protocols import Tables
from ccphva_harvesters.rows import carry, push

from .notify import Notice, parse_notification
from .payload import Thing
from .receiver import Receiver
from .source import OneM2MSource
from .subscription import Subscriptions

_PAUSE = 0.2
RECONCILE = 300.0
"""Seconds between two looks at what was not told."""


def follow(
    source: OneM2MSource,
    sink: Tables,
    key: str,
    *,
    seconds: float,
    port: int = 0,
    reconcile: float = RECONCILE,
    on_table: Callable[[TableOutcome], Any] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, str]:
    """Keep what the sensors of ``source`` say, for ``seconds``; the subscriptions are removed at the end.

    :param key: names the source: the subscriptions of one key are found again after a crash
    :returns: sensors without a subscription, and why; they were read by backfill
    """
    tables = _described(source)
    things = {thing.ri: thing for id_ in tables for thing in source.things(id_)}

    def parse(body: bytes) -> list[Notice]:
        return parse_notification(body, things, source.mapper, source.config.originator)

    def look(ids: set[str]) -> None:
        for id_ in sorted(ids):
            on_table(carry(source, tables[id_][0], tables[id_][1], sink))

    ends = time.monotonic() + seconds
    with Receiver(parse, port=port) as receiver:
        subscriptions = Subscriptions(source.cse, key, receiver.url)
        try:
            refused = subscriptions.make(things.values())
            look(set(tables))
            looked = time.monotonic()
            while time.monotonic() < ends and not stopped():
                told, woken = _sorted(receiver.take(), source, tables)
                for id_, rows in told.items():
                    on_table(push(rows, tables[id_][0], tables[id_][1], sink))
                if time.monotonic() - looked > reconcile:
                    woken, looked = set(tables), time.monotonic()
                look(woken)
                time.sleep(_PAUSE)
        finally:
            subscriptions.remove()
    return refused


def _described(source: OneM2MSource) -> dict[str, tuple[Table, str]]:
    datasets = [record.content for record in source.records() if isinstance(record.content, Dataset)]
    return {table.id: (table, dataset.guid) for dataset in datasets for table in dataset.tables}


def _sorted(
    notices: list[Notice], source: OneM2MSource, tables: dict[str, tuple[Table, str]]
) -> tuple[dict[str, list[Row]], set[str]]:
    """Rows by table, and tables to look at again. A sensor may stand in several tables."""
    told: dict[str, list[Row]] = {}
    woken: set[str] = set()
    for notice in notices:
        if notice.kind == "ended":
            woken |= set(tables)
        for id_ in tables:
            if notice.thing is None or not _holds(source, id_, notice.thing):
                continue
            if notice.kind == "rows":
                told.setdefault(id_, []).extend(notice.rows)
            else:
                woken.add(id_)
    return told, woken


def _holds(source: OneM2MSource, table: str, thing: Thing) -> bool:
    return any(one.ri == thing.ri for one in source.things(table))
