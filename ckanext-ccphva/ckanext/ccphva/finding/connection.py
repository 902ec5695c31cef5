"""Connections to Solr that stay open: the only module that speaks to it for our own searches.

CKAN's client makes a new connection for each question. Here a process keeps some, lends each to one thread
at a time, and makes another where none is free.
"""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from queue import Empty, LifoQueue
from urllib.parse import urlsplit

from ckan.lib.search.common import SolrConnectionError

KEPT = 8
LONGEST_ADDRESS = 6_000
"""Letters of a question that goes into the address; Jetty takes 8,192 of a whole head."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_free: LifoQueue[tuple[str, HTTPConnection]] = LifoQueue(KEPT)


def ask(address: str, question: str, headers: dict[str, str], timeout: float) -> tuple[int, bytes]:
    """The status and the body of an answer.

    :param address: of the core, such as `http://127.0.0.1:8983/solr/ckan`.
    :param question: parameters, encoded.
    :param timeout: seconds.
    :raises SolrConnectionError: nobody answers.
    """
    server, path = _split(address)
    while lent := _lent(server):
        try:
            return _asked(server, lent, path, question, headers)
        except (HTTPException, OSError):
            lent.close()  # closed by Solr meanwhile, or Solr is gone: a new one will tell
    scheme, _, host = server.partition("://")
    fresh = (HTTPSConnection if scheme == "https" else HTTPConnection)(host, timeout=timeout)
    try:
        return _asked(server, fresh, path, question, headers)
    except (HTTPException, OSError) as error:
        fresh.close()
        raise SolrConnectionError(f"Failed to connect to server at {server}") from error


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}", f"{parts.path.rstrip('/')}/select"


def _lent(server: str) -> HTTPConnection | None:
    """A free connection to a server; those to another one (its address was changed) are closed."""
    while True:
        try:
            of, connection = _free.get_nowait()
        except Empty:
            return None
        if of == server:
            return connection
        connection.close()


def _asked(
    server: str, connection: HTTPConnection, path: str, question: str, headers: dict[str, str]
) -> tuple[int, bytes]:
    if len(question) <= LONGEST_ADDRESS:  # one packet, where a body of its own takes two
        connection.request("GET", f"{path}?{question}", headers=headers)
    else:
        connection.request("POST", path, question.encode(), headers | _FORM)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    if answer.will_close or _free.full():
        connection.close()
    else:
        _free.put((server, connection))
    return found
