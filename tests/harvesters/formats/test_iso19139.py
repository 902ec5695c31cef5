"""ISO 19139: what each kind of statement becomes."""

from __future__ import annotations

from typing import Any

import pytest
from ccphva_harvesters import Dataset, Format, Record, RecordError
from ccphva_harvesters.formats.iso19139 import DATASET_FIELDS, RESOURCE_FIELDS, Iso19139, Iso19139Config
from ccphva_harvesters.steps.licence import Licence

from harvesters import iso
from harvesters.contracts import FormatContract

HEAD = """<gmd:MD_Metadata xmlns:gmd="http://www.isotc211.org/2005/gmd" xmlns:gco="http://www.isotc211.org/2005/gco"
 xmlns:gmx="http://www.isotc211.org/2005/gmx" xmlns:srv="http://www.isotc211.org/2005/srv"
 xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink">
<gmd:fileIdentifier><gco:CharacterString>id-1</gco:CharacterString></gmd:fileIdentifier>
<gmd:language><gmd:LanguageCode codeList="x" codeListValue="{language}"/></gmd:language>
<gmd:locale><gmd:PT_Locale id="DE"><gmd:languageCode><gmd:LanguageCode codeList="x" codeListValue="ger"/>
</gmd:languageCode></gmd:PT_Locale></gmd:locale>"""

LO = "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf"


def text(words: str, tag: str = "gmd:title") -> str:
    """A property that holds a text."""
    return f"<{tag}><gco:CharacterString>{words}</gco:CharacterString></{tag}>"


def citation(more: str = "", title: str = text("Eau")) -> str:
    """The citation."""
    return f"<gmd:citation><gmd:CI_Citation>{title}{more}</gmd:CI_Citation></gmd:citation>"


def document(info: str, more: str = "", language: str = "fre") -> bytes:
    """A record whose identification is ``info``."""
    return (
        HEAD.format(language=language)
        + f"<gmd:identificationInfo><gmd:MD_DataIdentification>{info}</gmd:MD_DataIdentification>"
        + f"</gmd:identificationInfo>{more}</gmd:MD_Metadata>"
    ).encode()


def read(info: str, more: str = "", language: str = "fre", **config: Any) -> Dataset:
    """The only dataset of such a record."""
    content = document(info, more, language)
    (dataset,) = Iso19139(Iso19139Config(**config)).datasets(Record(id="r", content=content))
    return dataset


def codes(dataset: Dataset) -> set[str]:
    """Codes of a dataset's problems."""
    return {problem.code for problem in dataset.problems}


class TestContract(FormatContract):
    """Every yardstick through the contract."""

    dataset_fields = DATASET_FIELDS
    resource_fields = RESOURCE_FIELDS

    @pytest.fixture
    def format_(self) -> Format:
        """As configured by default."""
        return Iso19139()

    @pytest.fixture
    def records(self) -> list[Record]:
        """Records of every yardstick that holds metadata."""
        return [iso.record(fact.path) for fact in iso.facts() if fact.datasets]


def test_texts_by_language() -> None:
    """The plain text is in the record's language, localised ones in their locale's; a machine's are left."""
    free = (
        "<gmd:title><gco:CharacterString>Eau</gco:CharacterString><gmd:PT_FreeText><gmd:textGroup>"
        '<gmd:LocalisedCharacterString locale="#DE">Wasser</gmd:LocalisedCharacterString></gmd:textGroup>'
        '<gmd:textGroup><gmd:LocalisedCharacterString locale="#en-t-fr-t0-mtec">Water'
        "</gmd:LocalisedCharacterString></gmd:textGroup></gmd:PT_FreeText></gmd:title>"
    )
    found = read(citation(title=free))
    assert found.fields["title_translated"] == {"fr": "Eau", "de": "Wasser"}
    assert "machine-translation" in codes(found)


def test_a_language_that_the_portal_has_not() -> None:
    """A text in none of our languages is kept, under the default one, and flagged."""
    found = read(citation(), language="ita")
    assert found.fields["title_translated"] == {"fr": "Eau"}
    assert "language" in codes(found)


@pytest.mark.parametrize(
    ("constraint", "licence", "id_"),
    [
        (
            text("Licence Ouverte version 2.0", "gmd:otherConstraints"),
            "Licence Ouverte version 2.0",
            "etalab-2.0",
        ),
        (
            '<gmd:otherConstraints><gmx:Anchor xlink:href="https://creativecommons.org/licenses/by/4.0/">'
            "CC BY 4.0</gmx:Anchor></gmd:otherConstraints>",
            "https://creativecommons.org/licenses/by/4.0/",
            "cc-by-4.0",
        ),
        (
            text(
                f"Licence Ouverte {LO}",
                "gmd:useLimitation",
            ),
            f"Licence Ouverte {LO}",
            "etalab-2.0",
        ),
        (text("Licence CC BY", "gmd:otherConstraints"), "Licence CC BY", None),
        (text("Licence Ouverte 1.0", "gmd:otherConstraints"), "Licence Ouverte 1.0", None),
    ],
)
def test_licences(constraint: str, licence: str, id_: str | None) -> None:
    """The licence keeps its words; ours is found by a known name or address, never by likeness."""
    block = f"<gmd:MD_LegalConstraints>{constraint}</gmd:MD_LegalConstraints>"
    block = f"<gmd:resourceConstraints>{block}</gmd:resourceConstraints>"
    found = Licence()(read(citation() + block))
    assert found.fields["license"] == licence
    assert found.fields.get("license_id") == id_
    assert ("licence-unknown" in codes(found)) == (id_ is None)


def test_access_limitations_are_no_licence() -> None:
    """INSPIRE's limitation of public access becomes the access rights, other words the rights."""
    address = "http://inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/noLimitations"
    block = (
        "<gmd:resourceConstraints><gmd:MD_LegalConstraints><gmd:otherConstraints>"
        f'<gmx:Anchor xlink:href="{address}">Pas de restriction</gmx:Anchor></gmd:otherConstraints>'
        f"{text('Citer la source', 'gmd:useLimitation')}</gmd:MD_LegalConstraints></gmd:resourceConstraints>"
    )
    found = read(citation() + block).fields
    assert (found["access_rights"], found["rights"]) == (address, "Citer la source")
    assert "license" not in found


def party(role: str, name: str = "Ville", mail: str = "a@b.fr") -> str:
    """A party as point of contact of the resource."""
    return (
        f"<gmd:pointOfContact><gmd:CI_ResponsibleParty>{text(name, 'gmd:organisationName')}<gmd:contactInfo>"
        f"<gmd:CI_Contact><gmd:address><gmd:CI_Address>{text(mail, 'gmd:electronicMailAddress')}"
        "</gmd:CI_Address></gmd:address></gmd:CI_Contact></gmd:contactInfo>"
        f'<gmd:role><gmd:CI_RoleCode codeList="x" codeListValue="{role}"/></gmd:role>'
        "</gmd:CI_ResponsibleParty></gmd:pointOfContact>"
    )


def test_parties_by_role() -> None:
    """Contact, publisher and creator have their fields; any other role is an attribution."""
    roles = ("pointOfContact", "publisher", "author", "owner")
    found = read(citation() + "".join(party(role, role.title()) for role in roles)).fields
    assert found["contact"] == [{"name": "Pointofcontact", "email": "a@b.fr"}]
    assert found["publisher"] == [{"name": "Publisher", "email": "a@b.fr"}]
    assert found["creator"] == [{"name": "Author", "email": "a@b.fr"}]
    (other,) = found["qualified_attribution"]
    assert other["role"] == "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/owner"


def keyword(words: str, thesaurus: str) -> str:
    """A group with one keyword of a thesaurus."""
    return (
        f"<gmd:descriptiveKeywords><gmd:MD_Keywords>{words}<gmd:thesaurusName><gmd:CI_Citation>{text(thesaurus)}"
        "</gmd:CI_Citation></gmd:thesaurusName></gmd:MD_Keywords></gmd:descriptiveKeywords>"
    )


@pytest.mark.parametrize(
    "word", ["Parcelles cadastrales", "Cadastral parcels", "Flurstücke (Katasterparzellen)"]
)
def test_inspire_themes_by_name(word: str) -> None:
    """A word of INSPIRE's thesaurus becomes its theme, in any language; elsewhere it is a keyword."""
    named = read(
        citation() + keyword(text(word, "gmd:keyword"), "GEMET - INSPIRE themes, version 1.0")
    ).fields
    assert named["inspire_theme"] == ["http://inspire.ec.europa.eu/theme/cp"]
    other = read(citation() + keyword(text(word, "gmd:keyword"), "Mots libres")).fields
    assert "inspire_theme" not in other
    assert other["keywords_translated"] == {"fr": [word]}


def test_high_value_category_by_address() -> None:
    """A keyword that points to the list of the regulation becomes the category."""
    word = '<gmd:keyword><gmx:Anchor xlink:href="http://data.europa.eu/bna/c_ac64a52d">Geospatial</gmx:Anchor></gmd:keyword>'
    assert read(citation() + keyword(word, "HVD")).fields["hvd_category"] == [
        "http://data.europa.eu/bna/c_ac64a52d"
    ]


def box(west: str, south: str, east: str, north: str) -> str:
    """An extent with a box."""
    sides = {"westBoundLongitude": west, "eastBoundLongitude": east, "southBoundLatitude": south}
    sides["northBoundLatitude"] = north
    inner = "".join(f"<gmd:{k}><gco:Decimal>{v}</gco:Decimal></gmd:{k}>" for k, v in sides.items())
    return (
        "<gmd:extent><gmd:EX_Extent><gmd:geographicElement><gmd:EX_GeographicBoundingBox>"
        f"{inner}</gmd:EX_GeographicBoundingBox></gmd:geographicElement></gmd:EX_Extent></gmd:extent>"
    )


@pytest.mark.parametrize(
    "corners", [("5", "60", "6", "40"), ("x", "1", "2", "3"), ("nan", "1", "2", "3"), ("500", "1", "2", "3")]
)
def test_boxes_that_are_none(corners: tuple[str, str, str, str]) -> None:
    """A box that does not lie on the globe is a problem, not a place."""
    found = read(citation() + box(*corners))
    assert "spatial" not in found.fields
    assert "geometry" in codes(found)


def test_a_box_with_commas() -> None:
    """Decimal commas, as French tools write them, are read."""
    assert "5.9" in read(citation() + box("5,9", "49,4", "6,1", "49,6")).fields["spatial"]


def test_a_polygon_in_the_order_of_its_system() -> None:
    """Coordinates are turned where the reference system puts latitude first."""
    ring = "49 6 50 6 50 7 49 6"
    shape = (
        "<gmd:extent><gmd:EX_Extent><gmd:geographicElement><gmd:EX_BoundingPolygon><gmd:polygon>"
        f'<gml:Polygon srsName="urn:ogc:def:crs:EPSG::4326"><gml:exterior><gml:LinearRing><gml:posList>{ring}'
        "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gmd:polygon></gmd:EX_BoundingPolygon>"
        "</gmd:geographicElement></gmd:EX_Extent></gmd:extent>"
    )
    (place,) = read(citation() + shape).fields["spatial_coverage"]
    assert place["geom"] == '{"type":"Polygon","coordinates":[[[6.0,49.0],[6.0,50.0],[7.0,50.0],[6.0,49.0]]]}'


@pytest.mark.parametrize(
    ("code", "address"),
    [
        ("2154", "2154"),
        ("EPSG:2154", "2154"),
        ("RGF93 / Lambert-93 (EPSG:2154)", "2154"),
        ("urn:ogc:def:crs:EPSG::2154", "2154"),
        ("urn:ogc:def:crs:EPSG:6.11:2154", "2154"),
        ("http://www.opengis.net/def/crs/EPSG/0/2154", "2154"),
    ],
)
def test_reference_systems(code: str, address: str) -> None:
    """An EPSG code is found in each way to write it."""
    system = (
        "<gmd:referenceSystemInfo><gmd:MD_ReferenceSystem><gmd:referenceSystemIdentifier><gmd:RS_Identifier>"
        f"{text(code, 'gmd:code')}{text('EPSG', 'gmd:codeSpace')}</gmd:RS_Identifier>"
        "</gmd:referenceSystemIdentifier></gmd:MD_ReferenceSystem></gmd:referenceSystemInfo>"
    )
    found = read(citation(), system).fields
    assert found["reference_system"] == [f"http://www.opengis.net/def/crs/EPSG/0/{address}"]


def online(url: str, protocol: str, name: str = "couche") -> str:
    """A link to the data."""
    return (
        "<gmd:distributionInfo><gmd:MD_Distribution><gmd:transferOptions><gmd:MD_DigitalTransferOptions><gmd:onLine>"
        f"<gmd:CI_OnlineResource><gmd:linkage><gmd:URL>{url}</gmd:URL></gmd:linkage>"
        f"{text(protocol, 'gmd:protocol')}{text(name, 'gmd:name')}</gmd:CI_OnlineResource></gmd:onLine>"
        "</gmd:MD_DigitalTransferOptions></gmd:transferOptions></gmd:MD_Distribution></gmd:distributionInfo>"
    )


@pytest.mark.parametrize(
    ("protocol", "url", "format_", "download"),
    [
        ("OGC:WMS-1.3.0-http-get-map", "https://x.fr/wms", "WMS", False),
        ("OGC Web Feature Service", "https://x.fr/wfs", "WFS", False),
        ("", "https://x.fr/ows?SERVICE=WMS&amp;request=GetCapabilities", "WMS", False),
        ("WWW:DOWNLOAD-1.0-http--download", "https://x.fr/a.zip", "ZIP", True),
        ("WWW:LINK-1.0-http--link", "https://x.fr/page", None, False),
    ],
)
def test_links_by_protocol(protocol: str, url: str, format_: str | None, download: bool) -> None:
    """Services, downloads and plain links are told apart by what the protocol says."""
    (resource,) = read(citation(), online(url, protocol)).resources
    assert resource.get("format") == format_
    assert ("download_url" in resource) == download
    assert ("access_services" in resource) == (format_ in ("WMS", "WFS"))


def test_an_identifier_with_a_code_space() -> None:
    """INSPIRE's code and code space make the resource's address; the record's own name stays its key."""
    identifier = (
        f"<gmd:identifier><gmd:RS_Identifier>{text('abc', 'gmd:code')}"
        f"{text('http://x.fr/id/', 'gmd:codeSpace')}</gmd:RS_Identifier></gmd:identifier>"
    )
    found = read(citation(identifier))
    assert (found.guid, found.identifier, found.uri) == ("id-1", "id-1", "http://x.fr/id/abc")


def test_no_title() -> None:
    """A record without a title is kept under its identifier, and says so."""
    found = read(citation(title=""))
    assert found.fields["title_translated"] == {"fr": "id-1"}
    assert "title" in codes(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Maintenance</body></html>", "HTML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><gmd:MD_Metadata xmlns:gmd="g">&a;</gmd:MD_Metadata>', "DOCTYPE"),
        (
            b'<?xml version="1.0"?><!-- c --><!DOCTYPE MD_Metadata SYSTEM "http://127.0.0.2/x"><MD_Metadata/>',
            "DOCTYPE",
        ),
        (b"<MD_Metadata>", "not well formed"),
        (b"<a>" * 150 + b"</a>" * 150, "deeper"),
        (b"<a>" * 5000 + b"</a>" * 5000, "deeper"),
        (b'{"a": 1}', "JSON"),
        (b"<MD_Metadata/>", "identificationInfo"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "DOCTYPE"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "not well formed|cannot be read"),
    ],
    ids=[
        "empty",
        "html",
        "entities",
        "system",
        "broken",
        "deep",
        "deeper",
        "json",
        "bare",
        "utf-16",
        "charset",
    ],
)
def test_hostile_documents_cost_one_record(content: bytes, reason: str) -> None:
    """Each is refused with its true reason and nothing is fetched or unfolded."""
    with pytest.raises(RecordError, match=reason):
        list(Iso19139().datasets(Record(id="x", content=content)))


def test_other_charsets() -> None:
    """A document in Latin-1 that says so is read as such."""
    content = '<?xml version="1.0" encoding="ISO-8859-1"?>' + document(citation(title=text("Étang"))).decode()
    (found,) = Iso19139().datasets(Record(id="x", content=content.encode("latin-1")))
    assert found.fields["title_translated"] == {"fr": "Étang"}
