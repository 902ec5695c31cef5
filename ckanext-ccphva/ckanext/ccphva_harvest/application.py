"""CKAN inside a Celery worker: loaded once before the fork, with connections of its own in each child."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ckan import model as core
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from flask import has_app_context

_loaded: dict[str, Any] = {}


def load() -> None:
    """Load CKAN with the configuration that CKAN_INI names; a second call does nothing."""
    if "app" not in _loaded:
        _loaded["app"] = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
        core.Session.remove()
        for engine in _engines():
            engine.dispose()


def after_fork() -> None:
    """A child must not speak on its parent's connections, nor close them."""
    core.Session.remove()
    for engine in _engines():
        engine.dispose(close=False)


@contextmanager
def context() -> Iterator[None]:
    """CKAN's request context around a task; the one at work where there is one (tests, a call by hand).

    A transaction that broke with the database ends here: the next task begins a new one.
    """
    if has_app_context():
        yield
        return
    load()
    with _loaded["app"]._wsgi_app.test_request_context():
        try:
            yield
        finally:
            core.Session.remove()


def _engines() -> list[Any]:
    from ckanext.datastore.backend.postgres import _engines as datastore

    return [engine for engine in (core.meta.engine, *datastore.values()) if engine is not None]
