"""Files become tables: into a new table, in the place of the old one at once, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from catalogue_support import call_action, forget_tables, plugins_loaded  # noqa: F401
from ckan import model
from ckan.tests import factories
from loads_support import load, loaded, make_dataset, reason, replace, rows, types, upload

pytestmark = pytest.mark.usefixtures("plugins_loaded", "empty")


@pytest.fixture(scope="module")
def empty(plugins_loaded: None) -> None:  # noqa: F811
    model.repo.rebuild_db()
    forget_tables()


SIMPLE = "code;nom;montant;jour\n01;Audun;1,5;31/12/2025\n54;Villerupt;;01/02/2026\n".encode()


def test_a_file_becomes_a_table() -> None:
    """Codes keep their zeros, decimals their comma's meaning, French dates their day."""
    resource, done = loaded("a.csv", SIMPLE)
    assert done["state"] == "done", done
    assert types(done) == {"code": "text", "nom": "text", "montant": "numeric", "jour": "date"}
    assert rows(resource)[0] == {"_id": 1, "code": "01", "nom": "Audun", "montant": 1.5, "jour": "2025-12-31"}
    assert call_action("datastore_search", resource_id=resource["id"])["total"] == 2
    assert [row["nom"] for row in rows(resource, q="villerupt")] == ["Villerupt"]
    assert call_action("resource_show", id=resource["id"])["datastore_active"]
