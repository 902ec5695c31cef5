"""Whole documents and the JSON they become; ``--update-golden`` rewrites it for review."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from ccphva_harvesters.formats.dcat_ap import DcatAp
from ccphva_harvesters.steps.licence import Licence

from harvesters import documents

GOLDEN = documents.HERE / "golden"
BIG = {"de-bremen-catalog.rdf"}
"""153 datasets: counted by FACTS.tsv, too long for a file that people review."""
NAMES = sorted(
    {
        f.path.name
        for f in documents.facts()
        if f.parse == "ok" and f.datasets + f.series and f.path.name not in BIG
    }
    | {path.name.removesuffix(".json") for path in GOLDEN.glob("*.json")}
)


def document(name: str) -> Path:
    """The full set's file, else the one kept with the tests."""
    found = documents.yardsticks() / name
    return found if found.exists() else documents.HERE / "data" / name


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    """The document becomes exactly the expected datasets."""
    if not document(name).exists():
        pytest.skip("needs ../shared/yardsticks")
    step = Licence()
    records = documents.records(documents.graph(document(name)))
    datasets = [step(dataset) for record in records for dataset in DcatAp().datasets(record)]
    found = json.loads(msgspec.json.encode(datasets, order="sorted"))
    for one in found:  # a catalogue's format describes no tables: nothing to compare
        assert one.pop("tables") == []
    expected = GOLDEN / f"{name}.json"
    if request.config.getoption("--update-golden", default=False):
        expected.write_text(
            json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
    assert found == json.loads(expected.read_text(encoding="utf-8"))
