"""Files become tables on the running stack: sent through nginx, loaded by the process `loads`."""

from __future__ import annotations

import io
import time
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from load_stack_support import File, file_on_stack
from odfdo import Document, Paragraph
from stack import Stack, limit, wait_for

pytestmark = [pytest.mark.stack]
ROWS = 10_000


@pytest.fixture
def table(stack: Stack) -> Iterator[File]:
    with file_on_stack(stack, "communes.csv", lines(ROWS)) as file:
        yield file


def lines(count: int, level: str = "1,5") -> bytes:
    return b"code;nom;niveau\n" + b"".join(f"{n:05};n{n};{level}\n".encode() for n in range(count))


def shown(table: File) -> dict[str, Any]:
    return table.stack.call("resource_show", id=table.id).json()["result"]


def test_an_upload_is_a_table_in_ten_seconds(table: File) -> None:
    """Counted from the answer of `resource_create` to the last row in `datastore_search`."""
    begun = table.sent
    assert wait_for(lambda: table.total() == ROWS, 10), table.show()
    assert time.monotonic() - begun <= limit(10) + 1
    first = table.search(limit=1)["records"][0]
    assert first == {"_id": 1, "code": "00000", "nom": "n0", "niveau": 1.5}
    assert wait_for(lambda: shown(table)["datastore_active"] is True, 10)  # told after the rows


def test_a_changed_file_swaps_and_an_unchanged_one_is_left(table: File) -> None:
    """Other bytes are a new table and a version; the same bytes are neither, whatever else was changed."""
    assert wait_for(lambda: table.total() == ROWS, 10), table.show()
    table.replace(lines(20, "2,5"))
    assert wait_for(lambda: table.total() == 20, 10), table.show()
    assert table.search(limit=1)["records"][0]["niveau"] == 2.5
    assert wait_for(lambda: table.show()["state"] == "done", 10)
    gone = {"resource_id": table.id, "filters": {"code": "00007"}, "force": True}
    assert table.stack.call("datastore_delete", **gone).status_code == 200
    before = table.show()["finished"]
    table.replace(lines(20, "2,5"))
    assert wait_for(lambda: table.show()["finished"] not in (None, before), 10), table.show()
    assert (table.show()["state"], table.total()) == ("done", 19)
    started = table.show()["started"]
    table.stack.call("resource_patch", id=table.id, description="autre texte")
    time.sleep(2)
    assert table.show()["started"] == started
    assert [each["version"] for each in table.versions()] == [2, 1]


@pytest.mark.parametrize("name", ["acte.pdf", "acte.odt"])
def test_the_text_of_a_document_is_found(stack: Stack, name: str) -> None:
    """Shown a page a time, and found by its words through the catalogue's search."""
    word = f"deliberation{uuid.uuid4().hex[:8]}"
    content = pdf(word) if name.endswith("pdf") else odt(word)
    with file_on_stack(stack, name, content) as file:
        assert wait_for(lambda: file.show()["state"] == "done", 20), file.show()
        pages = stack.call("ccphva_document_show", id=file.id).json()["result"]["pages"]
        assert word in pages[0]["text"]
        hits = stack.call("ccphva_document_search", q=word).json()["result"]["results"]
        assert [(hit["resource_id"], hit["page"]) for hit in hits] == [(file.id, 1)]
        assert wait_for(lambda: stack.call("package_search", q=word).json()["result"]["count"] == 1, 20)
        page = stack.get(f"/dataset/{file.dataset}/resource/{file.id}/text?q={word}")
        assert (page.status_code, word in page.text) == (200, True)


def pdf(word: str) -> bytes:
    """A page of one line, as small as the format allows."""
    text = f"BT /F1 18 Tf 72 700 Td (Le conseil adopte la {word} du jour) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = io.BytesIO(b"%PDF-1.4\n"), list[int]()
    out.seek(0, io.SEEK_END)
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s\nendobj\n" % (number, content))
    start = out.tell()
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out.write(b"xref\n0 6\n0000000000 65535 f \n" + table)
    out.write(b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)
    return out.getvalue()


def odt(word: str) -> bytes:
    document, out = Document("text"), io.BytesIO()
    document.body.clear()
    document.body.append(Paragraph(f"Le conseil adopte la {word} du jour"))
    document.save(out)
    assert zipfile.is_zipfile(out)
    return out.getvalue()


def test_what_is_not_open_stays_with_its_organisation(stack: Stack) -> None:
    """A stranger reads neither rows nor state of a private dataset's file."""
    with file_on_stack(stack, "a.csv", lines(5), visibility="private") as file:
        assert wait_for(lambda: file.total() == 5, 10), file.show()
        for action in ("datastore_search", "datastore_info", "ccphva_load_show", "ccphva_version_list"):
            asked: dict[str, Any] = {"resource_id": file.id, "id": file.id}
            answer = requests.post(f"{stack.url}/api/3/action/{action}", json=asked, timeout=30)
            assert answer.status_code in (403, 404), (action, answer.text)
