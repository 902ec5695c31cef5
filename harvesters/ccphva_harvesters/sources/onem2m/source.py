"""oneM2M: application entities become datasets, their sensors one long table.

Discovery finds AEs, containers (3), flexContainers (28) and time series (29); backfill reads instances by
windows of creation time, because ``lim`` and ``ofst`` slice before they filter. The watermark is the CSE's
own clock (``ct``), so neither our clock nor late notifications can make a hole.

Imports only ``errors``, ``http``, ``model``, ``secrets`` and the modules beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from ccphva_harvesters import cells
from ccphva_harvesters.errors import (
    ConfigError,
    FatalError,
    ParseError,
    RetriableError,
    SourceError,
    TooLargeError,
)
from ccphva_harvesters.http import Client
from ccphva_harvesters.model import Record, Row, Table, Told
from ccphva_harvesters.secrets import Secrets, environment
from ccphva_harvesters.sources import _described, _observations
from ccphva_harvesters.sources._described import listing, mapping
from ccphva_harvesters.sources._observations import PropertyConfig

from . import client as m2m
from .notify import NotificationError, parse_notification
from .payload import Mapper, Thing, place_of_labels, place_of_location
from .subscription import Subscriptions

_SERIES = (m2m.CONTAINER, m2m.FLEX, m2m.TIME_SERIES)
_INSTANCES = {
    m2m.CONTAINER: m2m.INSTANCE,
    m2m.TIME_SERIES: m2m.TIME_INSTANCE,
    m2m.FLEX: m2m.FLEX_INSTANCE,
}
_OVERLAP = dt.timedelta(seconds=1)
"""``cra`` is exclusive at some CSEs: go back a little, the table's key takes care of repeats."""
_SMALLEST = dt.timedelta(seconds=1)
_SILENT = 3
"""Sensors in a row that may be out of order before the platform is taken to be."""
_FEW, _MANY = 500, 5000
_BASIC = "%Y%m%dT%H%M%S,%f"


class OneM2MConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``source:`` with ``type: onem2m``."""

    url: str
    """Address of the CSE base, as ``https://iot.example.org/cse-in``."""
    originator: str
    """Identity we speak as (``X-M2M-Origin``)."""
    release: Literal["3", "4", "5"] = "4"
    labels: tuple[str, ...] = ()
    """Only application entities with one of these labels."""
    datasets: Literal["ae", "label"] = "ae"
    label_prefix: str = ""
    """With ``datasets: label``: sensors are gathered by the labels that begin so."""
    properties: dict[str, PropertyConfig] = {}
    """Properties to take from payloads; without any, every plain value is one."""
    time: str | None = None
    """JMESPath of the time inside a payload; else the CSE's time of creation."""
    latitude: str | None = None
    longitude: str | None = None
    window: int = 86_400
    """Seconds of the first backfill window; it grows and shrinks by what it brings."""
    raw: bool = True
    """Keep each payload in column ``raw``."""
    titles: dict[str, str] = {}
    """Title of a dataset by the name of its AE, or its label."""
    language: str = "fr"
    secret: str | None = None
    """Name of a secret that is sent as ``Authorization``."""


class _Collection(msgspec.Struct, frozen=True):
    """A table and its sensors, for who is told of rows and did not describe it."""

    id: str
    title: str
    things: list[Thing]


class OneM2MSource:
    """Datasets and rows of one CSE."""

    Config = OneM2MConfig

    def __init__(
        self, config: OneM2MConfig, client: Client, *, secrets: Secrets = environment, **_state: Any
    ) -> None:
        if config.datasets == "label" and not config.label_prefix:
            raise ConfigError("$.source.label_prefix", "needed with datasets: label")
        self.config = config
        more = {} if config.secret is None else {"Authorization": secrets(config.secret)}
        self.cse = m2m.Cse(config.url, client, config.originator, config.release, more)
        try:
            self.mapper = Mapper(
                config.properties, config.time, config.latitude, config.longitude, config.raw
            )
        except ValueError as exc:
            raise ConfigError("$.source", f"not a JMESPath: {' '.join(str(exc).split())}") from None
        self._things: dict[str, list[Thing]] = {}
        self._titles: dict[str, str] = {}

    def check(self) -> str:
        """Read the CSE base and count its application entities."""
        _, base = m2m.only(self.cse.get(self.cse.name))
        entities = self._entities()
        return f"CSE {base.get('csi') or self.cse.name} with {len(entities)} application entities"

    def records(self) -> Iterator[Record]:
        """One record an application entity, or a label."""
        self._things = {}
        if self.config.datasets == "ae":
            for path in self._entities():
                _, ae = m2m.only(self.cse.get(path))
                labels = _labels(ae)
                things = list(self._below(path))
                yield self._record(path, str(ae.get("apn") or ae.get("rn") or path), labels, things)
        else:
            yield from self._by_label()

    def _by_label(self) -> Iterator[Record]:
        gathered: dict[str, list[Thing]] = {}
        for path in self._entities():
            _, ae = m2m.only(self.cse.get(path))
            for thing in self._below(path):
                for label in {*thing.labels, *_labels(ae)}:
                    if label.startswith(self.config.label_prefix):
                        gathered.setdefault(label, []).append(thing)
        for label, things in sorted(gathered.items()):
            yield self._record(label, label.removeprefix(self.config.label_prefix), (), things)

    def retire(self, key: str) -> int:
        """Remove the subscriptions that were made under ``key``."""
        return Subscriptions(self.cse, key, "").remove()

    def listen(self, key: str, address: str) -> tuple[bytes, Mapping[str, str]]:
        """Subscribe to every sensor that this run described; `told` reads what comes to ``address``."""
        every = {thing.ri: thing for things in self._things.values() for thing in things}
        refused = Subscriptions(self.cse, key, address).make(every.values())
        known = [_Collection(id_, self._titles[id_], things) for id_, things in self._things.items()]
        return msgspec.json.encode(known), refused

    def told(self, known: bytes, body: bytes) -> Told:
        """Rows of one notification by table; ``wake`` where it only says that there is something to read."""
        collections = msgspec.json.decode(known, type=list[_Collection])
        things = {thing.ri: thing for one in collections for thing in one.things}
        try:
            notices = parse_notification(body, things, self.mapper, self.config.originator)
        except NotificationError as exc:
            raise ParseError(self.config.url, str(exc)) from None
        rows: dict[str, list[Row]] = {}
        for notice in notices:
            for one in collections:
                if notice.rows and notice.thing in one.things:
                    rows.setdefault(one.id, []).extend(notice.rows)
        titles = {one.id: one.title for one in collections}
        tables = [
            (_observations.table(id_, titles[id_], self.config.properties), tuple(found))
            for id_, found in rows.items()
        ]
        return Told(rows=tuple(tables), wake=any(notice.kind in ("wake", "ended") for notice in notices))

    def _entities(self) -> list[str]:
        wanted = self.config.labels or ("",)
        found = [
            path
            for label in wanted
            for path in self.cse.discover(self.cse.name, m2m.AE, **({"lbl": label} if label else {}))
        ]
        return sorted(set(found))

    def _below(self, path: str) -> Iterator[Thing]:
        """Sensors below an AE; one that vanishes while we look is left out."""
        for type_ in _SERIES:
            for one in self.cse.discover(path, type_):
                answer = self.cse.find(one)
                if answer is None:
                    continue
                _, attributes = m2m.only(answer)
                labels = _labels(attributes)
                geom = place_of_location(attributes.get("loc")) or place_of_labels(labels)
                yield Thing(one, str(attributes.get("ri") or one), type_, labels, geom)

    def _record(self, name: str, title: str, labels: tuple[str, ...], things: list[Thing]) -> Record:
        guid = f"{self.config.url.rstrip('/')}#{name}"
        short = name.rpartition("/")[2]
        title = self.config.titles.get(name) or self.config.titles.get(short) or title
        self._things[guid], self._titles[guid] = things, title
        table = _observations.table(guid, title, self.config.properties)
        keywords = [
            label.partition(":")[2] or label for label in labels if not label.startswith(("lat", "lon"))
        ]
        dataset = _described.dataset(guid, title, [table], language=self.config.language, keywords=keywords)
        return _described.record(msgspec.structs.replace(dataset, uri=None))

    # -- rows ------------------------------------------------------------------------------------------------

    def things(self, table: str) -> list[Thing]:
        """Sensors of a table that this run has described."""
        return self._things.get(table, [])

    def rows(self, table: Table, marks: Mapping[str, str]) -> Iterator[Row]:
        """Observations at or after each sensor's watermark, oldest first.

        A sensor that cannot be read is told at the end: the others get their turn.
        """
        if table.id not in self._things:
            raise FatalError(f"{table.id} was not described by this run")
        failed: list[str] = []
        silent = 0
        for thing in self._things[table.id]:
            try:
                for instance in self._instances(thing, marks.get(thing.id)):
                    yield from self.mapper.rows(thing, instance)
                silent = 0
            except SourceError as exc:
                failed.append(f"{thing.id}: {exc.cause}")
            except RetriableError as exc:
                failed.append(f"{thing.id}: {exc.cause}")
                silent += 1
                if silent >= _SILENT:  # not this sensor but the platform: come again later
                    raise
        if failed:
            raise FatalError(f"{len(failed)} sensors could not be read: {'; '.join(failed[:5])}")

    def _instances(self, thing: Thing, mark: str | None) -> Iterator[dict[str, Any]]:
        """Instances by windows of creation time; the last window is open, so our clock does not matter."""
        start = self._start(thing, mark)
        if start is None:
            return
        _, latest = self._end(thing)
        width = dt.timedelta(seconds=max(1, self.config.window))
        seen: set[str] = set()
        while True:
            last = latest is None or start + width > latest
            try:
                found = self._window(thing, start, None if last else start + width)
            except TooLargeError:
                if width <= _SMALLEST:
                    raise
                width = max(
                    _SMALLEST, (latest - start) / 2 if last and latest and latest > start else width / 4
                )
                continue
            for instance in found:
                ri = str(instance.get("ri"))
                if ri not in seen:
                    yield instance
            seen = {str(instance.get("ri")) for instance in found}
            if last:
                return
            start += max(width - _OVERLAP, width / 2)
            width = width * 2 if len(found) < _FEW else width / 2 if len(found) > _MANY else width
            width = max(width, _OVERLAP * 2)

    def _start(self, thing: Thing, mark: str | None) -> dt.datetime | None:
        """Where to begin: the mark, or the oldest instance that is left; None when there is none."""
        if mark is not None:
            return cells.time_of(mark) - _OVERLAP
        oldest = self.cse.find(f"{thing.path}/ol")
        if oldest is None:
            return None
        when = _created(m2m.only(oldest)[1])
        return (when or dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) - _OVERLAP

    def _end(self, thing: Thing) -> tuple[bool, dt.datetime | None]:
        latest = self.cse.find(f"{thing.path}/la")
        return latest is not None, None if latest is None else _created(m2m.only(latest)[1])

    def _window(self, thing: Thing, start: dt.datetime, end: dt.datetime | None) -> list[dict[str, Any]]:
        query: dict[str, str | int] = {"rcn": 8, "ty": _INSTANCES[thing.type], "cra": start.strftime(_BASIC)}
        if end is not None:
            query["crb"] = end.strftime(_BASIC)
        name, parent = m2m.only(self.cse.get(thing.path, **query))
        found = instances(parent, name, _INSTANCES[thing.type])
        return sorted(found, key=lambda one: (str(one.get("ct")), str(one.get("ri"))))


def instances(parent: Mapping[str, Any], name: str, type_: int) -> list[dict[str, Any]]:
    """Instances among the children in an answer with ``rcn=8``. Those of a flexContainer stand under the name
    of their parent."""
    keys = {m2m.INSTANCE: "m2m:cin", m2m.TIME_INSTANCE: "m2m:tsi", m2m.FLEX_INSTANCE: name}
    return [
        mapping(one) for one in listing(parent.get(keys[type_])) if mapping(one).get("ty", type_) == type_
    ]


def _created(instance: Mapping[str, Any]) -> dt.datetime | None:
    try:
        return cells.time_of(str(instance.get("ct")))
    except cells.CellError:
        return None


def _labels(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(label) for label in listing(attributes.get("lbl")))
