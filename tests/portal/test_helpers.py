"""What templates may ask: texts in the reader's language, the map, the territory's words; never a query."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy
from catalogue_support import plugins_loaded  # noqa: F401
from ckan import model
from ckan.lib import helpers as core
from ckan.tests.helpers import _get_test_app
from ckanext.ccphva import helpers, narrative, outlines
from flask_babel import force_locale

pytestmark = pytest.mark.usefixtures("plugins_loaded")


@pytest.fixture(scope="module")
def app(plugins_loaded: None) -> Any:  # noqa: F811
    """One application for the whole module: CKAN's fixture makes one a test."""
    return _get_test_app()


SQUARES = {
    "features": [
        {
            "properties": {"code": "00001", "nom": "Nord"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[6, 49], [6.1, 49], [6.1, 49.1], [6, 49.1], [6, 49]]],
            },
        },
        {
            "properties": {"insee": "00002", "nom": "Sud-des-Bois"},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [
                    [[[6, 48.9], [6.1, 48.9], [6.1, 49], [6, 49], [6, 48.9]]],
                    [[[6.2, 48.9], [6.21, 48.9], [6.21, 48.91], [6.2, 48.9]]],
                ],
            },
        },
    ]
}  # fmt: skip


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements that run meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("/de", {"title": "Eau", "title_translated": {"fr": "Eau", "de": "Wasser"}}, "Wasser"),
        ("/lb", {"title": "Eau", "title_translated": {"fr": "Eau", "de": "Wasser"}}, "Eau"),
        ("/lb", {"title": "Eau", "title_translated": {"fr": "Eau", "lb": ""}}, "Eau"),
        ("/lb", {"title": "Eau"}, "Eau"),
        ("/en", {"title_translated": {"fr": "", "de": "Wasser"}}, "Wasser"),
        ("/en", {"title_translated": json.dumps({"en": "Water"}), "title": "Eau"}, "Water"),
        ("/en", {"title": None}, ""),
        ("/en", None, ""),
    ],
)
def test_translated(app: Any, path: str, data: dict[str, Any] | None, expected: str) -> None:
    """The reader's language, else the core field, else any text that says something."""
    with app.flask_app.test_request_context(environ_base={"CKAN_LANG": path[1:]}):
        assert helpers.ccphva_translated(data, "title") == expected


def test_translated_outside_a_request() -> None:
    """A task without a request reads the portal's own language."""
    assert helpers.ccphva_translated({"title_translated": {"de": "Wasser", "fr": "Eau"}}, "title") == "Eau"


def test_helpers_ask_no_database(app: Any) -> None:
    """All helpers together run no SQL statement, and the listener would have seen one."""
    with app.flask_app.test_request_context("/de/dataset?q=eau"):
        app.flask_app.preprocess_request()
        with statements() as seen:
            model.Session.execute(sqlalchemy.text("SELECT 1"))
        assert len(seen) == 1
        with statements() as seen:
            for name in helpers.__all__:
                helper = getattr(helpers, name)
                arguments = {
                    "ccphva_advice": ({"id": "1", "type": "dataset"},),
                    "ccphva_article_note": ("L323-2",),
                    "ccphva_translated": ({"title_translated": {"de": "Wasser"}}, "title"),
                    "ccphva_territory": ("title",),
                    "ccphva_error_text": (404,),
                    "ccphva_error_texts": ([{"a": ["b"]}],),
                    "ccphva_fee": ({"fee": {"ground": "L324-1", "review_date": "2999-01-01"}},),
                    "ccphva_keywords": ({"tags_translated": {"de": ["Wasser"]}},),
                    "ccphva_licence": ({"license_id": "etalab-2.0"},),
                    "ccphva_licence_choices": ({},),
                    "ccphva_extent": ('{"type":"Point","coordinates":[6,49]}',),
                    "ccphva_concepts": ({"codelist": "frequency"},),
                    "ccphva_concept_labels": ({"codelist": "local-theme"}, ["mobility"]),
                    "ccphva_concept_options": ({"codelist": "local-theme"}, "elsewhere"),
                    "humanize_entity_type": (None, "package", "data_service", "breadcrumb"),
                    "render_datetime": (lambda *_: "a day", "2026-11-25T10:00:00", None, True),
                    "ccphva_faults_by_language": (["de: zu lang"],),
                    "ccphva_form_steps": ("dataset",),
                    "ccphva_is_multilingual": ({"validators": "fluent_text"},),
                    "ccphva_language_name": ("de",),
                    "ccphva_citation": ({"name": "eau", "type": "dataset"},),
                    "ccphva_details": ({"theme": ["x"]}, "dataset"),
                    "ccphva_key_facts": ({"modified": "2026-11-25"},),
                    "ccphva_place_map": (
                        {"spatial_coverage": [{"centroid": '{"type":"Point","coordinates":[5.94,49.46]}'}]},
                    ),
                    "ccphva_texts": ({"field_name": "title_translated"}, {}),
                }
                assert helper(*arguments.get(name, ())), name
        assert seen == []


def test_languages_keep_page_and_query(app: Any) -> None:
    """The language links lead to the same search in the other language, French first."""
    page = app.get("/de/dataset/?q=eau&tags=a").body
    with app.flask_app.test_request_context(
        "/", environ_base={"CKAN_LANG": "de", "CKAN_CURRENT_URL": "/dataset/?q=eau"}
    ):
        found = helpers.ccphva_languages()
    assert [each["code"] for each in found] == ["fr", "de", "en", "lb"]
    assert [each["name"] for each in found] == ["Français", "Deutsch", "English", "Lëtzebuergesch"]
    assert [each["code"] for each in found if each["current"]] == ["de"]
    assert found[3]["url"] == "/lb/dataset/?q=eau"
    assert "/lb/dataset/?q=eau&amp;tags=a" in page


@pytest.mark.parametrize("code", [403, 404, 500, 503, [500], 418])
def test_error_text(app: Any, code: Any) -> None:
    """Every error has a heading; core gives the code of an exception as a list."""
    with app.flask_app.test_request_context(environ_base={"CKAN_LANG": "fr"}):
        found = helpers.ccphva_error_text(code)
    assert found["heading"]
    assert found["code"] == str(code[0] if isinstance(code, list) else code)


def test_map_is_drawn_with_north_up() -> None:
    """The northern square stands above the southern one, inside the frame, with its name inside it."""
    drawing = outlines.draw(SQUARES, width=300)
    north, south = drawing.outlines
    assert (north.code, south.code) == ("00001", "00002")
    assert north.y < south.y
    assert 0 < north.x < 300
    assert north.path.count("M") == 1
    assert south.path.count("M") == 2
    assert 420 < drawing.height < 440  # 0.2° of latitude beside 0.21° of longitude, squeezed by cos 49°


def test_map_names_break_after_a_hyphen() -> None:
    """A long name of two parts takes two lines, a short one does not."""
    assert outlines.lines("Sud-des-Bois") == ("Sud-", "des-Bois")
    assert outlines.lines("Le-Bois") == ("Le-Bois",)
    assert outlines.lines("Constantinople") == ("Constantinople",)


def test_no_outlines_no_map(tmp_path: Path) -> None:
    """A territory without outlines has no map."""
    assert outlines.load(tmp_path) is None


@pytest.mark.ckan_config("ccphva.territory", str(Path(__file__).parents[2] / "deployment/territories/fictif"))
def test_texts_of_the_territory(ckan_config: Any) -> None:
    """A page comes in the language asked for; no name reaches a file outside the folder."""
    page = narrative.page("about", "lb")
    assert page is not None
    assert (page.language, page.title) == ("lb", "Iwwer dëse Portal")
    assert not page.body.startswith("#")
    assert narrative.page("about", "xx") == narrative.page("about", "fr")
    assert narrative.page("../territory", "fr") is None
    assert narrative.page("nothing", "fr") is None
    assert narrative.territory_text("title", "en") == "Data of the Valley of Mists"
    assert narrative.territory_text("name", "en") == "Communauté du Val des Brumes"
    assert narrative.territory_text("missing", "en") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"provenance": {"fr": "Levé", "de": "Aufnahme"}}, "Levé"),
        ({"provenance": {"de": "Aufnahme"}}, "Aufnahme"),
        ({"provenance": {}}, ""),
        ({"title": "Eau", "title_translated": {"de": "Wasser"}}, "Eau"),
    ],
)
def test_texts_by_language_are_texts(value: dict[str, Any], expected: str) -> None:
    """Never a dictionary, whether core has a plain field beside them or not."""
    field = next(iter(value))
    assert helpers.ccphva_translated(value, field) == expected


class TestRenderDatetime:
    @pytest.mark.parametrize(
        ("locale", "wanted"),
        [
            ("fr", "1 janvier 2027, 00:30"),
            ("de", "1. Januar 2027, 00:30"),
            ("en", "January 1, 2027, 00:30"),
            ("lb", "1. Januar 2027, 00:30"),
        ],
    )
    @pytest.mark.parametrize("zone", ["", "+00:00"])
    def test_a_date_with_its_hour(self, app: Any, locale: str, wanted: str, zone: str) -> None:
        """In the order of the reader's language, in the year of the calendar, at the territory's time."""
        with app.flask_app.test_request_context(f"/{locale}/"), force_locale(locale):
            assert tk.h.render_datetime(f"2026-12-31T23:30:15{zone}", with_hours=True) == wanted

    def test_all_else_is_cores(self, app: Any) -> None:
        moment = datetime(2026, 11, 25, 21, 34, 51)
        with app.flask_app.test_request_context("/"):
            for options in ({}, {"date_format": "%Y"}, {"with_seconds": True}):
                assert tk.h.render_datetime(moment, **options) == core.render_datetime(moment, **options)
            for nothing in (None, "", "yesterday"):
                assert tk.h.render_datetime(nothing, with_hours=True) == ""
