"""What the benchmarks share: a CKAN of the test stack, paired timings, and one line a measure."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

ROOT = Path(__file__).parents[2]


@contextmanager
def portal() -> Iterator[Any]:
    """A CKAN of the test stack's own databases for tests, with a request at work."""
    model.repo.tables_created_and_initialised = True  # emptied, not dropped: `./portal` made them
    application = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
    with application._wsgi_app.test_request_context():
        yield application


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def paired(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Median seconds of both, taken in turn so that what else the machine does meets both."""
    ours(), peer()  # neither pays for cold caches
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


class Report:
    """Prints a line a measure, and keeps them as JSON in var/bench."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.measures: list[dict[str, Any]] = []

    def rate(self, measure: str, work: float, ours: float, peer: float, unit: str, goal: float) -> None:
        """Rates from the seconds that the same work took; the ratio is ours to the peer's."""
        self._add(measure, work / ours, work / peer, unit, peer / ours, goal, peer / ours >= goal)

    def most(self, measure: str, found: float, limit: float, unit: str) -> None:
        """A figure that must not pass its limit."""
        self._add(measure, found, limit, unit, found / limit, 1.0, found <= limit)

    def _add(
        self, measure: str, ours: float, peer: float, unit: str, ratio: float, goal: float, good: bool
    ) -> None:
        verdict = "ok" if good else "short"
        print(
            f"{measure} ours={ours:.4g}{unit} peer={peer:.4g}{unit} {ratio=:.2f} {goal=:g} {verdict}",
            flush=True,
        )
        keys = ("measure", "ours", "peer", "unit", "ratio", "goal", "good")
        self.measures.append(dict(zip(keys, (measure, ours, peer, unit, ratio, goal, good), strict=True)))

    def keep(self) -> None:
        folder = ROOT / "var" / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.json").write_text(json.dumps(self.measures, indent=1))
