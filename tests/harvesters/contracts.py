"""Contract suites: what every source, format and catalogue must do.

An implementation's test is a fixture and a subclass; the portal's catalogue writer subclasses
``CatalogueContract`` too.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ccphva_harvesters import (
    Catalogue,
    Column,
    Dataset,
    Format,
    Outcome,
    Record,
    RecordError,
    Source,
    Table,
    Tables,
    Write,
    fingerprint,
)


class SourceContract:
    """Give a ``source`` fixture and ``expected_ids``."""

    expected_ids: frozenset[str]

    def test_it_is_a_source(self, source: Source) -> None:
        """It has the protocol's methods."""
        assert isinstance(source, Source)

    def test_check_says_a_sentence(self, source: Source) -> None:
        """A check answers words for a person."""
        assert len(source.check()) > 5

    def test_records_have_identities(self, source: Source) -> None:
        """Each record is given once under the name the source has for it."""
        ids = [record.id for record in source.records()]
        assert len(ids) == len(set(ids))
        assert set(ids) == self.expected_ids

    def test_records_are_lazy(self, source: Source) -> None:
        """Records come one at a time."""
        records = source.records()
        assert next(records).id in self.expected_ids

    def test_reading_again_gives_the_same(self, source: Source) -> None:
        """Identity and fingerprint do not depend on the read."""
        first = {record.id: record.fingerprint for record in source.records()}
        if hasattr(source, "etag"):
            source.etag = source.last_modified = None  # type: ignore[attr-defined]
        assert {record.id: record.fingerprint for record in source.records()} == first


class FormatContract:
    """Give a ``format_`` and a ``records`` fixture, and the fields it declares."""

    dataset_fields: frozenset[str]
    resource_fields: frozenset[str]

    def _all(self, format_: Format, records: list[Record]) -> list[Dataset]:
        return [dataset for record in records for dataset in format_.datasets(record)]

    def test_it_is_a_format(self, format_: Format) -> None:
        """It has the protocol's method."""
        assert isinstance(format_, Format)

    def test_datasets_have_a_key_and_a_title(self, format_: Format, records: list[Record]) -> None:
        """A catalogue can store and show every dataset."""
        datasets = self._all(format_, records)
        assert datasets
        for dataset in datasets:
            assert dataset.guid
            assert all(dataset.fields["title_translated"].values())

    def test_datasets_are_plain_json(self, format_: Format, records: list[Record]) -> None:
        """A dataset survives JSON, so it can be stored, sent and compared."""
        for dataset in self._all(format_, records):
            again = msgspec.json.decode(msgspec.json.encode(dataset), type=Dataset)
            assert fingerprint(again) == fingerprint(dataset)

    def test_fields_are_declared(self, format_: Format, records: list[Record]) -> None:
        """No field appears that the schema's keepers were not told of."""
        for dataset in self._all(format_, records):
            assert dataset.fields.keys() <= self.dataset_fields
            for resource in dataset.resources:
                assert resource.keys() <= self.resource_fields

    def test_nothing_is_empty(self, format_: Format, records: list[Record]) -> None:
        """What a source does not say is absent, not empty."""
        for dataset in self._all(format_, records):
            assert not [name for name, value in dataset.fields.items() if value in (None, "", [], {})]

    def test_reading_again_gives_the_same(self, format_: Format, records: list[Record]) -> None:
        """The format keeps nothing between records."""
        first = [fingerprint(d) for d in self._all(format_, records)]
        assert [fingerprint(d) for d in self._all(format_, records)] == first

    def test_foreign_content_is_a_record_error(self, format_: Format) -> None:
        """Content of another kind costs one record, not the run."""
        with pytest.raises(RecordError):
            list(format_.datasets(Record(id="x", content=42)))


class CatalogueContract:
    """Give a ``catalogue`` fixture that is empty."""

    def dataset(self, guid: str, **fields: Any) -> Dataset:
        """A dataset the catalogue accepts."""
        return Dataset(guid=guid, fields={"title_translated": {"fr": f"Titre {guid}"}, **fields})

    def write(self, dataset: Dataset, action: Any = "add") -> Write:
        """What the loop hands over."""
        return Write(action=action, dataset=dataset, fingerprint=fingerprint(dataset), record_id=dataset.guid)

    def apply(self, catalogue: Catalogue, *writes: Write) -> list[Outcome]:
        """Outcomes as a list."""
        return list(catalogue.apply(writes))

    def test_an_empty_catalogue_knows_nothing(self, catalogue: Catalogue) -> None:
        """There is nothing before the first run."""
        assert dict(catalogue.known()) == {}

    def test_what_was_added_is_known(self, catalogue: Catalogue) -> None:
        """A dataset is known by the fingerprint it was written under."""
        write = self.write(self.dataset("a"))
        assert [o.status for o in self.apply(catalogue, write)] == ["added"]
        assert dict(catalogue.known()) == {"a": write.fingerprint}

    def test_an_update_names_its_fields(self, catalogue: Catalogue) -> None:
        """An update says what it changed."""
        self.apply(catalogue, self.write(self.dataset("a")))
        changed = self.write(self.dataset("a", version="2"), "update")
        (outcome,) = self.apply(catalogue, changed)
        assert (outcome.status, outcome.fields) == ("updated", ("version",))
        assert dict(catalogue.known()) == {"a": changed.fingerprint}

    def test_applying_twice_is_harmless(self, catalogue: Catalogue) -> None:
        """A run that was killed may repeat a batch."""
        write = self.write(self.dataset("a"))
        self.apply(catalogue, write)
        self.apply(catalogue, write)
        assert len(catalogue.known()) == 1

    def test_one_outcome_a_write(self, catalogue: Catalogue) -> None:
        """Every write is answered under its own guid."""
        writes = [self.write(self.dataset(guid)) for guid in "abc"]
        assert [o.guid for o in self.apply(catalogue, *writes)] == ["a", "b", "c"]

    def test_what_was_withdrawn_is_unknown(self, catalogue: Catalogue) -> None:
        """A withdrawn dataset may be added again."""
        self.apply(catalogue, self.write(self.dataset("a")), self.write(self.dataset("b")))
        assert [o.status for o in catalogue.withdraw(["a"])] == ["deleted"]
        assert set(catalogue.known()) == {"b"}

    def test_withdrawing_the_unknown_is_harmless(self, catalogue: Catalogue) -> None:
        """A repeated withdrawal changes nothing."""
        assert [o.status for o in catalogue.withdraw(["nobody"]) if o.status == "deleted"] == []


class TablesContract:
    """Give a ``tables`` fixture that is empty, and ``rows(tables, id)`` that reads a table back."""

    append = Table(
        id="t", title="T", mode="append", key=("k",),
        columns=(Column(name="k"), Column(name="v", type="number")),
    )  # fmt: skip
    replace = msgspec.structs.replace(append, mode="replace")

    def rows(self, tables: Tables, id_: str) -> list[dict[str, Any]]:
        """Rows of a table, in any order."""
        raise NotImplementedError

    def some(self, *numbers: int) -> list[dict[str, Any]]:
        """Rows by number."""
        return [{"k": str(number), "v": number} for number in numbers]

    def test_nothing_is_marked_before_the_first_row(self, tables: Tables) -> None:
        """A table that is not there has no watermark."""
        assert dict(tables.marks("t")) == {}

    def test_rows_and_marks_come_together(self, tables: Tables) -> None:
        """After a receipt both are there; marks of other series stay."""
        receipt = tables.apply(self.append, self.some(1, 2), {"a": "1"})
        assert (receipt.accepted, receipt.unchanged, receipt.rejected) == (2, 0, ())
        tables.apply(self.append, self.some(3), {"b": "2"})
        assert dict(tables.marks("t")) == {"a": "1", "b": "2"}
        assert len(self.rows(tables, "t")) == 3

    def test_the_same_rows_again_change_nothing(self, tables: Tables) -> None:
        """A batch that is repeated after a kill is counted as unchanged."""
        tables.apply(self.append, self.some(1, 2), {})
        receipt = tables.apply(self.append, self.some(2, 1), {})
        assert (receipt.accepted, receipt.unchanged) == (0, 2)
        assert len(self.rows(tables, "t")) == 2

    def test_a_row_takes_the_place_of_the_old_one(self, tables: Tables) -> None:
        """The last writer wins under one key."""
        tables.apply(self.append, self.some(1), {})
        assert tables.apply(self.append, [{"k": "1", "v": 7}], {}).accepted == 1
        assert [row["v"] for row in self.rows(tables, "t")] == [7]

    def test_a_replaced_table_holds_the_new_rows_only(self, tables: Tables) -> None:
        """What no longer comes is gone."""
        tables.apply(self.replace, self.some(1, 2), {})
        receipt = tables.apply(self.replace, iter(self.some(2, 3)), {})
        assert (receipt.accepted, receipt.unchanged) == (1, 1)
        assert sorted(row["v"] for row in self.rows(tables, "t")) == [2, 3]

    def test_a_replacement_that_breaks_leaves_the_old_rows(self, tables: Tables) -> None:
        """All or nothing, and the error goes through."""

        def broken() -> Any:
            yield from self.some(8, 9)
            raise RuntimeError("cut")

        tables.apply(self.replace, self.some(1, 2), {})
        with pytest.raises(RuntimeError, match="cut"):
            tables.apply(self.replace, broken(), {})
        assert sorted(row["v"] for row in self.rows(tables, "t")) == [1, 2]

    def test_marks_without_rows(self, tables: Tables) -> None:
        """A series may move on although nothing was new."""
        tables.apply(self.append, [], {"a": "5"})
        assert dict(tables.marks("t")) == {"a": "5"}
