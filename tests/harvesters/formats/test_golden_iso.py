"""ISO 19139 documents and the JSON they become; ``--update-golden`` rewrites it for review."""

from __future__ import annotations

import json

import msgspec
import pytest
from ccphva_harvesters.formats.iso19139 import Iso19139
from ccphva_harvesters.steps.licence import Licence

from harvesters import iso

GOLDEN = iso.HERE / "golden" / "iso19139"
NAMES = sorted(fact.path.name for fact in iso.facts() if fact.datasets)


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    """The document becomes exactly the expected datasets."""
    step = Licence()
    datasets = [step(dataset) for dataset in Iso19139().datasets(iso.record(iso.yardsticks() / name))]
    found = json.loads(msgspec.json.encode(datasets, order="sorted"))
    for one in found:  # a catalogue's format describes no tables: nothing to compare
        assert one.pop("tables") == []
    expected = GOLDEN / f"{name}.json"
    if request.config.getoption("--update-golden", default=False):
        expected.write_text(
            json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
    assert found == json.loads(expected.read_text(encoding="utf-8"))
