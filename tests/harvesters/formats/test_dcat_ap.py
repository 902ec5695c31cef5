"""DCAT-AP: what each kind of statement becomes."""

from __future__ import annotations

from typing import Any

import pytest
from ccphva_harvesters import Dataset, Format, Record, rdf
from ccphva_harvesters.formats.dcat_ap import DATASET_FIELDS, RESOURCE_FIELDS, DcatAp, DcatApConfig

from harvesters import documents
from harvesters.contracts import FormatContract

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix locn: <http://www.w3.org/ns/locn#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix spdx: <http://spdx.org/rdf/terms#> .
@prefix dcatap: <http://data.europa.eu/r5r/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> . @prefix adms: <http://www.w3.org/ns/adms#> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix geodcatap: <http://data.europa.eu/930/> .
"""


def read(statements: str, more: str = "", **config: Any) -> Dataset:
    """The dataset <http://x.org/d> of which ``statements`` are said."""
    text = f"{PREFIXES}<http://x.org/d> a dcat:Dataset {'; ' + statements if statements else ''} .\n{more}"
    graph = rdf.parse(text.encode(), "turtle", "http://x.org/")
    (record,) = documents.records(graph)
    (dataset,) = DcatAp(DcatApConfig(**config)).datasets(record)
    return dataset


def codes(dataset: Dataset) -> set[str]:
    """Codes of a dataset's problems."""
    return {problem.code for problem in dataset.problems}


class TestContract(FormatContract):
    """Every small yardstick through the contract."""

    dataset_fields = DATASET_FIELDS
    resource_fields = RESOURCE_FIELDS

    @pytest.fixture
    def format_(self) -> Format:
        """As configured by default."""
        return DcatAp()

    @pytest.fixture
    def records(self) -> list[Record]:
        """Records of every yardstick that can be read, but the big one."""
        good = [f for f in documents.facts() if f.parse == "ok" and f.datasets < 100]
        return [record for fact in good for record in documents.records(documents.graph(fact.path))]


# -- texts -----------------------------------------------------------------------------------------------


def test_text_is_kept_by_language() -> None:
    """Tags are folded, machine translations left out, other languages named as lost."""
    found = read('dct:title "Eau"@fr-FR , "Wasser"@deu , "Water"@en-t-fr-t0-mtec , "Acqua"@it')
    assert found.fields["title_translated"] == {"fr": "Eau", "de": "Wasser"}
    assert {"machine-translation", "unmapped"} <= codes(found)


def test_all_languages_can_be_kept() -> None:
    """With ``languages: null`` nothing but machine translations is left out."""
    found = read('dct:title "Eau"@fr , "Acqua"@it , "Water"@en-t-fr-t0-mtec', languages=None)
    assert found.fields["title_translated"] == {"fr": "Eau", "it": "Acqua"}


@pytest.mark.parametrize(
    ("statements", "config", "language"),
    [
        ("", {}, "fr"),
        ("dct:language <http://publications.europa.eu/resource/authority/language/DEU>", {}, "de"),
        ('dct:language "en"', {}, "en"),
        ('dct:language "en" , "de"', {}, "fr"),
        ('dct:language "en"', {"default_language": "de"}, "de"),
        ('dct:language "it"', {}, "fr"),
    ],
)
def test_untagged_text_has_the_datasets_language(
    statements: str, config: dict[str, Any], language: str
) -> None:
    """The source file's word, else the dataset's one language, else French."""
    found = read(f'dct:title "x" {"; " + statements if statements else ""}', **config)
    assert found.fields["title_translated"] == {language: "x"}


def test_a_tagged_text_wins_over_an_untagged_one() -> None:
    """What names its language is surer."""
    assert read('dct:title "untagged" , "tagged"@fr').fields["title_translated"] == {"fr": "tagged"}


def test_a_text_in_another_language_only() -> None:
    """It is kept rather than lost, and said so."""
    found = read('dct:title "Titel"@nl')
    assert found.fields["title_translated"] == {"fr": "Titel"}
    assert "language" in codes(found)


def test_no_title() -> None:
    """The identifier stands in, and it is a problem."""
    found = read('dct:identifier "id-1"')
    assert found.fields["title_translated"] == {"fr": "id-1"}
    assert "title" in codes(found)


def test_keywords_and_tags() -> None:
    """Keywords stay exact by language; tags obey CKAN's rule, in the best language."""
    found = read('dcat:keyword "l\'eau & rivières"@fr , "Eau"@fr , "EAU"@fr , "x"@fr , "Wasser"@de')
    assert found.fields["keywords_translated"]["de"] == ["Wasser"]
    assert found.fields["tags"] == [{"name": "EAU"}, {"name": "l eau rivières"}]
    assert "keyword" in codes(found)


# -- things ----------------------------------------------------------------------------------------------


def test_contact() -> None:
    """A vCard with values behind hasValue."""
    found = read(
        'dcat:contactPoint [ a vcard:Kind ; vcard:fn "Mairie" ; vcard:hasEmail <mailto:a@x.org> ;'
        " vcard:hasTelephone [ vcard:hasValue <tel:+33382> ] ; vcard:hasURL <http://x.org/m> ]"
    )
    expected = {"name": "Mairie", "email": "a@x.org", "telephone": "+33382", "url": "http://x.org/m"}
    assert found.fields["contact"] == [expected]
    assert codes(found) == {"title"}


def test_agents() -> None:
    """Described, named only, and addressed only."""
    found = read(
        "dct:publisher <http://x.org/p> ; dct:creator [ foaf:name 'Anne' ] , <http://x.org/c>",
        "<http://x.org/p> a foaf:Organization ; foaf:name 'CCPHVA'@fr ; foaf:mbox <mailto:c@x.org> .",
    )
    name = {"name": "CCPHVA", "name_translated": {"fr": "CCPHVA"}}
    assert found.fields["publisher"] == [{"uri": "http://x.org/p", "email": "c@x.org"} | name]
    assert found.fields["creator"] == [{"name": "Anne"}, {"uri": "http://x.org/c"}]


def test_places_and_the_geometry_to_search_by() -> None:
    """Labels, boxes and geometries; the first geometry is the one to search by."""
    found = read(
        "dct:spatial <http://x.org/commune> , [ a dct:Location ; skos:prefLabel 'Audun'@fr ;"
        " dcat:bbox 'POLYGON((5 49, 6 49, 6 50, 5 49))' ] , [ locn:geometry 'SRID=2154;POINT(1 2)' ]"
    )
    assert {"uri": "http://x.org/commune"} in found.fields["spatial_coverage"]
    assert found.fields["spatial"] == '{"type":"Polygon","coordinates":[[[5,49],[6,49],[6,50],[5,49]]]}'
    assert "geometry" in codes(found)


def test_periods() -> None:
    """DCAT's and schema.org's words for a period."""
    found = read(
        "dct:temporal [ dcat:startDate '2020-01-01'^^xsd:date ; dcat:endDate '2020-12-31'^^xsd:date ] ,"
        " [ schema:startDate '2021'^^xsd:gYear ] , [ schema:startDate 'hier' ]"
    )
    assert found.fields["temporal_coverage"] == [
        {"start": "2020-01-01", "end": "2020-12-31"},
        {"start": "2021"},
    ]
    assert "date" in codes(found)


def test_high_value_dataset() -> None:
    """DCAT-AP HVD 3.0.0: legislation and category."""
    eli = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
    found = read(
        f"dcatap:applicableLegislation <{eli}> ; dcatap:hvdCategory <http://data.europa.eu/bna/c_ac64a52d>"
    )
    assert found.fields["applicable_legislation"] == [eli]
    assert found.fields["hvd_category"] == ["http://data.europa.eu/bna/c_ac64a52d"]


def test_single_values_do_not_depend_on_order() -> None:
    """Of several values where one is allowed, always the same is taken and the others are told as lost."""
    one = read("dct:accessRights <http://x.org/b> , <http://x.org/a> ; dct:modified '2020' , '2021'")
    two = read("dct:modified '2021' , '2020' ; dct:accessRights <http://x.org/a> , <http://x.org/b>")
    assert one.fields == two.fields
    assert (one.fields["access_rights"], one.fields["modified"]) == ("http://x.org/a", "2021")
    assert "unmapped" in codes(one)


def test_series() -> None:
    """A series is a dataset of its kind, and its members name it."""
    assert read("dcat:inSeries <http://x.org/s>").fields["in_series"] == ["http://x.org/s"]
    assert read("a dcat:DatasetSeries").kind == "dataset_series"


# -- distributions ---------------------------------------------------------------------------------------


def test_distribution() -> None:
    """Addresses, type, size, checksum and licence of a distribution."""
    found = read(
        "dct:title 'x' ; dcat:distribution <http://x.org/r>",
        "<http://x.org/r> a dcat:Distribution ; dct:title 'Fichier'@fr ; dcat:accessURL <http://x.org/a> ;"
        " dcat:downloadURL <http://x.org/f.csv> ; dcat:byteSize '1024.0'^^xsd:decimal ;"
        " dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ;"
        " dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> ;"
        " dct:license <http://x.org/licence> ; spdx:checksum [ a spdx:Checksum ;"
        " spdx:algorithm spdx:checksumAlgorithm_sha1 ; spdx:checksumValue 'abc' ] .",
    )
    assert found.resources == [
        {
            "uri": "http://x.org/r",
            "name_translated": {"fr": "Fichier"},
            "access_url": "http://x.org/a",
            "download_url": "http://x.org/f.csv",
            "url": "http://x.org/f.csv",
            "size": 1024,
            "format": "CSV",
            "mimetype": "text/csv",
            "license": "http://x.org/licence",
            "hash": "abc",
            "hash_algorithm": "http://spdx.org/rdf/terms#checksumAlgorithm_sha1",
        }
    ]
    assert found.problems == ()


def test_a_distribution_that_is_only_named() -> None:
    """A link to something the document does not describe is no resource, and is told."""
    found = read("dcat:distribution <http://x.org/elsewhere>")
    assert found.resources == []
    assert "distribution" in codes(found)


def test_services() -> None:
    """An access service stays with its distribution, another one is a thing of the catalogue."""
    text = (
        PREFIXES + "<http://x.org/d> a dcat:Dataset ; dct:title 'D' ; dcat:distribution [ "
        "a dcat:Distribution ; dcat:accessURL <http://x.org/a> ; dcat:accessService <http://x.org/s1> ] .\n"
        "<http://x.org/s1> a dcat:DataService ; dct:title 'WFS' ; dcat:endpointURL <http://x.org/wfs> .\n"
        "<http://x.org/s2> a dcat:DataService ; dct:title 'API'@fr ; dcat:servesDataset <http://x.org/d> ;\n"
        " dcat:endpointURL <http://x.org/api> ; dct:format 'JSON' .\n"
    )
    records = documents.records(rdf.parse(text.encode(), "turtle", "http://x.org/"))
    dataset, service = (next(iter(DcatAp().datasets(record))) for record in records)
    inner = {"uri": "http://x.org/s1", "title": "WFS", "endpoint_url": ["http://x.org/wfs"]}
    assert dataset.resources[0]["access_services"] == [inner]
    assert (dataset.kind, service.kind) == ("dataset", "data_service")
    assert service.fields["serves_dataset"] == ["http://x.org/d"]
    assert (service.fields["endpoint_url"], service.fields["format"]) == (["http://x.org/api"], ["JSON"])


def test_roles_become_attributions() -> None:
    """A role said by its own property and the same by an attribution are one."""
    found = read(
        "geodcatap:custodian <http://x.org/a> ; prov:qualifiedAttribution [ prov:agent <http://x.org/a> ; "
        "dcat:hadRole <http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/custodian> ]",
        "<http://x.org/a> foaf:name 'A' .",
    )
    (role,) = found.fields["qualified_attribution"]
    assert (role["name"], role["role"].rpartition("/")[2]) == ("A", "custodian")


# -- the record ------------------------------------------------------------------------------------------


def test_bytes_can_be_read_too() -> None:
    """A source that only fetches can feed the same format."""
    body = documents.catalog("a", "b").encode()
    found = list(
        DcatAp().datasets(Record(id="doc", content=body, media_type="text/turtle", url="http://x.org/c"))
    )
    assert [dataset.guid for dataset in found] == ["http://x.org/d/a", "http://x.org/d/b"]


def test_losses_are_named() -> None:
    """What the table does not know is told, triple by triple and in the problems."""
    text = (
        PREFIXES
        + "<http://x.org/d> a dcat:Dataset ; dct:title 'x' ; <http://x.org/odd> [ <http://x.org/p> 1 ] ."
    )
    (record,) = documents.records(rdf.parse(text.encode(), "turtle", "http://x.org/"))
    assert {p for _, p, _ in DcatAp().losses(record)} == {"http://x.org/odd", "http://x.org/p"}
    (dataset,) = DcatAp().datasets(record)
    assert [p.message for p in dataset.problems] == ["http://x.org/odd", "http://x.org/p"]


def test_circles_end() -> None:
    """Things that describe each other in a circle are read once."""
    more = "<http://x.org/p> foaf:page <http://x.org/d> ; dct:type <http://x.org/p> . _:a dct:location _:a ."
    found = read("dct:title 'x' ; dct:publisher <http://x.org/p> ; dct:spatial _:a", more)
    assert found.fields["publisher"][0]["uri"] == "http://x.org/p"
