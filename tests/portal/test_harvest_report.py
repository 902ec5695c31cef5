"""What a run did, as its report tells it: what changed, as the datasets have it, and errors by cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories, helpers
from ckanext.harvest.model import HarvestObject
from harvesting import Site, act, catalog, datasets, harvest, make_source

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")
MOVED = "<http://x.example/r/{0}> <http://www.w3.org/ns/dcat#downloadURL> <{1}> ."


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def report(job: dict[str, Any], **more: Any) -> dict[str, Any]:
    model.Session.remove()
    return act("ccphva_harvest_report_show", id=job["id"], **more)


def sides(field: dict[str, Any]) -> tuple[str, str]:
    """A text before and after, put together again from its passages."""
    parts = field["parts"]
    before = "".join(part["text"] for part in parts if part["change"] != "added")
    return before, "".join(part["text"] for part in parts if part["change"] != "removed")


def differing(before: dict[str, Any], after: dict[str, Any], kind: str) -> set[str]:
    """Fields of the schema in which two answers of `package_show` differ."""
    schema = tk.get_action("scheming_dataset_schema_show")({}, {"type": "dataset"})[kind]
    names = {each["field_name"] for each in schema}
    return {name for name in names if before.get(name) != after.get(name)}


@pytest.mark.usefixtures("with_request_context")
class TestChanges:
    def test_the_difference_is_that_of_the_datasets(self, site: Site) -> None:
        """Exactly the fields in which `package_show` differs, with both words; of files likewise."""
        url = site.serve("/c", catalog({"a": "Le vieux titre", "b": "Autre"}))
        source = make_source(url)
        harvest(source)
        before = {each["name"]: each for each in datasets(source)}["le-vieux-titre"]
        site.serve(
            "/c",
            catalog({"a": "Le nouveau titre", "b": "Autre"}, MOVED.format("a", "http://x.example/n.csv")),
        )
        job = harvest(source)
        after = {each["name"]: each for each in datasets(source)}["le-vieux-titre"]
        shown = report(job)
        assert [(each["status"], each["name"]) for each in shown["changes"]] == [
            ("updated", "le-vieux-titre")
        ]
        (change,) = shown["changes"]
        told = {field["field"]: sides(field) for field in change["fields"]}
        assert set(told) == differing(before, after, "dataset_fields")
        assert told["title_translated"] == ("Le vieux titre", "Le nouveau titre")
        (file,) = change["resources"]
        told = {field["field"]: sides(field) for field in file["fields"]}
        old, new = before["resources"][0], after["resources"][0]
        assert set(told) == differing(old, new, "resource_fields")
        assert told["url"] == (old["url"], new["url"])

    def test_new_withdrawn_and_unchanged(self, site: Site) -> None:
        """New and withdrawn datasets are named, unchanged ones are not; a later run is not mixed in."""
        source = make_source(site.serve("/c", catalog(list("abcdefgh"))))
        first = harvest(source)
        site.serve("/c", catalog([*"bcdefgh", "i"]))
        second = harvest(source)
        site.serve("/c", catalog({**{key: f"Jeu {key}" for key in "cdefghi"}, "b": "Jeu b bis"}))
        third = harvest(source)
        nothing = report(harvest(source))
        assert (nothing["changes"], nothing["count"]) == ([], 0)
        statuses = {
            name: sorted((each["status"], each["record"].rpartition("/")[2]) for each in shown["changes"])
            for name, shown in (
                ("first", report(first)), ("second", report(second)), ("third", report(third))
            )
        }  # fmt: skip
        assert statuses["first"] == [("added", key) for key in "abcdefgh"]
        assert statuses["second"] == [("added", "i"), ("deleted", "a")]
        assert statuses["third"] == [("updated", "b")]

    def test_page_by_page(self, site: Site) -> None:
        """Twenty datasets at once; together the pages name each once."""
        source = make_source(site.serve("/c", catalog([f"d{n}" for n in range(45)])))
        job = harvest(source)
        pages = [report(job, offset=offset) for offset in (0, 20, 40, 60)]
        assert [len(page["changes"]) for page in pages] == [20, 20, 5, 0]
        assert len({each["record"] for page in pages for each in page["changes"]}) == 45

    def test_what_belongs_to_others_is_named_by_its_record_only(self, site: Site) -> None:
        """A keeper of a source who may not see a dataset does not learn its title."""
        keeper = factories.User()
        owner = factories.Organization(users=[{"name": keeper["name"], "capacity": "editor"}])["id"]
        secret = site.serve("/c", catalog({"a": "Zinkenblende"}))
        source = make_source(secret, '{"publication": "private"}', owner_org=owner)
        job = harvest(source)
        (dataset,) = datasets(source)
        act("package_owner_org_update", id=dataset["id"], organization_id=factories.Organization()["id"])
        model.Session.remove()
        shown = helpers.call_action(
            "ccphva_harvest_report_show", {"user": keeper["name"], "ignore_auth": False}, id=job["id"]
        )
        assert [each["title"] for each in shown["changes"]] == ["http://x.example/d/a"]
        assert "Zinkenblende" not in str(shown)


@pytest.mark.usefixtures("with_request_context")
def test_errors_by_cause(site: Site) -> None:
    """One cause for records that fail alike, with the address of each at its source."""
    poison = [MOVED.format(key, f"javascript:alert({number})") for number, key in enumerate("abc")]
    source = make_source(site.serve("/c", catalog(list("abcd"), "\n".join(poison))))
    job = harvest(source)
    (cause,) = report(job)["causes"]
    assert cause["count"] == 3
    assert "javascript" in cause["message"]
    assert {each["url"] for each in cause["records"]} == {f"http://x.example/d/{key}" for key in "abc"}
    assert all(act("harvest_object_show", id=each["object"]) for each in cause["records"])


@pytest.mark.usefixtures("with_request_context")
def test_entries_that_name_no_dataset_are_passed_over(site: Site) -> None:
    """A harvester of another extension may close an entry without one."""
    job = harvest(make_source(site.serve("/c", catalog(list("ab")))))
    entry = model.Session.query(HarvestObject).filter_by(harvest_job_id=job["id"]).first()
    entry.package_id = None
    model.Session.commit()
    shown = report(job)
    assert (shown["count"], len(shown["changes"])) == (1, 1)


def test_an_unknown_run() -> None:
    with pytest.raises(tk.ObjectNotFound):
        act("ccphva_harvest_report_show", id="nothing-here")


def test_the_page(site: Site, app: Any) -> None:
    """Open to the keepers of the source, under its own address only; linked from the register's page."""
    with app.flask_app.test_request_context():
        keeper, stranger = factories.UserWithToken(), factories.UserWithToken()
        owner = factories.Organization(users=[{"name": keeper["name"], "capacity": "editor"}])["id"]
        source = make_source(site.serve("/c", catalog({"a": "Un"})), owner_org=owner)
        other = make_source(site.serve("/o", catalog({"b": "Deux"})), owner_org=owner)
        harvest(source)
        site.serve("/c", catalog({"a": "Un <script>alert(1)</script> deux"}))
        job = harvest(source)
        model.Session.remove()
    keeping = {"Authorization": keeper["token"]}
    page = f"/harvest/{source['name']}/job/{job['id']}/report"
    shown = app.get(page, headers=keeping).body
    assert "<ins>" in shown
    assert "<script>alert(1)" not in shown
    assert page in app.get(f"/harvest/{source['name']}/job/{job['id']}", headers=keeping).body
    refused = {
        page: ({"Authorization": stranger["token"]}, 403),
        f"/harvest/{other['name']}/job/{job['id']}/report": (keeping, 404),
        f"/harvest/{source['name']}/job/nothing/report": (keeping, 404),
        f"{page}?offset=abc": (keeping, 400),
        f"{page}?offset=99999999999999999999": (keeping, 400),
    }
    for path, (headers, status) in refused.items():
        assert app.get(path, headers=headers, expect_errors=True).status_code == status, path
    assert app.get(page, expect_errors=True).status_code == 403
