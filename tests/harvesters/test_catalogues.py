"""The catalogues that need no portal keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from ccphva_harvesters import Catalogue, JsonlCatalogue, MemoryCatalogue

from .contracts import CatalogueContract


class TestMemory(CatalogueContract):
    """In memory."""

    @pytest.fixture
    def catalogue(self) -> Catalogue:
        """An empty one."""
        return MemoryCatalogue()


class TestJsonl(CatalogueContract):
    """In a file."""

    @pytest.fixture
    def catalogue(self, tmp_path: Path) -> Catalogue:
        """An empty one."""
        return JsonlCatalogue(tmp_path / "c.jsonl")

    def test_what_was_saved_is_read_again(self, tmp_path: Path) -> None:
        """A saved catalogue is the same when it is opened again."""
        one = JsonlCatalogue(tmp_path / "c.jsonl")
        self.apply(one, self.write(self.dataset("a")), self.write(self.dataset("b", version="é")))
        one.save()
        assert JsonlCatalogue(tmp_path / "c.jsonl").entries == one.entries
