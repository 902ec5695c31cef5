"""A source file: read whole, or an error that says where."""

from __future__ import annotations

from pathlib import Path

import pytest
from ccphva_harvesters import Client, ConfigError, Source, load_file, load_text, part_names
from ccphva_harvesters.sources.dcat import DcatSource

GOOD = """
source: {type: dcat, url: "http://x.org/catalog.ttl"}
format: {type: dcat-ap, default_language: de}
steps:
  - licence
  - set: {fields: {theme: [a]}}
  - keep: {field: theme, values: [a]}
personal_data: none
owner_org: ccphva
publication: {state: published, conditions: [licence_known]}
guards: {shrink: 0.5}
"""


def test_a_good_file(client: Client, tmp_path: Path) -> None:
    """Every part is built from its name."""
    path = tmp_path / "source.yaml"
    path.write_text(GOOD)
    file = load_file(path)
    assert (file.source_type, file.personal_data, file.owner_org) == ("dcat", "none", "ccphva")
    assert [step.name for step in file.steps] == ["licence", "set", "keep"]
    assert (file.publication.state, file.publication.conditions) == ("published", ("licence_known",))
    assert file.guards.shrink == 0.5
    source = file.build_source(client, etag='"1"')
    assert isinstance(source, Source)
    assert isinstance(source, DcatSource)
    assert source.etag == '"1"'


def test_publication_may_be_one_word() -> None:
    """The short form is the state; a draft is the default."""
    assert (
        load_text(
            GOOD.replace("{state: published, conditions: [licence_known]}", "private")
        ).publication.state
        == "private"
    )
    shortened = "\n".join(line for line in GOOD.splitlines() if not line.startswith("publication"))
    assert load_text(shortened).publication.state == "draft"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type: dcat,", "type: dcat, page_size: 5,", r"^\$\.source\.page_size: unknown key; known: url, syntax"),  # noqa: E501
        ('"http://x.org/catalog.ttl"', "5", r"^\$\.source\.url: expected str, got int$"),
        ("url:", "max_pages: many, url:", r"^\$\.source\.max_pages: expected int, got str$"),
        (', url: "http://x.org/catalog.ttl"', "", r"^\$\.source\.url: missing$"),
        ("type: dcat,", "type: dkat,", r"^\$\.source\.type: unknown source 'dkat'; known: .*dcat"),
        ("type: dcat,", "", r"^\$\.source\.type: expected one of"),
        ("type: dcat-ap", "type: x", r"^\$\.format\.type: unknown format 'x'"),
        ("default_language: de", "languages: {a: 1}", r"^\$\.format\.languages: expected array"),
        ("  - licence", "  - lisence", r"^\$\.steps\[0\]: unknown step 'lisence'; known: .*licence"),
        ("fields: {theme", "felds: {theme", r"^\$\.steps\[1\]\.set\.felds: unknown key"),
        ("field: theme, ", "", r"^\$\.steps\[2\]\.keep\.field: missing"),
        ("  - licence", "  - {a: 1, b: 2}", r"^\$\.steps\[0\]: expected one step"),
        ("personal_data: none", "", r"^\$\.personal_data: missing$"),
        ("personal_data: none", "personal_data: nein", r"^\$\.personal_data: "),
        ("state: published", "state: public", r"^\$\.publication\.state: "),
        ("[licence_known]", "[sure]", r"^\$\.publication\.conditions\[0\]: "),
        ("shrink: 0.5", "shrinks: 0.5", r"^\$\.guards\.shrinks: unknown key"),
        ("owner_org", "owner", r"^\$\.owner: unknown key; known: source, format"),
        ("source: {", "source: {{", r"^\$: not YAML"),
        (GOOD, "- a list", r"^\$: expected object"),
        (GOOD, "source: !!python/object/apply:os.system [true]", r"^\$: not YAML"),
    ],
)  # fmt: skip
def test_errors_say_where(old: str, new: str, message: str) -> None:
    """Every error begins with the path of the key."""
    assert old in GOOD
    with pytest.raises(ConfigError, match=message):
        load_text(GOOD.replace(old, new))


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is a configuration error, too."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_file(tmp_path / "no.yaml")


def test_built_in_parts_are_known_without_installation() -> None:
    """The registry falls back to what the library holds."""
    assert "dcat" in part_names("ccphva.sources")
    assert "dcat-ap" in part_names("ccphva.formats")
    assert {"keep", "licence", "set"} <= set(part_names("ccphva.steps"))
