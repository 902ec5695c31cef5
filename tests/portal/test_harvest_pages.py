"""Pages of the register and raw records, asked for as a browser and a client do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ckan import model
from ckan.tests import factories
from ckanext.harvest.model import HarvestObject
from harvesting import Site, catalog, harvest, make_source

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")
POISON = "<http://x.example/r/b> <http://www.w3.org/ns/dcat#downloadURL> <javascript:alert(1)> ."


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def test_pages_of_the_register(site: Site, app: Any) -> None:
    """Source, jobs and the report of a job with errors open in stock's pages."""
    with app.flask_app.test_request_context():  # closed again, or the pages below would see its user
        source = make_source(site.serve("/c", catalog(list("ab"), POISON)))
        job = harvest(source)
        token = factories.SysadminWithToken()["token"]
        model.Session.remove()
    signed_in = {"Authorization": token}
    base = f"/harvest/{source['name']}"
    for path in (
        f"/harvest/admin/{source['name']}",
        f"{base}/job",
        f"{base}/job/last",
        f"{base}/job/{job['id']}",
    ):
        assert app.get(path, headers=signed_in).status_code == 200
    assert "javascript" in app.get(f"{base}/job/{job['id']}", headers=signed_in).body
    assert app.get(f"{base}/job/{job['id']}", expect_errors=True).status_code == 403


def test_raw_records_are_for_those_who_see_the_dataset(site: Site, app: Any) -> None:
    """An open dataset's raw record is public, a private one's its organisation's, errors the keepers'."""
    with app.flask_app.test_request_context():
        keeper, stranger = factories.UserWithToken(), factories.UserWithToken()
        owner = factories.Organization(users=[{"name": keeper["name"], "capacity": "editor"}])["id"]
        address = site.serve("/c", catalog(list("ab"), POISON))
        opened = make_source(address, owner_org=owner)
        closed = make_source(address, '{"publication": "private"}', owner_org=owner)
        for source in (opened, closed):
            assert harvest(source)["stats"]["added"] == 1
        failed = HarvestObject.filter(harvest_source_id=opened["id"], state="ERROR").one().id
        records = [
            HarvestObject.filter(harvest_source_id=source["id"], current=True).one()
            for source in (opened, closed)
        ]
        open_record, closed_record = (record.id for record in records)
        hidden = records[1].package_id
        model.Session.remove()
    headers = {
        "": {},
        "stranger": {"Authorization": stranger["token"]},
        "keeper": {"Authorization": keeper["token"]},
    }
    expected = {
        open_record: {"": 200, "stranger": 200, "keeper": 200},
        closed_record: {"": 403, "stranger": 403, "keeper": 200},
        failed: {"": 403, "stranger": 403, "keeper": 200},
        "no-such-record": {"": 404, "stranger": 404, "keeper": 404},
    }
    found = {
        record: {
            role: {
                app.get(path, headers=headers[role], expect_errors=True).status_code
                for path in (f"/api/3/action/harvest_object_show?id={record}", f"/harvest/object/{record}")
            }
            for role in roles
        }
        for record, roles in expected.items()
    }
    assert found == {
        record: {role: {code} for role, code in roles.items()} for record, roles in expected.items()
    }
    assert app.get(f"/dataset/harvest_object/{hidden}", expect_errors=True).status_code == 403
