"""Every request has an id, a line in the log and an end, and outages become 503 and nothing else does."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import kombu.exceptions
import psycopg2
import psycopg2.errors
import pytest
import redis.exceptions
import sqlalchemy.exc
from ckan.lib.search.common import SearchError, SearchIndexError, SearchQueryError, SolrConnectionError
from ckanext.ccphva import answers, outages
from ckanext.ccphva.logs import RedactingFormatter, WithoutTimings, request_id
from ckanext.ccphva.middleware import Envelope
from werkzeug.test import Client


@pytest.fixture
def seen() -> list[str]:
    """The request ids that the inner application saw, byte by byte."""
    return []


@pytest.fixture
def door(seen: list[str]) -> Client:
    """The outermost layer around an application that streams three pieces."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise ValueError("the application broke")
        start_response("200 OK", [("Content-Type", "text/plain")])

        def pieces() -> Iterator[bytes]:
            for _ in range(3):
                seen.append(request_id())
                yield b"x"

        return pieces()

    return Client(Envelope(app))


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == "ckanext.ccphva.access"]


@pytest.fixture(autouse=True)
def hear(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let pytest hear the portal's loggers, which do not pass their lines on."""
    logger = logging.getLogger("ckanext")
    before, logger.propagate = logger.propagate, True
    with caplog.at_level(logging.INFO, "ckanext"):
        yield
    logger.propagate = before


def test_request_id_goes_in_and_out(door: Client, seen: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """nginx's id reaches application, stream, log and answer."""
    answer = door.get("/page?token=s3cret", headers={"X-Request-Id": "abcd-1234.x_y"})
    assert answer.get_data() == b"xxx"
    answer.close()
    assert answer.headers["X-Request-Id"] == "abcd-1234.x_y"
    assert seen == ["abcd-1234.x_y"] * 3
    assert request_id() == ""
    (line,) = lines(caplog)
    assert (line.method, line.path, line.status) == ("GET", "/page", 200)
    assert line.ms >= 0
    assert "s3cret" not in str(vars(line))


@pytest.mark.parametrize("bad", ["short", "with space inside", "x" * 65, "é" * 10])
def test_unfit_request_id_is_not_echoed(door: Client, bad: str) -> None:
    """What a stranger made up is replaced."""
    answer = door.get("/", headers={"X-Request-Id": bad})
    assert answer.headers["X-Request-Id"] != bad
    assert len(answer.headers["X-Request-Id"]) == 32


def test_broken_application_still_has_its_line(door: Client, caplog: pytest.LogCaptureFixture) -> None:
    """An exception passes through, counted as 500, and leaves no id behind."""
    with pytest.raises(ValueError, match="broke"):
        door.get("/broken")
    assert [line.status for line in lines(caplog)] == [500]
    assert request_id() == ""


@pytest.mark.usefixtures("with_plugins")
def test_through_the_whole_portal(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """One line a request, ours, with the route; core's own line is dropped."""
    answer = app.test_client().get("/api/3/action/status_show", headers={"X-Request-Id": "whole-portal"})
    answer.close()
    assert answer.headers["X-Request-Id"] == "whole-portal"
    assert [line.endpoint for line in lines(caplog)] == ["api.action"]
    assert not [record for record in caplog.records if "render time" in str(record.msg)]


def test_mails_about_errors_hold_no_token() -> None:
    """CKAN mails the headers of a request that failed: ours leave without secrets."""
    inner = logging.Formatter("Headers: %(headers)s\n%(message)s")
    record = logging.makeLogRecord(
        {"msg": "failed", "headers": "Authorization: s3cr3t\r\nCookie: ckan=s3cr3t\r\n"}
    )
    assert "s3cr3t" in inner.format(record)
    assert "s3cr3t" not in RedactingFormatter(inner).format(record)
    assert not WithoutTimings().filter(logging.makeLogRecord({"msg": " %s %s render time %.3f seconds"}))


def of_code(code: str) -> sqlalchemy.exc.OperationalError:
    class Coded(psycopg2.OperationalError):
        pgcode = code

    return sqlalchemy.exc.OperationalError("SELECT 1", {}, Coded("text"))


def refused() -> sqlalchemy.exc.OperationalError:
    return sqlalchemy.exc.OperationalError("SELECT 1", {}, psycopg2.OperationalError("connection refused"))


@pytest.mark.parametrize(
    ("error", "service"),
    [
        (refused(), "database"),
        (of_code("57P01"), "database"),  # the administrator stops it
        (of_code("57P03"), "database"),  # it starts
        (of_code("53300"), "database"),  # too many connections
        (of_code("40P01"), None),  # a deadlock is another matter
        (sqlalchemy.exc.IntegrityError("INSERT", {}, psycopg2.errors.UniqueViolation()), None),
        (sqlalchemy.exc.TimeoutError("QueuePool limit"), "database"),
        (SearchIndexError("Solr returned an error: Failed to connect to server at x"), "search"),
        (SearchIndexError("Solr returned an error: unknown field 'a'"), None),
        (SearchError("SOLR returned an error running query: … (HTTP 503)"), "search"),
        (SearchError("Dataset not found in the search index"), None),
        (SearchQueryError("Invalid search parameters"), None),
        (SolrConnectionError("Solr returned an error while searching."), "search"),
        (redis.exceptions.ConnectionError("refused"), "queue"),
        (redis.exceptions.ResponseError("WRONGTYPE"), None),
        (kombu.exceptions.OperationalError("refused"), "queue"),
        (KeyError("name"), None),
    ],
)
def test_only_outages_are_outages(error: Exception, service: str | None) -> None:
    """An absent service is told from a fault of ours: that one must stay a 500."""
    assert outages.service_of(error) == service


def test_cause_counts() -> None:
    """An outage behind another exception is still one."""

    def page() -> None:
        try:
            raise refused()
        except sqlalchemy.exc.OperationalError as error:
            raise RuntimeError("the page could not be made") from error

    with pytest.raises(RuntimeError) as caught:
        page()
    assert outages.service_of(caught.value) == "database"


@pytest.mark.usefixtures("with_plugins")
@pytest.mark.parametrize("language", ["fr", "de", "en", "lb"])
def test_page_speaks_the_readers_language(app: Any, language: str) -> None:
    """The page needs no database, says what to do, and is kept by no cache."""
    with app.flask_app.test_request_context("/dataset/", environ_overrides={"CKAN_LANG": language}):
        answer = answers.unavailable("database")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert answer.headers["Cache-Control"] == "no-store"
    assert f'<html lang="{language}">' in text
    assert answers.TITLES[language] in text
    assert answers.TEXTS[language] in text


@pytest.mark.usefixtures("with_plugins")
@pytest.mark.parametrize(
    ("kind", "message", "status"),
    [
        ("Search Connection Error", "Unable to connect to the search server", 503),
        ("Search Index Error", "Unable to add package to search index: Could not connect to Solr", 503),
        ("Search Index Error", "Unable to add package to search index: unknown field", 500),
        ("Internal Server Error", "Internal Server Error", 500),
        ("Validation Error", "Could not connect to", 500),
    ],
)
def test_errors_of_the_api_are_told_apart(app: Any, kind: str, message: str, status: int) -> None:
    """Only what an absent service caused becomes 503; CKAN's other errors go out as they are."""
    with app.flask_app.test_request_context("/api/3/action/package_create", method="POST"):
        body = {"success": False, "error": {"__type": kind, "message": message}}
        given = app.flask_app.response_class(json.dumps(body), status=500, mimetype="application/json")
        answer = answers.mend_api_answer(given)
    assert answer.status_code == status
    if status == 500:
        assert answer is given
    else:
        assert answer.get_json()["error"]["__type"] == "Service Unavailable"
        assert "Retry-After" in answer.headers


@pytest.mark.usefixtures("with_plugins")
@pytest.mark.ckan_config("ckan.redis.url", "redis://127.0.0.1:9/0")
def test_unknown_error_without_the_queue_is_an_outage(app: Any) -> None:
    """An internal error while Redis is away is put down to that."""
    with app.flask_app.test_request_context("/api/3/action/job_list"):
        body = {"success": False, "error": {"__type": "Internal Server Error", "message": "x"}}
        given = app.flask_app.response_class(json.dumps(body), status=500, mimetype="application/json")
        assert answers.mend_api_answer(given).status_code == 503


def test_every_language_of_the_portal_has_its_texts() -> None:
    """The languages that the configuration offers are those that the page speaks."""
    offered = set(tk.config["ckan.locales_offered"])
    assert offered <= set(answers.TITLES) == set(answers.TEXTS)
