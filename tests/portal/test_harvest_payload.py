"""From the library's dataset to CKAN's payload: names, texts, visibility, identity of resources."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ccphva_harvesters import Dataset
from ckanext.ccphva_harvest import payload, settings, texts


def file(**config: Any) -> Any:
    """A checked configuration."""
    import json

    return settings.parse("dcat", "dcat-ap", "http://x.example/c", json.dumps(config)).file


def dataset(guid: str = "g", title: str = "Bornes à verre", **fields: Any) -> Dataset:
    return Dataset(guid=guid, fields={"title_translated": {"fr": title}, **fields})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Débit < 3 m³/s & niveau > 2 m", "Débit < 3 m³/s & niveau > 2 m"),
        ("<b>gras</b> &amp; fin", "gras & fin"),
        ("<p>un</p><p>deux</p>", "un\n\ndeux"),
        ("<ul><li>un<li>deux</ul>", "- un\n- deux"),
        ('<a href="https://x.example/">ici</a>', "[ici](https://x.example/)"),
        ('<a href="javascript:x()">ici</a>', "ici"),
        ('<a href="https://x.example/) <b>">ici</a>', "ici"),
        ("<script>x()</script>reste", "reste"),
        ("&lt;script&gt;x()&lt;/script&gt;<br>", "x()"),
        ("coupé <a hr", "coupé <a hr"),
    ],
)
def test_plain_text(given: str, expected: str) -> None:
    """Markup goes, what it says stays; a text without markup is not touched."""
    assert texts.plain(given) == expected


def test_keywords_fit_the_catalogue() -> None:
    """Long, empty and marked-up keywords are made to fit."""
    found = payload.package(
        dataset(keywords_translated={"fr": ["x" * 300, " ", "<i>eau</i>"]}), file(), "org"
    )
    assert found["keywords_translated"] == {"fr": ["x" * 100, "eau"]}
    assert "tags" not in found


def test_names_are_titles() -> None:
    """A name is the title, fits CKAN's rule, is cut between words, and the same every time."""
    assert payload.name_of(dataset(), "s1") == "bornes-a-verre"
    long = payload.name_of(dataset(title="mot " * 60), "s1")
    assert re.fullmatch(r"mot(-mot)+", long)
    assert len(long) <= 91
    assert len(payload.name_of(dataset(title="é" * 300), "s1")) == 91


def test_names_that_meet_are_kept_apart() -> None:
    """A name that another has, that CKAN keeps for itself or that says nothing gets a hash of its origin."""
    names = {
        payload.name_of(dataset(guid, title), source, lambda _: True)
        for guid, title, source in (("g", "Eau", "s1"), ("h", "Eau", "s1"), ("g", "Eau", "s2"))
    } | {payload.name_of(dataset(title=title), "s1") for title in ("Search", "数据", "É")}
    assert len(names) == 6
    assert all(re.fullmatch(r"[a-z0-9-]*-?[0-9a-f]{8}", name) and len(name) <= 100 for name in names)


@pytest.mark.parametrize(
    ("config", "fields", "expected"),
    [
        ({}, {}, "open"),
        ({"publication": "published"}, {"license_id": "etalab-2.0", "notes_translated": {"fr": "x"}}, "open"),
        ({"publication": "published"}, {"notes_translated": {"fr": "x"}}, "private"),
        ({"publication": "published"}, {"license_id": "etalab-2.0"}, "private"),
        ({"publication": "draft"}, {"license_id": "etalab-2.0"}, "private"),
        ({"publication": "private"}, {}, "private"),
        ({"personal_data": "yes"}, {}, "private"),
        (
            {},
            {"access_rights": "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"},
            "restricted",
        ),
        (
            {},
            {"access_rights": "http://publications.europa.eu/resource/authority/access-right/PUBLIC"},
            "open",
        ),
    ],
)
def test_visibility(config: dict[str, Any], fields: dict[str, Any], expected: str) -> None:
    """The source's publication, its word on personal data and the dataset's own rights decide."""
    found = payload.package(dataset(**fields), file(**config), "org")
    assert found["visibility"] == expected
    assert found["private"] is (expected == "private")


def test_resources_keep_their_ids() -> None:
    """A resource is known again by URI, by address and format, or by address; none is taken twice."""
    old = [
        {"id": "1", "uri": "u:1", "url": "http://x/1", "format": "CSV"},
        {"id": "2", "url": "http://x/2", "format": "CSV"},
        {"id": "3", "url": "http://x/2", "format": "JSON"},
    ]
    fresh: list[dict[str, Any]] = [
        {"url": "http://x/2", "format": "JSON"},
        {"url": "http://x/2", "format": "XML"},
        {"uri": "u:1", "url": "http://moved/1"},
        {"url": "http://x/new"},
        {"url": ""},
    ]
    payload.keep_resource_ids(fresh, old)
    assert [resource.get("id") for resource in fresh] == ["3", "2", "1", None, None]
