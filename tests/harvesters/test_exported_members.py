"""The package root is the public API."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import ccphva_harvesters
import pytest

ROOT = Path(ccphva_harvesters.__file__).parent


def test_all_is_sorted_and_whole() -> None:
    """What the root imports is what it exports, in order."""
    tree = ast.parse((ROOT / "__init__.py").read_text())
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    assert ccphva_harvesters.__all__ == sorted(ccphva_harvesters.__all__)
    assert set(ccphva_harvesters.__all__) == imported
    assert all(hasattr(ccphva_harvesters, name) for name in ccphva_harvesters.__all__)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_imports_ckan(path: Path) -> None:
    """The library stands without the portal, and sources stand without formats."""
    names = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert not [name for name in names if name.split(".")[0] in ("ckan", "ckanext")]
    if path.parent.name == "sources":
        assert not [name for name in names if ".formats" in name]


def test_importing_it_loads_no_ckan() -> None:
    """Nothing drags CKAN in behind our back."""
    assert "ckan" not in {name.split(".")[0] for name in sys.modules if name.startswith("ccphva")}


def test_errors_tree_is_drawn() -> None:
    """Every error class stands in the tree of its module's docstring."""
    from ccphva_harvesters import errors

    classes = [n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)]
    assert classes
    assert all(name in str(errors.__doc__) for name in classes)
