"""What all tests share: where things are, and that what kills services runs last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from local.settings import UNITS
from stack import Stack, wait_for

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def stack_home() -> Path:
    """Folder of the running test stack; tests marked `stack` need it."""
    return Path(os.environ["PORTAL_TEST_HOME"])


@pytest.fixture(scope="session")
def stack_url() -> str:
    """Address of the running test stack."""
    return os.environ["PORTAL_TEST_URL"]


@pytest.fixture(scope="module")
def stack(stack_home: Path, stack_url: str) -> Stack:
    """The running test stack, green before the first of a module's tests."""
    found = Stack(stack_home, stack_url)
    assert wait_for(found.green, 60), found.health()
    return found


def pytest_configure(config: pytest.Config) -> None:
    """Give each of the processes that share the tests out the databases, index and files of its own."""
    worker, home = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("PORTAL_TEST_HOME")
    if worker and home:
        os.environ["CKAN_INI"] = config.option.ckan_ini = str(Path(home) / f"{UNITS[int(worker[2:])]}.ini")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: an archive holds the time, and the processes must name a test alike."""
    return f"{argname}-{len(val)}" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process, and all of the browser's: they read the same content."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            folder = item.path.parent.name
            item.add_marker(pytest.mark.xdist_group("e2e" if folder == "e2e" else item.path.name))
    if "PORTAL_TEST_URL" not in os.environ:
        skip = pytest.mark.skip(reason="needs the running test stack: ./portal test")
        for item in items:
            if item.get_closest_marker("stack"):
                item.add_marker(skip)
