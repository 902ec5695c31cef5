"""Tables without a portal keep what the contract asks, also over a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ccphva_harvesters import FatalError, JsonlTables, MemoryTables, Tables

from harvesters.contracts import TablesContract


class TestMemory(TablesContract):
    """In memory."""

    @pytest.fixture
    def tables(self) -> Tables:
        """Empty."""
        return MemoryTables()

    def rows(self, tables: Any, id_: str) -> list[dict[str, Any]]:
        return tables.rows(id_)


class TestJsonl(TablesContract):
    """In a folder; what is read back is what another process would see."""

    @pytest.fixture
    def tables(self, tmp_path: Path) -> Tables:
        """An empty folder."""
        return JsonlTables(tmp_path)

    def rows(self, tables: Any, id_: str) -> list[dict[str, Any]]:
        again = JsonlTables(tables.folder)
        assert again.rows(id_) == tables.rows(id_)
        assert again.marks(id_) == tables.marks(id_)
        return again.rows(id_)


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_crash_in_the_middle_of_a_line(tmp_path: Path, cut: int) -> None:
    """Whatever the crash left of a batch, repeating it from the marks makes the table whole."""
    contract = TablesContract()
    tables = JsonlTables(tmp_path)
    tables.apply(contract.append, contract.some(1, 2), {"a": "2"})
    before = tables.path(contract.append).read_bytes()
    tables.apply(contract.append, contract.some(3, 4), {"a": "4"})
    path = tables.path(contract.append)
    path.write_bytes(path.read_bytes()[: len(before) + cut])
    again = JsonlTables(tmp_path)
    assert again.marks("t")["a"] in ("2", "4")
    again.apply(contract.append, contract.some(*range(int(again.marks("t")["a"]), 5)), {"a": "4"})
    assert [row["v"] for row in JsonlTables(tmp_path).rows("t")] == [1, 2, 3, 4]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The sink says so, and no receipt is given."""
    tables = JsonlTables(tmp_path / "rows")
    tables.path(TablesContract.append).mkdir()
    with pytest.raises(FatalError, match="cannot be written"):
        tables.apply(TablesContract.append, TablesContract().some(1), {"a": "1"})
    assert dict(tables.marks("t")) == {}
