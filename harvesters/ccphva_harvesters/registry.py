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
    "ccphva.sources": {
        "ckan": "ccphva_harvesters.sources.ckan:CkanSource",
        "csw": "ccphva_harvesters.sources.csw:CswSource",
        "dcat": "ccphva_harvesters.sources.dcat:DcatSource",
        "folder": "ccphva_harvesters.sources.folder:FolderSource",
        "ogcapi-features": "ccphva_harvesters.sources.ogcapi_features:FeaturesSource",
        "ogcapi-records": "ccphva_harvesters.sources.ogcapi_records:OgcApiRecordsSource",
        "onem2m": "ccphva_harvesters.sources.onem2m:OneM2MSource",
        "rest": "ccphva_harvesters.sources.rest:RestSource",
        "wfs": "ccphva_harvesters.sources.wfs:WfsSource",
    },
    "ccphva.formats": {
        "ckan-json": "ccphva_harvesters.formats.ckan_json:CkanJson",
        "dcat-ap": "ccphva_harvesters.formats.dcat_ap:DcatAp",
        "iso19139": "ccphva_harvesters.formats.iso19139:Iso19139",
        "native": "ccphva_harvesters.formats.native:Native",
        "ogc-record": "ccphva_harvesters.formats.ogc_record:OgcRecord",
    },
    "ccphva.steps": {
        "drop": "ccphva_harvesters.steps.drop:Drop",
        "keep": "ccphva_harvesters.steps.keep:Keep",
        "licence": "ccphva_harvesters.steps.licence:Licence",
        "map": "ccphva_harvesters.steps.map:Map",
        "organisation": "ccphva_harvesters.steps.organisation:Organisation",
        "rename": "ccphva_harvesters.steps.rename:Rename",
        "set": "ccphva_harvesters.steps.set:Set",
        "territory": "ccphva_harvesters.steps.territory:Territory",
        "theme": "ccphva_harvesters.steps.theme:Theme",
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
