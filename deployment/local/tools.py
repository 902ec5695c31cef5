"""What every instance shares, made once under var/tools: packages, browser assets, Solr, languages."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from local.console import Failure, say, step
from local.settings import CSE, DEPLOYMENT, ROOT, TOOLS, VENV, fingerprint

SITE_PACKAGES = VENV / "lib" / "python3.11" / "site-packages"
LOG = ROOT / "var" / "log"
NODE = TOOLS / "node"
NETWORK = "A missing network is the usual cause: call again when it is back"


def prepare() -> None:
    """Bring the shared tools up to date; each part is skipped when its inputs have not changed."""
    LOG.mkdir(parents=True, exist_ok=True)
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two instances of one checkout may start at the same time
        own_package()
        solr_jars()
        browser_assets()
        languages()


def own_package() -> None:
    inputs = [ROOT / "setup.py", ROOT / "pyproject.toml"]
    # A new top-level package is only seen after a new installation.
    roots = "".join(sorted(p.name for p in (ROOT / "ckanext-ccphva" / "ckanext").iterdir()))
    if _is_stamped("package", wanted := fingerprint(*inputs, extra=roots)):
        return
    with step("Installing the portal's own packages"):
        run(
            [
                VENV / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--no-deps",
                "--no-build-isolation",
                "--quiet",
                "-e",
                ROOT,
            ],
            log=LOG / "package.log",
            what="The portal's own packages could not be installed",
        )
    _stamp("package", wanted)


def solr_jars() -> None:
    """Fetch the jars named in pom.xml from Maven Central and compare each with its pinned SHA-256."""
    pinned = DEPLOYMENT / "solr" / "jars.sha256"
    if _is_stamped("solr", wanted := fingerprint(DEPLOYMENT / "solr" / "pom.xml", pinned)):
        return
    jars = TOOLS / "solr"
    with step("Fetching Solr (84 MB; half a minute to some minutes)"):
        shutil.rmtree(jars, ignore_errors=True)
        run(
            [
                "mvn",
                "-q",
                "-B",
                "-f",
                DEPLOYMENT / "solr" / "pom.xml",
                "dependency:copy-dependencies",
                f"-DoutputDirectory={jars}",
            ],
            log=LOG / "maven.log",
            what="Solr could not be fetched",
            mend=NETWORK,
        )
        for line in pinned.read_text().splitlines():
            digest, name = line.split()
            jar = jars / name
            if not jar.exists() or hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
                raise Failure(
                    f"{name} is missing or not the file whose checksum is pinned",
                    f"Delete {jars} and call again",
                )
    _stamp("solr", wanted)


def browser_assets() -> None:
    """Install browser packages with `npm ci` and build them with esbuild into the theme's public folder."""
    package, lock = ROOT / "package.json", ROOT / "package-lock.json"
    if not _is_stamped("npm", wanted := fingerprint(package, lock)):
        with step("Installing browser packages"):
            NODE.mkdir(parents=True, exist_ok=True)
            for file in (package, lock):
                shutil.copy(file, NODE)
            run(
                ["npm", "ci", "--no-audit", "--no-fund", "--prefix", NODE],
                log=LOG / "npm.log",
                what="The browser packages could not be installed",
                mend=NETWORK,
            )
        _stamp("npm", wanted)
    sources = ROOT / "themes" / "territory" / "source"
    built = ROOT / "themes" / "territory" / "public" / "built"
    if not (built.is_dir() and _is_stamped("assets", wanted := fingerprint(package, lock, sources))):
        with step("Building browser assets"):
            run(
                ["node", sources / "build.mjs", NODE, built],
                log=LOG / "esbuild.log",
                what="The browser assets could not be built",
            )
        _stamp("assets", fingerprint(package, lock, sources))


def languages() -> None:
    """Lay core's languages beside our own: French and German linked, Luxembourgish made from French."""
    sources = ROOT / "ckanext-ccphva" / "ckanext" / "ccphva" / "i18n"
    inputs = [*sorted(sources.rglob("*.po")), Path(__file__), DEPLOYMENT / "local" / "luxembourgish.py"]
    if _is_stamped("languages", wanted := fingerprint(*inputs)):
        return
    with step("Compiling the four languages"):
        run(
            [
                VENV / "bin" / "python",
                "-m",
                "local.luxembourgish",
                SITE_PACKAGES / "ckan" / "i18n",
                sources,
                TOOLS / "i18n",
            ],
            log=LOG / "languages.log",
            what="The translations could not be compiled",
        )
    _stamp("languages", wanted)


def platform() -> None:
    """Install the demonstration's oneM2M platform (ACME), pinned whole, in an environment of its own.

    The portal starts without it: what is missing then are the live sensors.
    """
    pins = DEPLOYMENT / "requirements" / "cse.txt"
    if CSE.exists() and _is_stamped("cse", fingerprint(pins)):
        return
    home, log = TOOLS / "cse", LOG / "cse.log"
    shutil.rmtree(home, ignore_errors=True)
    what = "The sensors' platform (ACME) could not be installed"
    try:
        with step("Installing the sensors' platform (ACME)"):
            run(["/usr/bin/python3", "-m", "venv", home], log=log, what=what)
            pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]
            run([*pip, "--retries", "1", "--timeout", "20", "-r", pins], log=log, what=what)
    except Failure as failure:
        shutil.rmtree(home, ignore_errors=True)
        say(f"{failure}: the portal starts without live sensors; called again it tries again. Log: {log}")
        return
    _stamp("cse", fingerprint(pins))


def run(command: list[object], *, log: Path, what: str, mend: str = "The log says why") -> None:
    """Run a program with its output in a log file; a failure names the file and the mend."""
    environment = os.environ | {"PYTHONPATH": str(DEPLOYMENT)}
    try:
        with log.open("w") as out:
            subprocess.run(
                [str(part) for part in command], cwd=ROOT, stdout=out, stderr=out, check=True, env=environment
            )
    except FileNotFoundError as error:
        raise Failure(what, f"The program {command[0]} is missing: {error}", log) from error
    except subprocess.CalledProcessError as error:
        raise Failure(what, mend, log) from error


def _is_stamped(name: str, wanted: str) -> bool:
    stamp = TOOLS / f".{name}"
    return stamp.exists() and stamp.read_text() == wanted


def _stamp(name: str, wanted: str) -> None:
    (TOOLS / f".{name}").write_text(wanted)
