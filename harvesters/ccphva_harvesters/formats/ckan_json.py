"""CKAN package dicts → our schema, of any CKAN from 2.2 on, with or without ckanext-dcat, -spatial or
-fluent.

Fields are looked for at the top of the dict (ckanext-scheming) and in its extras (ckanext-dcat before 2,
ckanext- spatial), as values or as JSON text. Names are those of ckanext-dcat, which are ours too. What is
not mapped is told in the dataset's problems.

Imports only ``errors``, ``geometry``, ``jsondoc``, ``languages``, ``model`` and private modules of
``formats``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from ccphva_harvesters import geometry, jsondoc, languages
from ccphva_harvesters.errors import ParseError, RecordError, TooLargeError
from ccphva_harvesters.model import Dataset, Fields, Kind, Problem, Record

from ._keywords import first_geometry, tags
from ._reader import compact

TEXTS = (
    "version",
    "url",
    "homepage",
    "dcat_type",
    "frequency",
    "temporal_resolution",
    "access_rights",
    "status",
)
LISTS = (
    "language", "theme", "conforms_to", "documentation", "alternate_identifier", "hvd_category",
    "sample", "source", "applicable_legislation", "is_referenced_by", "related_resource",
    "has_version", "is_version_of", "in_series", "inspire_theme", "topic_category", "reference_system",
    "spatial_resolution_in_meters", "endpoint_url", "endpoint_description", "serves_dataset",
)  # fmt: skip
THINGS = (
    "contact", "publisher", "creator", "qualified_attribution", "qualified_relation", "spatial_coverage",
    "temporal_coverage", "conformity",
)  # fmt: skip
LONG = ("provenance", "version_notes", "purpose")
_DATES = ("issued", "modified", "created")
_OTHER_NAMES = {  # names of ckanext-spatial, of data.gov and of older portals
    "guid": "identifier", "frequency-of-update": "frequency", "accrual_periodicity": "frequency",
    "accrualPeriodicity": "frequency", "dcat_issued": "issued", "dcat_modified": "modified",
    "dcat_publisher_name": "publisher_name", "dcat_publisher_email": "publisher_email",
    "lineage": "provenance", "granularity": "temporal_resolution",
    "temporal_granularity": "temporal_resolution", "contact-email": "contact_email",
    "territorial_coverage": "geographic_coverage", "landing_page": "url", "themes": "theme",
}  # fmt: skip
DATASET_FIELDS = frozenset(
    {
        "uri",
        "identifier",
        "title_translated",
        "notes_translated",
        "keywords_translated",
        "tags",
        "license",
        "rights",
    }
    | {"spatial", *TEXTS, *LISTS, *THINGS, *LONG, *_DATES}
)
"""Every field that a dataset of this format may carry."""
_RESOURCE_TEXTS = (
    "uri", "url", "access_url", "download_url", "format", "mimetype", "hash", "hash_algorithm",
    "license", "rights", "access_rights", "availability", "status", "issued", "modified",
    "temporal_resolution", "compress_format", "package_format", "character_encoding",
)  # fmt: skip
_RESOURCE_LISTS = ("language", "documentation", "conforms_to", "applicable_legislation", "hvd_category")
RESOURCE_FIELDS = frozenset(
    {"name_translated", "description_translated", "size", "identifier", *_RESOURCE_TEXTS, *_RESOURCE_LISTS}
)
"""Every field that a resource of this format may carry."""
_OWN = frozenset(
    {
        "id", "name", "title", "title_translated", "notes", "notes_translated", "tags", "keywords",
        "keywords_translated", "tags_translated", "extras", "resources", "organization", "owner_org",
        "groups", "author", "author_email", "maintainer", "maintainer_email", "license_id",
        "license_title", "license_url", "isopen", "type", "state", "private", "num_tags",
        "num_resources", "metadata_created", "metadata_modified", "creator_user_id", "revision_id",
        "revision_timestamp", "relationships_as_object", "relationships_as_subject", "tracking_summary",
        "ratings_average", "ratings_count", "ckan_url", "download_url", "visibility", "personal_data",
        "workflow", "translation_state", "license", "spatial", "rights", "spatial_uri",
        "temporal_start", "temporal_end", "contact_name", "contact_email", "contact_uri",
        "publisher_name", "publisher_email", "publisher_url", "publisher_uri", "publisher_type", "uri",
        "identifier", "geographic_coverage", "plugin_data", "harvest_object_id", "harvest_source_id",
        "harvest_source_title",
    }
)  # fmt: skip
"""Keys that are read one by one, and CKAN's own bookkeeping."""


class CkanJsonConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source file may say under ``format:`` with ``type: ckan-json``."""

    languages: tuple[str, ...] | None = languages.PORTAL
    """Languages of texts to keep; null keeps all."""
    default_language: str = "fr"
    """Language of texts that name none."""
    report_losses: bool = True
    """Name the keys that were not mapped in the dataset's problems."""


class CkanJson:
    """Format of records whose content is the JSON text of a package, or of an API answer that holds one."""

    Config = CkanJsonConfig

    def __init__(self, config: CkanJsonConfig | None = None) -> None:
        self.config = config or CkanJsonConfig()

    def datasets(self, record: Record) -> Iterator[Dataset]:
        """The dataset that the record is."""
        if not isinstance(record.content, bytes):
            raise RecordError(record.id, f"its content is {type(record.content).__name__}, not JSON text")
        try:
            package = jsondoc.parse(record.content, record.url or record.id)
        except (ParseError, TooLargeError) as exc:
            raise RecordError(record.id, exc.cause) from None
        if isinstance(package.get("result"), dict):
            package = cast("dict[str, Any]", package["result"])
        if not (package.get("id") or package.get("name")):
            raise RecordError(record.id, "it is no CKAN package: it has neither id nor name")
        yield _Package(package, self.config).dataset(record)


class _Package:
    """One package dict while it is read."""

    def __init__(self, package: Mapping[str, Any], config: CkanJsonConfig) -> None:
        self.config = config
        self.problems: list[Problem] = []
        self.own = dict(package)
        self.values: dict[str, Any] = {**_extras(package.get("extras")), **package}
        for old, new in _OTHER_NAMES.items():
            if self.values.get(old) and not self.values.get(new):
                self.values[new] = self.values[old]

    def dataset(self, record: Record) -> Dataset:
        fields = compact(
            {
                "uri": self._text("uri"),
                "identifier": self._text("identifier") or str(self.own.get("id") or self.own["name"]),
                **self._texts(),
                **{name: self._text(name) for name in TEXTS},
                **{name: _list(self.values.get(name)) for name in LISTS},
                **{name: _things(self.values.get(name)) for name in THINGS},
                **{name: self._by_language(self.values.get(name), name) for name in LONG},
                **self._dates(),
                **self._keywords(),
                "license": self._licence(),
                "rights": self._text("rights"),
            }
        )
        fields.update(self._people(fields))
        fields.update(self._where_and_when(fields))
        if "title_translated" not in fields:
            fields["title_translated"] = {
                self.config.default_language: str(self.own.get("name") or record.id)
            }
            self.problem("title", "it has no title; its name stands in", "title_translated")
        resources = [found for r in _dicts(self.own.get("resources")) if (found := self._resource(r, fields))]
        self._report()
        return Dataset(
            guid=record.guid or str(self.own.get("id") or self.own["name"]),
            uri=fields.get("uri"),
            identifier=fields.get("identifier"),
            kind=_kind(self.own.get("type")),
            fields=fields,
            resources=resources,
            problems=tuple(sorted(self.problems, key=lambda p: (p.code, p.field or "", p.message))),
        )

    def problem(self, code: str, message: str, field: str | None = None) -> None:
        """Keep a problem, once."""
        found = Problem(code, message, field)
        if found not in self.problems:
            self.problems.append(found)

    def _report(self) -> None:
        if not self.config.report_losses:
            return
        known = _OWN | DATASET_FIELDS | _OTHER_NAMES.keys()
        for key in sorted(self.values):
            if key not in known and self.values[key] not in (None, "", [], {}, "[]", "{}"):
                self.problem("unmapped", key)

    # -- texts -------------------------------------------------------------------------------------------

    def _text(self, name: str) -> str | None:
        value = _decoded(self.values.get(name))
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value).strip() or None
        if isinstance(value, dict):
            return self._best(self._by_language(value, name))
        found = _list(value)
        return found[0] if found else None

    def _texts(self) -> Fields:
        return {
            f"{name}_translated": self._by_language(self.values.get(f"{name}_translated"), name)
            or self._by_language(self.values.get(name), name)
            for name in ("title", "notes")
        }

    def _by_language(self, value: Any, field: str) -> dict[str, str]:
        """Text by language of a plain text, a fluent mapping or its JSON, without machine translations."""
        value = _decoded(value)
        if isinstance(value, dict):
            found: dict[str, str] = {}
            for tag, text in sorted(cast("dict[str, Any]", value).items()):
                if languages.is_machine_translated(tag):
                    self.problem(
                        "machine-translation", "machine translations of the source are not taken over"
                    )
                    continue
                language = languages.fold(tag)
                if language and isinstance(text, str) and text.strip():
                    found.setdefault(language, text.strip())
            return self._kept(found, field)
        text = _plain(value)
        return {self.config.default_language: text} if text else {}

    def _kept(self, found: dict[str, str], field: str) -> dict[str, str]:
        kept = self.config.languages
        if kept is None or not found:
            return found
        good = {language: text for language, text in found.items() if language in kept}
        if good:
            return good
        only = "en" if "en" in found else min(found)
        default = self.config.default_language
        self.problem("language", f"only in {', '.join(sorted(found))}; kept as it is under {default}", field)
        return {default: found[only]}

    def _best(self, texts: Mapping[str, str]) -> str | None:
        for language in (self.config.default_language, *languages.PORTAL, *sorted(texts)):
            if language in texts:
                return texts[language]
        return None

    def _keywords(self) -> Fields:
        by_language: dict[str, list[str]] = {}
        for name in ("tags_translated", "keywords_translated", "keywords"):
            value = _decoded(self.values.get(name))
            if isinstance(value, dict):
                for tag, words in cast("dict[str, Any]", value).items():
                    language = languages.fold(tag)
                    if language and (self.config.languages is None or language in self.config.languages):
                        by_language.setdefault(language, sorted(set(_list(words))))
        if not by_language:
            given = self.own.get("tags")
            words = [_tag(tag) for tag in cast("list[Any]", given if isinstance(given, list) else [])]
            by_language = {self.config.default_language: sorted({w.strip() for w in words if w.strip()})}
        by_language = {language: words for language, words in by_language.items() if words}
        main = by_language.get(self.config.default_language, [])
        if not main and by_language:
            main = by_language[min(by_language)]
        return {"keywords_translated": by_language, "tags": tags(self.problem, main)}

    # -- the rest ----------------------------------------------------------------------------------------

    def _licence(self) -> str | None:
        """The licence as the portal names it: address, else title, else id. ``notspecified`` says nothing."""
        for name in ("license", "license_url", "license_title", "license_id"):
            value = self._text(name)
            if value and value.lower() not in (
                "notspecified",
                "license not specified",
                "not specified",
                "none",
            ):
                return value
        return None

    def _dates(self) -> Fields:
        found = {name: self._text(name) for name in _DATES}
        found["issued"] = found["issued"] or self._text("metadata_created")
        found["modified"] = found["modified"] or self._text("metadata_modified")
        return found

    def _people(self, fields: Fields) -> Fields:
        """Publisher, creator and contact where they are flat keys, else the organisation, author and
        maintainer."""
        found: Fields = {}
        if "publisher" not in fields:
            flat = {key: self._text(f"publisher_{key}") for key in ("uri", "name", "email", "url", "type")}
            for owner in _dicts([self.own.get("organization")]) if not flat["name"] else ():
                flat["name"] = _plain(owner.get("title")) or _plain(owner.get("name"))
            found["publisher"] = [compact(flat)] if compact(flat) else []
        if "creator" not in fields:
            author = compact({"name": self._text("author"), "email": self._text("author_email")})
            found["creator"] = [author] if author else []
        if "contact" not in fields:
            for keys in (
                ("contact_name", "contact_email"),
                ("maintainer", "maintainer_email"),
                ("author", "author_email"),
            ):
                contact = compact({"name": self._text(keys[0]), "email": self._text(keys[1])})
                if contact:
                    found["contact"] = [contact]
                    break
        return compact(found)

    def _where_and_when(self, fields: Fields) -> Fields:
        places = list(fields.get("spatial_coverage", []))
        text = self.values.get("spatial")
        spatial = text if isinstance(text, str) else json.dumps(text) if isinstance(text, dict) else ""
        found: Fields = {}
        if spatial.strip() and not places:
            shape = geometry.to_geojson(spatial)
            if shape is not None:
                places = [{"geom": shape}]
            elif len(spatial) < 200 and "{" not in spatial:
                places = [{"text": spatial.strip()}]
            else:
                self.problem("geometry", f"{spatial[:60]!r} cannot be read as WGS 84", "spatial")
        if not places and (box := self._box()):
            places = [{"bbox": box}]
        if not places and (name := self._text("geographic_coverage")):
            places = [{"text": name}]
        found["spatial_coverage"] = places
        found["spatial"] = first_geometry(places)
        if "temporal_coverage" not in fields:
            period = compact({"start": self._text("temporal_start"), "end": self._text("temporal_end")})
            found["temporal_coverage"] = [period] if period else []
        return compact(found)

    def _box(self) -> str | None:
        """The four numbers of ckanext-spatial."""
        sides = [
            self.values.get(f"bbox-{side}") for side in ("west-long", "south-lat", "east-long", "north-lat")
        ]
        try:
            west, south, east, north = (float(str(side)) for side in sides)
        except ValueError:
            return None
        return geometry.to_geojson(json.dumps(geometry.bbox(west, south, east, north)))

    def _resource(self, given: Mapping[str, Any], fields: Fields) -> Fields:
        texts = {name: _plain(given.get(name)) for name in _RESOURCE_TEXTS}
        texts["modified"] = texts["modified"] or _plain(given.get("last_modified"))
        texts["issued"] = texts["issued"] or _plain(given.get("created"))
        for name in ("hash",):
            if (texts[name] or "").strip("0- ") == "":
                texts[name] = None
        return compact(
            {
                **texts,
                "name_translated": self._by_language(
                    given.get("name_translated") or given.get("name"), "name"
                ),
                "description_translated": self._by_language(
                    given.get("description_translated") or given.get("description"), "description"
                ),
                "size": _size(given.get("size")),
                "identifier": _plain(given.get("id")),
                "license": texts["license"] or fields.get("license"),
                **{name: _list(given.get(name)) for name in _RESOURCE_LISTS},
            }
        )


def _tag(given: Any) -> str:
    """A tag's name: a mapping in API 3, a text before."""
    if isinstance(given, dict):
        tag = cast("dict[str, Any]", given)
        given = tag.get("display_name") or tag.get("name")
    return _plain(given) or ""


def _extras(given: Any) -> dict[str, Any]:
    """Extras as a mapping: a list of key and value (API 3), or a mapping (API 1 and 2)."""
    if isinstance(given, dict):
        return dict(cast("dict[str, Any]", given))
    return {str(e["key"]): e.get("value") for e in _dicts(given) if e.get("key")}


def _dicts(given: Any) -> list[dict[str, Any]]:
    found = cast("list[Any]", given) if isinstance(given, list) else []
    return [cast("dict[str, Any]", item) for item in found if isinstance(item, dict)]


def _decoded(value: Any) -> Any:
    """A value, or what its JSON text holds when it is a list or a mapping."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _list(value: Any) -> list[str]:
    """Texts of a list, of its JSON, or the one text."""
    value = _decoded(value)
    if isinstance(value, list):
        return [text for item in cast("list[Any]", value) if (text := _plain(item))]
    text = _plain(value)
    return [text] if text else []


def _things(value: Any) -> list[Fields]:
    """Described things: a list of mappings, or its JSON, without what is empty."""
    value = _decoded(value)
    return [
        found for item in _dicts([value] if isinstance(value, dict) else value) if (found := compact(item))
    ]


def _plain(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value).strip() or None


def _size(value: Any) -> int | None:
    try:
        number = int(float(str(value)))
    except (ValueError, OverflowError):
        return None
    return number if number > 0 else None


def _kind(given: Any) -> Kind:
    return given if given in ("dataset_series", "data_service") else "dataset"
