"""The list of properties of the shapes: up to date, every one with its place or the reason for none."""

from __future__ import annotations

import pytest
import shapes


def test_every_property_has_its_place() -> None:
    """A property of the shapes is filled in somewhere, or has the reason why it is left out."""
    assert [row for row in shapes.listed() if not (shapes.left_out(row) or shapes.fields(row))] == []


def test_reasons_speak_of_properties_that_are_listed() -> None:
    """No reason outlives its property."""
    listed = {f"{row.subject} {row.predicate}" for row in shapes.listed()}
    named = {key for group in shapes.losses()["left out"] for key in group["properties"]}
    assert named <= listed


def test_the_table_of_properties_is_up_to_date() -> None:
    """`docs/developer/properties.md` is what `python tests/portal/shapes.py` writes, no cell is empty."""
    text = "\n".join(shapes.table()) + "\n"
    assert text == shapes.TABLE.read_text()
    assert "|  |" not in text


@pytest.mark.skipif(not shapes.FOLDER.exists(), reason=shapes.ABSENT)
def test_the_list_of_properties_is_up_to_date() -> None:
    """The list is the one of the shapes."""
    assert shapes.listed() == shapes.generated()
