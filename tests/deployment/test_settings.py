"""One instance: ports, secrets, refusals."""

from __future__ import annotations

import mailbox
import stat
from pathlib import Path

import pytest
from local.console import Failure
from local.settings import Instance, instance_from_environment


def test_every_port_follows_the_first(tmp_path: Path) -> None:
    """Two instances a hundred ports apart never share one."""
    one, other = Instance(tmp_path, 5000, "ccphva"), Instance(tmp_path, 5100, "ccphva")
    assert one.ports["nginx"] == 5000
    assert not set(one.ports.values()) & set(other.ports.values())


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    """A second start reads the passwords of the first, and nobody else does."""
    first = Instance(tmp_path, 5000, "ccphva").secrets
    assert Instance(tmp_path, 5000, "ccphva").secrets == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert len(set(first.values())) == len(first)


def test_a_new_secret_joins_those_that_exist(tmp_path: Path) -> None:
    """An upgrade that needs one more password does not change the others."""
    (tmp_path / "secrets.json").write_text('{"ckan": "kept"}')
    secrets = Instance(tmp_path, 5000, "ccphva").secrets
    assert secrets["ckan"] == "kept"
    assert secrets["redis"]


@pytest.mark.parametrize("port", ["", "80", "abc", "70000", "5000;ls"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    """A wrong PORT is one sentence and the mend."""
    with pytest.raises(Failure, match=r"PORT=5000"):
        instance_from_environment({"PORT": port})


def test_an_unknown_territory_names_those_that_exist(tmp_path: Path) -> None:
    """A wrong TERRITORY lists the folders that there are."""
    with pytest.raises(Failure, match=r"ccphva"):
        _ = Instance(tmp_path, 5000, "atlantis").paths


def test_mails_can_be_delivered(tmp_path: Path) -> None:
    """The folder that catches mails is a maildir from the start."""
    caught = mailbox.Maildir(Instance(tmp_path, 5000, "ccphva").paths["mail"])
    caught.add("Subject: essai\n\nBonjour")
    assert len(caught) == 1
