"""Every third-party ISO 19139 document gives what FACTS.tsv says, and what is not mapped is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ccphva_harvesters import Dataset, RecordError
from ccphva_harvesters.formats.dcat_ap import DcatAp
from ccphva_harvesters.formats.iso19139 import Iso19139, Iso19139Config

from . import documents, iso

ALL = iso.facts()
GOOD = [fact for fact in ALL if fact.datasets]
BAD = [fact for fact in ALL if not fact.datasets]
FORMAT = Iso19139(Iso19139Config(languages=None))
KINDS = {"service": "data_service", "series": "dataset_series"}
REASONS = {
    "bad-not-a-metadata.xml": "it is 'this', not ISO 19139",
    "bad-truncated.xml": "line 16: the XML is not well formed",
}
PAGES_OF_MORE = 3
"""FACTS.tsv lists at most this many records of a page."""


def names(fact: iso.Fact) -> str:
    """Test ids."""
    return fact.path.name


def read(fact: iso.Fact) -> list[Dataset]:
    """Datasets of a yardstick in all languages."""
    return list(FORMAT.datasets(iso.record(fact.path)))


@pytest.mark.parametrize("fact", GOOD, ids=names)
def test_facts(fact: iso.Fact) -> None:
    """Count, identifiers, levels, languages, dates, boxes, parents and titles are the document's."""
    datasets = read(fact)
    assert len(datasets) == fact.datasets
    records = [d.fields.get("catalog_record", {}) for d in datasets]
    found = [r["identifier"] for r in records if "identifier" in r]
    assert found[: len(fact.identifiers)] == list(fact.identifiers)
    assert [d.kind for d in datasets][: len(fact.levels)] == [KINDS.get(x, "dataset") for x in fact.levels]
    stamps = [r["modified"] for r in records if "modified" in r]
    assert stamps[: len(fact.stamps)] == list(fact.stamps)
    parents = [part for d in datasets for part in d.fields.get("is_part_of", [])]
    assert parents[: len(fact.parents)] == list(fact.parents)
    told = [text for d in datasets for text in d.fields["title_translated"].values()]
    for title in fact.titles:
        assert any(" ".join(text.split()).startswith(" ".join(title.split())) for text in told), title


@pytest.mark.parametrize("fact", [f for f in GOOD if f.path.name not in iso.STRANGE], ids=names)
def test_boxes(fact: iso.Fact) -> None:
    """No bounding box is lost; equal ones of a record are one place."""
    boxes = fact.path.read_text(encoding="utf-8", errors="replace").count("EX_GeographicBoundingBox>") // 2
    assert boxes >= fact.boxes
    kept = [place for d in read(fact) for place in d.fields.get("spatial_coverage", []) if "bbox" in place]
    assert len(kept) <= fact.boxes
    assert len(kept) == fact.boxes or fact.path.name in {
        "csw-fr-geoplateforme-rpg-series.xml",
        "fr-cnig-missing-charset.xml",
    }


@pytest.mark.parametrize("fact", BAD, ids=names)
def test_other_documents_are_refused_clearly(fact: iso.Fact) -> None:
    """What is no metadata says what it is instead."""
    reason = REASONS.get(fact.path.name, f"it is '{fact.root}', not ISO 19139")
    with pytest.raises(RecordError, match=reason):
        read(fact)


@pytest.mark.skipif(len(ALL) < 20, reason="a share over all documents needs ../shared/yardsticks")
def test_most_of_what_is_said_is_mapped() -> None:
    """At least 95 of 100 leaves that say something are mapped, over all documents."""
    said = sum(FORMAT.said(iso.record(fact.path)) for fact in GOOD)
    lost = sum(len(FORMAT.losses(iso.record(fact.path))) for fact in GOOD)
    assert said > 5000
    assert lost / said <= 0.05, f"{lost} of {said}"


def test_every_loss_is_named() -> None:
    """What is not mapped of the documents is named in `losses-iso.yaml`, with its reason."""
    groups = yaml.safe_load((Path(__file__).parent / "losses-iso.yaml").read_text()).values()
    assert all(group["reason"] for group in groups)
    named = tuple(path for group in groups for path in group["paths"])
    found = {path for fact in GOOD for path in FORMAT.losses(iso.record(fact.path))}
    assert {path for path in found if not any(path == n or path.startswith(n + "/") for n in named)} == set()


def test_the_same_dataset_of_two_sources_has_one_identity() -> None:
    """Two catalogues that hold the same record give the same identifier, so that it is shown once."""
    pair = [fact for fact in ALL if fact.path.name.startswith("dup-same-dataset")]
    if not pair:
        pytest.skip("needs ../shared/yardsticks")
    assert len({read(fact)[0].identifier for fact in pair}) == 1


AGREED = {
    "hvd_dataset_multilingual": (
        "title_translated", "notes_translated", "uri", "created", "language", "topic_category", "theme",
        "inspire_theme", "hvd_category", "applicable_legislation", "spatial", "spatial_coverage",
        "temporal_coverage", "reference_system", "provenance", "resource_type",
    ),
    "multilingual-resource-description": (
        "title_translated", "notes_translated", "uri", "issued", "purpose", "frequency",
        "topic_category", "contact", "inspire_theme", "spatial", "spatial_coverage", "reference_system",
        "provenance", "resource_type",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AGREED)
def test_the_reference_translation_says_the_same(name: str) -> None:
    """Records that the authors of GeoDCAT-AP translated: our two formats meet in the same dataset."""
    path = documents.yardsticks() / f"pair-{name}.geodcat.ttl"
    if not path.exists():
        pytest.skip("needs ../shared/yardsticks")
    (ours,) = Iso19139().datasets(iso.record(iso.yardsticks() / f"pair-{name}.iso.xml"))
    (record,) = documents.records(documents.graph(path))[:1]
    (theirs,) = DcatAp().datasets(record)
    assert ours.kind == theirs.kind
    for field in AGREED[name]:
        assert ours.fields[field] == theirs.fields[field], field
