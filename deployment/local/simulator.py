"""`python -m local.simulator CSE THINGS.yaml`: the territory's sensors, posting to a oneM2M CSE on this
machine.

For demonstration. Every value is a pure function of seed, sensor and time, so that a second start tells the
same story. Talks to loopback only, and ends by itself after ``--rounds``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml
from ccphva_harvesters import Client, HarvestError
from ccphva_harvesters.sources.onem2m.client import AE, CONTAINER, INSTANCE, Cse

KEPT = 5000
"""Instances that a container keeps (``mni``): it is a ring, as at a real platform."""


class Property(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a value moves; ``fill`` is percent an hour for what fills up and is emptied."""

    base: float = 0
    daily: float = 0
    peak: float = 12
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
    swing = one.daily * math.cos((hours % 24 - one.peak) / 24 * 2 * math.pi)
    raw = one.base * fixed.uniform(0.9, 1.1) + swing + now.gauss(0, one.noise)
    return round(min(one.max, max(one.min, raw)), one.decimals)


def payload(seed: int, entity: Entity, thing: Thing, when: dt.datetime) -> dict[str, Any]:
    """Content of one instance."""
    values = {name: value(seed, thing.name, name, one, when) for name, one in entity.properties.items()}
    return {"observedAt": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **values}


def prepare(cse: Cse, client: Client, things: Things) -> None:
    """Applications and containers; those that are there stay."""
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
            cse.create(path, CONTAINER, {"m2m:cnt": container})


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


def main() -> int:
    """Entry point; 1 when the CSE does not answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cse", help="address of the CSE base, as http://127.0.0.1:8080/cse-in")
    parser.add_argument("things", type=Path)
    parser.add_argument("--originator", default="CAdmin")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between rounds")
    parser.add_argument("--rounds", type=int, help="end after so many; without it, when stopped")
    parser.add_argument("--past", type=int, default=0, help="begin with so many hours of history")
    parser.add_argument("--seed", type=int, default=2026)
    told = parser.parse_args()
    count = 0
    with Client(allow_networks=["127.0.0.0/8", "::1"]) as client:
        cse = Cse(told.cse, client, told.originator, "4", {})
        things = read(told.things)
        try:
            prepare(cse, client, things)
            for when in times(told.past, told.rounds, max(0.2, told.every)):
                count += post(cse, things, told.seed, when)
        except HarvestError as exc:
            print(f"The simulator stopped after {count} values: {exc}", flush=True)
            return 1
        except KeyboardInterrupt:
            pass
    print(f"{count} values posted", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
