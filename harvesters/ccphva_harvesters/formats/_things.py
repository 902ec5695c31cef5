"""Readers of described things: agents, contacts, places, periods, checksums, relations.

Each takes a node of the graph and gives a sub-field mapping with ckanext-dcat's names. Private to the RDF
formats. Imports only ``geometry``, ``rdf``, ``_reader`` and ``_terms``.
"""

from __future__ import annotations

import re

from rdflib import Literal

from ccphva_harvesters.geometry import to_geojson
from ccphva_harvesters.model import Fields
from ccphva_harvesters.rdf import Term

from . import _terms as t
from ._reader import Predicates, Reader, compact, uri


def agent(r: Reader, node: Term) -> Fields:
    """foaf:Agent (DCAT-AP 3 §Agent), also written as a vCard, a bare name or a bare address."""
    if isinstance(node, Literal):
        return compact({"name": str(node).strip()})
    names = (
        t.FOAF + "name",
        t.SKOS + "prefLabel",
        t.RDFS + "label",
        t.VCARD + "fn",
        t.DCT + "title",
        t.VCARD + "organization-name",
    )
    return compact(
        {
            "uri": uri(node),
            "name_translated": r.tagged(node, names[:1]),
            "name": _called(r.plain(node, names, "publisher")),
            "email": _email(r, node, (t.FOAF + "mbox", t.VCARD + "hasEmail", t.SCHEMA + "email")),
            "url": r.ref(
                node,
                (
                    t.FOAF + "homepage",
                    t.FOAF + "workplaceHomepage",
                    t.VCARD + "hasURL",
                    t.VCARD + "url",
                    t.FOAF + "page",
                ),
            ),
            "type": r.ref(node, (t.DCT + "type",)),
            "identifier": r.ref(node, (t.DCT + "identifier", t.SKOS + "notation")),
            "telephone": _telephone(r, node, (t.FOAF + "phone", t.VCARD + "hasTelephone")),
            **_address(r, node),
            "member_of": r.ref(node, (t.ORG + "memberOf",)),
        }
    )


_CONTACT_NAMES = ("fn", "organization-name", "organisation-name", "org", "title")


def contact(r: Reader, node: Term) -> Fields:
    """vcard:Kind (DCAT 3 §6.4.6 contact point)."""
    if isinstance(node, Literal):
        return compact({"name": str(node).strip()})
    names = (*(t.VCARD + n for n in _CONTACT_NAMES), t.FOAF + "name", t.RDFS + "label", t.SCHEMA + "name")
    return compact(
        {
            "uri": uri(node),
            "name": _called(r.plain(node, names, "contact")),
            "email": _email(
                r, node, (t.VCARD + "hasEmail", t.VCARD + "email", t.FOAF + "mbox", t.SCHEMA + "email")
            ),
            "identifier": r.ref(node, (t.VCARD + "hasUID", t.DCT + "identifier")),
            "url": r.ref(
                node,
                (
                    t.VCARD + "hasURL",
                    t.VCARD + "hasUrl",
                    t.VCARD + "url",
                    t.FOAF + "homepage",
                    t.FOAF + "workplaceHomepage",
                ),
            ),
            "telephone": _telephone(r, node, (t.VCARD + "hasTelephone", t.VCARD + "tel")),
            **_address(r, node),
            "role": r.ref(node, (t.VCARD + "role",)),
            "organization": _called(
                r.ref(node, (t.VCARD + "organization-name", t.VCARD + "organisation-name", t.VCARD + "org"))
            ),
        }
    )


def _called(name: str | None) -> str | None:
    """A name, but not the address of something that the document does not describe."""
    return None if name and re.match(r"https?://", name) else name


def _email(r: Reader, node: Term, predicates: Predicates) -> str | None:
    value = _through(r, node, predicates)
    return value.removeprefix("mailto:").removeprefix("MAILTO:").strip() if value else None


def _telephone(r: Reader, node: Term, predicates: Predicates) -> str | None:
    value = _through(r, node, predicates)
    return value.removeprefix("tel:").strip() if value else None


def _through(r: Reader, node: Term, predicates: Predicates) -> str | None:
    """A value, or what a node in between holds in vcard:hasValue."""
    for predicate, value in sorted(r.objects(node, predicates), key=lambda pair: str(r.name(pair[1]))):
        inner = r.ref(value, (t.VCARD + "hasValue", t.VCARD + "value", t.RDF + "value"))
        found = inner or (r.name(value))
        if found:
            r.use(node, predicate, value)
            return found
    return None


_STREET = (t.VCARD + "hasStreetAddress", t.VCARD + "street-address", t.LOCN + "thoroughfare")
_POSTCODE = (t.VCARD + "hasPostalCode", t.VCARD + "postal-code", t.LOCN + "postCode")
_CITY = (t.VCARD + "hasLocality", t.VCARD + "locality", t.LOCN + "postName")
_REGION = (t.VCARD + "hasRegion", t.VCARD + "region", t.LOCN + "adminUnitL2")
_COUNTRY = (t.VCARD + "hasCountryName", t.VCARD + "country-name", t.LOCN + "adminUnitL1")


_PARTS = {"street": _STREET, "postcode": _POSTCODE, "city": _CITY, "region": _REGION, "country": _COUNTRY}


def _address(r: Reader, node: Term) -> Fields:
    """Parts of an address kept in the node itself or in a vcard:Address or locn:Address."""
    found = _address_parts(r, node)
    for place in r.described(node, (t.VCARD + "hasAddress", t.LOCN + "address")):
        if isinstance(place, Literal):
            found.setdefault("street", str(place).strip())
        else:
            found = {**_address_parts(r, place), **found}
            if full := r.ref(place, (t.LOCN + "fullAddress",)):
                found.setdefault("street", full)
    return found


def _address_parts(r: Reader, node: Term) -> Fields:
    return compact({part: r.ref(node, names) for part, names in _PARTS.items()})


def period(r: Reader, node: Term) -> Fields:
    """dct:PeriodOfTime (DCAT 3 §6.13), with DCAT's, schema.org's or OWL-Time's properties."""
    if isinstance(node, Literal):
        start, _, end = str(node).partition("/")
        return compact({"start": start.strip(), "end": end.strip()})
    return compact(
        {
            "start": _moment(r, node, ("startDate", "hasBeginning")),
            "end": _moment(r, node, ("endDate", "hasEnd")),
        }
    )


def _moment(r: Reader, node: Term, names: tuple[str, str]) -> str | None:
    direct = (t.DCAT + names[0], t.SCHEMA + names[0], t.SCHEMAS + names[0])
    found = r.date(node, direct, "temporal_coverage")
    if found:
        return found
    for instant in r.described(node, (t.TIME + names[1],)):
        inner = r.date(
            instant,
            (t.TIME + "inXSDDate", t.TIME + "inXSDDateTimeStamp", t.TIME + "inXSDDateTime"),
            "temporal_coverage",
        )
        if inner:
            return inner
    return None


def place(r: Reader, node: Term) -> Fields:
    """dct:Location (DCAT-AP 3 §Location, GeoDCAT-AP 3 §Spatial coverage)."""
    if isinstance(node, Literal):
        geometry = to_geojson(str(node))
        return {"geom": geometry} if geometry else compact({"text": str(node).strip()})
    names = (
        t.SKOS + "prefLabel",
        t.RDFS + "label",
        t.LOCN + "geographicName",
        t.DCT + "title",
        t.LOCN + "adminUnitL2",
        t.LOCN + "adminUnitL1",
    )
    nested = [place(r, inner) for inner in r.described(node, (t.DCT + "location",)) if inner != node]
    found = compact(
        {
            "uri": uri(node),
            "text": r.plain(node, names, "spatial_coverage"),
            "geom": _geometry(
                r,
                node,
                (
                    t.LOCN + "geometry",
                    t.DCAT + "geometry",
                    t.GSP + "hasGeometry",
                    t.GSP + "asWKT",
                    t.GSP + "asGeoJSON",
                ),
            ),
            "bbox": _geometry(r, node, (t.DCAT + "bbox", t.SCHEMA + "box")),
            "centroid": _geometry(r, node, (t.DCAT + "centroid",)),
            "identifier": r.ref(node, (t.DCT + "identifier",)),
        }
    )
    for inner in nested:
        found = {**inner, **found}
    return found


_WRITTEN = tuple(
    base + name for base in (t.GSP, t.GSP_OLD, t.WGS) for name in ("asWKT", "asGeoJSON", "asGML")
)


def _geometry(r: Reader, node: Term, predicates: Predicates) -> str | None:
    """GeoJSON of a geometry given in one or several notations: the smallest text, whatever their order."""
    good: set[str] = set()
    bad: list[str] = []
    for predicate, value in r.every(node, predicates):
        literals = (
            [(predicate, node, value)]
            if isinstance(value, Literal)
            else [(p, value, o) for p, o in r.every(value, _WRITTEN)]
        )
        for p, holder, literal in literals:
            text = to_geojson(str(literal))
            if text is None:
                bad.append(str(literal)[:60])
                continue
            good.add(text)
            r.use(node, predicate, value)
            r.use(holder, p, literal)
    if bad and not good:
        r.problem("geometry", f"{min(bad)!r} cannot be read as WGS 84", "spatial_coverage")
    return min(good) if good else None


def relation(r: Reader, node: Term) -> Fields:
    """dcat:Relationship (DCAT 3 §6.12)."""
    return compact(
        {
            "uri": uri(node),
            "relation": r.ref(node, (t.DCT + "relation",)),
            "role": r.ref(node, (t.DCAT + "hadRole",)),
        }
    )


def attribution(r: Reader, node: Term) -> Fields:
    """prov:Attribution (DCAT 3 §14.2): the agent, and the role that it has."""
    agents = [agent(r, inner) for inner in r.described(node, (t.PROV + "agent",))]
    first = sorted((a for a in agents if a), key=str)[:1]
    return compact({**(first[0] if first else {}), "role": r.ref(node, (t.DCAT + "hadRole", t.DCT + "type"))})


def conformity(r: Reader, node: Term) -> Fields:
    """prov:Activity that assessed a dataset against a rule (GeoDCAT-AP 3 §Conformity)."""
    rules = [
        rule
        for link in r.described(node, (t.PROV + "qualifiedAssociation",))
        for plan in r.described(link, (t.PROV + "hadPlan",))
        for rule in r.described(plan, (t.PROV + "wasDerivedFrom",))
    ]
    degrees = [r.ref(result, (t.DCT + "type",)) for result in r.described(node, (t.PROV + "generated",))]
    for predicate, value in r.every(node, (t.PROV + "used",)):
        r.use(node, predicate, value)
    fields: Fields = {"degree": min((d for d in degrees if d), default=None)}
    for rule in sorted(rules, key=str)[:1]:
        fields["specification"] = uri(rule)
        fields["title"] = r.plain(rule, (t.DCT + "title",), "conformity")
        fields["issued"] = r.date(rule, (t.DCT + "issued",), "conformity")
    return compact(fields)


def measurement(r: Reader, node: Term) -> Fields:
    """dqv:QualityMeasurement (GeoDCAT-AP 3 §Spatial resolution)."""
    return compact(
        {
            "metric": r.ref(node, (t.DQV + "isMeasurementOf",)),
            "value": r.ref(node, (t.DQV + "value",)),
            "unit": r.ref(node, (t.SDMX + "unitMeasure",)),
        }
    )


def identifier(r: Reader, node: Term) -> str | None:
    """adms:Identifier: its notation, else its address."""
    if isinstance(node, Literal):
        return str(node).strip() or None
    return r.ref(node, (t.SKOS + "notation", t.DCT + "identifier")) or uri(node)


def activity(r: Reader, node: Term) -> Fields:
    """prov:Activity, short (ckanext-dcat ``provenance_activity``)."""
    return compact(
        {
            "uri": uri(node),
            "label": r.plain(node, (t.RDFS + "label", t.DCT + "title"), "provenance_activity"),
            "dct_type": r.ref(node, (t.DCT + "type",)),
            "startedAtTime": r.date(node, (t.PROV + "startedAtTime",), "provenance_activity"),
            "seeAlso": r.ref(node, (t.RDFS + "seeAlso",)),
        }
    )


def checksum(r: Reader, node: Term) -> Fields:
    """spdx:Checksum (DCAT 3 §6.17) as the two flat fields of a resource."""
    algorithm = r.ref(node, (t.SPDX + "algorithm", t.SPDXS + "algorithm"))
    return compact(
        {
            "hash": r.ref(node, (t.SPDX + "checksumValue", t.SPDXS + "checksumValue")),
            "hash_algorithm": algorithm,
        }
    )
