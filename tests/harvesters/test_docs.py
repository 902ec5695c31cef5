"""The developer's page names every part, key, command and limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from ccphva_harvesters import load_part, part_names
from ccphva_harvesters.cli import main
from ccphva_harvesters.registry import Group

FOLDER = Path(__file__).parents[2] / "docs" / "developer"
PAGE = "\n# ".join(page.read_text(encoding="utf-8") for page in sorted(FOLDER.glob("harvesters*.md")))
GROUPS: tuple[tuple[Group, str], ...] = (
    ("ccphva.sources", "Source"),
    ("ccphva.formats", "Format"),
    ("ccphva.steps", "Step"),
)


@pytest.mark.parametrize(("group", "kind"), GROUPS)
def test_every_part_and_key_is_documented(group: Group, kind: str) -> None:
    """A section for each part, holding each of its keys."""
    for name in part_names(group):
        head = f"### {kind} `{name}`"
        assert head in PAGE
        section = PAGE.split(head)[1].split("\n#")[0]
        for key in load_part(group, name, "$").Config.__struct_fields__:
            assert f"`{key}`" in section, f"{kind} {name}: {key}"


def test_every_command_and_option_is_documented() -> None:
    """Commands and their options."""
    for name, command in main.commands.items():
        assert f"ccphva-harvest {name} " in PAGE
        for parameter in command.params:
            for option in parameter.opts:
                assert not option.startswith("--") or option in PAGE, option
