"""Which translations are older than the French. Imports nothing of CKAN.

What is stored of each translation (`translation_state`) is the mark of the French text that it was made from:

    {"title_translated": {"de": {"of": "3f2a…", "outdated": true}}}

A translation that a write changes, or that somebody declares still right, is made from the French of that
write; one that stays as it was keeps its mark. French that returns to its earlier words makes its
translations current again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from ckanext.ccphva.languages import MAIN, is_empty

State = dict[str, dict[str, Any]]
FIELD = "translation_state"
CHECKED = "translations_checked"
"""What a client sends to say that translations are still right: `{"title_translated": ["de"]}`."""
_MARK_LENGTH = 16


def mark(text: Any) -> str:
    """The mark of a text; spaces and line ends do not count."""
    return hashlib.sha256(_plain(text).encode()).hexdigest()[:_MARK_LENGTH]


def follow(
    texts: Mapping[str, Any], before: Mapping[str, Any], state: Mapping[str, Any], checked: Collection[str]
) -> State:
    """The state of a field's translations after a write.

    :param texts: texts by language as the write leaves them.
    :param before: texts by language before it, empty for a new thing.
    :param state: the field's state before it.
    :param checked: languages whose translation somebody declares still right.
    """
    main = texts.get(MAIN)
    if is_empty(main):
        return {}
    now = mark(main)
    found: State = {}
    for language, text in texts.items():
        if language == MAIN or is_empty(text):
            continue
        made = now
        if language not in checked and _plain(text) == _plain(before.get(language)):
            made = (state.get(language) or {}).get("of") or mark(before.get(MAIN) or main)
        found[language] = {"of": made, "outdated": made != now}
    return found


def _plain(text: Any) -> str:
    if isinstance(text, (list, tuple)):
        text = ", ".join(str(word).strip() for word in text)
    return " ".join(str(text or "").split())
