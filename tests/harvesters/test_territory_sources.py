"""The territory's source files are valid, and say clearly when nobody answers."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from ccphva_harvesters import Client, HarvestError, Limits, load_file
from ccphva_harvesters.cli import main
from click.testing import CliRunner

FOLDER = Path(__file__).parents[2] / "deployment" / "territories" / "ccphva" / "sources"
FILES = sorted(FOLDER.glob("*.yaml"))
WANTED = {"data-gouv-fr", "datagrandest", "data-public-lu", "geocatalogue", "sandre", "iot-demo"}


def test_every_wanted_source_is_there() -> None:
    """National, regional, neighbour's, geographic, water, and the demonstration's own."""
    assert {path.stem for path in FILES} >= WANTED


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_file_is_valid_and_says_when_nobody_answers(path: Path) -> None:
    """Unknown keys would be errors; without a network the error names the address and that it may pass."""

    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    file = load_file(path)
    assert file.personal_data == "none"
    limits = Limits(attempts=1)
    with (
        Client(resolver=nowhere, limits=limits) as client,
        pytest.raises(HarvestError, match=r"cannot be resolved|not a public address"),
    ):
        file.build_source(client).check()


def test_the_command_line_says_it_in_one_line() -> None:
    """Exit status 1 and a JSON line with the error: loopback is refused without leave."""
    done = CliRunner().invoke(main, ["check", str(FOLDER / "iot-demo.yaml")])
    answer = json.loads(done.output)
    assert (done.exit_code, answer["ok"]) == (1, False)
    assert "not a public address" in answer["error"]
