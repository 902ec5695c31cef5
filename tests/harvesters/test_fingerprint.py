"""One hash for a dataset, however it is arranged."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from ccphva_harvesters import Column, Dataset, Problem, Table, changed_fields, fingerprint

LEAVES: list[Any] = ["", "a", "b", "été", 0, 1, 2.5, True, False, None]


def made(luck: random.Random, depth: int = 0) -> Any:
    """A random value such as fields hold."""
    kind = luck.random()
    if depth > 3 or kind < 0.4:
        return luck.choice(LEAVES)
    if kind < 0.7:
        return [made(luck, depth + 1) for _ in range(luck.randrange(4))]
    return {f"k{luck.randrange(9)}": made(luck, depth + 1) for _ in range(luck.randrange(4))}


def shuffled(value: Any, luck: random.Random) -> Any:
    """The same with lists and mappings in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, luck)) for key, item in value.items()]
        return dict(luck.sample(items, len(items)))
    if isinstance(value, list):
        return [shuffled(item, luck) for item in luck.sample(value, len(value))]
    return value


@pytest.mark.parametrize("seed", range(200))
def test_order_does_not_matter(seed: int) -> None:
    """Any rearrangement of any dataset has the same fingerprint."""
    luck = random.Random(seed)
    fields = {f"f{n}": made(luck) for n in range(5)}
    resources = [{"r": made(luck)} for _ in range(3)]
    one = Dataset(guid="g", fields=fields, resources=resources)
    two = Dataset(guid="g", fields=shuffled(fields, luck), resources=shuffled(resources, luck))
    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize(
    "other",
    [
        Dataset(guid="g", uri="u", fields={"a": ["1", "2"]}),
        Dataset(guid="g", fields={"a": ["1", "2", "2"]}),
        Dataset(guid="g", fields={"a": ["1"]}),
        Dataset(guid="g", fields={"a": ["1", 2]}),
        Dataset(guid="g", fields={"b": ["1", "2"]}),
        Dataset(guid="g", fields={"a": ["1", "2"]}, resources=[{}]),
        Dataset(guid="g", fields={"a": ["1", "2"]}, kind="dataset_series"),
    ],
)
def test_content_matters(other: Dataset) -> None:
    """Every difference of content is a difference of fingerprint."""
    assert fingerprint(Dataset(guid="g", fields={"a": ["1", "2"]})) != fingerprint(other)


def test_our_own_words_do_not_matter() -> None:
    """A problem said otherwise in a later release rewrites nothing."""
    assert fingerprint(Dataset(guid="g")) == fingerprint(Dataset(guid="g", problems=(Problem("a", "b"),)))


def test_changed_fields_are_named() -> None:
    """Names of fields that differ, resources as one."""
    old = Dataset(guid="g", fields={"a": [1, 2], "b": 1, "c": 1}, resources=[{"x": 1}])
    new = Dataset(guid="g", fields={"a": [2, 1], "b": 2, "d": 1}, resources=[{"x": 2}])
    assert changed_fields(old, new) == ("b", "c", "d", "resources")


def test_tables_count_and_the_order_of_columns_does_not() -> None:
    """A server that gives its properties in another order changed nothing; another type is a change."""
    columns = (Column(name="a", type="number"), Column(name="b"))
    table = Table(id="t", title="T", columns=columns)
    one = Dataset(guid="d", tables=(table,))
    turned = Dataset(guid="d", tables=(msgspec.structs.replace(table, columns=columns[::-1]),))
    other = Dataset(guid="d", tables=(msgspec.structs.replace(table, columns=columns[:1]),))
    assert fingerprint(one) == fingerprint(turned)
    assert changed_fields(one, turned) == ()
    assert fingerprint(one) != fingerprint(other)
    assert changed_fields(one, other) == ("tables",)


def test_what_a_record_says_of_itself_does_not_count() -> None:
    """A server that stamps its metadata at each request changes no dataset."""
    first, second = (
        Dataset(guid="a", fields={"title_translated": {"fr": "A"}, "catalog_record": {"modified": day}})
        for day in ("2026-01-01", "2026-01-02")
    )
    assert fingerprint(first) == fingerprint(second)
