"""The one long table of a collection of like sensors, whatever protocol they speak.

Key ``(source_id, property, observed_at)``: an observation that comes by notification and again by backfill,
or twice, is one row. Metadata of sensors and properties stands in the columns' descriptions.

Imports only ``model``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ccphva_harvesters.model import Column, Table

KEY = ("source_id", "property", "observed_at")


class PropertyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file says of one observed property."""

    path: str | None = None
    """JMESPath of its value in a payload; without it the property's own name."""
    unit: str | None = None
    title: str | None = None
    definition: str | None = None
    """What is measured, or the address of a definition."""


def table(id_: str, title: str, properties: Mapping[str, PropertyConfig]) -> Table:
    """The long table of a collection."""
    return Table(
        id=id_,
        title=title,
        columns=(
            Column(name="source_id", title="Capteur", definition="Adresse du capteur à sa source"),
            Column(name="observed_at", type="timestamp", title="Observé le", definition="Temps universel"),
            Column(name="received_at", type="timestamp", title="Reçu le", definition="Entrée à la source"),
            Column(name="property", title="Grandeur", definition=_definition(properties)),
            Column(name="value_num", type="number", title="Valeur"),
            Column(name="value_text", title="Valeur en texte"),
            Column(name="unit", title="Unité"),
            Column(name="quality", title="Qualité"),
            Column(name="geom", type="geometry", title="Position", definition="WGS 84, longitude, latitude"),
            Column(name="raw", type="json", title="Message d’origine"),
        ),
        key=KEY,
        mode="append",
        geometry="geom",
        time="observed_at",
    )


def _definition(properties: Mapping[str, PropertyConfig]) -> str | None:
    """Names, units and definitions of the properties, for the data dictionary."""
    lines = [
        f"{name}: {one.title or name}"
        + (f" [{one.unit}]" if one.unit else "")
        + (f" – {one.definition}" if one.definition else "")
        for name, one in sorted(properties.items())
    ]
    return "\n".join(lines) or None


def values(
    source_id: str,
    observed_at: str,
    received_at: str | None,
    property_: str,
    value: Any,
    unit: str | None,
    geom: dict[str, Any] | None,
    raw: Any,
    quality: str | None = None,
) -> dict[str, Any]:
    """One row of the table; a number goes to ``value_num``, anything else to ``value_text``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "source_id": source_id,
        "observed_at": observed_at,
        "received_at": received_at,
        "property": property_,
        "value_num": value if number else None,
        "value_text": None if number else value,
        "unit": unit,
        "quality": quality,
        "geom": geom,
        "raw": raw,
    }
