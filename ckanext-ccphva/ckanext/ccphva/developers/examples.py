"""Examples that a page shows and a test runs: one file an example and language. Pure.

A file holds `{portal}`, `{word}`, `{resource}`, `{token}` where a reader's own stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ckanext.ccphva.languages import N_

TITLES = {
    "find": N_("Find datasets"),
    "rows": N_("Read rows of a table"),
    "live": N_("Follow live data"),
    "push": N_("Send rows to a feed"),
}
"""What each example does, in the order of the page."""
TOOLS = {"sh": "curl", "py": "Python", "js": "JavaScript"}


@dataclass(frozen=True)
class Example:
    name: str
    tool: str
    text: str


@cache
def _texts() -> tuple[tuple[str, str, str], ...]:
    folder = files("ckanext.ccphva.developers") / "examples"
    return tuple(
        (name, ending, (folder / f"{name}.{ending}").read_text("utf-8"))
        for name in TITLES
        for ending in TOOLS
        if (folder / f"{name}.{ending}").is_file()
    )


def examples(**stands: str) -> list[Example]:
    """All examples, with what stands for the reader's own."""
    found = []
    for name, ending, template in _texts():
        text = template
        for place, value in stands.items():
            text = text.replace("{" + place + "}", value)
        found.append(Example(name, ending, text.strip() + "\n"))
    return found
