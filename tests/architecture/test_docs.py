"""Documentation is tested: what exists stands in its document, what is generated is fresh."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ckanext.ccphva.cli import ccphva
from local import options
from local.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
OPERATOR = sorted((DOCS / "operator").glob("*.md"))
WORDS_A_PAGE = 400


def text(*paths: Path) -> str:
    return "\n".join(path.read_text() for path in paths)


def navigation() -> list[str]:
    """Pages that mkdocs.yml names."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from walk(child)

    return list(walk(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))


@pytest.mark.parametrize("name", sorted(ccphva.commands))
def test_every_subcommand_is_explained_to_operators(name: str) -> None:
    """`ckan ccphva <name>` stands in a page for operators."""
    assert f"ckan ccphva {name}" in text(*OPERATOR)


@pytest.mark.parametrize(
    "name",
    sorted({o for c in ccphva.commands.values() for p in c.params for o in p.opts if o.startswith("--")}),
)
def test_every_switch_of_a_subcommand_is_explained(name: str) -> None:
    """Each `--switch` of our subcommands stands in a page for operators."""
    assert name in text(*OPERATOR)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_of_the_launcher_is_explained(name: str) -> None:
    """`./portal <name>` stands in `./portal help` and in the page about running it locally."""
    assert f"./portal {name}" in (DOCS / "operator" / "demarrage.md").read_text()
    helped = (ROOT / "deployment" / "local" / "help.txt").read_text()
    assert re.search(rf"(?m)^  (\w+, )*{name}\b", helped), name


def test_the_page_of_options_is_fresh() -> None:
    """docs/operator/options.md is what `python -m local.options` writes from today's declarations."""
    assert options.PAGE.read_text() == options.page(), "run: PYTHONPATH=deployment python -m local.options"


def test_every_option_in_the_template_is_declared() -> None:
    """No `ccphva.*` option is set that no plugin declares."""
    declared = {option["key"] for _, group in options.declarations() for option in group}
    assert [
        name for name in options.template_options() if name.startswith("ccphva.") and name not in declared
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_found(page: str) -> None:
    """Each page stands in the navigation."""
    assert page in navigation(), f"add {page} to nav in mkdocs.yml"


def test_the_navigation_names_pages_that_exist() -> None:
    """Nothing in the navigation leads nowhere, and no page is named twice."""
    named = navigation()
    assert sorted(named) == sorted(set(named))
    assert set(named) <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link and image of a page is there."""
    path = DOCS / page
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_runbook_has_ten_pages_at_most() -> None:
    """Two people in a town hall read it in an hour."""
    assert len((DOCS / "operator" / "exploitation.md").read_text().split()) <= 10 * WORDS_A_PAGE


def test_units_named_in_the_runbook_exist() -> None:
    """Each `ccphva-…` unit of the runbook is one that `./portal production` writes."""
    from local import production

    units = {
        f"ccphva-{p.name}" for p in production.portal_processes_of(production.read(production.DESCRIPTION))
    }
    units |= {"ccphva-backup", "ccphva-doctor"}
    named = set(re.findall(r"\bccphva-(?:[a-z]+)\b", (DOCS / "operator" / "exploitation.md").read_text()))
    assert named <= units
    assert units <= named


@pytest.mark.slow
def test_the_documentation_can_be_built(tmp_path: Path) -> None:
    """`mkdocs build --strict` has no complaint."""
    command = [
        str(Path(sys.executable).with_name("mkdocs")),
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "operator" / "exploitation" / "index.html").is_file()
