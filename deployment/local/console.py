"""What the person at the terminal reads: one line a step, one sentence a failure."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):  # noqa: N818 -- it is shown to a person, not raised for a programmer
    """A step that could not be done, with its mend and, where there is one, its log file."""

    def __init__(self, what: str, mend: str, log: Path | None = None) -> None:
        super().__init__(f"{what}. {mend}" + (f" (log: {log})" if log else ""))


def say(text: str) -> None:
    print(f"• {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step and, when it took more than a second, how long it was."""
    say(text)
    began = time.monotonic()
    yield
    seconds = time.monotonic() - began
    if seconds > 1:
        print(f"  done in {seconds:.0f} s", file=sys.stderr, flush=True)


def tail(log: Path, lines: int = 5) -> str:
    """The end of a log file, for an error text."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
