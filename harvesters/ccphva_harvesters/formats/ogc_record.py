"""OGC API Records: a GeoJSON record → our schema (OGC 20-004r1 §8, record core).

Older drafts (``associations``, ``externalId``, ``extents``) are read too, as servers still give them. What
is not mapped is told in the dataset's problems.

Imports only ``errors``, ``geometry``, ``jsondoc``, ``languages``, ``model`` and private modules of
``formats``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from ccphva_harvesters import geometry, jsondoc, languages
from ccphva_harvesters.errors import ParseError, RecordError, TooLargeError
from ccphva_harvesters.model import Dataset, Fields, Kind, Problem, Record

from . import _iso_codes as codes
from ._keywords import first_geometry, tags
from ._reader import compact

DATASET_FIELDS = frozenset(
    {
        "uri", "identifier", "alternate_identifier", "title_translated", "notes_translated",
        "keywords_translated", "tags", "theme", "inspire_theme", "hvd_category", "language", "issued",
        "modified", "created", "license", "rights", "contact", "publisher", "creator",
        "qualified_attribution", "conforms_to", "documentation", "thumbnail", "spatial",
        "spatial_coverage", "temporal_coverage", "temporal_resolution", "dcat_type", "url",
        "catalog_record", "format", "endpoint_url",
    }
)  # fmt: skip
"""Every field that a dataset of this format may carry."""
RESOURCE_FIELDS = frozenset(
    {
        "url", "access_url", "download_url", "name_translated", "mimetype", "format", "size", "license",
    }
)  # fmt: skip
"""Every field that a resource of this format may carry."""
_NAVIGATION = frozenset(
    {
        "self",
        "root",
        "collection",
        "items",
        "next",
        "prev",
        "first",
        "last",
        "up",
        "search",
        "canonical",
        "conformance",
    }
)
_PROPERTIES = frozenset(
    {
        "type", "title", "description", "keywords", "language", "languages", "resourceLanguages",
        "externalIds", "externalId", "themes", "formats", "contacts", "providers", "license", "rights",
        "created", "updated", "recordCreated", "recordUpdated", "associations", "extents", "extent",
        "datetime", "start_datetime", "end_datetime", "conformsTo", "status",
    }
)  # fmt: skip


class OgcRecordConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``format:`` with ``type: ogc-record``."""

    default_language: str | None = None
    """Language of texts, when it is surer than the record's own; French where neither says one."""
    report_losses: bool = True
    """Name the properties that were not mapped in the dataset's problems."""


class OgcRecord:
    """Format of records whose content is the JSON text of a GeoJSON feature."""

    Config = OgcRecordConfig

    def __init__(self, config: OgcRecordConfig | None = None) -> None:
        self.config = config or OgcRecordConfig()

    def datasets(self, record: Record) -> Iterator[Dataset]:
        """The dataset that the record is."""
        if not isinstance(record.content, bytes):
            raise RecordError(record.id, f"its content is {type(record.content).__name__}, not JSON text")
        try:
            feature = jsondoc.parse(record.content, record.url or record.id)
        except (ParseError, TooLargeError) as exc:
            raise RecordError(record.id, exc.cause) from None
        if feature.get("type") != "Feature" or not isinstance(feature.get("properties"), dict):
            raise RecordError(record.id, "it is no GeoJSON feature")
        yield self._dataset(feature, record)

    def _dataset(self, feature: dict[str, Any], record: Record) -> Dataset:
        properties = cast("dict[str, Any]", feature["properties"])
        problems: list[Problem] = []

        def problem(code: str, message: str, field: str | None = None) -> None:
            if Problem(code, message, field) not in problems:
                problems.append(Problem(code, message, field))

        language = self.config.default_language or _language(properties) or languages.PORTAL[0]
        links = [*_dicts(feature.get("links")), *_dicts(properties.get("associations"))]
        fields: Fields = {
            "identifier": str(feature.get("id") or record.id),
            "title_translated": _text(properties.get("title"), language),
            "notes_translated": _text(properties.get("description"), language),
            "language": sorted({codes.language(code) for code in _languages(properties)}),
            "issued": _string(properties.get("created")),
            "modified": _string(properties.get("updated")),
            "catalog_record": compact(
                {
                    "issued": _string(properties.get("recordCreated")),
                    "modified": _string(properties.get("recordUpdated")),
                }
            ),
            "dcat_type": _string(properties.get("type")),
            "rights": _string(properties.get("rights")),
            "conforms_to": _strings(feature.get("conformsTo")) or _strings(properties.get("conformsTo")),
            "format": _formats(properties.get("formats")),
            **_identifiers(properties),
            **_themes(properties, language, problem),
            **_people(properties),
            **_extent(feature, properties, problem),
            **_of_links(links),
        }
        licence = _string(properties.get("license"))
        fields["license"] = licence if licence and licence != "other" else fields.get("license") or licence
        resources = [_resource(link, language, fields["license"]) for link in links if _is_data(link)]
        if not fields["title_translated"]:
            fields["title_translated"] = {language: fields["identifier"]}
            problem("title", "it has no title; its identifier stands in", "title_translated")
        kind: Kind = "data_service" if properties.get("type") == "service" else "dataset"
        if kind == "data_service":
            fields["endpoint_url"] = [str(link["url"]) for link in resources]
        if self.config.report_losses:
            for key in sorted(properties.keys() - _PROPERTIES):
                if not key.startswith("_") and properties[key] not in (None, "", [], {}):
                    problem("unmapped", key)
        found = compact(fields)
        return Dataset(
            guid=record.guid or fields["identifier"],
            uri=found.get("uri"),
            identifier=found["identifier"],
            kind=kind,
            fields=found,
            resources=resources,
            problems=tuple(sorted(problems, key=lambda p: (p.code, p.field or "", p.message))),
        )


def _dicts(given: Any) -> list[dict[str, Any]]:
    found = cast("list[Any]", given) if isinstance(given, list) else []
    return [cast("dict[str, Any]", item) for item in found if isinstance(item, dict)]


def _string(value: Any) -> str | None:
    return (
        str(value).strip() or None
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
        else None
    )


def _strings(value: Any) -> list[str]:
    found = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [text for item in found if (text := _string(item))]


def _text(value: Any, language: str) -> dict[str, str]:
    text = _string(value)
    return {language: text} if text else {}


def _code(value: Any) -> str | None:
    """A language: a tag, or an object with a code."""
    return _string(cast("dict[str, Any]", value).get("code")) if isinstance(value, dict) else _string(value)


def _language(properties: dict[str, Any]) -> str | None:
    """Two-letter language of the record's texts; a machine's translation is nobody's language."""
    return languages.fold(_code(properties.get("language")) or "")


def _languages(properties: dict[str, Any]) -> list[str]:
    listed = properties.get("resourceLanguages")
    found = [_code(item) for item in (cast("list[Any]", listed) if isinstance(listed, list) else [])]
    return [code for code in found if code] or [code for code in [_code(properties.get("language"))] if code]


def _formats(value: Any) -> list[str]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    names = [
        _string(cast("dict[str, Any]", f).get("name") or cast("dict[str, Any]", f).get("mediaType"))
        if isinstance(f, dict)
        else _string(f)
        for f in found
    ]
    return [name for name in names if name]


def _identifiers(properties: dict[str, Any]) -> Fields:
    found = _dicts(properties.get("externalIds")) + _dicts(properties.get("externalId"))
    values = [_string(item.get("value")) for item in found]
    texts = [text for text in values if text] or _strings(properties.get("externalId"))
    texts = [text for text in texts if not text.startswith("{")]
    return {
        "alternate_identifier": texts,
        "uri": next((text for text in texts if text.startswith("http") and " " not in text), None),
    }


def _themes(properties: dict[str, Any], language: str, problem: Any) -> Fields:
    """Keywords, and concepts of themes: those with an address as themes, all as keywords."""
    words = set(_strings(properties.get("keywords")) if properties.get("keywords") else [])
    addresses: set[str] = set()
    for theme in _dicts(properties.get("themes")):
        scheme = _string(theme.get("scheme")) or ""
        concepts = theme.get("concepts")
        for concept in cast("list[Any]", concepts) if isinstance(concepts, list) else []:
            given = cast("dict[str, Any]", concept) if isinstance(concept, dict) else {"id": concept}
            name, address = _string(given.get("title") or given.get("id")), _string(given.get("url"))
            if address is None and name and name.startswith("http"):
                address = name
            if address is None and name and "inspire" in scheme.lower():
                address = codes.inspire_theme(name)
            if address:
                addresses.add(address)
            if name and not name.startswith("http"):
                words.add(name)
    listed = sorted(" ".join(word.split()) for word in words)
    inspire = {a for a in addresses if a.startswith(codes.THEME)}
    high = {a for a in addresses if a.startswith(codes.HVD)}
    return {
        "keywords_translated": {language: listed} if listed else {},
        "tags": tags(problem, listed),
        "theme": sorted(addresses - inspire - high),
        "inspire_theme": sorted(inspire),
        "hvd_category": sorted(high),
    }


_AGENTS = {"publisher": "publisher", "author": "creator", "creator": "creator"}


def _people(properties: dict[str, Any]) -> Fields:
    """Contacts by role (20-004r1 §8.2.8); a contact without a role is a contact point."""
    found: dict[str, list[Fields]] = {
        "contact": [],
        "publisher": [],
        "creator": [],
        "qualified_attribution": [],
    }
    for who in _dicts(properties.get("contacts")) + _dicts(properties.get("providers")):
        party = _party(who)
        roles = _strings(who.get("roles")) if who.get("roles") else ["pointOfContact"]
        for role in roles if party else ():
            if role in _AGENTS:
                found[_AGENTS[role]].append({k: v for k, v in party.items() if k != "organization"})
            elif role in ("pointOfContact", "contact"):
                found["contact"].append(party)
            else:
                item = {k: v for k, v in party.items() if k != "organization"}
                found["qualified_attribution"].append({**item, "role": codes.ROLE + role})
    found["publisher"] = found["publisher"][:1]
    return dict(found)


def _party(who: dict[str, Any]) -> Fields:
    name, organisation = _string(who.get("name")), _string(who.get("organization"))
    addresses = _dicts(who.get("addresses"))
    address: dict[str, Any] = addresses[0] if addresses else {}
    links = _dicts(who.get("links"))
    street = ", ".join(_strings(address.get("deliveryPoint"))) if address.get("deliveryPoint") else None
    return compact(
        {
            "name": name or organisation,
            "organization": organisation if name and name != organisation else None,
            "email": _first(who.get("emails"), who.get("email")),
            "telephone": _first(who.get("phones"), who.get("phone")),
            "url": _string(links[0].get("href")) if links else _string(who.get("url")),
            "street": street,
            "postcode": _string(address.get("postalCode")),
            "city": _string(address.get("city")),
            "region": _string(address.get("administrativeArea")),
            "country": _string(address.get("country")),
        }
    )


def _first(listed: Any, single: Any) -> str | None:
    return next((text for item in _dicts(listed) if (text := _string(item.get("value")))), _string(single))


def _extent(feature: dict[str, Any], properties: dict[str, Any], problem: Any) -> Fields:
    shape: Any = feature.get("geometry")
    places: list[Fields] = []
    if shape:
        text = geometry.to_geojson(json.dumps(shape))
        if text is None:
            problem("geometry", f"{json.dumps(shape)[:60]!r} cannot be read as WGS 84", "spatial")
        else:
            places.append({"geom": text})
    period: Fields = {}
    resolution = None
    time = feature.get("time")
    if isinstance(time, dict):
        given = cast("dict[str, Any]", time)
        resolution = _string(given.get("resolution"))
        moment = _string(given.get("date")) or _string(given.get("timestamp"))
        interval = given.get("interval")
        ends = cast("list[Any]", interval) if isinstance(interval, list) else [moment, moment]
        period = _period(ends)
    elif properties.get("start_datetime") or properties.get("end_datetime"):
        period = _period([properties.get("start_datetime"), properties.get("end_datetime")])
    return {
        "spatial_coverage": places,
        "spatial": first_geometry(places),
        "temporal_coverage": [period] if period else [],
        "temporal_resolution": resolution,
    }


def _period(ends: list[Any]) -> Fields:
    start, end = (_string(e) for e in (*ends[:2], None, None)[:2])
    return compact({"start": None if start == ".." else start, "end": None if end == ".." else end})


def _of_links(links: list[dict[str, Any]]) -> Fields:
    """What links say of the dataset itself: licence, documentation, thumbnail, page."""
    by_rel: dict[str, list[str]] = {}
    for link in links:
        address = _string(link.get("href"))
        if address and address.startswith("http"):
            by_rel.setdefault(str(link.get("rel") or ""), []).append(address)
    pages = by_rel.get("about", []) + by_rel.get("describes", [])
    return {
        "license": next(iter(by_rel.get("license", [])), None),
        "documentation": sorted(set(by_rel.get("describedby", []) + by_rel.get("describedBy", []))),
        "thumbnail": next(iter(by_rel.get("preview", []) + by_rel.get("icon", [])), None),
        "url": pages[0] if pages else None,
    }


_ABOUT = frozenset(
    {
        "license", "describedby", "describedBy", "preview", "icon", "about", "describes", "alternate",
    }
)  # fmt: skip


def _is_data(link: dict[str, Any]) -> bool:
    """True for links that lead to the data: not navigation, not words about them."""
    return bool(_string(link.get("href"))) and str(link.get("rel") or "") not in _NAVIGATION | _ABOUT


def _resource(link: dict[str, Any], language: str, licence: str | None) -> Fields:
    address, media = str(link["href"]), _string(link.get("type"))
    protocol = _string(link.get("protocol")) or ""
    service = codes.service(protocol, address)
    download = str(link.get("rel") or "") in ("enclosure", "download") or codes.is_download(protocol)
    length = link.get("length")
    return compact(
        {
            "url": address,
            "access_url": address,
            "download_url": address if download and service is None else None,
            "name_translated": _text(link.get("title") or link.get("name"), language),
            "mimetype": media if media and "/" in media and not media.startswith("WWW:") else None,
            "format": codes.format_of(service, protocol, address),
            "size": length if isinstance(length, int) and length > 0 else None,
            "license": licence,
        }
    )
