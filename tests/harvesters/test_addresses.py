"""Which addresses are public."""

from __future__ import annotations

import pytest
from ccphva_harvesters.addresses import networks, refusal


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2a00:1450:4007:80e::200e", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    """Ordinary unicast, also mapped or behind NAT64."""
    assert refusal(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.0.0.1", "198.18.0.1", "192.0.2.1",  # noqa: E501
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2002:7f00:1::",  # noqa: E501
        "2001:0:1::1", "2001:db8::1", "100::1", "nonsense", "",
    ],
)  # fmt: skip
def test_all_else_is_refused(address: str) -> None:
    """Private, reserved, wrapped and multicast addresses, and what is no address."""
    assert refusal(address) is not None


def test_networks_may_be_allowed() -> None:
    """The operator's list counts, also for the mapped form, and for nothing beyond it."""
    allowed = networks(["127.0.0.0/8", "fd00::/8"])
    assert refusal("127.0.0.1", allowed) is None
    assert refusal("::ffff:127.0.0.1", allowed) is None
    assert refusal("fd12::1", allowed) is None
    assert refusal("10.0.0.1", allowed) is not None
