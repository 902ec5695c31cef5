"""Nothing that anybody writes into the catalogue runs in a browser, and the policy lets core's pages work."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from ckanext.ccphva.content_policy import HANDLERS_OF_CORE
from content import ORGANIZATION, WASTE, Api
from playwright.sync_api import Browser, Page
from stack import Stack
from test_form_pages import sign_in

pytestmark = pytest.mark.stack

HANDLERS = """() => [...document.querySelectorAll("*")].flatMap(
    (each) => [...each.attributes].filter((a) => /^on/.test(a.name)).map((a) => a.value))"""
PAYLOADS = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "</script><script>window.hit=1</script>",
    "</title><script>window.hit=1</script>",
    "[x](javascript:window.hit=1)",
    '<a href="javascript:window.hit=1" autofocus onfocus=window.hit=1>x</a>',
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "{{constructor.constructor('window.hit=1')()}}",
    "<details open ontoggle=window.hit=1>x",
    "<math><mtext></style><img src=x onerror=window.hit=1>",
    "-->]]><script>window.hit=1</script>",
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="parent.hit=1"><script>window.hit=1</script></svg>'
HTML = b"<!doctype html><script>window.hit=1; document.title = 'ran'</script>"


@pytest.fixture(scope="module")
def api(stack_url: str, stack_home: Path, content: None) -> Api:
    return Api(stack_url, stack_home)


def upload(api: Api, dataset: str, name: str, data: bytes) -> dict[str, Any]:
    answer = requests.post(
        f"{api.url}/api/3/action/resource_create",
        data={
            "package_id": dataset,
            "name": name,
            "name_translated": f'{{"fr": "{name}"}}',
            "url_type": "upload",
        },
        files={"upload": (name, data)},
        headers={"Authorization": api.token},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


@pytest.fixture(scope="module")
def hostile(api: Api, stack_home: Path) -> Iterator[str]:
    """A dataset in whose every text somebody tries to run a script.

    The rules refuse it, so it is written past them, into the database: what is shown may not rely on rules.
    """
    name = f"hostile-{uuid.uuid4().hex[:8]}"
    made = api.call(
        "package_create",
        {
            "name": name,
            "owner_org": ORGANIZATION,
            "license_id": "etalab-2.0",
            "title_translated": {"fr": "TITRE"},
            "notes_translated": {"fr": "TEXTE"},
            "resources": [
                {"url": "https://example.org/a.csv", "format": "CSV", "name_translated": {"fr": "NOM"}}
            ],
        },
    )
    stack = Stack(stack_home, api.url)
    with psycopg2.connect(stack.options["sqlalchemy.url"]) as connection, connection.cursor() as cursor:
        for mark, text in (("TITRE", PAYLOADS[3]), ("TEXTE", "\n\n".join(PAYLOADS)), ("NOM", PAYLOADS[1])):
            quoted = json.dumps(json.dumps(text)[1:-1])[1:-1]
            cursor.execute(
                "UPDATE package SET title = replace(title, %(mark)s, %(text)s), "
                "notes = replace(notes, %(mark)s, %(text)s), "
                "extras = replace(extras::text, %(mark)s, %(quoted)s)::jsonb WHERE id = %(id)s",
                {"mark": mark, "text": text, "quoted": quoted, "id": made["id"]},
            )
            cursor.execute(
                "UPDATE resource SET name = replace(name, %(mark)s, %(text)s), description = %(text)s, "
                "extras = replace(extras, %(mark)s, %(quoted)s) WHERE package_id = %(id)s",
                {"mark": mark, "text": text, "quoted": quoted, "id": made["id"]},
            )
    program = Path(sys.executable).with_name("ckan")
    subprocess.run([program, "-c", stack_home / "ckan.ini", "search-index", "rebuild", name], check=True)
    yield name
    api.call("dataset_purge", {"id": name})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("who", ["anybody", "administrator"])
def test_no_script_of_others_runs(
    page: Page, stack_url: str, stack_home: Path, api: Api, hostile: str, who: str
) -> None:
    """Every page that shows hostile texts is opened, signed in or not: not one of them runs."""
    resource = api.call("package_show", {"id": hostile})["resources"][0]["id"]
    paths = [f"/dataset/{hostile}", f"/de/dataset/{hostile}", f"/dataset/{hostile}/resource/{resource}",
             "/", "/dataset/", f"/dataset/?q={PAYLOADS[2]}", f"/organization/{ORGANIZATION}"]  # fmt: skip
    if who == "administrator":
        sign_in(page, stack_url, stack_home)
        paths += [f"/dataset/edit/{hostile}", f"/dataset/{hostile}/resource/{resource}/edit",
                  f"/dataset/{hostile}/history"]  # fmt: skip
    for path in paths:
        page.goto(stack_url + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None, path
    page.goto(f"{stack_url}/dataset/{hostile}")
    assert "window.hit=1" in page.locator("[role=main]").inner_text()  # shown, as text


def test_uploads_do_not_run(page: Page, stack_url: str, api: Api) -> None:
    """A picture or page that somebody uploads is a file to keep, and runs nowhere."""
    for name, data in (("dessin.svg", SVG), ("page.html", HTML)):
        resource = upload(api, WASTE, name, data)
        answer = requests.get(resource["url"], timeout=30)
        assert answer.content == data
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        page.goto(stack_url + "/about")
        frame = "(src) => document.body.append(Object.assign(document.createElement('iframe'), {src}))"
        page.evaluate(frame, resource["url"])
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None


def test_core_s_pages_work(page: Page, stack_url: str, stack_home: Path, api: Api) -> None:
    """No page of an agent breaks the policy, and each handler of core's is one that the policy names."""
    sign_in(page, stack_url, stack_home)
    faults: list[str] = []
    page.on("console", lambda m: faults.append(f"{page.url} {m.text}") if "script-src" in m.text else None)
    stored = upload(api, WASTE, "table.csv", b"a,b\n1,2\n")["id"]
    linked = api.call("package_show", {"id": WASTE})["resources"][0]["id"]
    resource = f"/dataset/{WASTE}/resource"
    seen: set[str] = set()
    for path in ("/user/demo-sysadmin/api-tokens", "/dataset/new", f"/dataset/edit/{WASTE}",
                 f"{resource}/new",
                 f"{resource}/{stored}/edit", f"{resource}/{linked}/edit", f"{resource}/{linked}/views",
                 f"{resource}/{linked}/new_view?view_type=datatables_view", "/organization/new",
                 "/harvest/new", "/dashboard/", "/ckan-admin/"):  # fmt: skip
        page.goto(stack_url + path)
        page.wait_for_load_state("networkidle")
        seen |= {
            base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            for text in page.evaluate(HANDLERS)
        }
    assert seen == set(HANDLERS_OF_CORE)
    assert faults == []


def test_core_s_buttons_of_files(page: Page, stack_url: str, stack_home: Path, api: Api) -> None:
    """The button «Link» opens the field of the address: its handler runs."""
    sign_in(page, stack_url, stack_home)
    page.goto(f"{stack_url}/dataset/{WASTE}/resource/new")
    page.locator("#resource-link-button").click()
    assert page.evaluate("document.activeElement.id") == "field-resource-url"
