"""kill -9 of the command line at seeded points: the table equals the source, no hole, no double."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ccphva_harvesters import JsonlTables

from harvesters.conftest import Site
from harvesters.sources.test_onem2m import FakeCse

COUNT = 6000


@pytest.mark.slow
def test_killed_at_five_points(site: Site, tmp_path: Path) -> None:
    """Each start goes on from what is safely on the disk; the last one makes it whole."""
    cse = FakeCse(site)
    cse.entity("a")
    for name in ("one", "two"):
        cse.bin(f"cse-in/a/{name}", COUNT // 2)
    file = tmp_path / "source.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "source": {"type": "onem2m", "url": cse.base, "originator": "C"},
                "format": {"type": "native"},
                "personal_data": "none",
            }
        )
    )
    folder = tmp_path / "rows"
    command = [sys.executable, "-m", "ccphva_harvesters.cli", "run", file, "--tables", folder]
    command += ["--allow-network", "127.0.0.0/8"]
    luck = random.Random(7)
    for point in sorted(luck.uniform(0.05, 0.9) for _ in range(5)):
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
        _wait_for(folder, int(COUNT * 280 * point), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tables = JsonlTables(folder)
    (rows,) = [tables.rows(table) for table in tables.tables]
    assert len(rows) == COUNT
    said = {(row["source_id"], row["value_num"]) for row in rows}
    assert said == {(f"a/{name}", n) for name in ("one", "two") for n in range(COUNT // 2)}


def _wait_for(folder: Path, size: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many bytes were written, or the run ended before."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        if sum(path.stat().st_size for path in folder.glob("*.jsonl")) >= size:
            return
        time.sleep(0.005)
