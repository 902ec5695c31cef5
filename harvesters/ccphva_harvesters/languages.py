"""Language tags and languages of texts.

Tags follow BCP 47; regions and three-letter codes (ISO 639-2/B and /T) are folded to two letters, and a tag
with the ``t`` extension (RFC 6497: transformed content, as in ``fr-t-de-t0-mtec``) is a machine's
translation and is nobody's language.

Imports nothing of the package.
"""

from __future__ import annotations

import re

PORTAL = ("fr", "de", "en", "lb")
"""The portal's languages, preferred first."""

_THREE = {
    "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "eng": "en", "ltz": "lb", "dut": "nl", "nld": "nl",
    "ita": "it", "spa": "es", "por": "pt", "cat": "ca", "roh": "rm", "pol": "pl", "ell": "el", "gre": "el",
    "ron": "ro", "rum": "ro", "ces": "cs", "cze": "cs", "slk": "sk", "slo": "sk", "slv": "sl", "swe": "sv",
    "dan": "da", "fin": "fi", "nor": "no", "nob": "nb", "bul": "bg", "hrv": "hr", "hun": "hu", "est": "et",
    "lav": "lv", "lit": "lt", "mlt": "mt", "gle": "ga", "baq": "eu", "eus": "eu", "glg": "gl", "bre": "br",
    "oci": "oc", "cos": "co", "tur": "tr", "rus": "ru", "ukr": "uk", "ara": "ar", "lat": "la", "isl": "is",
}  # fmt: skip
_NAMES = {
    "français": "fr", "francais": "fr", "french": "fr", "deutsch": "de", "german": "de", "allemand": "de",
    "english": "en", "anglais": "en", "englisch": "en", "lëtzebuergesch": "lb", "luxembourgish": "lb",
}  # fmt: skip
_TAG = re.compile(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*$")


def fold(tag: str | None) -> str | None:
    """Two-letter language of a tag; None for none, for nonsense and for a machine's translation."""
    if not tag or not _TAG.match(tag) or is_machine_translated(tag):
        return None
    primary = re.split("[-_]", tag)[0].lower()
    return _THREE.get(primary, primary)


def is_machine_translated(tag: str) -> bool:
    """True when the tag says that the text was transformed from another language (RFC 6497 §2.2)."""
    return "t" in re.split("[-_]", tag.lower())[1:]


def of_value(value: str) -> str | None:
    """Two-letter language that a ``dct:language`` value means: a tag, a name, or an authority's URI."""
    text = value.strip().rstrip("/")
    last = re.split("[/#]", text)[-1]
    name = _NAMES.get(last.lower())
    if name is not None:
        return name
    return fold(last) if len(re.split("[-_]", last)[0]) in (2, 3) else None
