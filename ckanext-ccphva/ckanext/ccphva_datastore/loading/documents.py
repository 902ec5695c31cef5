"""The text of a document, page by page, with its language. No CKAN."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ckanext.ccphva_datastore.loading.faults import Fault

KINDS = ("pdf", "docx", "odt", "html")
MOST_PAGES = 5_000
PAGE_CHARACTERS = 3_000
"""How much of a document without pages makes a page."""
COMMON = {
    "fr": "le la les des une est dans pour que qui sur avec par sont au aux du ce cette ne pas",
    "de": "der die das und ist nicht ein eine den dem mit von zu auf für sich im werden wird auch",
    "en": "the of and to in is that for it with as was on are be this by an or from",
    "lb": "déi dat ass net eng en vun an de zu mat fir op bei sinn gëtt och dass keng ginn",
}
"""Words that tell the languages of this region apart."""


def pages(kind: str, path: Path) -> Iterator[dict[str, Any]]:
    """Pages with `number`, `language`, `text` and `plain` (without accents, for a forgiving search).

    :raises Fault: a broken or protected document, one without text, too many pages.
    """
    from unidecode import unidecode

    found = [text.replace("\0", "").strip() for text in _texts(kind, path)]
    if not any(found):
        raise Fault("no-text")
    language = language_of(" ".join(found)[:200_000])
    for number, text in enumerate(found, 1):
        if text:
            own = language_of(text) if len(text) > 400 else ""
            yield {"number": number, "language": own or language, "text": text, "plain": unidecode(text)}


def language_of(text: str) -> str:
    """`fr`, `de`, `en` or `lb`; empty where too little speaks for one."""
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    scores = {language: sum(words[word] for word in common.split()) for language, common in COMMON.items()}
    best = max(scores, key=lambda each: scores[each])
    return best if scores[best] >= 2 else ""


def _texts(kind: str, path: Path) -> Iterator[str]:
    readers = {"pdf": _pdf, "docx": _docx, "odt": _odt, "html": _html}
    try:
        for number, text in enumerate(readers[kind](path), 1):
            if number > MOST_PAGES:
                raise Fault("broken", reason=f"more than {MOST_PAGES} pages")
            yield text
    except (Fault, MemoryError):
        raise
    except Exception as error:  # each library has its own classes, and none names them all
        if "assword" in str(error):
            raise Fault("password") from error
        raise Fault("broken", reason=str(error)[:300]) from error


def _pdf(path: Path) -> Iterator[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    for page in document:
        text = page.get_textpage()
        yield text.get_text_range()
        text.close()
        page.close()


def _docx(path: Path) -> Iterator[str]:
    from docx import Document
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    parts = []
    for each in Document(str(path)).iter_inner_content():
        if isinstance(each, Paragraph):
            parts.append(each.text)
        elif isinstance(each, Table):
            parts += [" | ".join(cell.text for cell in row.cells) for row in each.rows]
    yield from _by_length(parts)


def _odt(path: Path) -> Iterator[str]:
    from odfdo import Document

    # Paragraphs and headings wherever they stand: in lists, tables and sections as well.
    found = Document(str(path)).body.get_elements("//text:p|//text:h")
    yield from _by_length([text for each in found if (text := each.text_recursive.strip())])


def _html(path: Path) -> Iterator[str]:
    from lxml import html

    data, encoding = path.read_bytes(), None
    with suppress(UnicodeDecodeError):  # a page that names no encoding would be taken for latin-1
        data.decode()
        encoding = "utf-8"
    parser = html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, encoding=encoding)
    tree = html.document_fromstring(data, parser=parser)
    for element in list(tree.iter("script", "style", "noscript", "template", "nav")):
        element.drop_tree()
    parts = [str(text).strip() for text in tree.itertext()]
    yield from _by_length([part for part in parts if part])


def _by_length(parts: list[str]) -> Iterator[str]:
    """Parts in pages of a readable length; these formats have pages on paper only."""
    page: list[str] = []
    for part in parts:
        page.append(part)
        if sum(map(len, page)) >= PAGE_CHARACTERS:
            yield "\n".join(page)
            page = []
    if page:
        yield "\n".join(page)
