"""A feed's resource page, and the lines of the developers' page, on the running stack."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup
from live_support import at, live_feed
from stack import Stack

pytestmark = [pytest.mark.stack]


def test_the_page_tells_whether_the_feed_is_kept(stack: Stack) -> None:
    """Promise, rows and lines to copy that work; nothing of it to who may not read the data."""
    for visibility, seen in (("open", True), ("restricted", False)):
        with live_feed(stack, {"visibility": visibility}) as feed:
            feed.post([{"sensor": "a", "at": at(), "level": 1}])
            address = f"/dataset/{feed.dataset['id']}/resource/{feed.id}"
            page = stack.get(address)
            assert page.status_code == 200
            assert (f'curl "{feed.url}/latest"' in page.text) is seen
            assert ("900" in page.text and 'id="feed"' in page.text) is seen
            agent = requests.get(stack.url + address, headers={"Authorization": stack.token}, timeout=30)
            assert 'id="feed"' in agent.text


def test_the_lines_of_the_documentation_work(stack: Stack, root: Path) -> None:
    """What a developer copies: a push, the latest values, the events from the first on."""
    text = (root / "docs" / "developer" / "live.md").read_text()
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    commands = re.findall(r"^curl (?:.*\\\n)*.*$", "\n".join(blocks), re.MULTILINE)
    assert len(commands) == 3
    with live_feed(stack) as feed:
        known = {"PORTAL": stack.url, "FEED": feed.id, "TOKEN": stack.token, "PATH": "/usr/bin:/bin"}
        push, latest, events = (_run(command, known) for command in commands)
        assert '"accepted":1' in push.replace(" ", "")
        assert '"sensor":"a"' in latest.replace(" ", "")
        assert "id: 1" in events
        assert '"level":1.5' in events.replace(" ", "")


def _run(command: str, known: dict[str, str]) -> str:
    """What a shell prints in three seconds: events go on for ever."""
    limited: Any = ["/bin/sh", "-c", command.replace("curl ", "curl -s --max-time 3 ", 1)]
    return subprocess.run(limited, env=known, capture_output=True, text=True, check=False).stdout


def test_a_feed_begins_with_what_came_last(stack: Stack) -> None:
    """The table of a feed shows its newest row first, and another order when the reader asks for it."""
    with live_feed(stack) as feed:
        for level in (1, 2, 3):
            feed.post([{"sensor": "a", "at": at(level), "level": level}])
        address = f"/dataset/{feed.dataset['id']}/resource/{feed.id}"

        def levels(query: str = "") -> list[str]:
            page = BeautifulSoup(stack.get(address + query).text, "html.parser")
            head = [each.text.strip() for each in page.select("table.t-rows thead th")]
            column = next(n for n, text in enumerate(head) if text.startswith("level"))
            return [row.select("td")[column].text.strip() for row in page.select("table.t-rows tbody tr")]

        assert levels() == ["3", "2", "1"]
        assert levels("?sort=level") == ["1", "2", "3"]
