"""What an instance says: from ``con`` and custom attributes to rows of observations. Pure functions.

``con`` comes as JSON, as a text that holds JSON, as ``name=value`` pairs with decimal commas, or bare
(TS-0004 §7.4.7; ``cnf`` promises what it is and is not always right).

Imports only ``cells``, ``model`` and ``_observations``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

import jmespath
import msgspec

from ccphva_harvesters import cells
from ccphva_harvesters.model import Row
from ccphva_harvesters.sources import _observations
from ccphva_harvesters.sources._observations import PropertyConfig

_PAIR = re.compile(r"\s*([\w.:/-]{1,100})\s*[=:]\s*([^;&|]*)")
_COMMON = frozenset(
    {
        "rn",
        "ri",
        "pi",
        "ty",
        "ct",
        "lt",
        "et",
        "st",
        "cs",
        "cr",
        "lbl",
        "acpi",
        "cnd",
        "cni",
        "cbs",
        "mni",
        "mbs",
        "mia",
        "fcied",
        "org",
        "aa",
        "at",
        "or",
        "dgt",
        "snr",
        "hld",
        "ast",
        "loc",
    }
)
"""Attributes of every resource (TS-0004 §6.3): not what a flexContainer measures."""
_DEEPEST = 6


class Compiled(Protocol):
    """A JMESPath that was read."""

    def search(self, value: Any) -> Any: ...


class Mapper:
    """How payloads of one source are read."""

    def __init__(
        self,
        properties: Mapping[str, PropertyConfig],
        time: str | None = None,
        latitude: str | None = None,
        longitude: str | None = None,
        keep_raw: bool = True,
    ) -> None:
        self.properties = properties
        self.keep_raw = keep_raw
        self._paths = {name: compiled(one.path or f'"{name}"') for name, one in properties.items()}
        self._time, self._latitude, self._longitude = (
            None if path is None else compiled(path) for path in (time, latitude, longitude)
        )

    def rows(self, thing: Thing, instance: Mapping[str, Any]) -> Iterator[Row]:
        """Rows of one instance (types 4, 30, 58); one whose time or content is unreadable is one bad row."""
        created = str(instance.get("ct", ""))
        name = str(instance.get("rn") or instance.get("ri") or "?")[:100]
        try:
            mark = cells.text_of(cells.time_of(created))
        except cells.CellError:
            yield Row(values={"source_id": thing.id}, series=thing.id, problem="ct: not a time")
            return
        payload = content(instance, thing.name)
        try:
            observed = self._observed(payload, instance, mark)
        except cells.CellError:
            bad = {"source_id": thing.id, "property": name, "observed_at": mark}
            yield Row(values=bad, series=thing.id, mark=mark, problem="observed_at: not a time")
            return
        geom = self._place(payload) or thing.geom
        raw = payload if self.keep_raw else None
        found = False
        for property_, value in self._values(payload):
            found = True
            one = self.properties.get(property_)
            row = _observations.values(
                thing.id, observed, mark, property_, value, one.unit if one else None, geom, raw
            )
            yield Row(values=row, series=thing.id, mark=mark)
        if not found:
            bad = {"source_id": thing.id, "property": name, "observed_at": observed}
            yield Row(values=bad, series=thing.id, mark=mark, problem="no known property in the payload")

    def _observed(self, payload: Any, instance: Mapping[str, Any], created: str) -> str:
        told = instance.get("dgt") or (self._time.search(payload) if self._time else None)
        return created if told in (None, "") else cells.text_of(cells.time_of(str(told)))

    def _values(self, payload: Any) -> Iterator[tuple[str, Any]]:
        if not self._paths:
            yield from leaves(payload)
            return
        for name, path in self._paths.items():
            value = path.search(payload)
            if value is not None:
                yield name, _plain(value)

    def _place(self, payload: Any) -> dict[str, Any] | None:
        if self._latitude is None or self._longitude is None:
            return None
        return point(self._latitude.search(payload), self._longitude.search(payload))


class Thing(msgspec.Struct, frozen=True):
    """One container, time series or flexContainer: a sensor."""

    path: str
    """Structured path, as ``cse-in/dechets/bac-0421``."""
    ri: str
    type: int
    labels: tuple[str, ...] = ()
    geom: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """Its name in rows: the path below the CSE, readable and stable."""
        return self.path.partition("/")[2] or self.path

    @property
    def name(self) -> str:
        """Last part of its path."""
        return self.path.rpartition("/")[2]


def content(instance: Mapping[str, Any], name: str) -> Any:
    """The payload of an instance; a bare value is named ``name`` by its container."""
    if "con" not in instance:  # flexContainer: its own attributes are the content
        return {key: value for key, value in instance.items() if key not in _COMMON and ":" not in key}
    con = instance["con"]
    if isinstance(con, str):
        con = _from_text(con)
    return cast("dict[str, Any]", con) if isinstance(con, dict) else {name: con}


def _from_text(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda constant: constant)
    except (ValueError, RecursionError):
        pass
    parts = [part for part in re.split(r"[;&|]", text) if part.strip()]
    pairs = [_PAIR.fullmatch(part) for part in parts]
    if parts and all(pairs):
        return {pair[1]: _number(pair[2].strip()) for pair in pairs if pair}
    return _number(text)


def _number(text: str) -> Any:
    try:
        return cells.number_of(text)
    except cells.CellError:
        return text


def leaves(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Names and values of every plain leaf, names joined by dots; lists stay whole, as text."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, item in cast("dict[str, Any]", value).items():
            yield from leaves(item, f"{prefix}.{key}" if prefix else str(key), depth + 1)
    elif value is not None:
        yield prefix or "value", _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _number(value) if re.fullmatch(r"\s*[+-]?\d[\d\s]*([.,]\d+)?\s*", value) else value
    return value


def place_of_labels(labels: tuple[str, ...]) -> dict[str, Any] | None:
    """A point from labels such as ``lat:49.4897`` and ``lon:5.9275``."""
    said = dict(label.lower().split(":", 1) for label in labels if ":" in label)
    return point(said.get("lat") or said.get("latitude"), said.get("lon") or said.get("longitude"))


def place_of_location(loc: Any) -> dict[str, Any] | None:
    """A geometry from the ``loc`` attribute (Release 4: type 1 is a point, ``crd`` holds its coordinates)."""
    if not isinstance(loc, dict):
        return None
    told = cast("dict[str, Any]", loc)
    crd = told.get("crd")
    if isinstance(crd, str):
        try:
            crd = json.loads(crd)
        except ValueError:
            return None
    if told.get("typ") != 1 or not isinstance(crd, list) or len(cast("list[Any]", crd)) < 2:
        return None
    return point(crd[1], crd[0])


def point(latitude: Any, longitude: Any) -> dict[str, Any] | None:
    """A GeoJSON point, or None when it is not on the globe."""
    try:
        lat, lon = float(str(latitude).replace(",", ".")), float(str(longitude).replace(",", "."))
    except ValueError:
        return None
    if not (abs(lat) <= 90 and abs(lon) <= 180):  # also false for NaN
        return None
    return {"type": "Point", "coordinates": [lon, lat]}


def compiled(path: str) -> Compiled:
    """A JMESPath expression.

    :raises ValueError: it is not one
    """
    return cast("Compiled", jmespath.compile(path))  # type: ignore[reportUnknownMemberType]
