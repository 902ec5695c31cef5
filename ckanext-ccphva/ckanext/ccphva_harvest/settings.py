"""A source's configuration, as the register keeps it: the library's source file and what a portal adds.

Three things come from the register and may not be said twice: the type (the harvester's), the address (the
source's) and the organisation (the source's owner). All else has a default, so `{}` is a configuration.

Imports nothing of the plugin.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from dataclasses import dataclass
from typing import Any

import yaml
from ccphva_harvesters import Client, ConfigError, Listening, SourceFile, load_mapping, load_part

_PLACEHOLDER = "https://example.org/catalog"
DEFAULTS: dict[str, Any] = {
    "steps": ["licence"],
    "personal_data": "none",
    "publication": {"state": "published", "conditions": []},
}
_ADDRESS = {"folder": "path"}
"""What a source calls its address, where that is not `url`."""
SHORTEST = 1
LONGEST = 525_600
LONGEST_KEPT = 36_500


@dataclass(frozen=True)
class Settings:
    """A checked configuration.

    :param every: minutes between two runs that the portal starts by itself; None leaves it to the register's
        own frequency.
    :param listen: networks from which the platform may tell of new rows by itself, none for every network;
        None when it is not asked to.
    :param retention: days for which rows of the source's feeds are kept; None keeps them for ever.
    :param key: hash of all that decides what a run makes of its source.
    """

    file: SourceFile
    every: int | None
    key: str
    listen: tuple[str, ...] | None = None
    retention: int | None = None


def parse(source_type: str, format_type: str, url: str, text: str | None) -> Settings:
    """Read a source's configuration.

    :raises ConfigError: something is unknown or wrong; says its path, as `$.source.page_size: unknown key`.
    """
    document = document_of(text)
    every, listen = _whole(document, "every", "minutes"), _listen(document.pop("listen", None))
    retention = _whole(document, "retention", "days", LONGEST_KEPT)
    if listen is not None and not issubclass(load_part("ccphva.sources", source_type, "$.source"), Listening):
        raise ConfigError("$.listen", "platforms of this kind tell nothing by themselves")
    if "owner_org" in document:
        raise ConfigError("$.owner_org", "the organisation of the source decides")
    source = _part(document, "source", source_type)
    name, address = address_of(source_type, url)
    if source.setdefault(name, address) != address:
        raise ConfigError(f"$.source.{name}", "the address of the source decides")
    whole = {**DEFAULTS, **document, "source": source, "format": _part(document, "format", format_type)}
    key = hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()
    file = load_mapping(whole)
    if listen is not None and file.personal_data != "none":
        raise ConfigError("$.listen", "rows of a source with personal data are not taken")
    return Settings(file, every, key, listen, retention)


def address_of(source_type: str, url: str) -> tuple[str, str]:
    """The key of a source's address and its value; a folder may be written as `file:bacs`."""
    name = _ADDRESS.get(source_type, "url")
    return name, url.removeprefix("file:").strip("/") if name == "path" else url


def normalised(source_type: str, format_type: str, text: str | None) -> str:
    """The configuration as JSON, the only form that ckanext-harvest reads; YAML is taken too.

    :raises ConfigError: as `parse`.
    """
    document = document_of(text)
    source, (name, url) = document.get("source"), address_of(source_type, _PLACEHOLDER)
    if isinstance(source, dict):
        url = str(source.get(name, url))
    wanted = parse(source_type, format_type, url, text)
    if format_type == "native":  # such a source checks more when it is made than its struct can say
        with Client() as client:
            wanted.file.build_source(client, secrets=lambda _: "")
    return json.dumps(document, ensure_ascii=False, default=str)


def minutes_of(text: str | None) -> int | None:
    """The `every` of a stored configuration; None when there is none or it is not readable."""
    try:
        return _whole(document_of(text), "every", "minutes")
    except ConfigError:
        return None


def document_of(text: str | None) -> dict[str, Any]:
    """The mapping that a configuration's text holds."""
    try:
        document = yaml.safe_load(text or "{}")
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError("$", f"neither JSON nor YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document or {}, dict):
        raise ConfigError("$", "expected a mapping")
    return dict(document or {})


def _part(document: dict[str, Any], name: str, type_: str) -> dict[str, Any]:
    given = document.get(name, {})
    if not isinstance(given, dict):
        raise ConfigError(f"$.{name}", "expected a mapping")
    if given.get("type", type_) != type_:
        raise ConfigError(f"$.{name}.type", f"sources of this kind have {name} {type_!r}")
    return {**given, "type": type_}


def _whole(document: dict[str, Any], name: str, unit: str, most: int = LONGEST) -> int | None:
    """Take a key that holds a whole number out of the document."""
    value = document.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not SHORTEST <= value <= most:
        raise ConfigError(f"$.{name}", f"expected whole {unit}, {SHORTEST} to {most}")
    return value


def _listen(value: Any) -> tuple[str, ...] | None:
    """`true`, or `{from: [networks]}`."""
    if value is None or value is False:
        return None
    if value is True:
        return ()
    networks = value.get("from") if isinstance(value, dict) and set(value) == {"from"} else None
    if not isinstance(networks, list) or not networks:
        raise ConfigError("$.listen", "expected true, or from: a list of networks")
    try:
        return tuple(str(ipaddress.ip_network(str(each))) for each in networks)
    except ValueError as error:
        raise ConfigError("$.listen.from", f"not a network: {error}") from None
