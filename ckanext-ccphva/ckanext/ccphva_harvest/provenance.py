"""Where a harvested dataset comes from, and what people corrected of it, as a page shows it.

Imports `layers`, `layer_storage`, `model` and the register; of `ccphva` its public face.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model as core
from ckan.lib.i18n import get_locales_dict
from ckanext.ccphva.shared import shown_value
from ckanext.ccphva_harvest import layer_storage, layers, storage
from ckanext.ccphva_harvest.model import HarvestLayer
from ckanext.ccphva_harvest.register import HarvestSource

Values = dict[str, Any]


def of(dataset: Mapping[str, Any], language: str) -> Values | None:
    """Source, record and run that a dataset comes from, and its corrections; None for one of our own."""
    record = layer_storage.record_of(dataset["id"])
    if record is None:
        return None
    source, entry = HarvestSource.get(record.source_id), storage.current_object(record)
    return {
        "source": {"id": source.id, "title": source.title, "url": source.url, "type": source.type}
        if source
        else None,
        "record": record.guid,
        "written": entry.import_finished.isoformat() if entry and entry.import_finished else None,
        "job": entry.harvest_job_id if entry else None,
        "seen": record.last_seen.isoformat(),
        "corrections": [_correction(layer, dataset, language) for layer in layer_storage.of(dataset["id"])],
    }


def _correction(layer: HarvestLayer, dataset: Mapping[str, Any], language: str) -> Values:
    schema = tk.h.scheming_get_dataset_schema(dataset["type"])
    place = layer.path.split("/")
    about = ""
    fields = schema["dataset_fields"]
    if place[0] == layers.RESOURCES:
        fields = schema["resource_fields"]
        known = next((each for each in dataset["resources"] if each["id"] == place[1]), None)
        about = _name(known or layer.ours or layer.source or {}, language)
        place = place[2:]
    user = core.User.get(layer.user_id)
    return {
        "path": layer.path,
        "resource": about,
        **_told(layer, place, fields, language),
        "since": layer.since.isoformat(),
        "user": user.display_name if user else "",
        "conflict": layer.conflict,
    }


def _told(layer: HarvestLayer, place: list[str], fields: list[Values], language: str) -> Values:
    """Label of the place, language of the text, and both words for a reader."""
    if not place:
        return {
            "label": tk._("File"),
            "language": "",
            "ours": tk._("added") if layer.ours else tk._("taken away"),
            "source": tk._("there") if layer.source else "",
        }
    name, *code = place
    field = next((each for each in fields if each["field_name"] == name), {"field_name": name, "label": name})
    return {
        "label": tk.h.scheming_language_text(field["label"]),
        "language": _language(code[0]) if code else "",
        "ours": shown_value(field, layer.ours, language),
        "source": shown_value(field, layer.source, language),
    }


def _name(resource: Mapping[str, Any], language: str) -> str:
    by_language = resource.get("name_translated") or {}
    return str(
        by_language.get(language)
        or by_language.get("fr")
        or resource.get("name")
        or resource.get("url")
        or ""
    )


def _language(code: str) -> str:
    locale = get_locales_dict().get(code)
    return str(locale.display_name if locale else code)
