"""Secrets of sources, referenced by name in a source file and never written in it.

Imports only ``errors``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from .errors import ConfigError

Secrets = Callable[[str], str]
"""Gives the secret of a name, or raises ``ConfigError`` without saying anything of other secrets."""
PREFIX = "CCPHVA_SECRET_"


def environment(name: str) -> str:
    """The secret in the environment: ``meteo-cle`` is ``CCPHVA_SECRET_METEO_CLE``."""
    variable = PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())
    value = os.environ.get(variable)
    if not value:
        raise ConfigError("$.source.secret", f"no secret of the name {name!r}; set {variable}")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ConfigError("$.source.secret", f"the secret {name!r} holds control characters")
    return value
