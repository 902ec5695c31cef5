"""Connections that look at the address before they use it.

The name is resolved once and the very address that was checked is connected to, so a resolver that changes
its answer (DNS rebinding) gains nothing. Private to ``http``.

Imports only ``addresses`` and ``errors``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from .addresses import Network, refusal

Resolver = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host as texts, best first."""


class RefusedAddressError(Exception):
    """Internal: a name led to an address that is not allowed."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Addresses of ``host`` by the system's resolver, which also reads decimal and octal forms."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class Dialer:
    """Opens checked sockets and can shut all of them down from another thread."""

    def __init__(self, allowed: Sequence[Network], resolver: Resolver) -> None:
        self.allowed = tuple(allowed)
        self.resolver = resolver
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def dial(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """A connected socket; refuses when any address of the name is not allowed."""
        addresses = self.resolver(host.strip("[]"), port)
        for address in addresses:
            reason = refusal(address, self.allowed)
            if reason is not None:
                raise RefusedAddressError(reason)
        error: OSError = OSError(f"{host} has no address")
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(timeout)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect((address, port))
            except OSError as exc:
                sock.close()
                error = exc
                continue
            with self._lock:
                # A duplicate, because TLS takes the socket over; shutting it down ends the connection.
                self._open.append(socket.socket(fileno=socket.dup(sock.fileno())))
            return sock
        raise error

    def hang_up(self) -> None:
        """End every open connection at once; whoever reads from one wakes up."""
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()
            self._open.clear()


def pool_manager(dialer: Dialer) -> urllib3.PoolManager:
    """A urllib3 pool manager whose every connection goes through ``dialer``; it knows no proxy."""

    def open_(conn: HTTPConnection) -> socket.socket:
        timeout = conn.timeout if isinstance(conn.timeout, (int, float)) else None
        try:
            return dialer.dial(conn.host, conn.port or conn.default_port, timeout)
        except socket.gaierror as exc:
            raise NameResolutionError(conn.host, conn, exc) from exc
        except OSError as exc:
            raise NewConnectionError(conn, f"cannot connect: {exc}") from exc

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return open_(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return open_(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls: Any = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls: Any = Secure

    manager = urllib3.PoolManager(num_pools=4, maxsize=1)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager
