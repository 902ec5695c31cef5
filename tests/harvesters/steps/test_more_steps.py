"""Steps that change, name, leave out and place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ccphva_harvesters import ConfigError, Dataset, Step, load_mapping
from ccphva_harvesters.geometry import bbox
from ccphva_harvesters.steps.drop import Drop, DropConfig
from ccphva_harvesters.steps.map import Map, MapConfig
from ccphva_harvesters.steps.rename import Rename, RenameConfig
from ccphva_harvesters.steps.territory import Territory, TerritoryConfig
from ccphva_harvesters.steps.theme import OF_INSPIRE, OF_TOPIC, THEME, Theme, ThemeConfig

HOME = bbox(5.8, 49.4, 6.0, 49.6)


def dataset(*resources: dict[str, Any], **fields: Any) -> Dataset:
    """A dataset."""
    return Dataset(guid="g", fields=fields, resources=list(resources))


def test_map_a_text_and_a_list() -> None:
    """Texts are compared without case and outer blanks; what is not named stays."""
    step = Map(MapConfig(field="theme", values={"Eau": "ENVI", "rivière": "ENVI"}))
    assert step(dataset(theme=" eau ")).fields == {"theme": "ENVI"}
    assert step(dataset(theme=["EAU", "Rivière", "x"])).fields == {"theme": ["ENVI", "x"]}
    assert step(dataset(other=1)).fields == {"other": 1}


def test_map_leaves_out_what_is_not_named_and_tells_it() -> None:
    """With ``others: drop`` an unknown value goes, and a problem names it."""
    found = Map(MapConfig(field="frequency", values={"jour": "DAILY"}, others="drop"))(
        dataset(frequency="lune")
    )
    assert "frequency" not in found.fields
    assert [(p.code, p.message) for p in found.problems] == [("value-dropped", "lune")]


def test_map_of_resources() -> None:
    """Formats of resources get our names."""
    step = Map(MapConfig(field="format", values={"tableur": "XLSX"}, of="resources"))
    assert step(dataset({"format": "Tableur"}, {"format": 7}, {})).resources == [
        {"format": "XLSX"},
        {"format": 7},
        {},
    ]


def test_rename_never_overwrites() -> None:
    """A value moves where there is room; the old field goes in any case."""
    step = Rename(RenameConfig(fields={"a": "b", "c": "d"}, resources={"x": "y"}))
    found = step(dataset({"x": 1}, a=1, b=2, c=3))
    assert (found.fields, found.resources) == ({"b": 2, "d": 3}, [{"y": 1}])


def test_rename_can_swap() -> None:
    """Two fields change places."""
    assert Rename(RenameConfig(fields={"a": "b", "b": "a"}))(dataset(a=1, b=2)).fields == {"a": 2, "b": 1}


def test_drop_fields_and_datasets() -> None:
    """Fields go; a dataset goes when a field says so."""
    step = Drop(DropConfig(fields=("a",), resources=("x",), field="kind", values=("data_service",)))
    found = step(dataset({"x": 1, "y": 2}, a=1, b=2))
    assert found is not None
    assert (found.fields, found.resources) == ({"b": 2}, [{"y": 2}])
    assert Drop(DropConfig(field="draft"))(dataset(draft="yes")) is None
    assert Drop(DropConfig(field="draft", values=("no",)))(dataset(draft="yes")) is not None


def test_themes_of_inspire_and_iso() -> None:
    """Published alignments fill the gap; the source's own themes stay beside."""
    given = dataset(
        inspire_theme=["http://inspire.ec.europa.eu/theme/tn"],
        topic_category=["http://x/health"],
        theme=["x"],
    )
    assert Theme()(given).fields["theme"] == [THEME + "HEAL", THEME + "TRAN", "x"]
    assert Theme(ThemeConfig(only_known=True))(given).fields["theme"] == [THEME + "HEAL", THEME + "TRAN"]


def test_the_sources_own_theme_wins() -> None:
    """Where it names one of the EU's list nothing is added, unless it is asked for."""
    given = dataset(inspire_theme=["http://inspire.ec.europa.eu/theme/tn"], theme=[THEME + "ENVI"])
    assert Theme()(given).fields["theme"] == [THEME + "ENVI"]
    assert Theme(ThemeConfig(always=True))(given).fields["theme"] == [THEME + "ENVI", THEME + "TRAN"]


def test_themes_of_words() -> None:
    """Words of the source, as its file explains them."""
    step = Theme(ThemeConfig(words={"Mobilité douce": "TRAN"}))
    assert step(dataset(keywords_translated={"fr": ["mobilité  douce"]})).fields["theme"] == [THEME + "TRAN"]
    assert "theme" not in step(dataset(keywords_translated={"fr": ["vélo"]})).fields


def test_themes_of_local_life() -> None:
    """Keywords in any language and themes of the source name them; what is there stays; a typo is told."""
    step = Theme(ThemeConfig(local={"mobility": ["Bus", "Fahrrad"], "home-care": ["repas"]}))
    given = dataset(
        keywords_translated={"de": ["fahrrad"]}, theme=["repas"], local_theme=["renewable-energy"]
    )
    assert step(given).fields["local_theme"] == ["home-care", "mobility", "renewable-energy"]
    assert "local_theme" not in step(dataset(keywords_translated={"fr": ["eau"]})).fields
    with pytest.raises(ValueError, match="mobilty is not one of"):
        ThemeConfig(local={"mobilty": ["bus"]})


def test_every_inspire_theme_and_topic_has_a_theme() -> None:
    """The tables hold the 34 themes and the civil topic categories of our code lists."""
    from importlib.resources import files

    import yaml

    folder = files("ccphva_schemas").joinpath("codelists")
    inspire = yaml.safe_load(folder.joinpath("inspire-theme.yaml").read_text("utf-8"))["concepts"]
    topics = yaml.safe_load(folder.joinpath("topic-category.yaml").read_text("utf-8"))["concepts"]
    themes = yaml.safe_load(folder.joinpath("data-theme.yaml").read_text("utf-8"))["concepts"]
    assert set(inspire) == set(OF_INSPIRE)
    assert set(topics) - {"intelligenceMilitary"} == set(OF_TOPIC)
    assert {*OF_INSPIRE.values(), *OF_TOPIC.values()} <= set(themes)


@pytest.mark.parametrize(
    ("extent", "least", "kept"),
    [
        (bbox(5.9, 49.5, 5.95, 49.55), 0.0, True),
        (bbox(5.9, 49.5, 5.95, 49.55), 1.0, True),
        (bbox(2.0, 48.0, 3.0, 49.0), 0.0, False),
        (bbox(-5.0, 41.0, 10.0, 51.0), 0.0, True),
        (bbox(-5.0, 41.0, 10.0, 51.0), 0.1, False),
        ({"type": "Point", "coordinates": [5.9, 49.5]}, 0.5, True),
        ({"type": "Point", "coordinates": [2.3, 48.8]}, 0.0, False),
        ({"type": "LineString", "coordinates": [[5.9, 49.5], [5.9, 50.5]]}, 0.5, False),
        (
            {
                "type": "Polygon",
                "coordinates": [[[5.9, 49.5], [5.95, 49.55], [5.95, 49.5], [5.9, 49.55], [5.9, 49.5]]],
            },
            0,
            True,
        ),
    ],
    ids=[
        "inside",
        "all inside",
        "paris",
        "country",
        "country, a tenth",
        "point",
        "far point",
        "line",
        "bow tie",
    ],
)
def test_only_this_territory(extent: dict[str, Any], least: float, kept: bool) -> None:
    """An extent must meet the outline, with as much of itself as is asked."""
    step = Territory(TerritoryConfig(outline=HOME, least=least))
    assert (step(dataset(spatial=json.dumps(extent))) is not None) == kept


def test_one_of_several_places_is_enough() -> None:
    """A dataset of two towns belongs here when one of them lies here."""
    places = [{"bbox": json.dumps(bbox(2, 48, 3, 49))}, {"geom": json.dumps(bbox(5.9, 49.5, 5.95, 49.55))}]
    assert Territory(TerritoryConfig(outline=HOME))(dataset(spatial_coverage=places)) is not None


@pytest.mark.parametrize(("unplaced", "kept"), [("keep", True), ("drop", False)])
@pytest.mark.parametrize("fields", [{}, {"spatial": "{broken"}, {"spatial_coverage": [{"text": "Esch"}]}])
def test_without_an_extent(fields: dict[str, Any], unplaced: Any, kept: bool) -> None:
    """Nothing is known; the source file says what becomes of it."""
    step = Territory(TerritoryConfig(outline=HOME, unplaced=unplaced))
    assert (step(dataset(**fields)) is not None) == kept


def test_the_outline_of_a_file(tmp_path: Path) -> None:
    """A collection of communes is one outline."""
    file = tmp_path / "communes.geojson"
    features = [{"type": "Feature", "properties": {}, "geometry": bbox(x, 49, x + 1, 50)} for x in (5, 7)]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    step = Territory(TerritoryConfig(outline=str(file)))
    assert step(dataset(spatial=json.dumps(bbox(7.2, 49.2, 7.3, 49.3)))) is not None
    assert step(dataset(spatial=json.dumps(bbox(6.2, 49.2, 6.3, 49.3)))) is None


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"territory": {"outline": "/nowhere.geojson"}}, "cannot be read"),
        ({"territory": {"outline": "/etc/passwd"}}, "expected GeoJSON or the path"),
        ({"territory": {"outline": {"type": "Nonsense"}}}, "no GeoJSON"),
        ({"territory": {"outline": HOME, "least": 3}}, "share"),
        ({"theme": {"words": {"eau": "WATER"}}}, "WATER"),
        ({"map": {"field": "x"}}, "values"),
        ({"rename": {"field": {}}}, "unknown key"),
    ],
)
def test_a_wrong_file_says_its_path(step: dict[str, Any], reason: str) -> None:
    """A fault in a source file is found when the file is read, with its path."""
    document = {
        "source": {"type": "dcat", "url": "http://x"},
        "format": {"type": "dcat-ap"},
        "steps": [step],
        "personal_data": "none",
    }
    with pytest.raises(ConfigError, match=reason) as caught:
        load_mapping(document)
    assert caught.value.path.startswith("$.steps[0]")


def test_they_are_steps_and_leave_what_they_are_given() -> None:
    """They have the protocol's parts and give a new dataset."""
    given = dataset({"x": 1}, a="b", theme=["x"])
    steps: list[Step] = [
        Map(MapConfig(field="a", values={"b": "c"})),
        Rename(RenameConfig(fields={"a": "z"}, resources={"x": "y"})),
        Drop(DropConfig(fields=("a",), resources=("x",))),
        Theme(),
        Territory(TerritoryConfig(outline=HOME)),
    ]
    for step in steps:
        assert isinstance(step, Step)
        step(given)
    assert given == dataset({"x": 1}, a="b", theme=["x"])
