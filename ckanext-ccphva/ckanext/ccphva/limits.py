"""How much a write may hold, all in one place. Imports nothing; `docs/developer/forms.md` has the table.

A field of the schema may name its own `max_length`; `LONGEST_VALUE` bounds every other one.
"""

from __future__ import annotations

LONGEST_VALUE = 100_000
"""Characters of any one value."""
LONGEST_GEOMETRY = 1_000_000
LONGEST_KEYWORD = 100
MOST_KEYWORDS = 100
"""Keywords of a dataset in one language."""
MOST_ITEMS = 500
"""Items of one repeating field or list."""
MOST_RESOURCES = 1_000
