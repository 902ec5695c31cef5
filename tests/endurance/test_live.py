"""Fifty kills each of the live gateway, a worker and PostgreSQL under load."""

from __future__ import annotations

import pytest
from killing import kill_under_load
from stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.mark.parametrize("name", ["gateway", "worker", "postgres"])
def test_fifty_kills_lose_and_repeat_nothing(stack: Stack, name: str) -> None:
    """Every acknowledged row is there exactly once, and reached the reader exactly once."""
    print(kill_under_load(stack, name, points=50, seed=20261125))
