"""Names of sources, formats and steps, and what stands behind them.

Built-in parts are known here; others come by entry point (``ccphva.sources``, ``ccphva.formats``,
``ccphva.steps``) and are loaded only when they are named. A part is a class with ``Config`` and a
constructor as ``protocols`` says.

Imports ``errors``, and the parts by their address.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Literal

from .errors import ConfigError

Group = Literal["ccphva.sources", "ccphva.formats", "ccphva.steps"]
_BUILT_IN: dict[Group, dict[str, str]] = {
    "ccphva.sources": {"dcat": "ccphva_harvesters.sources.dcat:DcatSource"},
    "ccphva.formats": {"dcat-ap": "ccphva_harvesters.formats.dcat_ap:DcatAp"},
    "ccphva.steps": {
        "keep": "ccphva_harvesters.steps.keep:Keep",
        "licence": "ccphva_harvesters.steps.licence:Licence",
        "organisation": "ccphva_harvesters.steps.organisation:Organisation",
        "set": "ccphva_harvesters.steps.set:Set",
    },
}


def names(group: Group) -> list[str]:
    """Names that a source file may use, sorted."""
    return sorted(_BUILT_IN[group].keys() | {point.name for point in entry_points(group=group)})


def load(group: Group, name: str, path: str) -> Any:
    """The class behind a name; ``path`` says where a source file names it.

    A built-in part wins over an entry point of its name: no package can quietly replace a part of ours.
    """
    built_in = _BUILT_IN[group].get(name)
    if built_in is not None:
        return _import(built_in)
    for point in entry_points(group=group, name=name):
        return point.load()
    kind = group.partition(".")[2][:-1]
    raise ConfigError(path, f"unknown {kind} {name!r}; known: {', '.join(names(group))}")


def _import(address: str) -> Any:
    module, _, attribute = address.partition(":")
    return getattr(import_module(module), attribute)
