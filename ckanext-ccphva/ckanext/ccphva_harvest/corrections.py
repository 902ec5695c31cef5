"""Corrections that people make to harvested datasets: noted as they are made, kept by the next harvest.

Imports `layers` and `layer_storage`; of `ccphva` its public face.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model as core
from ckan.types import Context
from ckanext.ccphva.shared import is_harvesting
from ckanext.ccphva_harvest import layer_storage, layers

Values = dict[str, Any]
_before: ContextVar[Values | None] = ContextVar("ccphva_before_correction", default=None)


@contextmanager
def watching(id_: str | None) -> Iterator[None]:
    """Around a person's update: what a harvested dataset said before it."""
    package = core.Package.get(id_) if id_ and not is_harvesting() else None
    harvested = package is not None and layer_storage.record_of(package.id) is not None
    token = _before.set(shown(package.id) if package and harvested else None)
    try:
        yield
    finally:
        _before.reset(token)


def note(context: Context, dataset_id: str) -> None:
    """Within the update's transaction: what it changed becomes a layer above the source's word."""
    before = _before.get()
    if before is None or before["id"] != dataset_id:
        return
    after = shown(dataset_id)
    user = core.User.get(context.get("user", ""))
    changes = layers.difference(before, after, fields_of(after["type"]))
    layer_storage.note(dataset_id, changes, user.id if user else "")


def kept(wanted: Values, former: Values | None, dataset_id: str) -> Values:
    """What a harvest is to write: the source's word, with people's corrections laid over it.

    A correction that the source has taken over is one no more; one that the source contradicts anew is a
    conflict, which the organisation is shown.

    :param former: what the source said the last time, None if nobody knows.
    """
    stored = layer_storage.of(dataset_id)
    if not stored:
        return wanted
    for layer in stored:
        source = layers.said(wanted, layer.path)
        if source == layer.ours:
            layer_storage.forget(dataset_id, [layer.path])
        elif former is not None and layers.said(former, layer.path) != source:
            layer_storage.follow(dataset_id, layer.path, source)
    core.Session.flush()
    laid = [layers.Layer(layer.path, layer.ours, layer.source) for layer in stored]
    return layers.lay(wanted, laid, shown(dataset_id))


def take_the_sources(context: Context, dataset_id: str, path: str) -> None:
    """Take one correction away: the dataset says again what its source says.

    :raises ckan.logic.NotFound: nobody corrected that place.
    """
    layer = next((each for each in layer_storage.of(dataset_id) if each.path == path), None)
    if layer is None:
        raise tk.ObjectNotFound(tk._("Nothing is corrected there"))
    present = shown(dataset_id)
    place = path.split("/")
    if place[0] == layers.RESOURCES and len(place) == 2:
        present["resources"] = [each for each in present["resources"] if each["id"] != place[1]]
        if layer.source is not None:
            present["resources"].append(layer.source)
        wanted = present
    else:
        wanted = layers.lay(present, [layers.Layer(path, layer.source, None)], present)
    layer_storage.forget(dataset_id, [path])
    tk.get_action("package_update")(context, wanted)


def tell(context: Context, dataset: Values) -> None:
    """Say beside a dataset that a page is about to show whether a source keeps it."""
    if context.get("for_view") and dataset.get("id"):
        dataset["ccphva_harvested"] = layer_storage.record_of(dataset["id"]) is not None


def shown(dataset_id: str) -> Values:
    """A dataset as everybody who may edit it sees it, from the database and not from the index."""
    context: Context = {"ignore_auth": True, "use_cache": False}
    return tk.get_action("package_show")(context, {"id": dataset_id})


def fields_of(dataset_type: str) -> list[str]:
    """Names of the fields of a type of dataset."""
    schema = tk.h.scheming_get_dataset_schema(dataset_type)
    return [field["field_name"] for field in schema["dataset_fields"]] if schema else []
