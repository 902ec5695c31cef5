"""A linked file, through the guarded client: this machine itself only where an option allows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from harvesting import Site
from loads_support import load, make_dataset, rows, show

pytestmark = pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def linked(site: Site) -> dict[str, str]:
    url = site.serve("/a.csv", "code;nom\n01;Audun\n", "text/csv")
    return call_action("resource_create", package_id=make_dataset(), name="a", url=url)


def test_a_loopback_address_is_refused(site: Site) -> None:
    """Whoever may edit a resource does not thereby read this machine's services."""
    done = load(linked(site))
    assert (done["state"], done["columns"]) == ("refused", [])


@pytest.mark.ckan_config("ccphva.load.allowed_networks", "127.0.0.0/8")
def test_an_allowed_address_is_a_table(site: Site) -> None:
    """And its next version too."""
    resource = linked(site)
    assert load(resource)["state"] == "done", show(resource)
    assert rows(resource) == [{"_id": 1, "code": "01", "nom": "Audun"}]
    site.serve("/a.csv", "code;nom\n02;Thil\n", "text/csv")
    assert load(resource)["state"] == "done"
    assert [row["code"] for row in rows(resource)] == ["02"]
