"""What caches may keep: public pages until the catalogue changes, nobody's own answer ever."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ckanext.ccphva.page_cache import FOR_EVER, PRIVATE, PUBLIC, PageCache, PagePurge
from stack import Stack, payload, wait_for
from werkzeug.test import Client
from werkzeug.wrappers import Response

PAGES = [
    "/",
    "/de",
    "/dataset/",
    "/organization/",
    "/about",
    "/licences",
    "/catalog.ttl",
    "/feeds/dataset.atom",
]


def serving(body: Any = "page", **headers: str) -> Client:
    """A client of the layer around an application with one answer."""
    status = int(headers.pop("status", 200))
    kind = headers.pop("kind", "text/html; charset=utf-8")
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    application = PageCache(Response(body, status=status, content_type=kind, headers=more))
    return Client(application, use_cookies=False)


class TestLayer:
    def test_a_page_for_everybody(self) -> None:
        """It may be kept by shared caches for a minute, and the browser asks again."""
        answer = serving().get("/")
        assert answer.headers["Cache-Control"] == PUBLIC
        assert answer.headers["ETag"].startswith('W/"')
        assert answer.text == "page"

    def test_not_modified(self) -> None:
        """Who has the page already gets 304 without a body, and the whole again when it has changed."""
        etag = serving().get("/").headers["ETag"]
        answer = serving().get("/", headers={"If-None-Match": etag})
        assert (answer.status_code, answer.data) == (304, b"")
        assert serving("other").get("/", headers={"If-None-Match": etag}).status_code == 200

    def test_head(self) -> None:
        """HEAD says the length of the page, without a body and without a mark made of it."""
        answer = serving().head("/")
        assert (answer.data, answer.headers["Content-Length"]) == (b"", "4")
        assert "ETag" not in answer.headers

    @pytest.mark.parametrize("header", ["Cookie", "Authorization", "X-CKAN-API-Key"])
    def test_somebody(self, header: str) -> None:
        """Whatever may tell who asks makes the answer theirs alone."""
        answer = serving().get("/", headers={header: "x"})
        assert answer.headers["Cache-Control"] == PRIVATE
        assert "ETag" not in answer.headers

    @pytest.mark.parametrize(
        "case",
        [{"Set_Cookie": "a=b", "Cache_Control": "private"}, {"status": "302", "Cache_Control": "private"},
         {"status": "500", "Cache_Control": "private"}, {"Cache_Control": "no-store"}],
        ids=["cookie", "redirect", "error", "no-store"],
    )  # fmt: skip
    def test_what_is_not_kept(self, case: dict[str, str]) -> None:
        """Answers that set a cookie, lead elsewhere, failed or say so are kept by nobody."""
        assert "no-store" in serving(**case).get("/").headers["Cache-Control"]

    @pytest.mark.parametrize("path", ["/api/3/action/package_show", "/datastore/dump/x", "/user/register"])
    def test_past_the_front(self, path: str) -> None:
        """Rows and accounts change without a word in the catalogue's log."""
        assert "s-maxage" not in serving().get(path).headers.get("Cache-Control", "")

    def test_a_stream_is_not_gathered(self) -> None:
        """What has no known length goes through piece by piece."""
        taken: list[int] = []

        def pieces() -> Iterator[bytes]:
            for number in range(3):
                taken.append(number)
                yield b"x"

        answer = serving(pieces()).get("/", buffered=False)
        next(answer.iter_encoded())
        assert len(taken) < 3
        assert "ETag" not in answer.headers

    def test_files_named_by_their_content(self) -> None:
        """They are kept for ever, whoever asks; other files of the software are asked for again."""
        file = {"kind": "text/css", "ETag": '"1"', "Last_Modified": "Wed, 25 Nov 2026 01:43:10 GMT",
                "Vary": "Cookie", "Cache_Control": "no-cache"}  # fmt: skip
        answer = serving(**file).get("/webassets/base/1_main.css", headers={"Cookie": "x"})
        assert answer.headers["Cache-Control"] == FOR_EVER
        assert "Vary" not in answer.headers
        assert serving(**file).get("/logo.svg").headers["Cache-Control"] == "no-cache"


class TestPurge:
    def test_empties_the_folder_twice(self, tmp_path: Path) -> None:
        """A page that was being made while the catalogue changed goes too."""
        early, late = tmp_path / "a", tmp_path / "b"
        early.write_text("x")
        PagePurge(tmp_path, again_after=0.2).follow([])
        assert not early.exists()
        late.write_text("x")
        assert wait_for(lambda: not late.exists(), 5)

    def test_without_a_folder(self, tmp_path: Path) -> None:
        """A portal whose front keeps nothing, or whose folder is not there yet, has nothing to purge."""
        PagePurge(None).sweep()
        PagePurge(tmp_path / "none").sweep()


@pytest.mark.stack
class TestFront:
    def test_second_reader_is_served_by_the_front(self, stack: Stack) -> None:
        """The same page, to the byte, without the portal being asked."""
        path = f"/about?{uuid.uuid4()}"
        first, second = stack.get_as_anybody(path), stack.get_as_anybody(path)
        assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
        assert first.content == second.content
        assert second.headers["Cache-Control"] == PUBLIC

    @pytest.mark.parametrize("path", PAGES)
    def test_public_pages_are_kept(self, stack: Stack, path: str) -> None:
        """Every public page and document may be kept."""
        answer = stack.get_as_anybody(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, PUBLIC)
        assert "Set-Cookie" not in answer.headers

    def test_nobody_gets_the_page_of_another(self, stack: Stack) -> None:
        """With a token or a cookie a page is neither taken from the cache nor put into it."""
        path = f"/dataset/?{uuid.uuid4()}"
        own = stack.get_as_anybody(path, Authorization=stack.token)
        assert own.headers["Cache-Control"] == PRIVATE
        assert stack.get_as_anybody(path).headers["X-Cache"] == "MISS"
        assert stack.get_as_anybody(path, Authorization=stack.token).headers["X-Cache"] == "BYPASS"
        assert stack.get_as_anybody(path, Cookie="a=b").headers["X-Cache"] == "BYPASS"

    def test_what_becomes_private_leaves_the_cache(self, stack: Stack) -> None:
        """Within five seconds no page shows it, and no body in the cache's folder holds it."""
        name = f"cache-{uuid.uuid4().hex[:8]}"
        assert stack.call("package_create", **payload(stack, name)).status_code == 200
        path = f"/dataset/{name}"
        try:
            assert wait_for(lambda: stack.get_as_anybody(path).status_code == 200, 10)
            # Other tests change the catalogue meanwhile, which empties the cache.
            assert wait_for(lambda: stack.get_as_anybody(path).headers["X-Cache"] == "HIT", 10)
            assert stack.call("package_patch", id=name, visibility="private").status_code == 200
            assert wait_for(lambda: stack.get_as_anybody(path).status_code == 404, 5)
            time.sleep(6)  # the second purge
            held = [file for file in (stack.home / "pages").iterdir() if file.is_file()]
            assert not any(
                name.encode() in file.read_bytes() and b"200 OK" in file.read_bytes() for file in held
            )
        finally:
            stack.call("dataset_purge", id=name)

    def test_a_conditional_request(self, stack: Stack) -> None:
        """A machine that comes back gets 304."""
        first = stack.get_as_anybody("/about")
        answer = requests.get(
            stack.url + "/about", headers={"If-None-Match": first.headers["ETag"]}, timeout=30
        )
        assert (answer.status_code, answer.content) == (304, b"")
