"""`./portal` as a person types it, on folders and ports of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import psycopg2.errors
import pytest
from local import configuration, database, supervision
from local.console import Failure
from local.settings import Instance

PORT = 5880


def portal(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / "portal"), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path / "home", PORT, "ccphva", throwaway=True)


def test_help_lists_every_command(root: Path) -> None:
    """What help.txt names is what the launcher knows, no more and no less."""
    from local.__main__ import COMMANDS

    lines = portal(root, "help").stdout.partition("Settings")[0].splitlines()[1:]
    named = {word.strip(",") for line in lines for word in line[2:14].split()}
    assert named - {"help"} == set(COMMANDS)


def test_an_unknown_command_points_to_help(root: Path, tmp_path: Path) -> None:
    """A typing error is one sentence and the mend."""
    done = portal(root, "rnu", PORTAL_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "no command 'rnu'" in done.stderr
    assert "./portal help" in done.stderr


def test_a_port_in_use_is_named_with_another_to_try(instance: Instance) -> None:
    """The sentence says which port, whose it would be, and which to take instead."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", instance.ports["solr"]))
        other.listen()
        with pytest.raises(Failure, match=rf"Port {PORT + 4} \(solr\) is in use.*PORT={PORT + 100}"):
            supervision.Supervisor(instance).start()


def test_reset_without_an_answer_deletes_nothing(root: Path, tmp_path: Path) -> None:
    """`reset` in a script, without a person who says yes, leaves everything."""
    kept = tmp_path / "files" / "kept.txt"
    kept.parent.mkdir()
    kept.write_text("kept")
    done = portal(root, "reset", PORTAL_HOME=str(tmp_path), PORT=str(PORT))
    assert done.returncode == 1
    assert kept.exists()


@pytest.mark.slow
def test_a_half_made_cluster_is_made_again(instance: Instance) -> None:
    """A set-up killed inside initdb leaves a folder that the next call replaces."""
    configuration.write(instance)
    instance.paths["postgres"].mkdir(parents=True)
    (instance.paths["postgres"] / "half").write_text("made")
    database.prepare_cluster(instance)
    assert (instance.paths["postgres"] / "PG_VERSION").exists()
    assert not (instance.paths["postgres"] / "half").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the database to another user")
def test_a_checkout_out_of_reach_keeps_its_modes(tmp_path: Path) -> None:
    """Where the user of PostgreSQL cannot go, the cluster lies elsewhere and no parent's mode changes."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    instance = Instance(closed / "home", PORT, "ccphva", throwaway=True)
    configuration.write(instance)
    database.prepare_cluster(instance)
    data = instance.paths["postgres"]
    try:
        assert data.is_symlink()
        assert data.resolve().is_relative_to("/var/lib/ccphva-portal")
        assert data.stat().st_uid == pwd.getpwnam("postgres").pw_uid
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(data.resolve())


@pytest.mark.slow
def test_what_a_killed_supervisor_left_is_ended(instance: Instance) -> None:
    """After kill -9 of supervisord the next start takes its ports back."""
    configuration.write(instance)
    database.prepare_cluster(instance)
    supervisor = supervision.Supervisor(instance)
    supervisor.start()
    try:
        pid = supervisor.pid
        assert pid
        log = instance.paths["log"] / "redis.log"
        supervision.wait_until(lambda: supervision.answers(instance.ports["redis"]), "redis", 20, log)
        os.kill(pid, 9)
        time.sleep(0.5)
        assert supervision.answers(instance.ports["redis"])
        supervisor.start()
        assert supervisor.pid not in {None, pid}
    finally:
        supervisor.stop()
    assert not supervision.answers(instance.ports["redis"])


@pytest.mark.parametrize(("deadlocks", "succeeds"), [(0, True), (2, True), (9, False)])
def test_permissions_are_tried_again_after_a_deadlock(deadlocks: int, succeeds: bool) -> None:
    """An autovacuum at the wrong moment does not end a set-up; a lasting deadlock is told."""

    class Cursor:
        def __init__(self) -> None:
            self.executed: list[str] = []

        def execute(self, text: str) -> None:
            self.executed.append(text)
            if len(self.executed) <= deadlocks:
                raise psycopg2.errors.DeadlockDetected

    cursor = Cursor()
    outcome = nullcontext() if succeeds else pytest.raises(psycopg2.errors.DeadlockDetected)
    with outcome:
        database.run_permissions(cursor, "\\connect datastore\nGRANT 1;")
    assert set(cursor.executed) == {"GRANT 1;"}
    assert len(cursor.executed) == min(deadlocks + 1, 5)
