"""The articles that errors, help texts and pages name: one table (`schemas/law.yaml`).

An article that counsel has not checked is shown as such: not all numbers were read at the source. Imports
nothing of CKAN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

NAMED = re.compile(r"\b(?:[LRD]\.? ?\d{3}-\d+(?:-\d+)*|20(?:19/1024|23/138))\b")
"""How texts name an article of the CRPA, or a text of the EU."""


@cache
def articles() -> Mapping[str, Mapping[str, Any]]:
    """The table by article number; each with `source`, `checked` and `says` in four languages."""
    found = yaml.safe_load((files("ccphva_schemas") / "law.yaml").read_text())
    return {str(each["id"]): {"source": found["crpa"], **each} for each in found["articles"]}


def named(text: str) -> list[str]:
    """The articles that a text names, in its order."""
    return list(dict.fromkeys(re.sub(r"[. ]", "", each) for each in NAMED.findall(text)))


def unchecked(text: str) -> list[str]:
    """Those of them that counsel has not checked, or that the table lacks."""
    return [each for each in named(text) if not articles().get(each, {}).get("checked")]
