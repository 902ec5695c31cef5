"""Forged requests are refused, whatever was asked before; stock CKAN 2.12.0, in the same play, accepts
them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.config.middleware.flask_app import csrf
from ckan.tests import factories

FORM = "/group/new"

pytestmark = pytest.mark.usefixtures("clean_db", "clean_index", "with_plugins", "nothing_exempt")


@pytest.fixture
def nothing_exempt() -> Iterator[None]:
    """Core keeps its exemptions for the life of the process: begin and end without any."""
    csrf._exempt_views.clear()
    yield
    csrf._exempt_views.clear()


@pytest.fixture
def administrator(app: Any) -> Any:
    """A browser in which an administrator has signed in."""
    return signed_in(app)


def signed_in(app: Any) -> Any:
    user = factories.Sysadmin(password="correct-horse-1")
    client = visitor(app)
    data = {
        "login": user["name"],
        "password": "correct-horse-1",
        "_csrf_token": token_of(client, "/user/login"),
    }
    assert client.post("/user/login", data=data, follow_redirects=False).status_code == 302
    return client


def visitor(app: Any) -> Any:
    """Another browser, of nobody."""
    return app.test_client()


def post(client: Any, name: str, **more: Any) -> int:
    data = {"name": name, "title": name} | more.pop("data", {})
    return client.post(FORM, data=data, follow_redirects=False, **more).status_code


def token_of(client: Any, form: str = FORM) -> str:
    page = client.get(form).get_data(as_text=True)
    found = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "the form carries no token"
    return found.group(1)


def exists(name: str) -> bool:
    return model.Group.get(name) is not None


@pytest.mark.ckan_config("ckan.plugins", "")
def test_stock_forgets_its_protection(app: Any, administrator: Any) -> None:
    """Stock: 400 at first; after one anonymous GET of the form the forged request creates the group."""
    assert post(administrator, "forged-before") == 400
    assert not exists("forged-before")
    visitor(app).get(FORM)
    assert post(administrator, "forged-after") == 302
    assert exists("forged-after")


def test_ours_does_not(app: Any, administrator: Any) -> None:
    """Ours: the same play, 400 both times, and nothing is created."""
    assert post(administrator, "forged-before") == 400
    visitor(app).get(FORM)
    visitor(app).post(FORM, data={"name": "x"})
    assert post(administrator, "forged-after") == 400
    assert not exists("forged-before")
    assert not exists("forged-after")


def test_form_with_its_token_is_accepted(app: Any, administrator: Any) -> None:
    """The form of the page itself works, primed or not."""
    visitor(app).get(FORM)
    token = token_of(administrator)
    assert post(administrator, "wanted", data={"_csrf_token": token}) == 302
    assert exists("wanted")
    assert post(administrator, "by-header", headers={"X-CSRFToken": token}) == 302


def test_token_of_another_session_is_refused(app: Any, administrator: Any) -> None:
    """A token that an attacker fetched for himself is worth nothing in somebody's session."""
    token = token_of(signed_in(app))
    assert post(administrator, "stolen", data={"_csrf_token": token}) == 400
    assert not exists("stolen")


def test_api_token_needs_none(app: Any) -> None:
    """A program with an API token writes as ever."""
    token = factories.SysadminWithToken()["token"]
    headers = {"Authorization": token}
    answer = visitor(app).post("/api/3/action/group_create", json={"name": "by-token"}, headers=headers)
    assert answer.status_code == 200
    assert post(visitor(app), "page-by-token", headers=headers) == 302


@pytest.mark.parametrize("header", ["nonsense", "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJ4In0.x"])
def test_a_header_that_names_nobody_opens_nothing(administrator: Any, header: str) -> None:
    """A cookie with an invalid token header is judged as a cookie."""
    assert post(administrator, "header-trick", headers={"Authorization": header}) == 400
    assert not exists("header-trick")


def test_api_by_cookie_needs_one(app: Any, administrator: Any) -> None:
    """The API with a session's cookie is a page like any other."""
    url = "/api/3/action/group_create"
    visitor(app).get("/api/3/action/status_show")
    refused = administrator.post(url, json={"name": "api-forged"})
    # What a foreign page can send without asking: a form, or JSON that calls itself plain text.
    plain = administrator.post(url, data=json.dumps({"name": "api-forged"}), content_type="text/plain")
    assert (refused.status_code, plain.status_code) == (400, 400)
    assert not exists("api-forged")
    headers = {"X-CSRFToken": token_of(administrator)}
    assert administrator.post(url, json={"name": "api-wanted"}, headers=headers).status_code == 200


def test_anonymous_api_needs_none(app: Any) -> None:
    """Reading by POST, as clients of the API do, stays open to everybody."""
    answer = visitor(app).post("/api/3/action/package_search", json={"rows": 0})
    assert answer.status_code == 200


def test_signing_in_needs_one(app: Any) -> None:
    """Nobody is signed in as somebody else by a foreign page."""
    user = factories.User(password="correct-horse-1")
    answer = visitor(app).post(
        "/user/login", data={"login": user["name"], "password": "correct-horse-1"}, follow_redirects=False
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_every_unsafe_method_is_watched(administrator: Any, method: str) -> None:
    """Not only POST."""
    assert getattr(administrator, method)("/api/3/action/group_create", json={"name": "m"}).status_code == 400


def test_reading_needs_none(administrator: Any) -> None:
    """Pages open as ever."""
    assert administrator.get(tk.url_for("group.index")).status_code == 200
