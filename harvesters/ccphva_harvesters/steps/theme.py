"""Step ``theme``: the EU's data themes, from INSPIRE's themes, ISO's topics and words of the source; and the
portal's own themes of local life, from words.

The pairs are those of the EU's and INSPIRE's published alignments (broad matches; the first where there are
several). What the source says itself in the EU's list stays.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from ccphva_harvesters.model import Dataset

THEME = "http://publications.europa.eu/resource/authority/data-theme/"
OF_INSPIRE = {
    "ad": "REGI", "au": "GOVE", "rs": "REGI", "gg": "REGI", "cp": "REGI", "gn": "REGI", "hy": "ENVI",
    "ps": "ENVI", "tn": "TRAN", "el": "REGI", "ge": "REGI", "lc": "ENVI", "oi": "REGI", "af": "AGRI",
    "am": "ENVI", "ac": "ENVI", "br": "ENVI", "bu": "REGI", "er": "ENER", "ef": "ENVI", "hb": "ENVI",
    "hh": "HEAL", "lu": "ENVI", "mr": "ECON", "nz": "ENVI", "of": "ENVI", "pd": "SOCI", "pf": "ECON",
    "sr": "ENVI", "so": "ENVI", "sd": "ENVI", "su": "SOCI", "us": "GOVE", "mf": "ENVI",
}  # fmt: skip
OF_TOPIC = {
    "biota": "ENVI", "boundaries": "GOVE", "climatologyMeteorologyAtmosphere": "ENVI",
    "economy": "ECON", "elevation": "REGI", "environment": "ENVI", "farming": "AGRI",
    "geoscientificInformation": "REGI", "health": "HEAL", "imageryBaseMapsEarthCover": "REGI",
    "inlandWaters": "ENVI", "location": "REGI", "oceans": "ENVI", "planningCadastre": "REGI",
    "society": "SOCI", "structure": "REGI", "transportation": "TRAN", "utilitiesCommunication": "GOVE",
}  # fmt: skip
_CODES = frozenset(
    {"AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN"}
)


class ThemeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may stand under ``theme:``."""

    words: dict[str, str] = {}
    """EU theme (code, as ``TRAN``) by keyword or theme of the source, compared without regard to case."""
    local: dict[str, list[str]] = {}
    """Keywords or themes of the source by theme of local life (a code of the list ``local-theme``)."""
    always: bool = False
    """Add themes also where the source names one of the EU's list; without it they only fill the gap."""
    only_known: bool = False
    """Leave out themes that are not of the EU's list."""

    def __post_init__(self) -> None:
        for word, code in self.words.items():
            if code.rpartition("/")[2] not in _CODES:
                raise ValueError(f"{word}: {code} is not one of {', '.join(sorted(_CODES))}")
        known = _local_codes()
        for code in self.local:
            if code not in known:
                raise ValueError(f"{code} is not one of {', '.join(sorted(known))}")


class Theme:
    """Fills ``theme`` with addresses of the EU's list, and ``local_theme`` with codes of the portal's."""

    name = "theme"
    Config = ThemeConfig

    def __init__(self, config: ThemeConfig | None = None) -> None:
        self.config = config or ThemeConfig()
        self._words = {_key(word): code.rpartition("/")[2] for word, code in self.config.words.items()}
        self._local = {_key(word): code for code, words in self.config.local.items() for word in words}

    def __call__(self, dataset: Dataset) -> Dataset:
        stated = [str(theme) for theme in dataset.fields.get("theme", [])]
        known = [theme for theme in stated if theme.startswith(THEME)]
        found = set(known)
        if self.config.always or not known:
            found |= {THEME + code for code in self._derived(dataset, stated)}
        others = [] if self.config.only_known else [theme for theme in stated if theme not in found]
        fields = {name: value for name, value in dataset.fields.items() if name != "theme"}
        if found or others:
            fields["theme"] = [*sorted(found), *others]
        own = {str(code) for code in fields.get("local_theme", [])}
        own |= {self._local[_key(word)] for word in _words(dataset, stated) if _key(word) in self._local}
        if own:
            fields["local_theme"] = sorted(own)
        return msgspec.structs.replace(dataset, fields=fields)

    def _derived(self, dataset: Dataset, stated: list[str]) -> set[str]:
        codes = {OF_INSPIRE.get(_last(theme), "") for theme in dataset.fields.get("inspire_theme", [])}
        codes |= {OF_TOPIC.get(_last(topic), "") for topic in dataset.fields.get("topic_category", [])}
        codes |= {self._words.get(_key(word), "") for word in _words(dataset, stated)}
        return codes - {""}


def _words(dataset: Dataset, themes: list[str]) -> list[str]:
    """Themes of the source and keywords in all languages."""
    by_language: dict[str, list[str]] = dataset.fields.get("keywords_translated", {})
    return [*themes, *(word for group in by_language.values() for word in group)]


@cache
def _local_codes() -> frozenset[str]:
    text = files("ccphva_schemas").joinpath("codelists/local-theme.yaml").read_text("utf-8")
    return frozenset(yaml.safe_load(text)["concepts"])


def _last(address: str) -> str:
    return re.split(r"[/#]", address.rstrip("/#"))[-1]


def _key(word: str) -> str:
    return " ".join(word.split()).casefold()
