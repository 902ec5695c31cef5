"""Which exceptions mean that a service of the portal is away, and which service it is."""

from __future__ import annotations

import kombu.exceptions
import psycopg2
import redis.exceptions
import sqlalchemy.exc
from ckan.lib.search.common import SearchError, SearchIndexError, SearchQueryError, SolrConnectionError

RETRY_AFTER = 10

DATABASE, SEARCH, QUEUE = "database", "search", "queue"

# SQLSTATE classes of a server that goes, comes or is full, in psycopg2's OperationalError among others.
_GONE = ("08", "53", "57P")

_QUEUE_ERRORS = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.BusyLoadingError,
    kombu.exceptions.OperationalError,
)
_SOLR_AWAY = (
    "Failed to connect to server",
    "Connection to server '",
    "Could not connect to",
    "(HTTP 503)",
    "(HTTP 404)",
)


def service_of(error: BaseException | None) -> str | None:
    """The service whose absence raised the error (causes included), or None when it is another fault."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if found := _service(error):
            return found
        error = error.__cause__ or error.__context__
    return None


def _service(error: BaseException) -> str | None:
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        gone = error.connection_invalidated or _connection_failed(error.orig)
        return DATABASE if gone else None
    if isinstance(error, psycopg2.Error):
        return DATABASE if _connection_failed(error) else None
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return DATABASE
    if isinstance(error, _QUEUE_ERRORS):
        return QUEUE
    if isinstance(error, SearchQueryError):
        return None
    if isinstance(error, SolrConnectionError):
        return SEARCH
    if isinstance(error, SearchError | SearchIndexError):
        return SEARCH if search_is_away(str(error)) else None
    return None


CLASSES: tuple[type[Exception], ...] = (
    sqlalchemy.exc.DBAPIError,
    sqlalchemy.exc.TimeoutError,
    psycopg2.Error,
    SearchError,
    SearchIndexError,
    SolrConnectionError,
    *_QUEUE_ERRORS,
)
"""The exceptions that may mean an outage; `service_of` decides."""


def search_is_away(message: str) -> bool:
    """Whether an error text of pysolr or of CKAN's search says that nobody answered."""
    return any(sign in message for sign in _SOLR_AWAY)


def _connection_failed(error: BaseException | None) -> bool:
    code = getattr(error, "pgcode", None)
    if code:
        return code.startswith(_GONE)
    # Without a code the server never answered: refused, closed, starting.
    return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
