"""The files in which processes count (prometheus_client's multiprocess mode), folded when a process has
ended.

prometheus_client leaves the files of every process for ever, and reads all of them at each scrape.
Counters and histograms of an ended process are added to the file of process 0; its gauges go with it.
Imports nothing of CKAN: gunicorn's master runs it.
"""

from __future__ import annotations

import fcntl
import re
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

FILE = re.compile(r"(?P<kind>counter|histogram|summary|gauge_[a-z]+)_(?P<pid>\d+)\.db")
SUMMED = frozenset({"counter", "histogram", "summary"})


def fold(folder: Path, pid: int) -> None:
    """Add the counts of one ended process to those of process 0 and remove its files."""
    with (folder / "fold.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in sorted(folder.glob(f"*_{pid}.db")):
            found = FILE.fullmatch(path.name)
            if found and found["kind"] in SUMMED:
                _add(path, folder / f"{found['kind']}_0.db")
            path.unlink(missing_ok=True)


def fold_dead(folder: Path) -> None:
    """Fold the files of every process that does not exist any more."""
    found = {int(m["pid"]) for path in folder.glob("*.db") if (m := FILE.fullmatch(path.name))}
    for pid in sorted(found - {0}):
        if not Path(f"/proc/{pid}").exists():
            fold(folder, pid)


def _add(source: Path, target: Path) -> None:
    values = MmapedDict(str(target))
    try:
        for key, value, moment, _ in MmapedDict.read_all_values_from_file(str(source)):
            values.write_value(key, values.read_value(key)[0] + value, moment)
    finally:
        values.close()
