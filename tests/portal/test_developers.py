"""The page for developers: what it describes is what there is, and its examples really run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import openapi_schema
import pytest
import yaml
from bs4 import BeautifulSoup
from ckan.tests.helpers import CKANTestApp
from ckanext.ccphva.developers import docstrings, examples, interface
from live_support import Feed, at, live_feed
from stack import Stack

NODE = shutil.which("node") or "node"
RUN = {"sh": ["bash", "-eu"], "py": [sys.executable], "js": [NODE, "--input-type=module", "-"]}


@pytest.mark.usefixtures("with_plugins", "with_request_context")
class TestDescription:
    def test_every_action_of_ours_is_there(self) -> None:
        """Whatever a plugin adds is described: with a summary, and each parameter with a text."""
        found = {each.name: each for each in interface.actions()}
        assert {"ccphva_dataset_search", "ccphva_theme_list", "ccphva_table_rows", "package_patch"} <= set(
            found
        )
        assert "ccphva_live_gate" not in found
        assert [name for name, each in found.items() if not each.described.summary] == []
        ours = [each for name, each in found.items() if name.startswith("ccphva_")]
        assert [(e.name, q.name) for e in ours for q in e.described.parameters if not q.text] == []

    def test_what_core_says_stays_beside_what_we_add(self) -> None:
        """An action that we chain keeps core's parameters."""
        search = next(each for each in interface.actions() if each.name == "package_search")
        assert {"q", "fq", "rows", "sort"} <= {each.name for each in search.described.parameters}

    def test_reading_is_told_from_writing(self) -> None:
        reads = {each.name: each.reads for each in interface.actions()}
        assert reads["package_show"]
        assert reads["ccphva_dataset_search"]
        assert not reads["package_patch"]
        assert not reads["api_token_create"]


class TestDocument:
    @pytest.fixture
    def document(self, app: CKANTestApp) -> dict[str, Any]:
        return json.loads(app.get("/developers/openapi.json").body)

    def test_is_openapi(self, document: dict[str, Any]) -> None:
        """Each operation has its own id, known tags, answers with schemas that are there, plain texts."""
        assert document["openapi"] == "3.1.0"
        operations = [op for path in document["paths"].values() for op in path.values()]
        ids = [op["operationId"] for op in operations]
        assert len(ids) == len(set(ids)) > 50
        tags = {tag["name"] for tag in document["tags"]}
        for op in operations:
            assert set(op["tags"]) <= tags
            assert set(op["responses"]) >= {"200", "404"}
            names = [(each["name"], each["in"]) for each in op.get("parameters", ())]
            assert len(names) == len(set(names)), op["operationId"]
            assert all(each["description"] for each in op.get("parameters", ())), op["operationId"]
        assert not re.search(r":(param|returns|ref|py)\b", json.dumps(document))
        for reference in re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document)):
            assert reference in document["components"]["schemas"]

    def test_answers_are_as_it_says(self, app: CKANTestApp, document: dict[str, Any]) -> None:
        """A call that succeeds and one that does not fit their schemas."""
        schemas = document["components"]["schemas"]
        good = json.loads(app.get("/api/3/action/package_list").body)
        assert openapi_schema.faults(good, schemas["Success"], document) == []
        bad = json.loads(app.get("/api/3/action/package_show?id=nothing", status=404).body)
        assert openapi_schema.faults(bad, schemas["Fault"], document) == []
        assert openapi_schema.faults(good, schemas["Fault"], document)

    def test_yaml_says_the_same(self, app: CKANTestApp, document: dict[str, Any]) -> None:
        assert yaml.safe_load(app.get("/developers/openapi.yaml").body) == document


@pytest.mark.parametrize("language", ["fr", "de", "en", "lb"])
def test_the_page(app: CKANTestApp, language: str) -> None:
    """One heading, four examples in three languages, every action once; nothing secret in it."""
    page = BeautifulSoup(app.get(f"/{language}/developers").body, "html.parser")
    assert len(page.find_all("h1")) == 1
    assert len(page.select("pre")) == len(examples.TITLES) * len(examples.TOOLS)
    names = [each["id"] for each in page.select("details[id]")]
    assert len(names) == len(set(names)) > 50


def test_docstrings() -> None:
    """Fields, types, continued lines, roles and links of reStructuredText."""
    found = docstrings.read(
        """Do it well.

        With ``care`` and :py:func:`~ckan.logic.x`, see `the guide <https://x.example>`_.

        :param id: the thing,
            whatever it is
        :param int rows: how many (optional)
        :type q: list of strings
        :param q: words
        :returns: what was done
        :raises NotFound: there is none
        """
    )
    assert found.summary == "Do it well."
    assert found.text == "With care and ckan.logic.x, see the guide."
    assert [(q.name, q.text, q.type, q.required) for q in found.parameters] == [
        ("id", "the thing, whatever it is", "", True),
        ("rows", "how many (optional)", "integer", False),
        ("q", "words", "array", False),
    ]
    assert (found.answer, found.errors) == ("what was done", (("NotFound", "there is none"),))
    assert docstrings.read(None).summary == ""


@pytest.mark.stack
class TestExamples:
    @pytest.fixture(scope="class")
    def feed(self, stack: Stack) -> Any:
        with live_feed(stack) as made:
            assert made.post([{"sensor": "a", "at": at()}]).status_code == 200
            yield made

    @pytest.mark.parametrize("tool", examples.TOOLS)
    @pytest.mark.parametrize("name", examples.TITLES)
    def test_runs_as_it_stands(self, stack: Stack, feed: Feed, tmp_path: Path, name: str, tool: str) -> None:
        """Each example is run by the tool that it is for, against the portal, and prints what it promises."""
        stands = {
            "portal": stack.url, "word": "bus", "resource": feed.id, "feed": feed.id, "token": stack.token,
            "series": "sensor", "time": "at",
        }  # fmt: skip
        (example,) = [each for each in examples.examples(**stands) if (each.name, each.tool) == (name, tool)]
        assert "{" + "portal}" not in example.text
        done = subprocess.run(
            RUN[tool], input=example.text, capture_output=True, text=True, check=False, timeout=60,
            env={"PATH": os.environ["PATH"]}, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert {"find": "bus", "rows": "sensor", "live": "sensor", "push": "accepted"}[name] in done.stdout

    def test_the_page_has_them_on_real_data(self, stack: Stack, feed: Feed) -> None:
        """What stands on the page are a table and a feed that everybody may read."""
        body = stack.get("/en/developers").text
        assert "FEED_ID" not in body
        assert "RESOURCE_ID" not in body


def test_no_example_names_a_token() -> None:
    """A reader's own token stands where the page says so, and nowhere else."""
    shown = examples.examples(token="YOUR_TOKEN")
    assert [each.name for each in shown if "Authorization" in each.text] == ["push"] * 3
    assert all("YOUR_TOKEN" in each.text for each in shown if "Authorization" in each.text)
