"""The process of loads or PostgreSQL killed in the middle of a load: readers keep the old table meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests
from load_stack_support import File, file_on_stack
from stack import Stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.alone]
OLD, NEW = 50, 600_000


@pytest.fixture
def table(stack: Stack) -> Iterator[File]:
    with file_on_stack(stack, "mesures.csv", lines(OLD)) as file:
        assert wait_for(lambda: file.total() == OLD, 20), file.show()
        assert wait_for(lambda: file.show()["state"] == "done", 20), file.show()
        yield file


def lines(count: int) -> bytes:
    return b"code;nom;niveau\n" + b"".join(b"%07d;nom%d;1,5\n" % (n, n) for n in range(count))


class Totals(threading.Thread):
    """Every number of rows that a reader was told; answers of a portal without database are left out."""

    def __init__(self, file: File) -> None:
        super().__init__(daemon=True)
        self.file, self.seen, self.over = file, set[int | None](), threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.1):
            try:
                answer = self.file.stack.call("datastore_search", resource_id=self.file.id, limit=1)
            except requests.RequestException:
                continue
            if answer.status_code == 503:
                continue
            found = answer.json()["result"] if answer.status_code == 200 else {"records": [], "total": None}
            self.seen.add(found["total"] if found["records"] else None)

    def end(self) -> set[int | None]:
        self.over.set()
        self.join(60)
        return self.seen


def test_the_loads_process_killed(stack: Stack, table: File) -> None:
    """With its whole family, as the kernel does when memory ends: the next worker begins the load anew."""
    totals = Totals(table)
    totals.start()
    table.replace(lines(NEW))
    assert wait_for(lambda: table.show()["state"] == "loading", 30), table.show()
    kill_family(stack.pid("loads"))
    assert table.total() == OLD
    assert wait_for(lambda: table.total() == NEW, 150), table.show()
    assert wait_for(lambda: table.show()["state"] == "done", 60), table.show()
    assert not table.show()["reason"]
    assert totals.end() == {OLD, NEW}


def test_postgresql_stopped_at_once(stack: Stack, table: File) -> None:
    """As in a power cut: the load is done again when the database is back."""
    totals = Totals(table)
    totals.start()
    table.replace(lines(NEW))
    assert wait_for(lambda: table.show()["state"] == "loading", 30), table.show()
    stack.kill("postgres", signal.SIGQUIT)
    assert wait_for(stack.green, 60), stack.health()
    told = set[str]()

    def done() -> bool:
        shown = table.show()
        told.add(str(shown.get("reason") or shown["state"]))
        return table.total() == NEW

    assert wait_for(done, 150), (table.show(), told)
    assert wait_for(lambda: table.show()["state"] == "done", 60), table.show()
    assert totals.end() == {OLD, NEW}


def kill_family(pid: int) -> None:
    """SIGKILL for a process and all that it started; each is named by its own number."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.stdout.splitlines())}
    family, last = {pid}, 0
    while len(family) > last:
        last = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    assert pid > 1
    for each in sorted(family):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
