"""Answers while a service is away: 503 with Retry-After, as a page in the reader's language or as the
API's JSON.

CKAN answers 500 to all of them, or 409. Nothing is half written: what the request had begun is rolled
back with its session, before the answer goes out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import redis
import sqlalchemy as sa
from ckan import model
from ckan.types import CKANApp, Response
from ckanext.ccphva import outages, probes, territory
from flask import Flask, g, has_request_context, make_response, render_template_string, request
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from werkzeug.exceptions import InternalServerError

log = logging.getLogger(__name__)

MAIN = "fr"
TITLES = {
    "fr": "Service momentanément indisponible",
    "de": "Dienst zurzeit nicht verfügbar",
    "en": "Service temporarily unavailable",
    "lb": "Service de Moment net disponibel",
}
TEXTS = {
    "fr": "Un des services du portail est arrêté ou redémarre. Rien n’a été enregistré. "
    "Réessayez dans quelques secondes.",
    "de": "Ein Dienst des Portals ruht oder startet neu. Es wurde nichts gespeichert. "
    "Bitte in einigen Sekunden noch einmal versuchen.",
    "en": "One of the portal’s services is down or restarting. Nothing was saved. "
    "Please try again in some seconds.",
    "lb": "Ee vun de Servicer vum Portal steet oder start nei. Et gouf näischt gespäichert. "
    "Probéiert w. e. g. an e puer Sekonnen nach eng Kéier.",
}
# It stands alone: the portal's frame asks the database.
PAGE = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }} – {{ site }}</title>
<style>
body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:15vh auto;padding:0 1rem}
:root{color-scheme:light dark}
</style>
</head>
<body><main><p>{{ site }}</p><h1>{{ title }}</h1><p>{{ text }}</p></main></body>
</html>
"""
UNSURE = {"Internal Server Error", "Search Error", "Search Index Error", "Search Connection Error"}


def install(app: CKANApp) -> None:
    """Register the answers with CKAN's Flask application; called once a process."""
    for kind in outages.CLASSES:
        app.register_error_handler(kind, _answer_exception(_handler(app, Exception)))
    app.register_error_handler(500, _answer_exception(_handler(app, InternalServerError, 500)))
    app.after_request(mend_api_answer)
    if not event.contains(sa.Engine, "handle_error", note_database_error):
        event.listen(sa.Engine, "handle_error", note_database_error)


def _handler(app: Flask, kind: type[Exception], code: int | None = None) -> Callable[[Any], Any] | None:
    """What stands for that exception so far."""
    return app.error_handler_spec[None][code].get(kind)


def _answer_exception(otherwise: Callable[[Any], Any] | None) -> Callable[[Exception], Any]:
    def answer(error: Exception) -> Any:
        service = outages.service_of(getattr(error, "original_exception", None) or error)
        if service:
            return unavailable(service)
        if otherwise is None:
            raise error
        return otherwise(error)

    return answer


def unavailable(service: str) -> Response:
    """The 503 for this request."""
    model.Session.remove()
    log.warning("A service is away", extra={"service": service, "path": request.path})
    request.environ["__no_cache__"] = True
    language = _language()
    if request.path.startswith("/api/"):
        error = {"__type": "Service Unavailable", "message": f"{TITLES[language]}. {TEXTS[language]}"}
        response = make_response(json.dumps({"success": False, "error": error}, ensure_ascii=False))
        response.content_type = "application/json;charset=utf-8"
    else:
        page = {
            "language": language,
            "title": TITLES[language],
            "text": TEXTS[language],
            "site": _site(language),
        }
        response = make_response(render_template_string(PAGE, **page))
    response.status_code = 503
    response.headers["Retry-After"] = str(outages.RETRY_AFTER)
    response.headers["Cache-Control"] = "no-store"
    return response


def _language() -> str:
    language = request.environ.get("CKAN_LANG")
    return language if language in TITLES else MAIN


def _site(language: str) -> str:
    title = territory.load().data.get("title", "")
    return title.get(language) or title.get(MAIN, "") if isinstance(title, dict) else str(title)


def note_database_error(context: ExceptionContext) -> None:
    """Remember that the database went away in this request: the API's view swallows the exception."""
    error = context.sqlalchemy_exception or context.original_exception
    if has_request_context() and (context.is_disconnect or outages.service_of(error)):
        g.ccphva_away = outages.DATABASE


def mend_api_answer(response: Response) -> Response:
    """Make 503 of what the API's view calls an internal or a search error while a service is away."""
    if response.status_code not in (409, 500) or not request.path.startswith("/api/"):
        return response
    service = _service_behind(response)
    return unavailable(service) if service else response


def _service_behind(response: Response) -> str | None:
    error = (response.get_json(silent=True) or {}).get("error")
    if not isinstance(error, dict) or error.get("__type") not in UNSURE:
        return None
    if error["__type"] == "Search Connection Error" or outages.search_is_away(str(error.get("message"))):
        return outages.SEARCH
    if away := g.get("ccphva_away"):
        return away
    if error["__type"] == "Internal Server Error":
        return _queue_is_away()
    return None


def _queue_is_away() -> str | None:
    """The one service whose errors leave no trace: ask it."""
    try:
        probes.redis_connection().ping()
    except redis.RedisError:
        return outages.QUEUE
    return None
