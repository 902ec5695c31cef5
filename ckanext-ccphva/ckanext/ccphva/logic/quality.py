"""Actions of quality: points of a dataset and of an organisation, readiness as a high-value dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import fresh_context, validate
from ckan.types import Context, DataDict
from ckanext.ccphva import quality
from ckanext.ccphva.logic import schema

__all__ = ["ccphva_hvd_readiness_show", "ccphva_quality_show", "ccphva_quality_summary_show"]

PAGE = 500
WORST = 10


@tk.side_effect_free
@validate(schema.thing)
def ccphva_quality_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Points of a dataset by the metadata quality assessment of data.europa.eu, computed without the network.

    :param id: name or id of the dataset.
    :returns: ``points``, ``unverified`` (for links that nobody has tried), ``possible`` (405), ``band``,
        ``dimensions`` and ``indicators`` (``name``, ``weight``, ``points``, ``field`` that mends it,
        ``advice`` in four languages).
    """
    tk.check_access("ccphva_quality_show", context, data_dict)
    return quality.assess(_dataset(context, data_dict))


@tk.side_effect_free
@validate(schema.thing)
def ccphva_hvd_readiness_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Whether a dataset is what Reg. (EU) 2023/138 and DCAT-AP HVD 3.0.0 ask of high-value ones.

    :param id: name or id of the dataset.
    :returns: ``claimed``, ``ready`` and ``conditions`` (``met``, ``label``, ``source``, ``field``,
        ``advice``).
    """
    tk.check_access("ccphva_hvd_readiness_show", context, data_dict)
    return quality.readiness(_dataset(context, data_dict))


@tk.side_effect_free
@validate(schema.thing)
def ccphva_quality_summary_show(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Points of an organisation's datasets, as far as the caller sees them.

    :param id: name or id of the organisation.
    :returns: ``datasets`` (their number), ``points`` (their mean), ``bands`` (number by band), ``missing``
        (number of datasets without full points, by indicator) and ``worst`` (ten datasets with the fewest).
    """
    tk.check_access("ccphva_quality_summary_show", context, data_dict)
    query = {"id": data_dict["id"], "include_users": False, "include_datasets": False}
    organization = tk.get_action("organization_show")(fresh_context(context), query)
    found = [(dataset, quality.assess(dataset)) for dataset in _datasets(context, organization["id"])]
    points = [assessed["points"] for _, assessed in found]
    missing = Counter(
        indicator["id"]
        for _, assessed in found
        for indicator in assessed["indicators"]
        if indicator["points"] + indicator["unverified"] < indicator["weight"]
    )
    worst = sorted(found, key=lambda pair: pair[1]["points"])[:WORST]
    return {
        "datasets": len(found),
        "points": round(sum(points) / len(points)) if points else 0,
        "bands": dict(Counter(quality.band(each) for each in points)),
        "missing": dict(missing.most_common()),
        "worst": [
            {
                **{key: dataset.get(key) for key in ("id", "name", "title", "title_translated")},
                "points": assessed["points"],
            }
            for dataset, assessed in worst
        ],
    }


def _dataset(context: Context, data_dict: DataDict) -> dict[str, Any]:
    return tk.get_action("package_show")(fresh_context(context), {"id": data_dict["id"]})


def _datasets(context: Context, organization: str) -> Iterator[dict[str, Any]]:
    query = {
        "fq": f"+owner_org:{organization} +dataset_type:dataset",
        "rows": PAGE,
        "sort": "id asc",
        "include_private": True,
    }
    start = 0
    while page := tk.get_action("package_search")(fresh_context(context), {**query, "start": start})[
        "results"
    ]:
        yield from page
        start += PAGE
