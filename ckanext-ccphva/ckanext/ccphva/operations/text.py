"""A sentence for operators, in French and in English."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class Text:
    fr: str
    en: str

    def to(self, language: str) -> str:
        return self.en if language == "en" else self.fr
