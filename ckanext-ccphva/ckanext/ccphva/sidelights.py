"""What a dataset's page shows beside the dataset. Templates find it under `ccphva_page`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import fresh_context

KEY = "ccphva_page"


def add(context: Any, dataset: dict[str, Any]) -> None:
    """Lay state and quality beside a dataset that a page is about to show; other readers do not get them."""
    if context.get("for_view") and dataset.get("type") == "dataset" and dataset.get("id"):
        dataset[KEY] = {
            "review": _ask(context, "ccphva_dataset_review_show", dataset),
            "quality": _ask(context, "ccphva_quality_show", dataset),
            "readiness": _ask(context, "ccphva_hvd_readiness_show", dataset),
        }


def _ask(context: Any, action: str, dataset: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return tk.get_action(action)(fresh_context(context), {"id": dataset["id"]})
    except tk.NotAuthorized:
        return None
