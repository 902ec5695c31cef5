"""A process of its own for a foreign file: bounded memory, processor time, clock time and disk. No CKAN.

A bomb ends that process and nothing else; what it said on its way is the reason that the publisher reads.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ckanext.ccphva_datastore.loading.faults import MESSAGES, Fault

MB = 1_000_000
CHILD = "ckanext.ccphva_datastore.loading.child"


@dataclass(frozen=True)
class Limits:
    """What reading one file may take: megabytes of memory and of unfolded archive, seconds."""

    memory: int = 2_000
    unfolded: int = 2_000
    seconds: int = 1_800


class Reader:
    """The process and what it says."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes], limits: Limits) -> None:
        self.process, self.errors, self.limits = process, errors, limits
        self.expired = False

    @property
    def rows(self) -> IO[bytes]:
        assert self.process.stdout  # noqa: S101  (a pipe was asked for)
        return self.process.stdout

    def answer(self) -> dict[str, Any]:
        """The first line: what was found.

        :raises Fault: why there is none.
        """
        line = self.rows.readline()
        if not line.endswith(b"\n"):
            self.finish()
            raise Fault("crash", reason="no answer")
        return json.loads(line)

    def ask(self, message: dict[str, Any]) -> None:
        assert self.process.stdin  # noqa: S101  (the same)
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.finish()

    def finish(self) -> None:
        """Wait for the end.

        :raises Fault: it did not end well.
        """
        code = self.process.wait()
        if code:
            raise self._fault(code)

    def _fault(self, code: int) -> Fault:
        self.errors.seek(0)
        said = self.errors.read()[-20_000:].decode(errors="replace")
        if self.expired or code == -signal.SIGXCPU:
            return Fault("time", most=self.limits.seconds)
        for line in reversed(said.splitlines()):
            if line.startswith('{"code"'):
                reason = json.loads(line)
                if reason["code"] in MESSAGES:
                    return Fault(reason["code"], **reason["values"])
        if code == -signal.SIGXFSZ or "No space left" in said:
            return Fault("disk")
        # Rust and C++ end a process that gets no memory by SIGABRT or a trap; the kernel's own killer uses
        # SIGKILL.
        starved = ("MemoryError", "memory allocation", "bad_alloc", "Cannot allocate", "out of memory")
        if code in (-signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV) or any(s in said for s in starved):
            return Fault("memory", most=self.limits.memory)
        last = (said.strip().splitlines() or [f"code {code}"])[-1]
        return Fault("crash", reason=last[:300])


@contextmanager
def reading(task: dict[str, Any], limits: Limits, folder: Path) -> Iterator[Reader]:
    """Start the reading process on a task; it is killed at the end of the block if it still runs.

    :param folder: where it may write what it unfolds.
    """
    task = task | {"folder": str(folder), "memory": limits.memory, "unfolded": limits.unfolded}
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder),
        "PYTHONIOENCODING": "utf-8",
        # A pool of threads takes address space for each processor of the machine.
        **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS"), "1"),
        "MALLOC_ARENA_MAX": "2",
    }
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=lambda: _bound(limits),
        )
        reader = Reader(process, errors, limits)
        watchdog = threading.Timer(limits.seconds, _expire, [reader])
        watchdog.daemon = True
        watchdog.start()
        try:
            reader.ask(task)
            yield reader
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()


def _expire(reader: Reader) -> None:
    reader.expired = True
    reader.process.kill()


def _bound(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory * MB, limits.memory * MB))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.unfolded * MB, limits.unfolded * MB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
