"""Actions on what people corrected of harvested datasets, and core's update, which notes corrections."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model as core
from ckan.logic import fresh_context
from ckan.types import Context
from ckanext.ccphva.shared import harvesting
from ckanext.ccphva_harvest import corrections, layer_storage, provenance

__all__ = [
    "ccphva_harvest_conflict_list",
    "ccphva_harvest_correction_keep",
    "ccphva_harvest_correction_remove",
    "ccphva_harvest_provenance_show",
    "package_update",
]
Data = dict[str, Any]


@tk.chained_action
def package_update(original: Any, context: Context, data_dict: Data) -> Data:
    """Core's. What a person changes of a harvested dataset stays when its source is harvested again."""
    with corrections.watching(data_dict.get("id") or data_dict.get("name")):
        return original(context, data_dict)


@tk.side_effect_free
def ccphva_harvest_provenance_show(context: Context, data_dict: Data) -> Data:
    """Where a dataset comes from, and what people corrected of it.

    :param id: the dataset
    :param language: of the texts: ``fr`` (if not given), ``de``, ``en`` or ``lb``
    :returns: ``source`` (``id``, ``title``, ``url``, ``type``), ``record`` (its name at the source),
        ``written``, ``seen`` and ``job`` of the last run that wrote it; ``corrections``: ``path``, ``label``,
        ``language``, ``resource``, ``ours``, ``source``, ``since``, ``user`` and ``conflict`` (the source has
        changed its word since) of each. ``source`` is None for a dataset that is not harvested.
    """
    dataset = _editable("ccphva_harvest_provenance_show", context, data_dict)
    found = provenance.of(dataset, data_dict.get("language") or "fr")
    return found or {"source": None, "corrections": []}


def ccphva_harvest_correction_remove(context: Context, data_dict: Data) -> Data:
    """Say again what the source says at a place that people corrected.

    :param id: the dataset
    :param path: the place, as in ``ccphva_harvest_provenance_show``
    :returns: what is left, as ``ccphva_harvest_provenance_show``
    :raises ObjectNotFound: nothing is corrected there
    """
    dataset = _editable("ccphva_harvest_correction_remove", context, data_dict)
    with harvesting():
        corrections.take_the_sources(fresh_context(context), dataset["id"], tk.get_or_bust(data_dict, "path"))
    return ccphva_harvest_provenance_show(context, data_dict)


def ccphva_harvest_correction_keep(context: Context, data_dict: Data) -> Data:
    """Stay with a correction although the source has changed its word: a conflict no more.

    :param id: the dataset
    :param path: the place
    :returns: as ``ccphva_harvest_provenance_show``
    """
    dataset = _editable("ccphva_harvest_correction_keep", context, data_dict)
    layer_storage.settle(dataset["id"], tk.get_or_bust(data_dict, "path"))
    core.Session.commit()
    return ccphva_harvest_provenance_show(context, data_dict)


@tk.side_effect_free
def ccphva_harvest_conflict_list(context: Context, data_dict: Data) -> list[Data]:
    """Datasets that the caller may edit and whose source contradicts a correction anew.

    :returns: ``id``, ``name``, ``owner_org`` and ``conflicts`` (their number) of each
    """
    tk.check_access("ccphva_harvest_conflict_list", context, data_dict)
    organizations = tk.get_action("organization_list_for_user")(
        fresh_context(context), {"permission": "update_dataset"}
    )
    return layer_storage.conflicts([each["id"] for each in organizations])


def _editable(action: str, context: Context, data_dict: Data) -> Data:
    """The dataset, for somebody who may edit it."""
    id_ = tk.get_or_bust(data_dict, "id")
    tk.check_access(action, context, {"id": id_})
    return tk.get_action("package_show")(fresh_context(context), {"id": id_})
