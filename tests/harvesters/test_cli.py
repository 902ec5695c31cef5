"""``ccphva-harvest`` on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ccphva_harvesters.cli import main
from click.testing import CliRunner

from . import documents
from .conftest import LOOPBACK, Site


@pytest.fixture
def file(site: Site, tmp_path: Path) -> Path:
    """A source file for a catalogue of two datasets."""
    url = site.serve("/c.ttl", documents.catalog("a", "b"), "text/turtle")
    path = tmp_path / "source.yaml"
    path.write_text(f"source: {{type: dcat, url: '{url}'}}\nformat: {{type: dcat-ap}}\npersonal_data: none\n")
    return path


def call(*args: str | Path, allow: bool = True) -> tuple[int, list[dict[str, Any]], str]:
    """Exit status, JSON lines and everything printed."""
    extra = ["--allow-network", LOOPBACK] if allow else []
    result = CliRunner().invoke(main, [*map(str, args), *extra])
    lines = [json.loads(line) for line in result.output.splitlines() if line.startswith("{")]
    return result.exit_code, lines, result.output


def test_check(file: Path) -> None:
    """A check reaches the source and says what is there."""
    status, (line,), _ = call("check", file)
    assert (status, line["ok"]) == (0, True)
    assert line["says"].startswith("2 datasets")


def test_check_without_leave(file: Path) -> None:
    """Loopback is refused unless allowed."""
    status, (line,), _ = call("check", file, allow=False)
    assert (status, line["ok"]) == (1, False)
    assert "not a public address" in line["error"]


def test_preview_shows_datasets_and_writes_nothing(file: Path) -> None:
    """The datasets themselves, then outcomes, then the report."""
    status, lines, _ = call("preview", file, "--limit", "1")
    assert status == 0
    assert [next(iter(line)) for line in lines] == ["dataset", "outcome", "report"]
    assert lines[0]["dataset"]["fields"]["title_translated"] == {"fr": "Jeu a"}
    assert lines[-1]["report"]["dry_run"] is True


def test_run_keeps_a_catalogue_file(file: Path, tmp_path: Path) -> None:
    """A second run of the same finds everything unchanged."""
    kept = tmp_path / "catalogue.jsonl"
    assert call("run", file, "--catalogue", kept)[1][-1]["report"]["added"] == 2
    before = kept.read_bytes()
    assert call("run", file, "--catalogue", kept)[1][-1]["report"]["unchanged"] == 2
    assert kept.read_bytes() == before


def test_a_dry_run_leaves_the_file_alone(file: Path, tmp_path: Path) -> None:
    """Nothing is created."""
    kept = tmp_path / "catalogue.jsonl"
    assert call("run", file, "--catalogue", kept, "--dry-run")[1][-1]["report"]["added"] == 2
    assert not kept.exists()


def test_a_broken_source_is_exit_1(file: Path, site: Site) -> None:
    """The report holds the reason."""
    site.serve("/c.ttl", "<html>", "text/html")
    status, lines, _ = call("run", file)
    assert status == 1
    assert "HTML page" in lines[-1]["report"]["error"]


def test_a_wrong_file_is_exit_2(file: Path) -> None:
    """The error names the path of the key."""
    file.write_text(file.read_text().replace("url:", "address:"))
    status, _, output = call("check", file)
    assert status == 2
    assert "$.source.address: unknown key" in output


def test_a_wrong_catalogue_is_exit_2(file: Path, tmp_path: Path) -> None:
    """A file that holds something else is not overwritten."""
    kept = tmp_path / "catalogue.jsonl"
    kept.write_text("my thesis\n")
    assert call("run", file, "--catalogue", kept)[0] == 2
    assert kept.read_text() == "my thesis\n"
    assert call("run", file, "--allow-network", "nonsense")[0] == 2


@pytest.fixture
def features(site: Site, tmp_path: Path) -> Path:
    """A source file for a collection with one bench."""
    bench = {"type": "Feature", "id": 1, "properties": {"n": 7}, "geometry": None}
    site.serve("/collections", json.dumps({"collections": [{"id": "bancs", "links": []}]}))
    site.serve("/collections/bancs/items?limit=1000", json.dumps({"features": [bench], "links": []}))
    path = tmp_path / "features.yaml"
    source = f"{{type: ogcapi-features, url: '{site.url('')}'}}"
    path.write_text(f"source: {source}\nformat: {{type: native}}\npersonal_data: none\n")
    return path


def test_preview_shows_rows_and_keeps_none(features: Path) -> None:
    """The first rows of each table, after the dataset."""
    status, lines, _ = call("preview", features)
    assert status == 0
    assert [next(iter(line)) for line in lines] == ["dataset", "table", "outcome", "report"]
    assert lines[1]["rows"] == [{"feature_id": "1", "n": 7, "geom": None}]


def test_run_keeps_rows_in_a_folder(features: Path, tmp_path: Path) -> None:
    """A second run finds them unchanged."""
    for accepted, unchanged in ((1, 0), (0, 1)):
        status, lines, _ = call("run", features, "--tables", tmp_path / "rows")
        report = lines[-1]["report"]
        assert (status, report["rows_accepted"], report["rows_unchanged"]) == (0, accepted, unchanged)


def test_a_preview_shows_no_rows_of_persons(features: Path) -> None:
    """What may not be kept is not shown either."""
    features.write_text(features.read_text().replace("personal_data: none", "personal_data: possible"))
    _, lines, printed = call("preview", features)
    assert [next(iter(line)) for line in lines] == ["dataset", "outcome", "report"]
    assert '"n":7' not in printed


def test_only_a_platform_can_be_listened_to(features: Path) -> None:
    """Another type of source is a wrong call."""
    status, _, printed = call("listen", features)
    assert status == 2
    assert "onem2m" in printed
