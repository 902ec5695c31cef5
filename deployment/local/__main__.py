"""`./portal <command>`: the commands that help.txt lists."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from local import catalogue, configuration, database, production, search, tools
from local.console import Failure, say
from local.settings import DEPLOYMENT, ROOT, TOOLS, UNITS, VENV, Instance, instance_from_environment
from local.supervision import Supervisor


def up(instance: Instance) -> None:
    """Everything from a fresh clone to a portal that answers, in the background."""
    began = time.monotonic()
    _refuse_full_disk(instance)
    tools.prepare()
    if not instance.throwaway:
        tools.platform()
    supervisor = Supervisor(instance)
    if supervisor.pid is not None and configuration.changed(instance):
        say("The configuration has changed since the start: starting anew")
        supervisor.stop()
    if supervisor.pid is None:
        database.prepare_cluster(instance)  # the configuration names where the cluster really is
        configuration.write(instance)
        search.write_home(instance)
        say("Starting database, queue and search")
        supervisor.start()
    supervisor.wait_for_base()
    catalogue.prepare(instance)
    say("Starting the portal")
    supervisor.start_all()
    supervisor.wait_for_pages()
    seconds = time.monotonic() - began
    say(f"The portal answers at {instance.site_url} after {seconds:.0f} s")
    say(f"Accounts to try it with: {instance.home / 'accounts.json'}")


def run(instance: Instance) -> None:
    """`up`, then wait; one Ctrl-C stops all."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        up(instance)
        say("Ctrl-C stops everything")
        while Supervisor(instance).pid:
            time.sleep(0.5)
    except KeyboardInterrupt:
        say("Stopping")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        down(instance)


def down(instance: Instance) -> None:
    Supervisor(instance).stop()
    say("Everything is stopped")


def status(instance: Instance) -> None:
    states = Supervisor(instance).states()
    if not states:
        raise Failure("Nothing runs here", "Start it with: ./portal up")
    for name, state in states.items():
        print(f"{name:10} {state['statename']:9} {state['description']}")


def reset(instance: Instance) -> None:
    """Forget everything of this instance but the shared tools."""
    if (
        "--yes" not in sys.argv
        and input(f"Delete databases, index and files of {instance.home}? Type yes: ") != "yes"
    ):
        raise Failure("Nothing was deleted", "Answer yes, or call ./portal reset --yes")
    down(instance)
    cluster = instance.paths["postgres"]
    if cluster.is_symlink():
        shutil.rmtree(cluster.resolve(), ignore_errors=True)
        cluster.unlink()
    for name in (
        "postgres",
        "redis",
        "solr",
        "files",
        "pages",
        "cse",
        *(f"{unit}-files" for unit in UNITS),
        "mail",
        "nginx",
        "run",
        "metrics",
        "tmp",
    ):
        shutil.rmtree(instance.home / name, ignore_errors=True)
    for name in ("prepared.json", "accounts.json", "secrets.json"):
        (instance.home / name).unlink(missing_ok=True)
    say("Forgotten; ./portal run begins anew")


def test(_: Instance) -> int:
    """Every test but those of endurance, on an instance of its own; arguments go to pytest."""
    if sys.argv[2:]:
        return _tests(sys.argv[2:])
    every = ["tests", "--ignore=tests/endurance"]
    together = [*every, "-m", "not alone", f"--numprocesses={len(UNITS)}", "--dist=loadgroup"]
    return _tests(together, [*every, "-m", "alone"])


def endure(_: Instance) -> int:
    """What takes longer: services away for a minute, fifty kills: `./portal endure [name]`."""
    return _tests(["-s", "-p", "no:cacheprovider", *endurance(sys.argv[2:])])


def endurance(arguments: list[str]) -> list[str]:
    """Arguments for pytest: a name stands for its file of tests/endurance, none for all of them."""
    files = {path.stem.removeprefix("test_"): path for path in (ROOT / "tests/endurance").glob("test_*.py")}
    named = [str(files[each].relative_to(ROOT)) for each in arguments if each in files]
    return [*(named or ["tests/endurance"]), *(each for each in arguments if each not in files)]


def bench(_: Instance) -> int:
    """Ratios against the peer in the same run: `./portal bench [name]`."""
    folder = ROOT / "tests" / "benchmarks"
    known = sorted(path.stem for path in folder.glob("*.py") if path.stem != "measure")
    wanted = sys.argv[2:] or known
    if unknown := set(wanted) - set(known):
        raise Failure(f"There is no benchmark {', '.join(sorted(unknown))}", f"Choose of: {', '.join(known)}")
    python = str(VENV / "bin" / "python")
    return _on_test_stack(
        lambda _, environment: max(
            subprocess.run([python, folder / f"{name}.py"], cwd=ROOT, env=environment, check=False).returncode
            for name in wanted
        )
    )


def _tests(*rounds: list[str]) -> int:
    return _on_test_stack(
        lambda instance, environment: max(_pytest(each, environment, instance) for each in rounds)
    )


def _on_test_stack(work: Callable[[Instance, dict[str, str]], int]) -> int:
    instance = instance_from_environment(testing=True)
    began = time.monotonic()
    was_running = Supervisor(instance).pid is not None
    up(instance)
    environment = os.environ | {
        "PORTAL_TEST_HOME": str(instance.home),
        "PORTAL_TEST_URL": instance.site_url,
        "CKAN_INI": str(instance.ini(UNITS[0])),
        "PYTHONPATH": f"{DEPLOYMENT}:{ROOT / 'tests' / 'portal'}",
    }
    try:
        code = work(instance, environment)
    finally:
        if not was_running:
            down(instance)
    say(f"It took {time.monotonic() - began:.0f} s with set-up")
    return code


def _pytest(arguments: list[str], environment: dict[str, str], instance: Instance) -> int:
    command = [
        VENV / "bin" / "python",
        "-m",
        "pytest",
        f"--ckan-ini={instance.ini(UNITS[0])}",
        *arguments,
    ]
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=environment, check=False).returncode


def lint(_: Instance) -> int:
    """Every check of `.pre-commit-config.yaml` on all files."""
    tools.prepare()
    command = [str(VENV / "bin" / "pre-commit"), "run", "--all-files", "--color", "never"]
    environment = os.environ | {"PRE_COMMIT_HOME": str(TOOLS / "pre-commit"), "PYTHONPATH": ""}
    return subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode


def docs(_: Instance) -> int:
    return subprocess.run(
        [VENV / "bin" / "mkdocs", "build", "--strict", "--quiet", "--site-dir", ROOT / "var" / "docs"],
        cwd=ROOT,
        check=False,
    ).returncode


def ckan(instance: Instance) -> int:
    return subprocess.run(
        [VENV / "bin" / "ckan", "-c", instance.ini(), *sys.argv[2:]], check=False
    ).returncode


def host(_: Instance) -> None:
    """The files of a production host, and the tools that it shares with a local run."""
    tools.prepare()
    production.command(sys.argv[2:])


def lock(_: Instance) -> None:
    """Resolve the .in files into lock files with hashes, by uv in an environment of its own."""
    home = ROOT / "var" / "tools" / "uv"
    folder = DEPLOYMENT / "requirements"
    if not home.exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", "uv"], check=True)
    for name in ("runtime", "development"):
        options = [
            "--python-version=3.11",
            "--generate-hashes",
            "--no-header",
            "--no-emit-index-url",
            "--allow-unsafe",
            "--quiet",
        ]
        subprocess.run(
            [home / "bin" / "uv", "pip", "compile", *options, f"{name}.in", "-o", f"{name}.txt"],
            cwd=folder,
            check=True,
        )


COMMANDS: dict[str, Callable[[Instance], int | None]] = {
    "run": run, "up": up, "down": down, "status": status, "reset": reset, "test": test,
    "bench": bench, "endure": endure, "lint": lint, "docs": docs, "ckan": ckan,
    "production": host, "lock": lock,
}  # fmt: skip


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _refuse_full_disk(instance: Instance) -> None:
    instance.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(instance.home).free
    if free < 1_000_000_000:
        raise Failure(
            f"Only {free // 1_000_000} MB are free below {instance.home}",
            "Make room: 1 GB is the least to start with",
        )


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    command = COMMANDS.get(name)
    try:
        if command is None:
            raise Failure(f"There is no command {name!r}", "See: ./portal help")
        return command(instance_from_environment()) or 0
    except Failure as failure:
        print(f"✗ {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("✗ Interrupted; the next call goes on where this one stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
