"""Numbers that French administrations know a body or a place by. Imports nothing of CKAN."""

from __future__ import annotations

import re

_SIREN = re.compile(r"[0-9]{9}")
_COMMUNE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")


def siren(value: str) -> str | None:
    """The nine digits of a SIREN without spaces, or None when its check digit (Luhn) is wrong."""
    digits = re.sub(r"[\s.]", "", value)
    if not _SIREN.fullmatch(digits):
        return None
    doubled = (int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits)))
    return digits if sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0 else None


def insee(value: str) -> str | None:
    """The INSEE code of a commune (`54580`, `2A004`), or None when it has not that form."""
    code = value.strip().upper()
    return code if _COMMUNE.fullmatch(code) else None
