"""`python -m ckanext.ccphva_datastore.gateway --port N`: CKAN_INI names the configuration."""

from __future__ import annotations

import argparse
import logging.config
import os
import resource
import socket
from contextlib import closing
from pathlib import Path

import uvicorn
from ckanext.ccphva.shared import Pulse
from ckanext.ccphva_datastore.gateway import app, settings

SLOW = 30
"""Seconds (TCP_USER_TIMEOUT, RFC 5482)."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="ccphva-gateway")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    ini = Path(os.environ["CKAN_INI"])
    logging.config.fileConfig(ini, disable_existing_loggers=False)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a reader is an open file
    found = settings.read(ini)
    config = uvicorn.Config(
        app.build(found), log_config=None, access_log=False, server_header=False, timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    with Pulse("gateway", found.redis_url, found.site_id), closing(listener(port)) as door:
        uvicorn.Server(config).run(sockets=[door])


def listener(port: int) -> socket.socket:
    """The door, whose connections the kernel ends when a reader takes nothing for half a minute."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SLOW * 1000)
    door.bind(("127.0.0.1", port))
    door.listen(4096)
    return door


if __name__ == "__main__":
    main()
