"""The rules of the house that a program can check (docs/developer/architecture.md)."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ckan
import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "ckanext-ccphva" / "ckanext"
LIBRARY = ROOT / "harvesters" / "ccphva_harvesters"
CORE_TEMPLATES = Path(ckan.__file__).parent / "templates"

SQL_ROOMS = (
    "model",
    "storage",
    "changelog",
    "operations",
    "migration",
    "health",
    "metrics",
    "followers",
    "reconcile",
)
"""Modules and folders that may speak SQL."""

ROOT_ROOMS = (
    "tasks",
    "engine",
    "catalogue",
    "corrections",
    "cli",
    "demo",
    "operations",
    "followers",
    "reconcile",
)
"""Modules that act without a signed-in person; `corrections` compares whole versions and shows none."""


def modules(*folders: Path) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield path, ast.parse(path.read_text(), str(path))


def inside(path: Path, names: tuple[str, ...]) -> bool:
    parts = {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    return bool(parts & {name.removesuffix(".py") for name in names})


def test_import_rules() -> None:
    """import-linter keeps every contract of pyproject.toml."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "deployment")}
    command = [sys.executable, "-m", "local.import_rules"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " 0 broken" in done.stdout


def test_the_library_runs_without_ckan() -> None:
    """Importing the whole harvest library loads no module of CKAN."""
    code = (
        "import sys, pkgutil, importlib, ccphva_harvesters as c\n"
        "for m in pkgutil.walk_packages(c.__path__, 'ccphva_harvesters.'): importlib.import_module(m.name)\n"
        "print([m for m in sys.modules if m == 'ckan' or m.startswith(('ckan.', 'ckanext.'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-2000:]


def test_plugin_modules_are_tables_of_contents() -> None:
    """A method of a plugin class is a docstring and at most two statements that delegate."""
    found = []
    for path, tree in modules(PLUGINS):
        if path.name != "plugin.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                body = [
                    s
                    for s in node.body
                    if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
                ]
                if len(body) > 2 or any(isinstance(s, ast.For | ast.While | ast.If | ast.Try) for s in body):
                    found.append(f"{path.parent.name}.{node.name}")
    assert not found


def test_core_templates_are_extended_never_copied() -> None:
    """A template on the path of a core one starts with ckan_extends and fills blocks in at most 40 lines.

    Macros have no blocks to fill: the next test compares theirs with core's.
    """
    found = []
    folders = [ROOT / "themes", PLUGINS]
    for template in [t for folder in folders for t in folder.rglob("templates/**/*.html")]:
        parts = template.parts
        relative = Path(*parts[len(parts) - parts[::-1].index("templates") :])
        if (CORE_TEMPLATES / relative).exists() and relative.parts[0] != "macros":
            lines = template.read_text().splitlines()
            if not lines or "ckan_extends" not in lines[0] or len(lines) > 40:
                found.append(str(relative))
    assert not found


def test_macros_take_what_core_gives_them() -> None:
    """A macro in the place of a core one has core's name, parameters and defaults, and at most 25 lines."""
    head = re.compile(r"{%-?\s*macro\s+(\w+\(.*?\))\s*-?%}", re.DOTALL)
    for own in (ROOT / "themes" / "territory" / "templates" / "macros").rglob("*.html"):
        core = CORE_TEMPLATES / "macros" / "form" / own.name
        if core.exists():
            assert head.findall(own.read_text()) == head.findall(core.read_text()), own.name
            assert len(own.read_text().splitlines()) <= 25


def test_sql_is_spoken_in_its_rooms_only() -> None:
    """sqlalchemy.text and raw statements stand in the storage modules."""
    found = []
    for path, tree in modules(PLUGINS):
        if inside(path, SQL_ROOMS):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "text"
            ):
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in {"sa", "sqlalchemy"}:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


def test_rights_are_only_passed_by_where_nobody_signs_in() -> None:
    """`ignore_auth` stands in tasks, command line and demo, never in an action or a view."""
    found = []
    for path, tree in modules(PLUGINS):
        if inside(path, ROOT_ROOMS):
            continue
        constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        found += [f"{path.relative_to(ROOT)}:{c.lineno}" for c in constants if c.value == "ignore_auth"]
    assert not found


def test_nothing_of_ckan_is_patched() -> None:
    """No module assigns to an attribute of a module imported from ckan or from another extension."""
    found = []
    for path, tree in modules(PLUGINS, LIBRARY):
        foreign = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                foreign |= {a.asname or a.name.split(".")[0] for a in node.names if a.name.startswith("ckan")}
            origin = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            if origin.startswith("ckan") and not origin.startswith("ckanext.ccphva"):
                foreign |= {a.asname or a.name for a in node.names if isinstance(node, ast.ImportFrom)}
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            owners = [
                t.value for t in targets if isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name)
            ]
            found += [
                f"{path.relative_to(ROOT)}:{o.lineno} {o.id}" for o in owners if o.id in foreign - {"g"}
            ]
    assert not found


def test_no_mutable_state_at_module_level_is_filled_at_run_time() -> None:
    """No function appends to, or sets items of, a module-level list or dict of the plugins."""
    found = []
    for path, tree in modules(PLUGINS, LIBRARY):
        mutable = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.Dict | ast.Set)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
            local = {
                n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            stores = [
                n for n in ast.walk(function) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)
            ]
            owners = [n.value for n in stores if isinstance(n.value, ast.Name)]
            found += [f"{path.relative_to(ROOT)}:{o.lineno}" for o in owners if o.id in mutable - local]
    assert not found


def test_no_browser_file_comes_from_another_host() -> None:
    """Templates and styles load nothing from outside the portal."""
    outside = re.compile(
        r"""<(script|img|iframe|link)\b[^>]*(src|href)=["']https?:|@import\s+["']http|url\(["']?http"""
    )
    files = [
        f for f in (ROOT / "themes").rglob("*") if f.suffix in {".html", ".css"} and "built" not in f.parts
    ]
    assert not [file.name for file in files if outside.search(file.read_text())]


@pytest.mark.slow
def test_an_ordinary_installation_carries_all_data(tmp_path: Path) -> None:
    """`pip install .` takes along every template, schema, translation and migration."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--quiet",
        "-w",
        tmp_path,
        ROOT,
    ]
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(copy)], check=True)
    command[-1] = copy
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    names = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True
    )
    for wanted in (
        "dataset.yaml",
        "presets.yaml",
        "config_declaration.yaml",
        "alembic.ini",
        "templates/base.html",
    ):
        assert wanted in names.stdout, wanted
