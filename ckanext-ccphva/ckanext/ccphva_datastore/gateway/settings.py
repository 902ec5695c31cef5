"""Options of the gateway, read from CKAN's ini file. Imports nothing of CKAN."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Settings:
    """Where the services are and what a request may cost; bytes and seconds.

    :param portal: CKAN's own address, asked for what a caller may do.
    :param body: most bytes of one request's rows, unpacked.
    :param waiting: most bytes of rows of all requests at work; more are told to come back (429).
    :param line: most bytes of one row.
    :param pause: longest silence within a body.
    :param whole: longest time for a whole body.
    :param gather: seconds that rows wait for others to share their commit.
    :param secret: the portal's own; without it nobody may notify.
    :param trust: seconds for which CKAN's answer about a caller holds.
    """

    write_url: str
    read_url: str
    redis_url: str
    site_id: str
    portal: str
    body: int = 16 * MEGABYTE
    waiting: int = 64 * MEGABYTE
    line: int = MEGABYTE
    pause: float = 10.0
    whole: float = 60.0
    gather: float = 0.008
    trust: float = 3.0
    heartbeat: float = 15.0
    secret: str = ""


def read(path: Path) -> Settings:
    """The settings in an ini file.

    :raises KeyError: an option lacks; its name.
    """
    options = _options(path)
    numbers = {"body": "ccphva.live.max_bytes", "waiting": "ccphva.live.max_waiting_bytes"}
    return Settings(
        write_url=options["ckan.datastore.write_url"],
        read_url=options["ckan.datastore.read_url"],
        redis_url=options["ckan.redis.url"],
        site_id=options["ckan.site_id"],
        portal=options["ccphva.live.portal"].rstrip("/"),
        secret=options.get("secret_key", ""),
        **{name: int(options[key]) for name, key in numbers.items() if key in options},
    )


def _options(path: Path) -> dict[str, str]:
    """What the file says, over what the file says that it names by `use = config:…`, as CKAN reads it."""
    parser = configparser.ConfigParser(defaults={"here": str(path.parent)})
    if not parser.read(path):
        raise FileNotFoundError(path)
    own = dict(parser["app:main"])
    kind, _, other = own.get("use", "").partition(":")
    return (_options(path.parent / other) if kind == "config" else {}) | own
