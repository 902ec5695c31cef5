"""`./portal` as a person types it, on folders and ports of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import psycopg2.errors
import pytest
from local import __main__ as main
from local import configuration, database, supervision, tools
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


def test_endurance_is_chosen_by_name() -> None:
    """A name is a file's, none means all, and what is no name goes to pytest."""
    assert main.endurance([]) == ["tests/endurance"]
    assert main.endurance(["live", "-k", "gateway"]) == ["tests/endurance/test_live.py", "-k", "gateway"]
    assert main.endurance(["-x"]) == ["tests/endurance", "-x"]


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


def test_another_checkouts_programs_are_not_ended(instance: Instance, tmp_path: Path) -> None:
    """A program of another checkout on the same ports is no orphan of ours; one of ours is."""

    def program(home: Path) -> subprocess.Popen[bytes]:
        server = f"http://127.0.0.1:{instance.ports['supervisor']}"
        environment = {"SUPERVISOR_SERVER_URL": server, supervision.HOME: str(home)}
        return subprocess.Popen(["/usr/bin/sleep", "60"], env=environment)

    ours, theirs = program(instance.home), program(tmp_path / "other")
    try:
        supervision.wait_until(
            lambda: ours.pid in supervision.Supervisor(instance)._orphans(), "a program", 10, tmp_path
        )
        assert theirs.pid not in supervision.Supervisor(instance)._orphans()
    finally:
        ours.kill()
        theirs.kill()


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


def test_a_full_disk_is_told_before_anything_is_made(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below a gigabyte the start is refused with what is free and what is needed."""
    monkeypatch.setattr(main.shutil, "disk_usage", lambda _: SimpleNamespace(free=300_000_000))
    with pytest.raises(Failure, match="Only 300 MB are free") as refused:
        main.up(instance)
    assert "1 GB" in str(refused.value)
    assert not (instance.home / "postgres").exists()


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    """The sentence names the program and the log."""
    with pytest.raises(Failure, match="nosuch-program") as refused:
        tools.run(["nosuch-program"], log=tmp_path / "x.log", what="It could not be made")
    assert "It could not be made" in str(refused.value)


def test_no_network_is_told_with_the_log(tmp_path: Path) -> None:
    """A download that fails says what it was, where its words are, and that a second call goes on."""
    log = tmp_path / "maven.log"
    with pytest.raises(Failure, match="Solr could not be fetched") as refused:
        tools.run(
            [sys.executable, "-c", "print('unknown host'); raise SystemExit(1)"],
            log=log,
            what="Solr could not be fetched",
            mend=tools.NETWORK,
        )
    assert "call again when it is back" in str(refused.value)
    assert log.name in str(refused.value)
    assert "unknown host" in log.read_text()


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("1000", "Run this once, then call again:  sudo sh -c 'apt-get update && apt-get install -y"),
        ("0", "Without a network, try again when it is back: apt-get update && apt-get install -y"),
    ],
)
def test_missing_packages_without_rights_or_network(root: Path, tmp_path: Path, who: str, said: str) -> None:
    """A person without rights is given the one exact line; a person without a network the mend."""
    checkout, programs = tmp_path / "checkout", tmp_path / "bin"
    (checkout / "deployment" / "local").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(root / "portal", checkout)
    (checkout / "deployment" / "local" / "packages.txt").write_text("/nosuch/program some-package\n")
    for name, body in (("id", f"echo {who}"), ("sudo", "exit 1"), ("apt-get", "exit 100")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    done = portal(checkout, "up", PATH=f"{programs}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert said in done.stderr
    assert "some-package" in done.stderr
    assert not (checkout / "var" / "tools" / "venv").exists()


def test_one_ctrl_c_stops_all(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` waits while supervisor lives, and an interrupt takes everything down once."""
    stopped: list[Path] = []

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "up", lambda _: None)
    monkeypatch.setattr(main, "down", lambda given: stopped.append(given.home))
    monkeypatch.setattr(main, "Supervisor", lambda _: SimpleNamespace(pid=1))
    monkeypatch.setattr(main.time, "sleep", interrupted)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        main.run(instance)
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert stopped == [instance.home]
