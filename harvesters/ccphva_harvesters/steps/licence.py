"""Step ``licence``: our licence id from the source's licence address or label.

A sentence that holds the address of one licence names that licence. Unknown licences are kept as they are in
``license`` and flagged; nothing is ever guessed from a similar name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ccphva_harvesters.model import Dataset, Fields, Problem

LICENCES: Mapping[str, Sequence[str]] = {
    "etalab-2.0": (
        "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
        "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf",
        "https://github.com/etalab/licence-ouverte/blob/master/LO.md",
        "https://raw.githubusercontent.com/DISIC/politique-de-contribution-open-source/master/LICENSE",
        "https://spdx.org/licenses/etalab-2.0",
        "https://spdx.org/licenses/etalab-2.0.html",
        "http://publications.europa.eu/resource/authority/licence/ETALAB_2_0",
        "etalab-2.0",
        "lov2",
        "Licence Ouverte / Open Licence version 2.0",
        "Licence Ouverte / Open Licence 2.0",
        "Licence Ouverte version 2.0",
        "Licence Ouverte 2.0",
        "Licence Ouverte v2.0",
        "Open Licence 2.0",
    ),
    "odc-odbl": (
        "http://opendatacommons.org/licenses/odbl",
        "http://opendatacommons.org/licenses/odbl/1.0",
        "http://opendatacommons.org/licenses/odbl/1-0",
        "http://opendatacommons.org/licenses/odbl/summary",
        "http://www.opendefinition.org/licenses/odc-odbl",
        "https://spdx.org/licenses/ODbL-1.0",
        "http://publications.europa.eu/resource/authority/licence/ODC_BL",
        "http://dcat-ap.de/def/licenses/odbl",
        "odc-odbl",
        "odbl-1.0",
        "Open Data Commons Open Database License (ODbL)",
        "Open Database License",
    ),
    "cc-by-4.0": (
        "http://creativecommons.org/licenses/by/4.0",
        "http://creativecommons.org/licenses/by/4.0/legalcode",
        "https://spdx.org/licenses/CC-BY-4.0",
        "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
        "http://dcat-ap.de/def/licenses/cc-by/4.0",
        "cc-by-4.0",
        "Creative Commons Attribution 4.0",
        "Creative Commons Attribution 4.0 International",
    ),
    "cc0-1.0": (
        "http://creativecommons.org/publicdomain/zero/1.0",
        "http://creativecommons.org/publicdomain/zero/1.0/legalcode",
        "http://creativecommons.org/publicdomain/zero/1.0/deed.fr",
        "https://spdx.org/licenses/CC0-1.0",
        "http://publications.europa.eu/resource/authority/licence/CC0",
        "http://dcat-ap.de/def/licenses/cc-zero",
        "cc0-1.0",
        "cc-zero",
        "CC0 1.0 Universal",
    ),
}
"""Addresses and labels of each of our licences, as sources write them."""

_ADDRESS = re.compile(r"https?://[^\s<>\"'()\[\]«»]+")


class LicenceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``licence:``."""

    licences: dict[str, list[str]] = {}
    """More addresses and labels by licence id; they win over the built-in ones."""
    default: str | None = None
    """Id for datasets that name no licence at all (never for unknown ones)."""


class Licence:
    """Sets ``license_id`` on each resource and on the dataset where all its resources agree."""

    name = "licence"
    Config = LicenceConfig

    def __init__(
        self, config: LicenceConfig | None = None, licences: Mapping[str, Sequence[str]] = LICENCES
    ) -> None:
        own = config or LicenceConfig()
        self.default = own.default
        self._ids = {
            _key(name): id_
            for table in (licences, own.licences)
            for id_, names in table.items()
            for name in names
        }

    def __call__(self, dataset: Dataset) -> Dataset:
        problems = list(dataset.problems)
        fields = self._mapped(dataset.fields, problems)
        resources = [self._mapped(resource, problems) for resource in dataset.resources]
        if "license_id" not in fields and "license" not in fields:
            common = {resource.get("license_id") for resource in resources}
            only = common.pop() if len(common) == 1 else None
            named = any("license" in resource for resource in resources)
            chosen = only or (None if named else self.default)
            if chosen is not None:
                fields["license_id"] = chosen
            elif not named:
                problems.append(Problem("licence-missing", "it names no licence", "license_id"))
        return msgspec.structs.replace(dataset, fields=fields, resources=resources, problems=tuple(problems))

    def _mapped(self, fields: Fields, problems: list[Problem]) -> Fields:
        raw: Any = fields.get("license")
        if not isinstance(raw, str):
            return dict(fields)
        found = self._ids.get(_key(raw)) or self._by_address(raw)
        if found is not None:
            return {**fields, "license_id": found}
        problem = Problem("licence-unknown", raw, "license")
        if problem not in problems:
            problems.append(problem)
        return dict(fields)

    def _by_address(self, text: str) -> str | None:
        """The licence whose address stands inside a sentence, when it is the only licence address in it."""
        found = {self._ids.get(_key(address.rstrip(".,;"))) for address in _ADDRESS.findall(text)}
        return found.pop() if len(found) == 1 else None


def _key(name: str) -> str:
    """The name without what never makes a difference: scheme, www, case, closing slash."""
    text = " ".join(name.split()).casefold()
    for prefix in ("https://", "http://"):
        text = text.removeprefix(prefix)
    return text.removeprefix("www.").rstrip("/#")
