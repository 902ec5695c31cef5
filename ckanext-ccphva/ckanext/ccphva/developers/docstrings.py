"""Docstrings of actions, read as what they are: a summary, parameters, an answer, errors. Pure.

CKAN and its extensions write them as fields of reStructuredText (`:param name: text`); see CKAN's guide,
"Writing docstrings for actions".
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

_FIELD = re.compile(r"^:(\w+)(?: ([^:]+))?:\s*(.*)$")
_ROLE = re.compile(r":[a-z:]+:`~?\.?([^`<]+?)(?: <[^>]*>)?`")
_LINK = re.compile(r"`([^`<]+?)\s*<[^>]+>`_+")
_CODE = re.compile(r"``([^`]+)``")
_TYPES = {
    "int": "integer", "integer": "integer", "number": "number", "float": "number", "bool": "boolean",
    "boolean": "boolean", "list": "array", "dict": "object", "dictionary": "object", "string": "string",
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """:param type: of JSON Schema, or "" where the docstring says none."""

    name: str
    text: str
    type: str
    required: bool


@dataclass(frozen=True)
class Described:
    summary: str
    text: str
    parameters: tuple[Parameter, ...]
    answer: str
    errors: tuple[tuple[str, str], ...]


def read(docstring: str | None) -> Described:
    """What a docstring says; one without fields is all text."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    fields: list[tuple[str, str, list[str]]] = []
    text: list[str] = []
    for line in lines:
        if found := _FIELD.match(line.strip()):
            fields.append((found[1], (found[2] or "").strip(), [found[3]]))
        elif fields and (line.startswith(" ") or not line.strip()):
            fields[-1][2].append(line.strip())
        elif fields:  # a paragraph after the fields
            fields.append(("", "", [line]))
        else:
            text.append(line)
    summary, _, rest = "\n".join(text).strip().partition("\n\n")
    types = {name: _type(" ".join(words)) for kind, name, words in fields if kind == "type"}
    told = [_parameter(name, " ".join(words), types) for kind, name, words in fields if kind == "param"]
    parameters = {each.name: each for each in reversed(told)}  # core says some twice: the first counts
    parameters = dict(reversed(parameters.items()))
    return Described(
        _plain(summary),
        _plain(rest),
        tuple(parameters.values()),
        _plain(" ".join(next((words for kind, _, words in fields if kind in ("returns", "return")), []))),
        tuple((name, _plain(" ".join(words))) for kind, name, words in fields if kind == "raises"),
    )


def _parameter(name: str, words: str, types: dict[str, str]) -> Parameter:
    text = _plain(words)
    lower = text.lower()
    optional = "optional" in lower or "default" in lower or "if not given" in lower or "instead of" in lower
    kind, _, last = name.rpartition(" ")  # `:param int rows:`
    return Parameter(last, text, types.get(last) or _type(kind), not optional and last in _ALWAYS)


_ALWAYS = frozenset({"id", "resource_id", "name", "path"})
"""Parameters that are needed where a docstring does not call them optional; of others it is not sure."""


def _type(words: str) -> str:
    first = re.split(r"[\s,]", words.strip().lower())[0] if words.strip() else ""
    return _TYPES.get(first, "")


def _plain(text: str) -> str:
    """Without the marks of reStructuredText."""
    for pattern in (_ROLE, _LINK, _CODE):
        text = pattern.sub(r"\1", text)
    return " ".join(text.replace("**", "").split())
