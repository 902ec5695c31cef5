"""The guarded client against servers that misbehave and addresses it must not touch."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler

import pytest
from ccphva_harvesters import BlockedError, Client, Limits, RetriableError, SourceError, TooLargeError

from .conftest import LOOPBACK, Site


def quick(**limits: float) -> Client:
    """A client with other limits and no pauses."""
    settings = {"backoff": 0.0, "attempts": 1, **limits}
    return Client(allow_networks=[LOOPBACK], limits=Limits(**settings), sleep=lambda _: None)  # type: ignore[arg-type]


def raw(*pieces: bytes, pause: float = 0.0) -> Callable[[BaseHTTPRequestHandler], None]:
    """A handler that writes bytes to the socket as they are, then closes it."""

    def write(request: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            request.wfile.write(piece)
            request.wfile.flush()
            time.sleep(pause)

    return write


# -- plain behaviour -------------------------------------------------------------------------------------


def test_get_gives_body_type_and_validators(site: Site, client: Client) -> None:
    """An ordinary answer is given decoded, with what the next run needs."""
    url = site.serve("/a", "salut", "text/Turtle; charset=utf-8", ETag='"1"', Last_Modified="yesterday")
    response = client.get(url)
    assert (response.status, response.body, response.media_type) == (200, b"salut", "text/turtle")
    assert (response.etag, response.last_modified) == ('"1"', "yesterday")
    assert site.asked[0][1]["user-agent"].startswith("ccphva-harvest/")


def test_conditional_request(site: Site, client: Client) -> None:
    """Validators are sent and 304 is understood."""
    url = site.serve("/a", b"", status=304)
    assert client.get(url, etag='"1"', last_modified="yesterday").not_modified
    assert site.asked[0][1]["if-none-match"] == '"1"'
    assert site.asked[0][1]["if-modified-since"] == "yesterday"


def test_304_nobody_asked_for_is_an_error(site: Site, client: Client) -> None:
    """Without validators, 304 would be an empty catalogue."""
    with pytest.raises(SourceError, match="HTTP 304"):
        client.get(site.serve("/a", b"", status=304))


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress, lambda b: zlib.compress(b)[2:-4]])
def test_encodings(site: Site, client: Client, encode: Callable[[bytes], bytes]) -> None:
    """gzip and both kinds of deflate are decoded."""
    coding = "gzip" if encode is gzip.compress else "deflate"
    body = b"bonjour " * 1000
    assert client.get(site.serve("/a", encode(body), Content_Encoding=coding)).body == body


def test_two_gzip_members(site: Site, client: Client) -> None:
    """gzip members may follow each other (RFC 1952 section 2.2)."""
    body = gzip.compress(b"eins ") + gzip.compress(b"zwei")
    assert client.get(site.serve("/a", body, Content_Encoding="gzip")).body == b"eins zwei"


def test_redirects_are_followed_and_counted(site: Site, client: Client) -> None:
    """Five redirects are followed, a loop is not."""
    site.serve("/end", "fin")
    for n in range(5):
        site.serve(f"/{n}", b"", status=302, Location=f"/{n + 1}" if n < 4 else "/end")
    assert client.get(site.url("/0")).url == site.url("/end")
    site.serve("/loop", b"", status=301, Location="/loop")
    with pytest.raises(SourceError, match="more than 5 redirects"):
        client.get(site.url("/loop"))


def test_secrets_do_not_follow_a_redirect_elsewhere(site: Site, client: Client) -> None:
    """An Authorization header stays with the host it was meant for."""
    other = Site("127.0.0.3")
    other.serve("/", "x")
    url = site.serve("/a", b"", status=302, Location=other.url("/"))
    client.get(url, headers={"Authorization": "Bearer s3cret"})
    assert "authorization" in site.asked[0][1]
    assert "authorization" not in other.asked[0][1]
    other.close()


def test_environment_proxies_are_not_used(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment would make the address check worthless."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.9:9")
    assert client.get(site.serve("/a", "direct")).body == b"direct"


# -- again and again -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_tries_again_and_honours_retry_after(site: Site, status: int) -> None:
    """After 429 or 5xx it waits as long as the server asks and tries again."""
    answers = [(status, {"Retry-After": "7"}, b"")] * 2 + [(200, {}, b"ok")]
    site.handle("/a", lambda _: answers.pop(0))
    pauses: list[float] = []
    with Client(allow_networks=[LOOPBACK], sleep=pauses.append) as client:
        assert client.get(site.url("/a")).body == b"ok"
    assert pauses == [7.0, 7.0]


def test_gives_up_with_the_servers_wish(site: Site) -> None:
    """A pause longer than we wait is handed to whoever plans the next run."""
    site.serve("/a", b"", status=503, Retry_After="3600")
    with quick(attempts=4) as client, pytest.raises(RetriableError) as caught:
        client.get(site.url("/a"))
    assert caught.value.retry_after == 3600
    assert len(site.asked) == 1


def test_pauses_grow(site: Site) -> None:
    """Without a wish of the server the pauses double, with a little luck in them."""
    site.serve("/a", b"", status=500)
    pauses: list[float] = []
    with Client(allow_networks=[LOOPBACK], sleep=pauses.append) as client, pytest.raises(RetriableError):
        client.get(site.url("/a"))
    assert len(pauses) == 3
    assert all(0.8 * 2**n <= pause <= 1.2 * 2**n for n, pause in enumerate(pauses))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_final(site: Site, client: Client, status: int) -> None:
    """Other errors are not tried again."""
    with pytest.raises(SourceError, match=f"HTTP {status}"):
        client.get(site.serve("/a", "no", status=status))
    assert len(site.asked) == 1


# -- bad servers -----------------------------------------------------------------------------------------


def test_a_body_that_breaks_off(site: Site) -> None:
    """A connection reset in the middle of a body never passes for a short body."""
    site.handle("/a", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<a> <b>"))
    with quick(attempts=2) as client, pytest.raises(RetriableError):
        client.get(site.url("/a"))
    assert len(site.asked) == 2


def test_a_gzip_body_that_breaks_off(site: Site) -> None:
    """A gzip stream without its end is not taken for whole."""
    with quick() as client, pytest.raises(RetriableError, match="cut short"):
        client.get(site.serve("/a", gzip.compress(b"x" * 9999)[:-10], Content_Encoding="gzip"))


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_a_server_that_drips_is_cut_off(site: Site, head: bytes) -> None:
    """One byte now and then, in the body or in the head, ends when the total time is over."""
    site.handle("/a", raw(head, *([b"x"] * 60), pause=0.05))
    started = time.monotonic()
    with quick(total=0.4, read=5) as client, pytest.raises(RetriableError, match=r"within 0\.4 s"):
        client.get(site.url("/a"))
    assert time.monotonic() - started < 1.5


def test_a_silent_server_is_left(site: Site) -> None:
    """No byte within the read time."""
    site.handle("/a", raw(b"", pause=1.0))
    with quick(read=0.2) as client, pytest.raises(RetriableError, match="silent"):
        client.get(site.url("/a"))


def test_a_body_without_end(site: Site) -> None:
    """More bytes than allowed are not read to the end."""
    site.handle("/a", raw(b"HTTP/1.1 200 OK\r\n\r\n", *([b"x" * 100_000] * 50)))
    with quick(wire_bytes=200_000) as client, pytest.raises(TooLargeError, match="larger than 200000"):
        client.get(site.url("/a"))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compression_bomb_never_unfolds(site: Site, coding: str) -> None:
    """A small body that unfolds beyond the limit is refused at the limit."""
    bomb = (gzip.compress if coding == "gzip" else zlib.compress)(b"\0" * 30_000_000)
    with quick(decoded_bytes=1_000_000) as client, pytest.raises(TooLargeError, match="unfolds"):
        client.get(site.serve("/a", bomb, Content_Encoding=coding))


def test_a_coding_nobody_asked_for(site: Site, client: Client) -> None:
    """brotli and friends are refused, not guessed."""
    with pytest.raises(SourceError, match="not asked for"):
        client.get(site.serve("/a", b"x", Content_Encoding="br"))


# -- addresses -------------------------------------------------------------------------------------------

SPELLINGS = [
    "http://127.0.0.2:{port}/",
    "http://2130706434:{port}/",
    "http://0177.0.0.2:{port}/",
    "http://0x7f.0.0.2:{port}/",
    "http://127.2:{port}/",
    "http://[::ffff:127.0.0.2]:{port}/",
    "http://[::ffff:7f00:2]:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://0.0.0.0:{port}/",
    "http://localhost:{port}/",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_own_machine_is_out_of_reach(trap: Site, spelling: str) -> None:
    """However loopback is written, nothing connects to it."""
    with Client() as client, pytest.raises(BlockedError):
        client.get(spelling.format(port=trap.server.server_port))
    assert trap.connections == 0


@pytest.mark.parametrize("spelling", SPELLINGS[:-2])
def test_no_redirect_leads_there(site: Site, trap: Site, spelling: str) -> None:
    """A redirect from an allowed host is checked like any address."""
    url = site.serve("/a", b"", status=302, Location=spelling.format(port=trap.server.server_port))
    with Client(allow_networks=["127.0.0.1/32"]) as client, pytest.raises(BlockedError):
        client.get(url)
    assert trap.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.2",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "fd00::1",
        "64:ff9b::7f00:2",
    ],
)
def test_no_name_leads_there(trap: Site, address: str) -> None:
    """A public name that resolves to a private address is refused."""
    with (
        Client(resolver=lambda *_: [address]) as client,
        pytest.raises(BlockedError, match="not a public address"),
    ):
        client.get(f"http://data.example.org:{trap.server.server_port}/")
    assert trap.connections == 0


def test_one_bad_address_of_several_is_enough(trap: Site) -> None:
    """A name with a public and a private address is refused as a whole."""
    with Client(resolver=lambda *_: ["93.184.216.34", "127.0.0.2"]) as client, pytest.raises(BlockedError):
        client.get(f"http://data.example.org:{trap.server.server_port}/")
    assert trap.connections == 0


def test_a_resolver_that_changes_its_mind(trap: Site) -> None:
    """With rebinding, the address that was checked is the one that is used, each time."""
    answers: list[Sequence[str]] = [["192.0.2.1"], ["127.0.0.2"]]
    asked: list[str] = []

    def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), 2) - 1]

    with (
        Client(
            allow_networks=["192.0.2.0/24"],
            resolver=resolver,
            limits=Limits(connect=0.2, attempts=2),
            sleep=lambda _: None,
        ) as client,
        pytest.raises(BlockedError),
    ):
        client.get(f"http://data.example.org:{trap.server.server_port}/")
    assert (len(asked), trap.connections) == (2, 0)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://x/",
        "/etc/passwd",
        "http://",
        "http://user:pw@x.org/",
        "http://[bad/",
    ],
)
def test_other_schemes_and_passwords_are_refused(url: str) -> None:
    """Only http and https addresses without a password in them."""
    with Client() as client, pytest.raises(BlockedError) as caught:
        client.get(url)
    assert "pw" not in str(caught.value)


def test_a_redirect_to_a_file_is_refused(site: Site, client: Client) -> None:
    """Redirects do not change the scheme to something else."""
    with pytest.raises(BlockedError):
        client.get(site.serve("/a", b"", status=302, Location="file:///etc/passwd"))


def test_a_name_nobody_knows_may_come_back(client: Client) -> None:
    """A name that does not resolve is worth another try later."""
    with pytest.raises(RetriableError, match="cannot be resolved"):
        client.get("http://no-such-name.invalid/")
