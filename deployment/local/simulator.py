"""`python -m local.simulator CSE THINGS.yaml`: the territory's sensors, posting to a oneM2M CSE on this
machine.

For demonstration. Every value is a pure function of seed, sensor and time, so that a second start tells the
same story. Talks to loopback only, and ends by itself after ``--rounds``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml
from ccphva_harvesters import Client, HarvestError
from ccphva_harvesters.sources.onem2m.client import AE, CONTAINER, INSTANCE, Cse
from ckanext.ccphva.shared import Pulse  # pyright: ignore[reportMissingImports]

_PLACE = ZoneInfo("Europe/Paris")
_NOON = 11.6
"""Hour (UTC) at which the sun stands highest at 6° E."""
_SATURDAY = 5
KEPT = 5000
"""Instances that a container keeps (``mni``): it is a ring, as at a real platform."""


class Property(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a value moves. ``daily`` swings around hour ``peak`` and ``yearly`` around day ``summit``, both of
    local time; ``weekend`` multiplies on Saturday and Sunday; ``dark``: only between sunset and sunrise;
    ``fill`` is percent an hour for what fills up and is emptied."""

    base: float = 0
    daily: float = 0
    peak: float = 12
    yearly: float = 0
    summit: float = 200
    weekend: float = 1
    dark: bool = False
    noise: float = 0
    min: float = 0
    max: float = 100
    decimals: int = 1
    fill: float | None = None


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sensor and where it stands."""

    name: str
    lat: float
    lon: float
    labels: tuple[str, ...] = ()


class Entity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An application with sensors of one kind."""

    name: str
    labels: tuple[str, ...]
    properties: dict[str, Property]
    things: tuple[Thing, ...]


class Things(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file."""

    entities: tuple[Entity, ...]


def read(path: Path) -> Things:
    """The sensors of a file."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Things)


def value(seed: int, thing: str, name: str, one: Property, when: dt.datetime) -> float:
    """What a sensor measures at a time."""
    hours = when.timestamp() / 3600
    fixed = random.Random(f"{seed} {thing} {name}")  # noqa: S311  (a demonstration, no secret)
    now = random.Random(f"{seed} {thing} {name} {when.timestamp():.3f}")  # noqa: S311
    if one.fill is not None:
        level = (fixed.uniform(0, 100) + hours * one.fill * fixed.uniform(0.6, 1.4)) % 100
        return round(level, one.decimals)
    local = when.astimezone(_PLACE)
    hour, day = local.hour + local.minute / 60, local.timetuple().tm_yday
    if one.dark and not is_dark(when):
        return round(one.min, one.decimals)
    swing = one.daily * _wave(hour - one.peak, 24) + one.yearly * _wave(day - one.summit, 365.25)
    raw = one.base * fixed.uniform(0.9, 1.1) + swing
    raw = raw * (one.weekend if local.weekday() >= _SATURDAY else 1) + now.gauss(0, one.noise)
    return round(min(one.max, max(one.min, raw)), one.decimals)


def is_dark(when: dt.datetime) -> bool:
    """Whether the sun is down at 49.5° N, 6° E, within a quarter of an hour."""
    day = when.timetuple().tm_yday
    half = (12.2 + 4.1 * _wave(day - 172, 365.25)) / 2
    return abs((when.hour + when.minute / 60) - _NOON) > half


def _wave(distance: float, length: float) -> float:
    return math.cos(distance / length * 2 * math.pi)


def payload(seed: int, entity: Entity, thing: Thing, when: dt.datetime) -> dict[str, Any]:
    """Content of one instance."""
    values = {name: value(seed, thing.name, name, one, when) for name, one in entity.properties.items()}
    return {"observedAt": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **values}


def wait_for(cse: Cse, seconds: float) -> None:
    """Return when the platform answers.

    :raises HarvestError: it does not, for so long.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            cse.get(cse.name)
        except HarvestError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            return


def prepare(cse: Cse, client: Client, things: Things) -> bool:
    """Applications and containers; those that are there stay. True when a container was made."""
    made = False
    for entity in things.entities:
        path = f"{cse.name}/{entity.name}"
        ae = {
            "rn": entity.name,
            "api": f"N.{entity.name}",
            "srv": ["4"],
            "rr": False,
            "lbl": list(entity.labels),
        }
        if cse.find(path) is None:  # an originator may be one application only
            own = Cse(cse.url(cse.name), client, f"C{entity.name.replace('-', '')}", "4", {})
            own.create(cse.name, AE, {"m2m:ae": ae})
        for thing in entity.things:
            labels = [f"lat:{thing.lat}", f"lon:{thing.lon}", *thing.labels]
            container = {"rn": thing.name, "mni": KEPT, "lbl": labels}
            made |= cse.create(path, CONTAINER, {"m2m:cnt": container}) is not None
    return made


def post(cse: Cse, things: Things, seed: int, when: dt.datetime) -> int:
    """One instance of every sensor; how many."""
    count = 0
    for entity in things.entities:
        for thing in entity.things:
            content = {"cnf": "application/json:0", "con": payload(seed, entity, thing, when)}
            cse.create(f"{cse.name}/{entity.name}/{thing.name}", INSTANCE, {"m2m:cin": content})
            count += 1
    return count


def times(past: int, rounds: int | None, every: float) -> Iterator[dt.datetime]:
    """Each hour of the past, then now and now again."""
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    yield from (now - dt.timedelta(hours=hour) for hour in range(past, 0, -1))
    done = 0
    while rounds is None or done < rounds:
        if done:
            time.sleep(every)
        yield dt.datetime.now(dt.UTC)
        done += 1


def _pulse() -> AbstractContextManager[Any]:
    """A sign of life for the portal's health, where its queue is named."""
    url, site = os.environ.get("CCPHVA_PULSE_URL"), os.environ.get("CCPHVA_PULSE_SITE", "")
    return Pulse("simulator", url, site) if url else nullcontext()


def _posted(cse: Cse, client: Client, things: Things, told: argparse.Namespace, when: dt.datetime) -> int:
    """As `post`; a platform that was started anew, and forgot everything, is waited for and prepared."""
    try:
        return post(cse, things, told.seed, when)
    except HarvestError:
        if not told.wait:
            raise
        wait_for(cse, told.wait)
        prepare(cse, client, things)
        return post(cse, things, told.seed, when)


def main() -> int:
    """Entry point; 1 when the CSE does not answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cse", help="address of the CSE base, as http://127.0.0.1:8080/cse-in")
    parser.add_argument("things", type=Path)
    parser.add_argument("--originator", default="CAdmin")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between rounds")
    parser.add_argument("--rounds", type=int, help="end after so many; without it, when stopped")
    parser.add_argument("--past", type=int, default=0, help="begin with so many hours of history")
    parser.add_argument("--wait", type=float, default=0, help="seconds for the platform to answer at first")
    parser.add_argument("--seed", type=int, default=2026)
    told = parser.parse_args()
    count = 0
    with _pulse(), Client(allow_networks=["127.0.0.0/8", "::1"]) as client:
        cse = Cse(told.cse, client, told.originator, "4", {})
        things = read(told.things)
        try:
            wait_for(cse, told.wait)
            past = told.past if prepare(cse, client, things) else 0
            for when in times(past, told.rounds, max(0.2, told.every)):
                count += _posted(cse, client, things, told, when)
        except HarvestError as exc:
            print(f"The simulator stopped after {count} values: {exc}", flush=True)
            return 1
        except KeyboardInterrupt:
            pass
    print(f"{count} values posted", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
