"""ISO 19139 metadata of datasets, series and services (INSPIRE TG metadata 2.0) → our schema.

Pairs of elements and fields follow GeoDCAT-AP 3 annex B; the dataset is the same that ``dcat-ap`` would give.
The Swiss profile (GM03, CHE) and ISO 19115-3 are read by the same paths as far as they name the same things.
What was not mapped is told by ``losses()`` and, in short, in the dataset's problems.

Imports only ``errors``, ``languages``, ``model``, ``xmldoc`` and the private modules of ``formats``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from ccphva_harvesters import languages, xmldoc
from ccphva_harvesters.errors import ParseError, RecordError, TooLargeError
from ccphva_harvesters.model import Dataset, Fields, Kind, Problem, Record
from ccphva_harvesters.xmldoc import Element

from . import _iso_codes as codes
from . import _iso_things as things
from ._iso_reader import IsoReader
from ._keywords import first_geometry, tags
from ._reader import compact

ROOTS = ("MD_Metadata", "CHE_MD_Metadata", "MI_Metadata")
_ROLES = {"publisher": "publisher", "author": "creator"}
_DATES = {"publication": "issued", "revision": "modified", "creation": "created", "lastUpdate": "modified"}

DATASET_FIELDS = frozenset(
    {
        "uri", "identifier", "alternate_identifier", "title_translated", "alternative_translated",
        "notes_translated", "purpose", "keywords_translated", "tags", "theme", "inspire_theme",
        "hvd_category", "topic_category", "applicable_legislation", "vocabulary", "language", "issued",
        "modified", "created", "version", "status", "frequency", "contact", "publisher", "creator",
        "qualified_attribution", "license", "rights", "access_rights", "spatial", "spatial_coverage",
        "temporal_coverage", "spatial_resolution_in_meters", "spatial_resolution_text",
        "reference_system", "provenance", "conformity", "quality_measurement", "conforms_to",
        "is_part_of", "qualified_relation", "thumbnail", "resource_type", "dcat_type", "catalog_record",
        "serves_dataset", "endpoint_url", "endpoint_description", "service_type", "service_protocol",
        "documentation", "format", "supplement",
    }
)  # fmt: skip
"""Every field that a dataset of this format may carry."""
RESOURCE_FIELDS = frozenset(
    {
        "url", "access_url", "download_url", "name_translated", "description_translated", "format",
        "protocol", "function", "conforms_to", "access_services", "dcat_type",
        "representation_technique", "character_encoding", "license",
    }
)  # fmt: skip
"""Every field that a resource of this format may carry."""


class Iso19139Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``format:`` with ``type: iso19139``."""

    languages: tuple[str, ...] | None = languages.PORTAL
    """Languages of texts to keep; null keeps all."""
    default_language: str | None = None
    """Language of the record's plain texts, when it is surer than the record's own."""
    report_losses: bool = True
    """Name the paths that were not mapped in the dataset's problems."""


class Iso19139:
    """Format of records whose content is an XML element, or bytes of a whole document."""

    Config = Iso19139Config

    def __init__(self, config: Iso19139Config | None = None) -> None:
        self.config = config or Iso19139Config()

    def datasets(self, record: Record) -> Iterator[Dataset]:
        """The datasets that the record speaks of (most often one)."""
        for root in self._roots(record):
            yield self._dataset(root, record)

    def losses(self, record: Record) -> list[str]:
        """Paths of the leaves that were not mapped, one for each leaf."""
        lost: list[str] = []
        for root in self._roots(record):
            reader = self._reader(root)
            _read(reader)
            lost += reader.losses()
        return lost

    def said(self, record: Record) -> int:
        """Number of leaves that say something, to weigh the losses against."""
        return sum(1 for root in self._roots(record) for _ in self._reader(root).leaves())

    def _reader(self, root: Element) -> IsoReader:
        return IsoReader(root, self.config.languages, self.config.default_language)

    def _roots(self, record: Record) -> list[Element]:
        content = record.content
        if isinstance(content, bytes):
            try:
                content = xmldoc.parse(content, record.url or record.id)
            except (ParseError, TooLargeError) as exc:
                raise RecordError(record.id, exc.cause) from None
        if not hasattr(content, "iter"):
            raise RecordError(record.id, f"its content is {type(content).__name__}, not XML")
        roots = [content] if xmldoc.name(content) in ROOTS else list(xmldoc.descendants(content, *ROOTS))
        if not roots:
            raise RecordError(record.id, f"it is {xmldoc.name(content)!r}, not ISO 19139 metadata")
        return roots

    def _dataset(self, root: Element, record: Record) -> Dataset:
        r = self._reader(root)
        if r.first(root, "identificationInfo") is None:
            raise RecordError(record.id, "it has no identificationInfo: nothing says what it describes")
        kind, fields, resources = _read(r)
        identifier: Any = fields.get("identifier")
        if "title_translated" not in fields:
            fields["title_translated"] = {r.default: str(identifier or record.id)}
            r.problem("title", "it has no title; its identifier stands in", "title_translated")
        if self.config.report_losses:
            for path in sorted(set(r.losses())):
                r.problem("unmapped", path)
        return Dataset(
            guid=record.guid or identifier or fields.get("uri") or record.id,
            uri=fields.get("uri"),
            identifier=identifier,
            kind=kind,
            fields=fields,
            resources=resources,
            problems=tuple(sorted(r.problems, key=_problem_key)),
        )


def file_identifier(root: Element) -> str | None:
    """The record's own identifier (fileIdentifier, in 19115-3 metadataIdentifier)."""
    r = IsoReader(root, None, None)
    return r.code(root, "fileIdentifier") or r.code(root, "metadataIdentifier/code")


def _read(r: IsoReader) -> tuple[Kind, Fields, list[Fields]]:
    root = r.root
    kind = _kind(r)
    about: Fields = {"catalog_record": _record(r)}
    about["identifier"] = about["catalog_record"].get("identifier")
    for info in r.all(root, "identificationInfo"):
        about = {**_citation(r, info), **_description(r, info), **compact(about)}
        break
    about.update(_parties(r))
    about.update(_keywords(r))
    about.update(_extent(r, about))
    about.update(_quality(r))
    about.update(_scope(r))
    about["format"] = _formats(r)
    links = [
        found
        for path in ("transferOptions/onLine", "distributor/distributorTransferOptions/onLine")
        for e in r.all(root, f"distributionInfo/{path}")
        if (found := things.link(r, e))
    ]
    resources = _resources(r, about, links) if kind != "data_service" else []
    if kind == "data_service":
        about.update(_service(r, links))
    about["spatial"] = first_geometry(about.get("spatial_coverage", []))
    return kind, compact(about), resources


def _kind(r: IsoReader) -> Kind:
    """dataset, dataset_series or data_service by hierarchyLevel, else by what identifies it."""
    level = r.code(r.root, "hierarchyLevel") or r.code(r.root, "metadataScope/resourceScope")
    service = next(
        xmldoc.descendants(r.root, "SV_ServiceIdentification", "CHE_SV_ServiceIdentification"), None
    )
    if level == "service" or (level is None and service is not None):
        return "data_service"
    return "dataset_series" if level == "series" else "dataset"


def _scope(r: IsoReader) -> Fields:
    level = r.code(r.root, "hierarchyLevel") or r.code(r.root, "metadataScope/resourceScope") or ""
    r.values(r.root, "hierarchyLevelName")
    r.values(r.root, "metadataScope/name")
    for element in r.all(r.root, "dataQualityInfo/scope/level"):
        if any(e.get("codeListValue") == level for e in element.iter()):
            r.value(element)  # the same level again
    if level in ("dataset", "series", "service"):
        return {"resource_type": codes.RESOURCE + level}
    return {"dcat_type": codes.ISO + level} if level else {}


def _record(r: IsoReader) -> Fields:
    """What the document says of itself: dcat:CatalogRecord (GeoDCAT-AP 3 §Catalogue record)."""
    root = r.root
    language = r.code(root, "language") or r.code(root, "defaultLocale/language")
    standard = r.code(root, "metadataStandardName") or r.code(root, "metadataStandard/title")
    edition = r.code(root, "metadataStandardVersion") or r.code(root, "metadataStandard/edition")
    maintained = r.code(root, "metadataMaintenance/maintenanceAndUpdateFrequency")
    stamped = r.date(root, "dateStamp", "catalog_record")
    dates = dict(_dates(r, root, "dateInfo"))
    encoding = r.code(root, "characterSet") or r.code(root, "defaultLocale/characterEncoding")
    for element in r.all(root, "locale/characterEncoding"):
        if any(e.get("codeListValue") == encoding for e in element.iter()):
            r.value(element)  # the same encoding again
    notes = [r.best(r.text(e, "catalog_record")) for e in r.all(root, "metadataConstraints/useLimitation")]
    return compact(
        {
            "identifier": r.code(root, "fileIdentifier") or r.code(root, "metadataIdentifier/code"),
            "modified": stamped or dates.get("modified") or dates.get("created"),
            "issued": dates.get("created"),
            "language": codes.language(language) if language else None,
            "conforms_to": " ".join(part for part in (standard, edition) if part),
            "character_encoding": encoding,
            "contact": _unique([things.as_contact(who) for _, who in _each(r, "contact")]),
            "frequency": codes.frequency(maintained) if maintained else None,
            "rights": "\n".join(note for note in notes if note),
            "url": r.code(root, "metadataLinkage/linkage"),
        }
    )


def _citation(r: IsoReader, info: Element) -> Fields:
    title = r.texts(info, "citation/title", "title_translated")
    fields: Fields = {"title_translated": {code: " ".join(text.split()) for code, text in title.items()}}
    others: dict[str, str] = {}
    for path in ("alternateTitle", "collectiveTitle"):
        for element in r.all(info, f"citation/{path}"):
            for language, text in r.text(element, "alternative_translated").items():
                if text not in others.get(language, ""):
                    others[language] = "; ".join(part for part in (others.get(language), text) if part)
    fields["alternative_translated"] = {
        language: text
        for language, text in others.items()
        if text != fields["title_translated"].get(language)
    }
    for field, when in _dates(r, info, "citation/date"):
        fields[field] = max(fields.get(field, ""), when)
    fields["version"] = r.code(info, "citation/edition")
    uris, others_ = _identifiers(r, info)
    fields["uri"] = uris[0] if uris else None
    fields["alternate_identifier"] = list(dict.fromkeys([*uris, *others_]))
    return compact(fields)


def _dates(r: IsoReader, node: Element, path: str) -> Iterator[tuple[str, str]]:
    """Field and date of each CI_Date."""
    for element in r.all(node, path):
        kind = r.code(element, "dateType") or ""
        when = r.date(element, "date", "issued")
        field = _DATES.get(kind[:1].lower() + kind[1:])
        if when and field:
            yield field, when


def _identifiers(r: IsoReader, info: Element) -> tuple[list[str], list[str]]:
    """Addresses and other identifiers of the resource (INSPIRE TG 2.0 §2.4.1)."""
    uris: list[str] = []
    others: list[str] = []
    for element in r.all(info, "citation/identifier"):
        codes_ = r.all(element, "code")
        code = next((r.link(c) or r.value(c) for c in codes_ if r.value(c) or r.link(c)), None)
        space = r.code(element, "codeSpace")
        if not code:
            continue
        if space and space.startswith("http") and not code.startswith("http"):
            code = space + ("" if space.endswith(("/", "#", "=")) else "/") + code
        elif space and not code.startswith(("http", space)):
            code = f"{space}:{code}"
        (uris if code.startswith("http") and " " not in code else others).append(code)
    return uris, others


def _description(r: IsoReader, info: Element) -> Fields:
    frequency = r.code(info, "resourceMaintenance/maintenanceAndUpdateFrequency")
    status = r.code(info, "status")
    spoken = r.values(info, "language") or r.values(info, "defaultLocale/language")
    scale = [f"1/{n}" for n in r.values(info, "spatialResolution/equivalentScale/denominator")]
    fields: Fields = {
        "notes_translated": r.texts(info, "abstract", "notes_translated"),
        "purpose": r.texts(info, "purpose", "purpose"),
        "supplement": r.texts(info, "supplementalInformation", "supplement"),
        "language": sorted({codes.language(code) for code in spoken}),
        "frequency": codes.frequency(frequency) if frequency else None,
        "status": codes.ISO + status if status else None,
        "topic_category": sorted(
            {codes.TOPIC + word for text in r.values(info, "topicCategory") for word in text.split()}
        ),
        "spatial_resolution_in_meters": _metres(r, info),
        "spatial_resolution_text": ", ".join(scale),
        "thumbnail": _thumbnail(r, info),
        "qualified_relation": _relations(r, info),
        **things.rights(r, info),
    }
    part_of = r.code(r.root, "parentIdentifier") or r.code(r.root, "parentMetadata/title")
    fields["is_part_of"] = [part_of] if part_of else []
    return fields


def _metres(r: IsoReader, info: Element) -> list[str]:
    found: set[str] = set()
    for element in r.all(info, "spatialResolution/distance"):
        value = r.value(element)
        if value is None:
            continue
        unit = next((e.get("uom") or "" for e in element.iter() if e.get("uom")), "m")
        factor = {"m": 1, "metre": 1, "meter": 1, "km": 1000, "cm": 0.01, "mm": 0.001}.get(
            unit.split("#")[-1].lower()
        )
        try:
            found.add(f"{float(value.replace(',', '.')) * cast('float', factor):g}")
        except (ValueError, TypeError):
            r.problem("number", f"{value!r} {unit} is no distance in metres", "spatial_resolution_in_meters")
    return sorted(found)


def _thumbnail(r: IsoReader, info: Element) -> str | None:
    found = [name for name in r.values(info, "graphicOverview/fileName") if name.startswith("http")]
    return found[0] if found else None


def _relations(r: IsoReader, info: Element) -> list[Fields]:
    found: list[Fields] = []
    for element in r.all(info, "aggregationInfo") + r.all(info, "associatedResource"):
        code = r.code(element, "aggregateDataSetIdentifier/code") or r.code(
            element, "aggregateDataSetName/identifier/code"
        )
        code = code or r.code(element, "metadataReference/identifier/code")
        kind = r.code(element, "associationType")
        initiative = r.code(element, "initiativeType")
        if code:
            role = codes.ISO + kind if kind else None
            found.append(compact({"relation": code, "role": role, "initiative": initiative}))
    return _unique(found)


def _each(r: IsoReader, path: str) -> list[tuple[str, Fields]]:
    return [things.party(r, element) for element in r.all(r.root, path)]


def _parties(r: IsoReader) -> Fields:
    """Parties by role (GeoDCAT-AP 3 §B.6.11): contact, publisher, creator, all others as attributions."""
    contacts: list[Fields] = []
    attributions: list[Fields] = []
    single: dict[str, list[Fields]] = {"publisher": [], "creator": []}
    parties = [
        *_each(r, "identificationInfo/pointOfContact"),
        *_each(r, "identificationInfo/citation/citedResponsibleParty"),
        *[("distributor", who) for _, who in _each(r, "distributionInfo/distributor/distributorContact")],
        *_each(r, "identificationInfo/resourceMaintenance/contact"),
        *_each(r, "distributionInfo/distributionFormat/formatDistributor/distributorContact"),
        *_each(r, "identificationInfo/resourceSpecificUsage/userContactInfo"),
    ]
    for role, who in parties:
        if not who:
            continue
        if role == "pointOfContact":
            contacts.append(things.as_contact(who))
        elif role in _ROLES:
            single[_ROLES[role]].append(things.as_agent(who))
        else:
            attributions.append({**things.as_agent(who), "role": codes.ROLE + role})
    if not contacts:
        reachable = [things.as_contact(who) for _, who in parties if who.get("email") or who.get("telephone")]
        contacts = reachable[:1] or [things.as_contact(who) for _, who in _each(r, "contact") if who][:1]
    first = _unique(single["publisher"])
    attributions += [{**agent, "role": codes.ROLE + "publisher"} for agent in first[1:]]
    return compact(
        {
            "contact": _unique(contacts),
            "publisher": first[:1],
            "creator": _unique(single["creator"]),
            "qualified_attribution": _unique(attributions),
        }
    )


def _keywords(r: IsoReader) -> Fields:
    """Keywords by language; those with an address are themes, those of INSPIRE's thesaurus INSPIRE themes."""
    words: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {"theme": set(), "inspire_theme": set(), "hvd_category": set(), "law": set()}
    vocabularies: list[Fields] = []
    for group in r.all(r.root, "identificationInfo/descriptiveKeywords"):
        thesaurus = _thesaurus(r, group)
        r.code(group, "type")
        if thesaurus:
            vocabularies.append(thesaurus)
        of_inspire = "inspire" in str(thesaurus).casefold() and "theme" in str(thesaurus).casefold()
        for element in r.all(group, "keyword"):
            texts = r.text(element, "keywords_translated")
            address = r.link(element)
            theme = codes.inspire_theme(r.best(texts) or "") if of_inspire else None
            where = _where(address or theme or "")
            if where:
                found[where].add(cast("str", address or theme))
            for language, text in texts.items():
                words.setdefault(language, set()).add(" ".join(text.split()))
    by_language = {language: sorted(group) for language, group in sorted(words.items())}
    return compact(
        {
            "keywords_translated": by_language,
            "tags": tags(
                r.problem, by_language.get(r.default) or (min(by_language.items())[1] if by_language else [])
            ),
            "theme": sorted(found["theme"]),
            "inspire_theme": sorted(found["inspire_theme"]),
            "hvd_category": sorted(found["hvd_category"]),
            "applicable_legislation": sorted(found["law"]),
            "vocabulary": _unique(vocabularies),
        }
    )


def _where(address: str) -> str | None:
    """The list that a keyword's address belongs to."""
    if address.startswith(codes.THEME):
        return "inspire_theme"
    if address.startswith(codes.HVD):
        return "hvd_category"
    if address.startswith("http://data.europa.eu/eli/"):
        return "law"
    return "theme" if address.startswith("http") else None


def _thesaurus(r: IsoReader, group: Element) -> Fields:
    """The vocabulary that a group of keywords comes from: title, date, address (skos:ConceptScheme)."""
    title = r.first(group, "thesaurusName/title")
    code = r.first(group, "thesaurusName/identifier/code")
    dates = dict(_dates(r, group, "thesaurusName/date"))
    version = r.code(group, "thesaurusName/edition")
    named = r.link(r.first(group, "thesaurusName"))
    return compact(
        {
            "title": r.best(r.text(title, "vocabulary")) if title is not None else None,
            "uri": r.link(title) or r.link(code) or named,
            "identifier": r.value(code),
            "version": version,
            **dates,
        }
    )


def _list(r: IsoReader, identifier: Element) -> Fields:
    """The list that a place's code comes from, as a vocabulary."""
    title = r.code(identifier, "authority/title") or r.code(identifier, "codeSpace")
    if title is None:
        return {}
    dates = dict(_dates(r, identifier, "authority/date"))
    return compact({"title": title, "version": r.code(identifier, "version"), **dates})


def _extent(r: IsoReader, about: Fields) -> Fields:
    places: list[Fields] = []
    periods: list[Fields] = []
    lists: list[Fields] = about.get("vocabulary", [])
    for extent in r.all(r.root, "identificationInfo/extent"):
        places += things.places(r, extent)
        lists += [
            found for e in r.all(extent, "geographicElement/geographicIdentifier") if (found := _list(r, e))
        ]
        periods += [p for e in r.all(extent, "temporalElement") if (p := things.period(r, e))]
    systems: set[str] = set()
    for element in r.all(r.root, "referenceSystemInfo/referenceSystemIdentifier"):
        code = r.first(element, "code")
        text = r.value(code) or r.link(code)
        space = r.code(element, "codeSpace")
        for path in ("version", "description", "authority/title"):
            r.code(element, path)
        if text:
            systems.add(codes.reference_system(text, space, r.link(code)))
    r.values(r.root, "referenceSystemInfo/referenceSystemType")
    return compact(
        {
            "vocabulary": _unique(lists),
            "spatial_coverage": _unique(places),
            "temporal_coverage": _unique(periods),
            "reference_system": sorted(systems),
        }
    )


def _quality(r: IsoReader) -> Fields:
    lineage: dict[str, str] = {}
    for path in ("dataQualityInfo/lineage/statement", "resourceLineage/statement"):
        for element in r.all(r.root, path):
            for language, text in r.text(element, "provenance").items():
                lineage[language] = "\n\n".join(part for part in (lineage.get(language), text) if part)
    reports = r.all(r.root, "dataQualityInfo/report")
    rules = r.all(r.root, "applicationSchemaInfo/name/title")
    return compact(
        {
            "provenance": lineage,
            "conformity": _unique([c for report in reports for c in things.conformities(r, report)]),
            "quality_measurement": _unique([m for report in reports if (m := things.measurement(r, report))]),
            "conforms_to": sorted({text for e in rules if (text := r.value(e))}),
            "documentation": r.values(r.root, "contentInfo/featureCatalogueCitation/title")
            or r.values(r.root, "contentInfo/featureCatalogueCitation"),
        }
    )


def _resources(r: IsoReader, about: Fields, links: list[Fields]) -> list[Fields]:
    """Links as resources, with the licence and the only format that the record names."""
    technique = r.code(r.root, "identificationInfo/spatialRepresentationType")
    encoding = r.code(r.root, "identificationInfo/characterSet")
    named: list[str] = about.get("format", [])
    only = named[0].partition(" (")[0] if len(named) == 1 else None
    return [
        compact(
            {
                **link,
                "format": link.get("format") or (only if link.get("download_url") else None),
                "representation_technique": codes.TECHNIQUE + technique if technique else None,
                "character_encoding": encoding,
                "license": about.get("license"),
            }
        )
        for link in _unique(links)
    ]


def _formats(r: IsoReader) -> list[str]:
    """Names of the formats that the record offers."""
    paths = (
        "distributionInfo/distributionFormat",
        "identificationInfo/resourceFormat",
        "distributionInfo/distributor/distributorFormat",
    )
    return list(dict.fromkeys(name for path in paths for f in r.all(r.root, path) if (name := _format(r, f))))


def _format(r: IsoReader, node: Element) -> str | None:
    """Name of an MD_Format and its version, where that says something."""
    name = r.code(node, "name") or r.code(node, "formatSpecificationCitation/title")
    version = r.code(node, "version")
    empty = version is None or version.strip().lower() in (
        "unknown",
        "-",
        "inconnu",
        "inconnue",
        "inapplicable",
        name,
    )
    return name if name is None or empty else f"{name} ({version})"


def _service(r: IsoReader, links: list[Fields]) -> Fields:
    """What srv:SV_ServiceIdentification adds (ISO 19119; GeoDCAT-AP 3 §Data service)."""
    info = "identificationInfo"
    kind = (r.code(r.root, f"{info}/serviceType") or "").strip()
    known = kind.lower() in ("discovery", "view", "download", "transformation", "invoke", "other")
    protocols = [kind] if kind and not known else []
    protocols += r.values(r.root, f"{info}/serviceTypeVersion")
    operations = r.values(r.root, f"{info}/containsOperations/connectPoint/linkage")
    for path in ("operationName", "DCP", "connectPoint/protocol"):
        r.values(r.root, f"{info}/containsOperations/{path}")
    services = [link for link in links if "access_services" in link]
    endpoints = operations + [link["url"] for link in services] or [link["url"] for link in links[:1]]
    served = [r.link(e) or r.value(e) for e in r.all(r.root, f"{info}/operatesOn")]
    served += r.values(r.root, f"{info}/coupledResource/identifier")
    described = [url for url in endpoints if "getcapabilities" in url.lower()]
    return compact(
        {
            "service_type": codes.SERVICE + kind.lower() if known else None,
            "service_protocol": list(dict.fromkeys(protocols)),
            "endpoint_url": sorted({url.partition("?")[0] for url in endpoints}),
            "endpoint_description": sorted(set(described)),
            "conforms_to": sorted({uri for link in services for uri in link["conforms_to"]}),
            "serves_dataset": sorted({name for name in served if name}),
            "documentation": sorted({link["url"] for link in links} - set(endpoints)),
        }
    )


def _unique(found: list[Any]) -> list[Any]:
    """Values that are not empty, each once, in an order that is not the document's."""
    kept = {msgspec.json.encode(value, order="sorted").decode(): value for value in found if value}
    return [kept[key] for key in sorted(kept)]


def _problem_key(problem: Problem) -> tuple[str, str, str]:
    return problem.code, problem.field or "", problem.message
