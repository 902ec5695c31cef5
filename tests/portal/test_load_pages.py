"""Pages of a file: for who edits it; its versions for who has the data."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests import factories
from ckan.tests.helpers import _get_test_app
from loads_support import load, loaded, make_dataset, replace

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
FIRST, SECOND = b"code;nom\n01;Audun\n", b"code;nom\n02;Thil\n"


def test_page_versions_and_text() -> None:
    """The agent sees types and first rows, a stranger nothing; both files are there, byte for byte."""
    app = _get_test_app()
    token = {"Authorization": factories.SysadminWithToken()["token"]}
    resource, _ = loaded("a.csv", FIRST)
    replace(resource, "b.csv", SECOND)
    load(resource)
    at = f"/dataset/{resource['package_id']}/resource/{resource['id']}"
    page = app.get(f"{at}/load", extra_environ={}, headers=token)
    assert page.status_code == 200
    assert "02 · " in page.body or "02" in page.body
    assert 'name="type-code"' in page.body
    assert app.get(f"{at}/load").status_code == 403
    for number, content in ((1, FIRST), (2, SECOND)):
        answer = app.get(f"{at}/version/{number}")
        assert (answer.status_code, answer.data) == (200, content)
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert app.get(f"{at}/version/3").status_code == 404


def test_documents_are_found_by_who_may_see_them() -> None:
    """With the page; a restricted dataset's document is found by nobody else."""
    text = "Le conseil adopte la délibération sur les communes"
    html = f"<!doctype html><html><body><p>{text}</p></body></html>".encode()
    for visibility, found in (("open", 1), ("restricted", 0), ("private", 0)):
        dataset = make_dataset(visibility=visibility, license_id="etalab-2.0")
        resource, done = loaded("a.html", html, dataset=dataset)
        assert done["state"] == "done", done
        ask = {"user": "", "ignore_auth": False}
        query = {"q": "deliberation", "id": resource["id"]}
        results = tk.get_action("ccphva_document_search")(ask, query)["results"]
        assert len(results) == found, visibility
        assert all(hit["page"] == 1 for hit in results)
    assert call_action("package_search", q="deliberation")["count"] == 1


def test_the_resource_page_tells_of_the_file() -> None:
    """Versions and text to who has the data, the state to who edits; a stranger to the data sees neither."""
    app = _get_test_app()
    token = {"Authorization": factories.SysadminWithToken()["token"]}
    html = b"<!doctype html><html><body><p>Le conseil et la commune</p></body></html>"
    for visibility, open_ in (("open", True), ("restricted", False)):
        dataset = make_dataset(visibility=visibility, license_id="etalab-2.0")
        resource, _ = loaded("a.html", html, dataset=dataset)
        at = f"/dataset/{dataset}/resource/{resource['id']}"
        agent, stranger = app.get(at, headers=token).body, app.get(at).body
        for link in (f"{resource['id']}/load", f"{resource['id']}/text", "/version/1"):
            assert link in agent
        assert f"{resource['id']}/load" not in stranger
        assert (f"{resource['id']}/text" in stranger) is open_
        assert ("/version/1" in stranger) is open_
