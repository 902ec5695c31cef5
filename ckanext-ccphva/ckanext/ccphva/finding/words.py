"""What a reader typed, made into a query that cannot fail: no CKAN, no service.

Words, "phrases", + and - before a word, AND, OR, NOT (|| and &&), parentheses and an ending `*` are
understood. Every other sign of Solr's language is a space. A query that names fields of the index
(`name:x`) is left as it is: it is CKAN's API's own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ckanext.ccphva.suggestions import fold
from ckanext.ccphva.thesaurus import small_words

LONGEST = 500
"""Characters of a query that are read."""
MOST_WORDS = 24
LEAST_BEGINNING = 3
"""Letters before a `*`: fewer would make the index read itself."""

_FIELD = re.compile(r"(?:^|[\s(+\-!])(\*|[A-Za-z_]\w*):(?=\S)")
_PREFIXES = ("extras_", "res_", "vocab_", "facet_", "title_", "text_", "metadata_")
_FIELDS = frozenset({
    "*", "author", "capacity", "card", "creator_user_id", "data_dict", "dataset_type", "download_url",
    "entity_type", "frequency", "groups", "id", "identifier", "index_id", "indexed_ts", "license",
    "license_id", "maintainer", "name", "name_ngram", "notes", "organization", "owner_org",
    "permission_labels", "private", "site_id", "state", "tags", "text", "title", "type", "updated", "url",
    "urls", "validated_data_dict", "version", "visibility",
})  # fmt: skip
_PIECE = re.compile(r'[+\-!]?"[^"]*"|\(|\)|[^\s()"]+')
_SIGNS = re.compile(r"[^\w'.%&+-]+|_")
_OPERATORS = {"AND": "AND", "&&": "AND", "OR": "OR", "||": "OR", "NOT": "NOT", "!": "NOT"}


class Words(NamedTuple):
    """A query that Solr's edismax takes."""

    text: str
    """`""` for a query without a word."""
    plain: tuple[str, ...]
    """The words that are looked for, without signs: what spelling and broader searches begin with."""
    operators: bool = False
    """Whether the reader says what must match."""
    cut: bool = False
    """Whether the end was left out."""
    fielded: bool = False
    """Whether it is Solr's own language: `text` is what was given."""


def read(given: str, fields: bool = True) -> Words:
    """Understand a query.

    :param fields: whether it may name fields and parsers of Solr.
    """
    if fields and is_fielded(given):
        return Words(given, (), fielded=True)
    shortened = given[:LONGEST].replace("’", "'")
    pieces = [each for piece in _PIECE.findall(shortened) for each in _cleaned(piece)]
    if not _balanced(pieces):
        pieces = [piece for piece in pieces if piece not in ("(", ")")]
    counted = [number for number, piece in enumerate(pieces) if _is_word(piece)]
    cut = len(given) > LONGEST or len(counted) > MOST_WORDS
    if len(counted) > MOST_WORDS:
        pieces = [piece for piece in pieces[: counted[MOST_WORDS]] if piece not in ("(", ")")]
    pieces = _sensible(_without_small(pieces))
    wanted = [p for before, p in zip(["", *pieces], pieces, strict=False) if before != "NOT" and p[0] != "-"]
    plain = tuple(piece.strip('"+*') for piece in wanted if _is_word(piece))
    text = " ".join(pieces)
    if pieces and not plain:
        text = f"*:* {text}"  # nothing but what must not be
    return Words(text, plain, any(piece in ("AND", "OR", "NOT") for piece in pieces), cut)


def is_fielded(given: str) -> bool:
    """Whether a query is in Solr's language: a parser, or a field that the index has."""
    if given.lstrip().startswith("{!"):
        return True
    return any(name in _FIELDS or name.startswith(_PREFIXES) for name in _FIELD.findall(given))


def _cleaned(piece: str) -> list[str]:
    """A piece as words and signs that mean something."""
    if piece in ("(", ")"):
        return [piece]
    if piece in _OPERATORS:
        return [_OPERATORS[piece]]
    sign = {"+": "+", "-": "-", "!": "-"}.get(piece[0], "")
    if piece.lstrip("+-!").startswith('"'):
        inside = " ".join(word for word in _SIGNS.sub(" ", piece).split() if any(map(str.isalnum, word)))
        return [f'{sign}"{inside}"'] if inside else []
    begun = piece.endswith("*")
    words = [word.strip("+-.&'%") for word in _SIGNS.sub(" ", piece[len(sign) :]).split()]
    words = [word for word in words if any(map(str.isalnum, word))]
    if not words:
        return []
    if begun and len(words) == 1 and len(words[0]) >= LEAST_BEGINNING and words[0].isalnum():
        words = [f"{words[0]}*"]
    return [sign + words[0], *words[1:]]


def _is_word(piece: str) -> bool:
    return piece not in ("AND", "OR", "NOT", "(", ")")


def _balanced(pieces: list[str]) -> bool:
    depth = 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        if depth < 0:
            return False
    return depth == 0


def _without_small(pieces: list[str]) -> list[str]:
    """Leave out articles and the like, unless there is nothing else."""
    kept = [piece for piece in pieces if not (_is_word(piece) and fold(piece) in small_words())]
    return kept if any(_is_word(piece) for piece in kept) else pieces


def _sensible(pieces: list[str]) -> list[str]:
    """Leave out operators that join nothing and parentheses around nothing, until none is left."""
    while True:
        kept = [piece for number, piece in enumerate(pieces) if _means_something(pieces, number)]
        if kept == pieces:
            return pieces
        pieces = kept


def _means_something(pieces: list[str], number: int) -> bool:
    piece = pieces[number]
    before = pieces[number - 1] if number else None
    after = pieces[number + 1] if number + 1 < len(pieces) else None
    if piece in ("AND", "OR"):
        joined = before is not None and (_is_word(before) or before == ")")
        return joined and after is not None and (_is_word(after) or after in ("(", "NOT"))
    if piece == "NOT":
        return after is not None and (_is_word(after) or after == "(")
    if piece == "(":
        return after != ")"
    if piece == ")":
        return before != "("
    return True
