"""Texts of documents in the search of datasets, in the field of each page's language."""

from __future__ import annotations

import json
from typing import Any

from ckanext.ccphva_datastore.loading import model

MOST = 200_000
"""Characters of a dataset's documents that the search of datasets knows; `ccphva_document_search` knows
all.
"""


def with_documents(document: dict[str, Any]) -> dict[str, Any]:
    """The search document with texts of documents; of data that are open only, as the index has readers."""
    dataset = json.loads(document["validated_data_dict"])
    if dataset.get("private") or dataset.get("visibility", "open") != "open":
        return document
    for language, text in model.texts_of(dataset["id"], MOST):
        field = f"text_{language or 'fr'}"
        document[field] = [*(document.get(field) or []), text]
    return document
