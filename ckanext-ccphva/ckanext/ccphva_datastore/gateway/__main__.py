"""`python -m ckanext.ccphva_datastore.gateway --port N`: CKAN_INI names the configuration."""

from __future__ import annotations

import argparse
import logging.config
import os
import resource
from pathlib import Path

import uvicorn
from ckanext.ccphva.shared import Pulse
from ckanext.ccphva_datastore.gateway import app, settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="ccphva-gateway")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    ini = Path(os.environ["CKAN_INI"])
    logging.config.fileConfig(ini, disable_existing_loggers=False)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a reader is an open file
    found = settings.read(ini)
    with Pulse("gateway", found.redis_url, found.site_id):
        uvicorn.run(
            app.build(found), host="127.0.0.1", port=port, log_config=None, access_log=False,
            server_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=3, backlog=4096,
        )  # fmt: skip


if __name__ == "__main__":
    main()
