"""Readers of described things in ISO 19139: parties, places, periods, rights, links, conformity.

Each takes an element and gives a mapping with the sub-field names of the schema. Private to the format.
Imports only ``geometry``, ``model``, ``xmldoc``, ``_iso_codes``, ``_iso_reader`` and ``_reader``.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from ccphva_harvesters import geometry
from ccphva_harvesters.model import Fields
from ccphva_harvesters.xmldoc import Element, descendants, name

from . import _iso_codes as codes
from ._iso_reader import IsoReader
from ._reader import compact

_LICENCE = re.compile(r"licen[cs]|lizenz|creativecommons|opendatacommons|odbl|\bcc[- ]?(?:by|0|zero)\b", re.I)


# -- parties ---------------------------------------------------------------------------------------------


def party(r: IsoReader, node: Element) -> tuple[str, Fields]:
    """The role of a party (ISO 19115 CI_ResponsibleParty, 19115-3 CI_Responsibility) and who it is."""
    organisation: dict[str, str] = {}
    for path in ("organisationName", "party/name"):
        organisation = organisation or r.texts(node, path, "contact")
    person = r.code(node, "individualName") or r.code(node, "party/individual/name")
    if not person and not organisation:  # the Swiss profile parts a person's name
        person = (
            " ".join(r.values(node, "individualFirstName") + r.values(node, "individualLastName")) or None
        )
    name_ = r.best(organisation)
    role = r.code(node, "role") or "pointOfContact"
    return role, compact(
        {
            "name": name_ or person,
            "name_translated": organisation if len(organisation) > 1 else None,
            "individual": person if name_ else None,
            "position": r.best(r.texts(node, "positionName", "contact")),
            "acronym": r.best(r.texts(node, "organisationAcronym", "contact")),
            "email": _reach(r, node, "address/electronicMailAddress"),
            "telephone": _reach(r, node, "phone/voice") or _reach(r, node, "phone/directNumber"),
            "fax": _reach(r, node, "phone/facsimile"),
            "url": _reach(r, node, "onlineResource/linkage"),
            "url_name": _reach(r, node, "onlineResource/name"),
            "street": _reach(r, node, "address/deliveryPoint") or _swiss_street(r, node),
            "postcode": _reach(r, node, "address/postalCode"),
            "city": _reach(r, node, "address/city"),
            "region": _reach(r, node, "address/administrativeArea"),
            "country": _reach(r, node, "address/country"),
            "hours": _reach(r, node, "hoursOfService"),
            "instructions": _reach(r, node, "contactInstructions"),
        }
    )


def _reach(r: IsoReader, node: Element, path: str) -> str | None:
    """All that is said at a path below a party's contactInfo, in one text."""
    for start in ("contactInfo/", "party/contactInfo/"):
        found = r.values(node, start + path)
        if found:
            return ", ".join(found)
    return None


def _swiss_street(r: IsoReader, node: Element) -> str | None:
    parts = [_reach(r, node, f"address/{part}") for part in ("streetName", "streetNumber", "postBox")]
    return " ".join(part for part in parts if part) or None


_AGENT = frozenset(
    {
        "name",
        "name_translated",
        "email",
        "url",
        "telephone",
        "street",
        "postcode",
        "city",
        "region",
        "country",
    }
)
_CONTACT = _AGENT - {"name_translated"} | {"organization"}


def as_contact(found: Fields) -> Fields:
    """A party as a contact point: the person where one is named, with its organisation."""
    fields = {key: value for key, value in found.items() if key in _CONTACT | _MORE}
    if found.get("individual"):
        fields |= {"name": found["individual"], "organization": found.get("name")}
    return compact({key: value for key, value in fields.items() if key != "individual"})


def as_agent(found: Fields) -> Fields:
    """A party as an agent: the organisation."""
    return {key: value for key, value in found.items() if key in _AGENT | _MORE}


_MORE = frozenset({"position", "individual", "acronym", "fax", "url_name", "hours", "instructions"})
"""What ISO says of a party beyond the sub-fields of the form; kept with the dataset's source record."""


# -- extents ---------------------------------------------------------------------------------------------


def places(r: IsoReader, extent: Element) -> list[Fields]:
    """Places of an EX_Extent: boxes, polygons and names. A single box takes the extent's description."""
    boxes = [found for e in r.all(extent, "geographicElement") if (found := _geographic(r, e))]
    words = r.best(r.texts(extent, "description", "spatial_coverage"))
    named = [place for place in boxes if set(place) <= {"identifier", "uri", "text"}]
    shaped = [place for place in boxes if place not in named]
    if len(shaped) == 1 and len(named) == 1:
        boxes = [{**named[0], **shaped[0]}]
    if words:
        if len(boxes) == 1:
            boxes = [{**boxes[0], "text": words}]
        elif not any(place.get("text") == words for place in boxes):
            boxes.append({"text": words})
    return boxes


def _geographic(r: IsoReader, node: Element) -> Fields:
    code = next(iter(r.all(node, "geographicIdentifier/code")), None)
    r.code(node, "extentTypeCode")
    address = r.link(code)
    text = r.value(code)
    bbox = _box(r, node)
    return compact(
        {
            "bbox": bbox,
            "geom": _polygon(r, node),
            "uri": address,
            "identifier": None if address else text,
            "text": text if address else None,
        }
    )


def _box(r: IsoReader, node: Element) -> str | None:
    corners: list[float] = []
    for side in ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude"):
        text = r.code(node, side)
        if text is None:
            return None
        try:
            corners.append(float(text.replace(",", ".")))
        except ValueError:
            r.problem("geometry", f"{text[:60]!r} is not a coordinate", "spatial_coverage")
            return None
    west, south, east, north = corners
    if not (abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90):
        r.problem("geometry", f"{west}, {south}, {east}, {north} is no box on the globe", "spatial_coverage")
        return None
    return json.dumps(geometry.bbox(west, south, east, north), separators=(",", ":"))


def _polygon(r: IsoReader, node: Element) -> str | None:
    """Outer and inner rings of GML polygons (ISO 19136 §10.5) as GeoJSON."""
    polygons: list[list[list[list[float]]]] = []
    for found in r.all(node, "polygon"):
        for polygon in descendants(found, "Polygon", "PolygonPatch"):
            swap = geometry.latitude_first(_srs(polygon, found))
            rings = [_ring(r, ring) for ring in descendants(polygon, "LinearRing")]
            if swap is None or not rings or any(len(ring) < 4 for ring in rings):
                r.problem("geometry", "a polygon cannot be read as WGS 84", "spatial_coverage")
                continue
            polygons.append([[[y, x] if swap else [x, y] for x, y in ring] for ring in rings])
    if not polygons:
        return None
    shape: Any = (
        {"type": "Polygon", "coordinates": polygons[0]}
        if len(polygons) == 1
        else {"type": "MultiPolygon", "coordinates": polygons}
    )
    text = geometry.to_geojson(json.dumps(shape))
    if text is None:
        r.problem("geometry", "a polygon does not lie on the globe", "spatial_coverage")
    return text


def _srs(node: Element, top: Element) -> str:
    while node is not None and node is not top.getparent():
        if node.get("srsName"):
            return str(node.get("srsName"))
        node = node.getparent()
    return ""


def _ring(r: IsoReader, ring: Element) -> list[tuple[float, float]]:
    numbers: list[float] = []
    step = 2
    for leaf in descendants(ring, "posList", "pos", "coordinates"):
        step = 3 if (leaf.get("srsDimension") or ring.get("srsDimension")) == "3" else step
        try:
            found = [float(part) for part in re.split(r"[\s,]+", (leaf.text or "").strip()) if part]
        except ValueError:
            return []
        numbers += found[:2] if name(leaf) == "pos" else found
        r.used.add(leaf)
    return list(zip(numbers[0::step], numbers[1::step], strict=False))


def period(r: IsoReader, node: Element) -> Fields:
    """A gml:TimePeriod or gml:TimeInstant of an EX_TemporalExtent."""
    moments: dict[str, str | None] = {}
    for key, names in (
        ("start", ("beginPosition", "begin/timePosition")),
        ("end", ("endPosition", "end/timePosition")),
    ):
        for path in names:
            moments[key] = moments.get(key) or r.date(node, f"extent/{path}", "temporal_coverage")
    instant = r.date(node, "extent/timePosition", "temporal_coverage")
    return compact(moments) or compact({"start": instant, "end": instant})


# -- rights ----------------------------------------------------------------------------------------------


def rights(r: IsoReader, node: Element) -> Fields:
    """Licence, rights and access rights of the constraints (ISO 19115 MD_Constraints, INSPIRE TG 2.0 §2.4.6).

    The licence is the address of an anchor or a text that speaks of one, in its own words; which of ours it
    is, the step ``licence`` says. All other sentences are ``rights``.
    """
    found = _Rights([], [], [])
    for constraint in r.all(node, "resourceConstraints"):
        _codes(r, constraint, found)
        for path in ("useLimitation", "otherConstraints", "reference/title"):
            for element in r.all(constraint, path):
                found.sort(r.link(element), r.best(r.text(element, "rights")))
    orders = r.all(r.root, "distributionInfo/distributor/distributionOrderProcess")
    for order in [*orders, *r.all(node, "accessProperties")]:
        for path in ("fees", "orderingInstructions"):
            found.sentences.extend(f"{path}: {text}" for text in r.values(order, path))
    # an address names a licence more surely than a sentence that speaks of one
    licences = sorted(dict.fromkeys(found.licences), key=lambda named: not named.startswith("http"))
    return compact(
        {
            "license": licences[0] if licences else None,
            "rights": "\n\n".join(dict.fromkeys([*found.sentences, *licences[1:]])),
            "access_rights": min(found.limits, default=None),
        }
    )


class _Rights(NamedTuple):
    """What constraints say, by kind."""

    licences: list[str]
    sentences: list[str]
    limits: list[str]

    def sort(self, address: str | None, text: str | None) -> None:
        """Put an anchor's address and its text, or a plain text, where it belongs."""
        address, text = address or "", text or ""
        if "LimitationsOnPublicAccess" in address:
            self.limits.append(address)
        elif "/metadata-codelist/" in address:
            self.sentences.append(text)
        elif address and _LICENCE.search(f"{address} {text}"):
            self.licences.append(address)
            self.sentences.append(text)
        elif _LICENCE.search(text):
            self.licences.append(text)
        else:
            self.sentences.append(f"{text} {address}".strip())
        if self.sentences and not self.sentences[-1]:
            self.sentences.pop()


def _codes(r: IsoReader, constraint: Element, found: _Rights) -> None:
    """Restriction codes; ``otherRestrictions`` only says that the text beside it counts."""
    for path in ("accessConstraints", "useConstraints", "classification"):
        silent = ("otherRestrictions", "license", "licence", "unclassified")
        found.sentences.extend(f"{path}: {code}" for code in r.values(constraint, path) if code not in silent)


# -- links -----------------------------------------------------------------------------------------------


def link(r: IsoReader, node: Element) -> Fields:
    """A CI_OnlineResource as a resource: its protocol tells downloads and services (GeoDCAT-AP 3)."""
    address = r.code(node, "linkage")
    if address is None:
        return {}
    names = r.texts(node, "name", "name_translated")
    words = r.texts(node, "description", "description_translated")
    protocol = r.code(node, "protocol") or ""
    profile = r.code(node, "applicationProfile")
    function = r.code(node, "function") or ""
    service = codes.service(protocol, address)
    download = function == "download" or codes.is_download(protocol)
    layer = r.best(names)
    return compact(
        {
            "url": address,
            "access_url": address,
            "download_url": address if download and not service else None,
            "name_translated": names or words,
            "description_translated": words,
            "format": codes.format_of(service, protocol, address),
            "protocol": protocol,
            "function": function,
            "conforms_to": [service.uri] if service else None,
            "access_services": [
                compact(
                    {
                        "title": layer,
                        "endpoint_url": [address],
                        "conforms_to": [service.uri],
                        "profile": profile,
                    }
                )
            ]
            if service
            else None,
            "dcat_type": profile if not service else None,
        }
    )


# -- quality ---------------------------------------------------------------------------------------------


def conformities(r: IsoReader, report: Element) -> list[Fields]:
    """DQ_ConformanceResults of a report: rule, its date, degree, words about it, measure."""
    results = [
        (e, title)
        for e in r.all(report, "result")
        if (title := r.first(e, "specification/title")) is not None
    ]
    if not results:
        return []
    space = r.code(report, "measureIdentification/codeSpace")
    code = r.code(report, "measureIdentification/code")
    measure = f"{space}:{code}" if space and code else code or r.code(report, "nameOfMeasure")
    return [compact({**_conformity(r, *found), "measure": measure}) for found in results]


def _conformity(r: IsoReader, result: Element, title: Element) -> Fields:
    passed = (r.code(result, "pass") or "").lower()
    degree = {"true": "conformant", "1": "conformant", "false": "notConformant", "0": "notConformant"}
    r.code(result, "specification/date/dateType")
    return compact(
        {
            "title": r.best(r.text(title, "conformity")),
            "specification": r.link(title),
            "issued": r.date(result, "specification/date/date", "conformity"),
            "degree": codes.DEGREE + degree.get(passed, "notEvaluated"),
            "explanation": r.best(r.texts(result, "explanation", "conformity")),
        }
    )


def measurement(r: IsoReader, report: Element) -> Fields:
    """A DQ_QuantitativeResult: what was measured, the value and its unit."""
    value = r.code(report, "result/value")
    if value is None:
        return {}
    code = next(iter(r.all(report, "measureIdentification/code")), None)
    return compact(
        {
            "metric": r.link(code) or r.value(code) or r.code(report, "nameOfMeasure"),
            "title": r.best(r.texts(report, "nameOfMeasure", "quality_measurement")),
            "value": value,
            "unit": r.link(r.first(report, "result/valueUnit")) or r.code(report, "result/valueUnit"),
        }
    )
