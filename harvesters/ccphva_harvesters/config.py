"""A source file: one YAML document that says where records come from, what they mean and what may become of
them.

::

    source: {type: dcat, url: "https://…/catalog.ttl"}
    format: {type: dcat-ap}
    steps:
      - licence: {}
      - set: {fields: {…}}
    personal_data: none          # none | possible | yes
    owner_org: ccphva
    publication: draft           # published | draft | private, or a mapping with conditions
    guards: {shrink: 0.2}

Unknown keys are errors that say their path: ``$.source.page_size: unknown key``.

Imports ``errors``, ``http``, ``protocols`` and ``registry``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import msgspec
import yaml

from . import registry
from .errors import ConfigError
from .http import Client
from .protocols import Format, Source, Step
from .run import SHRINK

T = TypeVar("T")
Condition = Literal["no_personal_data", "licence_known", "required_fields"]


class Publication(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a harvested dataset; one that meets not every condition is held as a draft."""

    state: Literal["published", "draft", "private"] = "draft"
    licence: str | None = None
    conditions: tuple[Condition, ...] = ("no_personal_data", "licence_known", "required_fields")


class Guards(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When withdrawal is held."""

    shrink: float = SHRINK
    allow_empty: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    source: dict[str, Any]
    format: dict[str, Any]
    steps: list[str | dict[str, Any]] = []
    personal_data: Literal["none", "possible", "yes"]
    owner_org: str | None = None
    publication: str | dict[str, Any] = "draft"
    guards: Guards = Guards()


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A source file that was read and checked; ``build_source`` makes the source with a client."""

    source_type: str
    source_config: Any
    source_class: Any
    format: Format
    steps: tuple[Step, ...]
    personal_data: Literal["none", "possible", "yes"]
    owner_org: str | None
    publication: Publication
    guards: Guards

    def build_source(self, client: Client, **state: Any) -> Source:
        """The source; ``state`` holds what its last run left, as ``etag`` and ``last_modified``."""
        return cast("Source", self.source_class(self.source_config, client, **state))


def load_file(path: str | Path) -> SourceFile:
    """Read a source file.

    :raises ConfigError: the file cannot be read or says something unknown; names the path of the key
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("$", f"{path} cannot be read: {exc}") from exc
    return load_text(text)


def load_text(text: str) -> SourceFile:
    """The same from a text, as the portal keeps it in a source's configuration."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as exc:
        raise ConfigError("$", f"not YAML: {' '.join(str(exc).split())}") from exc
    return load_mapping(document)


def load_mapping(document: Any) -> SourceFile:
    """The same from a mapping."""
    file = convert(document, _File, "$")
    source_class, source_config = _part("ccphva.sources", file.source, "$.source")
    format_class, format_config = _part("ccphva.formats", file.format, "$.format")
    steps = tuple(_step(step, f"$.steps[{at}]") for at, step in enumerate(file.steps))
    publication = {"state": file.publication} if isinstance(file.publication, str) else file.publication
    return SourceFile(
        source_type=str(file.source["type"]),
        source_config=source_config,
        source_class=source_class,
        format=format_class(format_config),
        steps=steps,
        personal_data=file.personal_data,
        owner_org=file.owner_org,
        publication=convert(publication, Publication, "$.publication"),
        guards=file.guards,
    )


def _part(group: registry.Group, settings: dict[str, Any], path: str) -> tuple[Any, Any]:
    """Class and configuration of ``{type: name, …}``."""
    name = settings.get("type")
    if not isinstance(name, str):
        raise ConfigError(f"{path}.type", f"expected one of {', '.join(registry.names(group))}")
    found = registry.load(group, name, f"{path}.type")
    rest = {key: value for key, value in settings.items() if key != "type"}
    return found, convert(rest, found.Config, path)


def _step(step: str | dict[str, Any], path: str) -> Step:
    """A step written as ``name`` or ``name: {…}``."""
    named: dict[str, Any] = {step: {}} if isinstance(step, str) else step
    if len(named) != 1:
        raise ConfigError(path, "expected one step, as in `licence: {}`")
    name, settings = next(iter(named.items()))
    found = registry.load("ccphva.steps", name, path)
    return cast("Step", found(convert(settings or {}, found.Config, f"{path}.{name}")))


def convert(value: Any, type_: type[T], path: str) -> T:
    """``value`` as ``type_``, or an error that says where below ``path`` it does not fit."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as exc:
        raise _readable(str(exc), type_, path) from None


def _readable(message: str, type_: type[Any], path: str) -> ConfigError:
    match = re.match(r"^(?P<what>.*?)(?: - at `(?P<key>(?:key in )?\$?[^`]*)`)?$", message, re.DOTALL)
    what, key = (match["what"], match["key"] or "$") if match else (message, "$")
    where = path + key.removeprefix("$")
    unknown = re.match(r"Object contains unknown field `(.+)`", what)
    if unknown:
        known = ", ".join(getattr(type_, "__struct_fields__", ())) if key == "$" else ""
        return ConfigError(f"{where}.{unknown[1]}", "unknown key" + (f"; known: {known}" if known else ""))
    missing = re.match(r"Object missing required field `(.+)`", what)
    if missing:
        return ConfigError(f"{where}.{missing[1]}", "missing")
    return ConfigError(where, what.replace("`", "").replace("Expected", "expected"))
