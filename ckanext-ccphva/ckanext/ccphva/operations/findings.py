"""What the doctor finds: a level, one sentence and the mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ckanext.ccphva.operations.text import Text


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :param check: a stable name for scripts, such as `search.fields`.
    :param mend: a command or a sentence that says what to do; empty when all is well.
    """

    level: Level
    check: str
    text: Text
    mend: str | Text = ""

    def to_dict(self, language: str) -> dict[str, Any]:
        return {
            "level": str(self.level),
            "check": self.check,
            "message": self.text.to(language),
            "mend": self.mend_to(language),
        }

    def mend_to(self, language: str) -> str:
        return self.mend if isinstance(self.mend, str) else self.mend.to(language)


def ok(check: str, fr: str, en: str) -> Finding:
    return Finding(Level.OK, check, Text(fr, en))


def warn(check: str, fr: str, en: str, mend: str | Text) -> Finding:
    return Finding(Level.WARN, check, Text(fr, en), mend)


def fail(check: str, fr: str, en: str, mend: str | Text) -> Finding:
    return Finding(Level.FAIL, check, Text(fr, en), mend)
