"""Writes values and described things into a graph: agents, contacts, places, statements, measurements.

Nothing here knows which property of which class leads to them: that is `properties` and `catalogue`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import shapely
from ckanext.ccphva import codelists, languages
from ckanext.dcat.profiles.base import CleanedURIRef
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.term import Node

from .properties import Property
from .vocabulary import (
    ADMS,
    DCAT,
    DCTERMS,
    DQV,
    FOAF,
    GSP,
    LOCN,
    ORG,
    PROV,
    RDF,
    RDFS,
    ROLE,
    SDMX,
    SKOS,
    VCARD,
    XSD,
)  # fmt: skip

Fields = Mapping[str, Any]
DIGITS = 7
"""Decimals of a coordinate: one centimetre."""
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
_DATES = (
    (re.compile(r"-?\d{4}"), XSD.gYear),
    (re.compile(r"-?\d{4}-\d{2}"), XSD.gYearMonth),
    (re.compile(r"-?\d{4}-\d{2}-\d{2}"), XSD.date),
    (re.compile(r"-?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?"), XSD.dateTime),
)
_OFFICE = ("http://publications.europa.eu/", "http://data.europa.eu/bna/")
_IANA = "http://www.iana.org/assignments/media-types/"


class Writer:
    """What is said of things, in one graph.

    :param portal: address under which the portal's own things stand (`ckanext.dcat.base_uri`).
    """

    def __init__(self, graph: Graph, portal: str) -> None:
        self.graph, self.portal = graph, portal

    def add(self, subject: Node, predicate: URIRef, value: Node | None, type_: URIRef | None = None) -> None:
        """A triple, and the class of what it points to."""
        if value is None:
            return
        self.graph.add((subject, predicate, value))
        if type_ is not None and not isinstance(value, Literal):
            self.graph.add((value, RDF.type, type_))

    def forget(self, subject: Node, predicate: URIRef) -> None:
        """Take away what another profile wrote, blank nodes with all that hangs on them."""
        for value in list(self.graph.objects(subject, predicate)):
            self.graph.remove((subject, predicate, value))
            if isinstance(value, BNode):
                for inner in list(self.graph.predicates(value)):
                    self.forget(value, inner)  # type: ignore[arg-type]

    # -- values ------------------------------------------------------------------------------------------

    def properties(self, subject: Node, data: Fields, table: Iterable[Property]) -> None:
        """What a table says of a thing, instead of what another profile said by the same properties."""
        table = tuple(table)
        for predicate in {row.predicate for row in table}:
            self.forget(subject, predicate)
        for row in table:
            for value in _several(data.get(row.field)):
                self.value(subject, row, value)

    def value(self, subject: Node, row: Property, value: Any) -> None:
        match row.kind:
            case "text":
                self.texts(subject, row.predicate, value)
            case "date":
                self.add(subject, row.predicate, date(value))
            case "moment":
                self.add(subject, row.predicate, moment(value))
            case "statement":
                self.statement(subject, row.predicate, value, row.type)
            case "dataset":
                self.add(subject, row.predicate, uri(self.dataset(value)))
            case "media":
                self.add(subject, row.predicate, self.media(value), row.type)
            case "concept":
                self.concept(subject, row, value)
            case "uri":
                self.add(subject, row.predicate, node := uri(value), row.type)
                if row.type == SKOS.Concept:
                    self.label(node, None)

    def texts(self, subject: Node, predicate: URIRef, value: Any) -> None:
        """One literal a language; a plain text has none."""
        if isinstance(value, Mapping):
            for language, text in value.items():
                self.add(subject, predicate, Literal(text, lang=language))
        elif value:
            self.add(subject, predicate, Literal(value))

    def statement(self, subject: Node, predicate: URIRef, value: Any, type_: URIRef | None) -> None:
        """An address, or a node that bears the texts as label and as description (GeoDCAT-AP 3)."""
        only = next(iter(value.values())) if isinstance(value, Mapping) and len(value) == 1 else value
        if isinstance(only, str) and _URI.fullmatch(only):
            self.add(subject, predicate, uri(only), type_)
            return
        node = BNode()
        self.add(subject, predicate, node, type_)
        for said in (RDFS.label, DCTERMS.description):
            self.texts(node, said, value)

    def concept(self, subject: Node, row: Property, value: str) -> None:
        """A value of a code list; the portal's own concepts are described, as nobody else does."""
        codelist = codelists.load(str(row.codelist))
        address = codelist.uri(value, self.portal)
        if not _URI.fullmatch(address):  # a text that another catalogue has in that place
            node = BNode()
            self.add(subject, row.predicate, node, row.type)
            self.add(node, RDFS.label, Literal(value))
            if row.type == SKOS.Concept:
                self.add(node, SKOS.prefLabel, Literal(value))
            return
        node = uri(address)
        self.add(subject, row.predicate, node, row.type)
        if row.type == SKOS.Concept:
            self.label(node, codelist.get(value))

    def label(self, node: Node, concept: codelists.Concept | None) -> None:
        """Name of a concept, but of those that the Publications Office describes itself."""
        address = str(node)
        if address.startswith(_OFFICE) or (node, SKOS.prefLabel, None) in self.graph:
            return
        own, _, code = address.removeprefix(f"{self.portal}/codelists/").partition("/")
        if concept is None and own in codelists.names():
            concept = codelists.load(own).get(code)
        self.texts(node, SKOS.prefLabel, concept.labels if concept else re.split(r"[/#]", address)[-1])

    def dataset(self, key: str) -> str:
        """URI of a dataset named by its id here, or by a URI."""
        return key if _URI.fullmatch(key) else f"{self.portal}/dataset/{key}"

    def media(self, value: str) -> Node:
        """IANA's address of a media type (DCAT 3 §6.8.16)."""
        return URIRef(_IANA + value) if re.fullmatch(r"[\w.+-]+/[\w.+-]+", value) else uri(value)

    # -- described things --------------------------------------------------------------------------------

    def agent(self, data: Fields) -> Node:
        """foaf:Agent (DCAT-AP 3.0.1 §Agent, GeoDCAT-AP 3 §Agent)."""
        node = uri(data["uri"]) if data.get("uri") else BNode()
        self._forget_said_again(node, data, _SAID_OF_AN_AGENT)
        self.graph.add((node, RDF.type, FOAF.Agent))
        self.texts(node, FOAF.name, data.get("name_translated") or data.get("name"))
        if kind := data.get("type"):
            row = Property("type", DCTERMS.type, "concept", SKOS.Concept, "publisher-type")
            self.concept(node, row, kind)
        if identifier := data.get("identifier"):
            self.add(node, DCTERMS.identifier, Literal(identifier))
        self.add(node, FOAF.mbox, _scheme("mailto:", data.get("email")))
        self.add(node, FOAF.phone, _scheme("tel:", data.get("telephone")))
        if site := data.get("url"):
            for predicate in (FOAF.homepage, FOAF.workplaceHomepage):
                self.add(node, predicate, uri(site), FOAF.Document)
        if above := data.get("member_of"):
            found = uri(above)
            parent = BNode() if isinstance(found, Literal) else found
            self.add(node, ORG.memberOf, parent, ORG.Organization)
            if (parent, FOAF.name, None) not in self.graph:
                self.add(parent, FOAF.name, Literal(above))
        self._address(node, data, LOCN.address, LOCN.Address, _AGENT_ADDRESS)
        return node

    def contact(self, data: Fields) -> Node:
        """vcard:Kind (DCAT 3 §6.4.6, GeoDCAT-AP 3 §Kind)."""
        node = uri(data["uri"]) if data.get("uri") else BNode()
        self._forget_said_again(node, data, _SAID_OF_A_CONTACT)
        self.graph.add((node, RDF.type, VCARD.Organization))
        self.graph.add((node, RDF.type, VCARD.Kind))
        if name := data.get("name") or data.get("organization"):
            self.add(node, VCARD.fn, Literal(name))
        if organization := data.get("organization"):
            self.add(node, VCARD["organization-name"], Literal(organization))
        self.add(node, VCARD.hasEmail, _scheme("mailto:", data.get("email")), VCARD.Email)
        self.add(node, VCARD.hasTelephone, _scheme("tel:", data.get("telephone")), VCARD.Voice)
        if page := data.get("url"):
            self.add(node, VCARD.hasURL, uri(page), RDFS.Resource)
        if identifier := data.get("identifier"):
            self.add(node, VCARD.hasUID, uri(identifier))
        self._address(node, data, VCARD.hasAddress, VCARD.Address, _CONTACT_ADDRESS)
        return node

    def _forget_said_again(self, node: Node, data: Fields, said: Mapping[str, tuple[URIRef, ...]]) -> None:
        """One thing may stand in many datasets: each property is said once, as its last mention has it."""
        for field, predicates in said.items():
            parts = _ADDRESS if field == "address" else (field,)
            if any(data.get(part) for part in parts):
                for predicate in predicates:
                    self.forget(node, predicate)

    def _address(
        self, subject: Node, data: Fields, predicate: URIRef, type_: URIRef, parts: Mapping[str, URIRef]
    ) -> None:
        if not any(data.get(part) for part in parts):
            return
        node = BNode()
        self.add(subject, predicate, node, type_)
        for part, said in parts.items():
            if data.get(part):
                self.add(node, said, Literal(data[part]))

    def covered(self, subject: Node, data: Fields) -> None:
        """The places and periods that a dataset or catalogue covers."""
        self.forget(subject, DCTERMS.spatial)
        for item in data.get("spatial_coverage") or ():
            self.add(subject, DCTERMS.spatial, self.place(item))
        self.forget(subject, DCTERMS.temporal)
        for item in data.get("temporal_coverage") or ():
            period = BNode()
            self.add(subject, DCTERMS.temporal, period, DCTERMS.PeriodOfTime)
            self.add(period, DCAT.startDate, date(item.get("start")))
            self.add(period, DCAT.endDate, date(item.get("end")))

    def place(self, data: Fields) -> Node:
        """dct:Location with its geometries in WKT (GeoDCAT-AP 3 §Spatial coverage)."""
        node = uri(data["uri"]) if data.get("uri") else BNode()
        self.graph.add((node, RDF.type, DCTERMS.Location))
        if name := data.get("text"):
            self.add(node, SKOS.prefLabel, Literal(name))
        if code := data.get("identifier"):
            self.add(node, DCTERMS.identifier, Literal(code))
        for field, predicate in (("geom", LOCN.geometry), ("bbox", DCAT.bbox), ("centroid", DCAT.centroid)):
            self.forget(node, predicate)
            if data.get(field):
                self._geometry(node, predicate, _wkt(data[field]))
        return node

    def _geometry(self, place: Node, predicate: URIRef, wkt: Literal | None) -> None:
        """dcat:bbox and dcat:centroid bear the literal; locn:geometry a node that bears it."""
        if predicate == LOCN.geometry and wkt is not None:
            node = BNode()
            self.add(place, predicate, node, LOCN.Geometry)
            self.add(node, GSP.asWKT, wkt)
        else:
            self.add(place, predicate, wkt)

    def attribution(self, subject: Node, data: Fields) -> None:
        """An agent in a role: as prov:Attribution, and by the role's own property where there is one."""
        agent, role = self.agent(data), data.get("role")
        node = BNode()
        self.add(subject, PROV.qualifiedAttribution, node, PROV.Attribution)
        self.add(node, PROV.agent, agent)
        if role:
            self.add(node, DCAT.hadRole, uri(role), DCAT.Role)
        if role in ROLE_PROPERTIES:
            self.add(subject, ROLE_PROPERTIES[role], agent)

    def conformity(self, subject: Node, data: Fields) -> None:
        """An assessment against a rule (GeoDCAT-AP 3 §Conformity); what conforms says so plainly, too."""
        rule = uri(data["specification"]) if data.get("specification") else BNode()
        self.graph.add((rule, RDF.type, DCTERMS.Standard))
        if title := data.get("title"):
            self.add(rule, DCTERMS.title, Literal(title))
        self.add(rule, DCTERMS.issued, date(data.get("issued")))
        self.graph.add((subject, RDF.type, PROV.Entity))
        activity, result, link, plan = BNode(), BNode(), BNode(), BNode()
        self.add(subject, PROV.wasUsedBy, activity, PROV.Activity)
        self.add(activity, PROV.used, subject)
        self.add(activity, PROV.generated, result, PROV.Entity)
        if degree := data.get("degree"):
            row = Property("degree", DCTERMS.type, "concept", SKOS.Concept, "conformity-degree")
            self.concept(result, row, degree)
        self.add(activity, PROV.qualifiedAssociation, link, PROV.Association)
        self.add(link, PROV.hadPlan, plan, PROV.Plan)
        self.add(plan, PROV.wasDerivedFrom, rule)

    def measurement(self, subject: Node, data: Fields) -> None:
        """Spatial resolution as a measured quality (GeoDCAT-AP 3 §Spatial resolution)."""
        node = BNode()
        self.add(subject, DQV.hasQualityMeasurement, node, DQV.QualityMeasurement)
        if metric := data.get("metric"):
            self.add(node, DQV.isMeasurementOf, uri(metric), DQV.Metric)
        if value := data.get("value"):
            number = re.fullmatch(r"-?\d+(\.\d+)?", str(value))
            self.add(node, DQV.value, Literal(value, datatype=XSD.decimal if number else None))
        if unit := data.get("unit"):
            self.value(node, Property("unit", SDMX.unitMeasure, "uri", SKOS.Concept), unit)

    def identifier(self, subject: Node, value: str, agency: str | None = None) -> None:
        """adms:Identifier."""
        node = BNode()
        self.add(subject, ADMS.identifier, node, ADMS.Identifier)
        self.add(node, SKOS.notation, Literal(value))
        if agency:
            self.add(node, ADMS.schemaAgency, Literal(agency))


_ADDRESS = ("street", "postcode", "city", "region", "country")
_SAID_OF_AN_AGENT = {
    "name": (FOAF.name,), "email": (FOAF.mbox, VCARD.hasEmail), "telephone": (FOAF.phone,),
    "member_of": (ORG.memberOf,), "address": (LOCN.address,),
}  # fmt: skip
_SAID_OF_A_CONTACT = {
    "name": (VCARD.fn,), "email": (VCARD.hasEmail,), "telephone": (VCARD.hasTelephone,),
    "url": (VCARD.hasURL,), "identifier": (VCARD.hasUID,), "address": (VCARD.hasAddress,),
}  # fmt: skip
_AGENT_ADDRESS = {
    "street": LOCN.thoroughfare, "postcode": LOCN.postCode, "city": LOCN.postName,
    "region": LOCN.adminUnitL2, "country": LOCN.adminUnitL1,
}  # fmt: skip
_CONTACT_ADDRESS = {
    "street": VCARD["street-address"], "postcode": VCARD["postal-code"], "city": VCARD.locality,
    "region": VCARD.region, "country": VCARD["country-name"],
}  # fmt: skip
ROLE_PROPERTIES = {
    str(ROLE[role]): URIRef("http://data.europa.eu/930/" + role)
    for role in (
        "custodian", "distributor", "originator", "principalInvestigator", "processor", "resourceProvider",
        "user",
    )
} | {str(ROLE.owner): DCTERMS.rightsHolder}  # fmt: skip
"""Properties of GeoDCAT-AP 3 that say a role of INSPIRE directly."""


def uri(value: str) -> Node:
    """An address, or a text where a source has no address."""
    return CleanedURIRef(value.strip()) if _URI.fullmatch(value.strip()) else Literal(value)


def date(value: Any) -> Literal | None:
    """A year, month, day or moment with its type; what is none of them stays a text."""
    text = str(value or "").strip()
    if not text:
        return None
    type_ = next((type_ for pattern, type_ in _DATES if pattern.fullmatch(text)), None)
    return Literal(text, datatype=type_)


def moment(value: Any) -> Literal | None:
    """A date as the moment at which its day begins: DCAT-AP-LU wants xsd:dateTime of distributions."""
    literal = date(value)
    if literal is None or literal.datatype != XSD.date:
        return literal
    return Literal(f"{literal}T00:00:00", datatype=XSD.dateTime)


def texts_of(value: Any) -> Any:
    """Texts by language as a dict, whatever form they are stored in."""
    return languages.parse(value) or value


def _several(value: Any) -> list[Any]:
    """The values of a field: none, one, or a list that may be stored as JSON."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    values = value if isinstance(value, list) else [value]
    return [item for item in values if item not in (None, "", {})]


def _scheme(scheme: str, value: str | None) -> URIRef | None:
    """An e-mail address or telephone number as a URI (RFC 6068, RFC 3966)."""
    if not value:
        return None
    bare = value.strip().removeprefix(scheme)
    return CleanedURIRef(scheme + re.sub(r"\s+", "-" if scheme == "tel:" else "", bare))


def _wkt(value: Any) -> Literal | None:
    """A GeoJSON geometry as WKT in WGS 84, longitude first."""
    try:
        shape = shapely.from_geojson(value if isinstance(value, str) else json.dumps(value))
    except (shapely.errors.GEOSException, TypeError):
        return None
    text = shapely.to_wkt(shape, rounding_precision=DIGITS, trim=True)
    return Literal(text, datatype=GSP.wktLiteral)
