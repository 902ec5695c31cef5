"""How to cite a dataset: in words, and for programs that keep references. Pure.

The order of the words is that of DataCite (Metadata Schema 4.5, §2.3): creator (year). Title. Version.
Publisher. Type. Address.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_SPECIAL = re.compile(r"[\\{}$&#%_^~]")
_ESCAPED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclass(frozen=True)
class Citation:
    """:param key: a name for lists of references, of ASCII letters and digits."""

    key: str
    authors: tuple[str, ...]
    title: str
    year: str
    version: str
    publisher: str
    address: str
    language: str
    accessed: date


def of(
    dataset: Mapping[str, Any],
    *,
    title: str,
    portal: str,
    address: str,
    organization: str,
    language: str,
    today: date,
) -> Citation:
    """What a citation of a dataset names.

    Creators are the authors; a dataset without any is its publisher's, else its organisation's. The year is
    that of the last change of the data, else of its publication, else of its description.
    """
    people = dataset.get("creator") or dataset.get("publisher") or ()
    authors = tuple(str(each["name"]) for each in people if isinstance(each, Mapping) and each.get("name"))
    when = next((str(dataset[f]) for f in ("modified", "issued", "metadata_modified") if dataset.get(f)), "")
    return Citation(
        key=_key(str(dataset.get("name") or dataset.get("id") or "dataset"), when[:4]),
        authors=authors or ((organization,) if organization else ()),
        title=_line(title),
        year=when[:4],
        version=_line(str(dataset.get("version") or "")),
        publisher=portal,
        address=address,
        language=language,
        accessed=today,
    )


def bibtex(cited: Citation) -> str:
    """BibLaTeX's entry of type ``dataset`` (manual §2.1.1)."""
    fields = {
        "author": " and ".join(f"{{{_tex(author)}}}" for author in cited.authors),
        "title": f"{{{_tex(cited.title)}}}",
        "year": cited.year,
        "version": _tex(cited.version),
        "publisher": _tex(cited.publisher),
        "url": cited.address,
        "urldate": cited.accessed.isoformat(),
        "langid": cited.language,
    }
    lines = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items() if text)
    return f"@dataset{{{cited.key},\n{lines}}}\n"


def ris(cited: Citation) -> str:
    """RIS, type ``DATA``: one line a field, lines end with CR LF."""
    lines = [("TY", "DATA"), *(("AU", author) for author in cited.authors), ("TI", cited.title)]
    lines += [("PY", cited.year), ("ET", cited.version), ("PB", cited.publisher), ("UR", cited.address)]
    lines += [("LA", cited.language), ("Y2", cited.accessed.strftime("%Y/%m/%d/")), ("ER", "")]
    return "".join(f"{tag}  - {_line(text)}\r\n" for tag, text in lines if text or tag == "ER")


def csl(cited: Citation) -> str:
    """CSL-JSON 1.0.2, type ``dataset``."""
    item: dict[str, Any] = {
        "id": cited.key,
        "type": "dataset",
        "title": cited.title,
        "author": [{"literal": author} for author in cited.authors],
        "publisher": cited.publisher,
        "URL": cited.address,
        "language": cited.language,
        "accessed": {"date-parts": [[cited.accessed.year, cited.accessed.month, cited.accessed.day]]},
    }
    if cited.version:
        item["version"] = cited.version
    if cited.year.isdigit():
        item["issued"] = {"date-parts": [[int(cited.year)]]}
    return json.dumps([item], ensure_ascii=False, indent=2) + "\n"


FORMS: dict[str, tuple[str, str, Callable[[Citation], str]]] = {
    "bib": ("BibTeX", "application/x-bibtex", bibtex),
    "ris": ("RIS", "application/x-research-info-systems", ris),
    "json": ("CSL-JSON", "application/vnd.citationstyles.csl+json", csl),
}
"""Name, media type and writer by ending."""


def _key(name: str, year: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-zA-Z0-9]+", "-", plain).strip("-")[:60] + (f"-{year}" if year else "")


def _line(text: str) -> str:
    return " ".join(text.split())


def _tex(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPED.get(found[0], "\\" + found[0]), text)
