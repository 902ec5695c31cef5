"""Logs: one JSON object a line, the request's id in it, no secret in it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ckanext.ccphva import shared
from ckanext.ccphva.logs import JsonFormatter

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, Lines]]:
    """A logger with the portal's formatter, and what it wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("test.logs")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_line_has_time_level_logger_and_message(logged: tuple[logging.Logger, Lines]) -> None:
    """A line is JSON with a UTC time that other programs can read."""
    logger, lines = logged
    logger.info("Déchets: %d jeux", 3, extra={"source": "démo"})
    (line,) = lines()
    assert line["time"].endswith("Z")
    assert line | {"time": ""} == {
        "time": "",
        "level": "INFO",
        "logger": "test.logs",
        "message": "Déchets: 3 jeux",
        "source": "démo",
    }


def test_exception_stays_on_one_line(logged: tuple[logging.Logger, Lines]) -> None:
    """A traceback is a field, not forty lines."""
    logger, lines = logged
    try:
        raise ValueError("postgresql://ckan:hunter2@127.0.0.1/ckan")
    except ValueError:
        logger.exception("It failed")
    (line,) = lines()
    assert line["message"] == "It failed"
    assert "ValueError" in line["exception"]
    assert "hunter2" not in line["exception"]


def test_request_id_is_bound_and_unbound(logged: tuple[logging.Logger, Lines]) -> None:
    """Lines inside the block bear the id, lines after it do not."""
    logger, lines = logged
    with shared.bind_request_id("abcd-1234") as bound:
        logger.info("inside")
        assert shared.request_id() == bound == "abcd-1234"
    logger.info("outside")
    assert [line.get("request_id") for line in lines()] == ["abcd-1234", None]


def test_request_ids_of_threads_do_not_mix(logged: tuple[logging.Logger, Lines]) -> None:
    """Each thread of the web server logs its own id."""
    logger, lines = logged
    both = threading.Barrier(2)

    def work(name: str) -> None:
        with shared.bind_request_id(name):
            both.wait()
            logger.info(name)

    threads = [threading.Thread(target=work, args=(f"thread-{n:04}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["request_id"] for line in lines()) == ["thread-0000", "thread-0001"]
    assert all(line["request_id"] == line["message"] for line in lines())


@pytest.mark.parametrize(
    "value", [None, "", "short", "x" * 65, "new\nline-forged", 'quote"d-value', "a b c d e f g"]
)
def test_unfit_request_id_is_replaced(value: str | None) -> None:
    """What a stranger sends reaches the logs only when it is harmless."""
    with shared.bind_request_id(value) as bound:
        assert bound != value
        assert len(bound) == 32


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: s3cr3t-value",
        "Authorization: Basic s3cr3t-value==",
        "{'Authorization': 'Bearer s3cr3t-value', 'Host': 'x'}",
        "('Cookie', 'ckan=s3cr3t-value; other=1')",
        "GET /x?token=s3cr3t-value&page=2",
        "redis://:s3cr3t-value@127.0.0.1:5003/0 refused",
        "postgresql://ckan:s3cr3t-value@127.0.0.1:5002/ckan",
        "{'name': 'anne', 'password': 's3cr3t-value', 'password1': 's3cr3t-value'}",
        '{"client_secret": "s3cr3t-value"}',
        "api_token.jwt.encode.secret=s3cr3t-value",
        "token eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJzM2NyM3QtdmFsdWUifQ.s3cr3t-value_x",
    ],
)
def test_secrets_are_hidden(logged: tuple[logging.Logger, Lines], text: str) -> None:
    """No token, password or cookie reaches a line, as message, argument or extra."""
    logger, lines = logged
    logger.warning(text)
    logger.warning("%s", text, extra={"detail": text, "details": {"inner": text}})
    for line in lines():
        assert "s3cr3t-value" not in json.dumps(line)
        assert "***" in line["message"]


def test_extra_named_like_a_secret_is_hidden(logged: tuple[logging.Logger, Lines]) -> None:
    """extra={"password": …} is a secret although its value looks like a word."""
    logger, lines = logged
    logger.info("sign-in", extra={"password": "correcthorse", "user": "anne"})
    assert lines()[0]["password"] == "***"
    assert lines()[0]["user"] == "anne"


def test_plain_text_is_untouched() -> None:
    """Hiding secrets does not eat ordinary sentences and addresses."""
    for text in (
        "http://127.0.0.1:5000/dataset?q=eau&page=2",
        "Moissonnage: 12 jeux, 3 erreurs",
        "a@b.example",
    ):
        assert shared.redact(text) == text


def test_the_public_face_is_sorted_and_complete() -> None:
    """`shared` offers exactly what `__all__` says, in order."""
    assert shared.__all__ == sorted(shared.__all__)
    assert all(hasattr(shared, name) for name in shared.__all__)


def test_the_public_face_loads_no_catalogue() -> None:
    """Celery's beat and its like import `shared` without paying for CKAN."""
    found = "any(name.split('.')[0] == 'ckan' for name in sys.modules)"
    code = f"import sys, ckanext.ccphva.shared; sys.exit({found})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
