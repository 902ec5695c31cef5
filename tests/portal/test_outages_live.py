"""The live gateway, a worker or PostgreSQL killed under load, at five seeded moments each."""

from __future__ import annotations

import pytest
from killing import kill_under_load
from stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.alone]


@pytest.mark.parametrize("name", ["gateway", "worker", "postgres"])
def test_every_acknowledged_row_is_there_once(stack: Stack, name: str) -> None:
    """Also as events: each row once, in the reader's hands too, who lost his connection with the gateway."""
    print(kill_under_load(stack, name, points=5, seed=6))
