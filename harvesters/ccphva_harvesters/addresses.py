"""Which network addresses a harvester may talk to.

Everything that is not plain public unicast is refused (RFC 6890 registries), also when it is wrapped:
IPv4-mapped (RFC 4291 §2.5.5.2), IPv4-compatible, NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056) and Teredo
(RFC 4380). An operator may allow networks by name, as the local demo allows ``127.0.0.0/8``.

Imports nothing of the package.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "::/96",  # IPv4-compatible, unspecified, loopback
        "64:ff9b:1::/48",  # local-use NAT64
        "100::/64",  # discard
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",  # site-local, deprecated and still routed by some
        "ff00::/8",
    )
)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks from their CIDR texts."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def refusal(address: str, allowed: Iterable[Network] = ()) -> str | None:
    """Why ``address`` (as a resolver gives it) may not be connected to, or None."""
    try:
        ip = unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return f"{address} is not an IP address"
    if any(ip in net for net in allowed if net.version == ip.version):
        return None
    if isinstance(ip, ipaddress.IPv6Address) and any(ip in net for net in _REFUSED_V6):
        return f"{address} is not a public address"
    if ip.is_multicast or ip.is_reserved or ip.is_unspecified or not ip.is_global:
        return f"{address} is not a public address"
    return None


def unwrapped(ip: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped or NAT64 one, else the address itself."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
