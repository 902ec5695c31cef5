"""A source's configuration, as the register keeps it: the library's source file and what a portal adds.

Three things come from the register and may not be said twice: the type (the harvester's), the address (the
source's) and the organisation (the source's owner). All else has a default, so `{}` is a configuration.

Imports nothing of the plugin.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import yaml
from ccphva_harvesters import Client, ConfigError, SourceFile, load_mapping

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


@dataclass(frozen=True)
class Settings:
    """A checked configuration.

    :param every: minutes between two runs that the portal starts by itself; None leaves it to the register's
        own frequency.
    :param key: hash of all that decides what a run makes of its source.
    """

    file: SourceFile
    every: int | None
    key: str


def parse(source_type: str, format_type: str, url: str, text: str | None) -> Settings:
    """Read a source's configuration.

    :raises ConfigError: something is unknown or wrong; says its path, as `$.source.page_size: unknown key`.
    """
    document = document_of(text)
    every = _every(document.pop("every", None))
    if "owner_org" in document:
        raise ConfigError("$.owner_org", "the organisation of the source decides")
    source = _part(document, "source", source_type)
    name, address = address_of(source_type, url)
    if source.setdefault(name, address) != address:
        raise ConfigError(f"$.source.{name}", "the address of the source decides")
    whole = {**DEFAULTS, **document, "source": source, "format": _part(document, "format", format_type)}
    key = hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()
    return Settings(load_mapping(whole), every, key)


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
        return _every(document_of(text).get("every"))
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


def _every(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not SHORTEST <= value <= LONGEST:
        raise ConfigError("$.every", f"expected whole minutes, {SHORTEST} to {LONGEST}")
    return value
