"""What the browser tests read: an organisation with datasets, written through the API. Safe to repeat."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ORGANIZATION = "e2e-commune"
WASTE = "e2e-dechets"
DATASETS: tuple[dict[str, Any], ...] = (
    {
        "name": WASTE,
        "title_translated": {
            "fr": "Tonnages de déchets collectés",
            "de": "Gesammelte Abfallmengen",
            "en": "Tonnages of collected waste",
            "lb": "Gesammelten Offall an Tonnen",
        },
        "notes_translated": {
            "fr": "Par mois et par **flux**, depuis 2019.",
            "de": "Je Monat und **Fraktion**, seit 2019.",
            "en": "By month and **stream**, since 2019.",
            "lb": "Pro Mount a **Fraktioun**, zënter 2019.",
        },
        "tags": [{"name": "déchets"}, {"name": "environnement"}],
        "resources": [
            {"name": "Tonnages 2019–2025", "format": "CSV", "url": "https://example.org/tonnages.csv"},
            {"name": "Points de collecte", "format": "GeoJSON", "url": "https://example.org/points.geojson"},
        ],
    },
    {
        "name": "e2e-budget",
        "title_translated": {"fr": "Budget primitif 2026", "de": "Haushalt 2026"},
        "notes_translated": {"fr": "Recettes et dépenses par chapitre, votées en conseil."},
        "tags": [{"name": "budget"}],
        "resources": [{"name": "Budget", "format": "XLSX", "url": "https://example.org/budget.xlsx"}],
    },
    {
        "name": "e2e-arrets",
        "title_translated": {"fr": "Arrêts de bus et parcs-relais", "lb": "Busarrêten a P+R"},
        "notes_translated": {"fr": "Position des arrêts, avec les lignes transfrontalières."},
        "tags": [{"name": "mobilité"}],
        "resources": [{"name": "GTFS", "format": "ZIP", "url": "https://example.org/gtfs.zip"}],
    },
)


TABLE = "e2e-capteurs"
"""A dataset whose resource has a table with places and times; `table_path` tells where it is."""
STATIONS = (
    ("Audun-le-Tiche", 5.95, 49.47),
    ("Aumetz", 5.94, 49.42),
    ("Thil", 5.9, 49.47),
    ("Villerupt", 5.93, 49.47),
)


def measures() -> list[dict[str, Any]]:
    """A value every six hours of thirty days at each of four stations; one text that is an attack."""
    return [
        {
            "station": name,
            "mesure le": f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00:00",
            "température": None if hour % 90 == 0 else round(8 + 6 * math.sin(hour / 24) + number, 1),
            "remarque": "<img src=x onerror=alert(1)>" if hour == 6 else "https://example.org/capteurs",
            "lieu": f"SRID=4326;POINT({longitude} {latitude})",
        }
        for hour in range(0, 24 * 30, 6)
        for number, (name, longitude, latitude) in enumerate(STATIONS)
    ]


class Api:
    """CKAN's API as the demo's administrator."""

    def __init__(self, url: str, home: Path) -> None:
        accounts = json.loads((home / "accounts.json").read_text())
        self.url = url
        self.token = next(each["token"] for each in accounts if each["role"] == "sysadmin")

    def call(self, action: str, payload: dict[str, Any]) -> Any:
        body = json.dumps(payload).encode()
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/3/action/{action}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["result"]

    def make(self, kind: str, payload: dict[str, Any]) -> None:
        """Create the thing, or update the one of that name."""
        try:
            self.call(f"{kind}_show", {"id": payload["name"]})
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            self.call(f"{kind}_create", payload)


def publish(url: str, home: Path) -> None:
    """Lay organisation and datasets into the portal at the address."""
    api = Api(url, home)
    api.make(
        "organization",
        {"name": ORGANIZATION, "title_translated": {"fr": "Commune d'essai", "de": "Probegemeinde"}},
    )
    for dataset in DATASETS:
        api.make("package", {"owner_org": ORGANIZATION, "license_id": "etalab-2.0", **dataset})
    api.make(
        "package",
        {
            "owner_org": ORGANIZATION,
            "license_id": "etalab-2.0",
            "name": TABLE,
            "title_translated": {"fr": "Mesures des capteurs", "de": "Messwerte der Sensoren"},
            "notes_translated": {"fr": "Température aux quatre stations, toutes les six heures."},
        },
    )
    if not api.call("package_show", {"id": TABLE})["resources"]:
        api.call("datastore_create", {"resource": {"package_id": TABLE, "name": "Mesures"}} | table())


def table() -> dict[str, Any]:
    """Columns and rows of the table, for `datastore_create`."""
    types = {
        "station": "text",
        "mesure le": "timestamp",
        "température": "numeric",
        "remarque": "text",
        "lieu": "geometry",
    }
    fields: list[dict[str, Any]] = [{"id": name, "type": kind} for name, kind in types.items()]
    fields[2]["info"] = {"label_translated": {"fr": "Température (°C)", "de": "Temperatur (°C)"}}
    return {"fields": fields, "records": measures()}


def table_path(url: str, home: Path) -> str:
    """The address of the resource with the table, without a language."""
    resource = Api(url, home).call("package_show", {"id": TABLE})["resources"][0]
    return f"/dataset/{TABLE}/resource/{resource['id']}"
