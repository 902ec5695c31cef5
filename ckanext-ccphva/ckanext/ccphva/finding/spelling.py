"""What a mistyped search may have meant: words of the catalogue near it that find something the caller may
see.

The words come from public datasets only (`written` in the index), and a proposal is tried with the
caller's own filters before anybody reads it: no word of a hidden dataset comes out of here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ckan.types import Context
from ckanext.ccphva import search
from ckanext.ccphva.finding import engine
from ckanext.ccphva.finding.words import Words

TRIES = 10
PROPOSALS = 8
"""Words near each that are tried."""
MOST_WORDS = 6
"""Words of a search that are still mended: each costs."""


def better(
    context: Context, asked: Words, language: str, filters: Sequence[str], private: bool = True
) -> str | None:
    """Other words that find something, or None: of the reader's language, else of any.

    :param filters: Solr's, of the search that found too little.
    """
    plain = " ".join(asked.plain)
    if not 0 < len(asked.plain) <= MOST_WORDS or not any(letter.isalpha() for letter in plain):
        return None
    params = {
        **search.terms(Words(plain, asked.plain), language),
        "q.op": "AND",
        "rows": 0,
        "spellcheck": "true",
        "spellcheck.q": plain,
        "spellcheck.count": PROPOSALS,
        "spellcheck.alternativeTermCount": PROPOSALS,
        "spellcheck.collate": "true",
        "spellcheck.maxCollations": 1,
        "spellcheck.maxCollationTries": TRIES,
        "spellcheck.collateParam.mm": "100%",
    }
    for dictionary in (f"written_{language}", "written"):
        answer = engine.ask(context, params | {"spellcheck.dictionary": dictionary}, filters, private)
        proposals = [
            each for each in answer.get("spellcheck", {}).get("collations") or [] if each != "collation"
        ]
        if found := next((each for each in proposals if each.casefold() != plain.casefold()), None):
            return found
    return None
