"""The quality of a dataset's metadata: MQA's 405 points, and readiness as a high-value dataset. No CKAN here.

Indicators, weights, conditions and advice are data: `schemas/mqa.yaml` (https://data.europa.eu/mqa/methodology)
and `schemas/hvd.yaml` (Reg. (EU) 2023/138, DCAT-AP HVD 3.0.0). What the assessment asks the network for, this
module cannot know: points for a link elsewhere that nobody has tried are `unverified`, not earned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml
from ckanext.ccphva.visibility import ACCESS_RIGHTS, OPEN
from ckanext.ccphva.workflow import is_published

Thing = Mapping[str, Any]
UPLOADED = "upload"
_MEDIA_TYPE = re.compile(
    r"(application|audio|font|haptics|image|message|model|multipart|text|video)/[\w.+-]+(;|$)", re.I
)


class Formats(NamedTuple):
    """Formats as the EU's table of file types names them."""

    known: frozenset[str]
    machine_readable: frozenset[str]
    non_proprietary: frozenset[str]
    structured: frozenset[str]
    also: Mapping[str, str]

    def of(self, resource: Thing) -> str:
        """The format of a resource in the table's words, whether it was given as a name or as a URI."""
        name = str(resource.get("format") or "").rsplit("/file-type/", 1)[-1].strip().upper()
        return self.also.get(name, name.replace(" ", "_"))


@cache
def rules(name: str) -> Mapping[str, Any]:
    """Rules of `mqa` or `hvd`."""
    return yaml.safe_load((files("ccphva_schemas") / f"{name}.yaml").read_text())


@cache
def formats() -> Formats:
    found = rules("mqa")["formats"]
    groups = (
        frozenset(found[name]) for name in ("known", "machine_readable", "non_proprietary", "structured")
    )
    return Formats(*groups, also=found["also"])


def assess(dataset: Thing) -> dict[str, Any]:
    """Points of a dataset.

    :returns: ``points`` earned, ``unverified`` (what links elsewhere would add if they answer), ``possible``
        (405), ``band``, ``dimensions`` (points by dimension) and ``indicators``, each with its published
        ``name`` and ``weight``, ``points``, ``unverified``, the ``field`` that mends it and ``advice``.
    """
    indicators = [_assessed(indicator, dataset) for indicator in rules("mqa")["indicators"]]
    points = sum(each["points"] for each in indicators)
    dimensions: dict[str, dict[str, int]] = {}
    for each in indicators:
        totals = dimensions.setdefault(each["dimension"], {"points": 0, "possible": 0})
        totals["points"] += each["points"]
        totals["possible"] += each["weight"]
    return {
        "points": points,
        "unverified": sum(each["unverified"] for each in indicators),
        "possible": sum(each["weight"] for each in indicators),
        "band": band(points),
        "dimensions": dimensions,
        "indicators": indicators,
    }


def band(points: float) -> str:
    """The name that the assessment gives to a number of points."""
    return next(name for name, least in rules("mqa")["bands"].items() if points >= least)


def _assessed(indicator: Thing, dataset: Thing) -> dict[str, Any]:
    """One indicator: its weight, by the share of resources that satisfy it where it measures those."""
    if indicator["of"] == "dataset":
        answers: Sequence[bool | None] = [_OF_DATASET[indicator["id"]](dataset)]
    else:
        test = _OF_RESOURCE[indicator["id"]]
        answers = [test(resource, dataset) for resource in dataset.get("resources", ())]
    count = len(answers) or 1
    earned, unknown = (sum(answer is wanted for answer in answers) for wanted in (True, None))
    weight = indicator["weight"]
    points = round(weight * earned / count)
    return {
        **indicator,
        "points": points,
        "unverified": round(weight * (earned + unknown) / count) - points,
    }


def _filled(field: str) -> Any:
    return lambda dataset: bool(dataset.get(field))


def _required(dataset: Thing) -> bool:
    """DCAT-AP 3.0.1: dct:title and dct:description of a dataset, dcat:accessURL of a distribution."""
    resources = dataset.get("resources", ())
    addressed = all(each.get("url") or each.get("access_url") for each in resources)
    return bool(dataset.get("title") and dataset.get("notes")) and addressed


_OF_DATASET: Mapping[str, Any] = {
    "keywords": lambda d: bool(d.get("tags_translated") or d.get("tags")),
    "categories": _filled("theme"),
    "spatial": _filled("spatial_coverage"),
    "temporal": _filled("temporal_coverage"),
    "dcat_ap": _required,
    "access_rights": _filled("access_rights"),
    "access_rights_vocabulary": lambda d: d.get("access_rights") in ACCESS_RIGHTS.values(),
    "contact": _filled("contact"),
    "publisher": lambda d: bool(d.get("publisher") or d.get("organization") or d.get("owner_org")),
    # The catalogue says when a dataset was made and changed where its author does not.
    "issued": lambda d: bool(d.get("issued") or d.get("metadata_created")),
    "modified": lambda d: bool(d.get("modified") or d.get("metadata_modified")),
}


def _address(resource: Thing) -> bool | None:
    """Whether the address of a resource answers: True here, None elsewhere, False where there is none."""
    if resource.get("url_type") == UPLOADED:
        return True
    return None if resource.get("url") or resource.get("access_url") else False


def _has_download(resource: Thing, _: Thing) -> bool:
    return bool(resource.get("download_url")) or resource.get("url_type") == UPLOADED


def _is_media_type(resource: Thing) -> bool:
    """A media type of one of IANA's kinds (RFC 6838 §4.2), as `text/csv` or under IANA's address."""
    name = re.split(r"media-types/", str(resource.get("mimetype") or ""))[-1]
    return bool(_MEDIA_TYPE.match(name))


def _licence(resource: Thing, dataset: Thing) -> str:
    """A resource's own licence, else the dataset's."""
    found = resource.get("license_id") or resource.get("license") or dataset.get("license_id") or ""
    return "" if found == "notspecified" else str(found)


_OF_RESOURCE: Mapping[str, Any] = {
    "access_url_status": lambda r, _: _address(r),
    "download_url": _has_download,
    "download_url_status": lambda r, d: _address(r) if _has_download(r, d) else False,
    "format": lambda r, _: bool(r.get("format")),
    "media_type": lambda r, _: bool(r.get("mimetype")),
    "format_vocabulary": lambda r, _: formats().of(r) in formats().known and _is_media_type(r),
    "non_proprietary": lambda r, _: formats().of(r) in formats().non_proprietary,
    "machine_readable": lambda r, _: formats().of(r) in formats().machine_readable,
    "licence": lambda r, d: bool(_licence(r, d)),
    "licence_vocabulary": lambda r, d: _licence(r, d) in rules("mqa")["licences"],
    "rights": lambda r, d: bool(r.get("rights") or d.get("rights")),
    "size": lambda r, _: bool(r.get("size")),
}


def readiness(dataset: Thing) -> dict[str, Any]:
    """Whether a dataset is what a high-value dataset must be.

    :returns: ``claimed`` (it says that it is one), ``ready``, and ``conditions``, each with ``met``, its
        ``source``, ``label``, the ``field`` that mends it and ``advice``.
    """
    conditions = [{**each, "met": bool(_HVD[each["id"]](dataset))} for each in rules("hvd")["conditions"]]
    claimed = any(each["met"] for each in conditions if each["id"] in ("category", "legislation"))
    return {
        "claimed": claimed,
        "ready": all(each["met"] for each in conditions),
        "conditions": conditions,
    }


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] if value else []


def _names_the_regulation(dataset: Thing) -> bool:
    text = rules("hvd")["legislation"]
    things = (dataset, *dataset.get("resources", ()))
    return all(text in _several(each.get("applicable_legislation")) for each in things)


def _resources(dataset: Thing) -> list[Thing]:
    return list(dataset.get("resources", ()))


def _is_service(resource: Thing) -> bool:
    return bool(resource.get("datastore_active") or resource.get("access_services"))


_HVD: Mapping[str, Any] = {
    "category": lambda d: any(
        str(each).startswith(rules("hvd")["categories"]) for each in _several(d.get("hvd_category"))
    ),
    "legislation": _names_the_regulation,
    "api": lambda d: any(_is_service(each) for each in _resources(d)),
    "bulk": lambda d: any(_has_download(each, d) for each in _resources(d)),
    "machine_readable": lambda d: any(formats().of(each) in formats().structured for each in _resources(d)),
    "licence": lambda d: (
        bool(_resources(d))
        and all(_licence(each, d) in rules("hvd")["open_licences"] for each in _resources(d))
    ),
    "free": lambda d: not any(each.get("fee") for each in (d, *_resources(d))),
    "public": lambda d: d.get("visibility") == OPEN and is_published(d),
    "contact": _filled("contact"),
}
