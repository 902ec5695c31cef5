"""What a source would bring is shown before anything is written, and is what a harvest then makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_harvest.model import HarvestRecord
from ckanext.harvest.model import HarvestSource
from harvesting import Site, act, catalog, datasets, harvest, indexed, make_source, package_writes

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")
TOO_LONG = f'<http://x.example/d/b> <http://www.w3.org/ns/adms#versionNotes> "{"x" * 200_000}"@fr .'


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def preview(source: dict[str, Any]) -> dict[str, Any]:
    model.Session.remove()
    return act("ccphva_harvest_source_preview", id=source["id"])


def facts(dataset: dict[str, Any]) -> tuple[Any, ...]:
    """What the preview says of a dataset and the catalogue has of it."""
    licence = dataset.get("licence") or next(
        (each["license_id"] for each in (dataset, *dataset["resources"]) if each.get("license_id")), ""
    )
    files = [each["url"] for each in dataset["resources"]]
    return dataset["title"], dataset["name"], dataset["visibility"], licence, files


@pytest.mark.usefixtures("with_request_context")
class TestPreview:
    def test_it_writes_nothing_and_is_what_the_run_makes(self, site: Site) -> None:
        """Titles, addresses, visibility, licences and files of the preview are those of the run."""
        titles = {"a": "Bornes à verre", "b": "Jeu", "c": "Jeu 3"}
        source = make_source(site.serve("/c", catalog(titles)), '{"publication": "private"}')
        before = indexed()
        with package_writes() as writes:
            shown = preview(source)
        assert (writes, datasets(source), indexed()) == ([], [], before)
        assert model.Session.query(HarvestRecord).count() == 0
        assert [each["status"] for each in shown["datasets"]] == ["added"] * 3
        assert shown["says"]
        assert (shown["error"], shown["failed"], shown["more"]) == ("", [], False)
        harvest(source)
        assert sorted(map(facts, shown["datasets"])) == sorted(map(facts, datasets(source)))

    def test_of_a_source_that_was_harvested(self, site: Site) -> None:
        """What is unchanged, changed and new is told apart; the name of a dataset stays."""
        url = site.serve("/c", catalog({"a": "Un", "b": "Deux"}))
        source = make_source(url)
        harvest(source)
        site.serve("/c", catalog({"a": "Un", "b": "Deux bis", "c": "Trois"}))
        shown = {each["name"]: each["status"] for each in preview(source)["datasets"]}
        assert shown == {"un": "unchanged", "deux": "updated", "trois": "added"}
        assert {each["title"] for each in datasets(source)} == {"Un", "Deux"}

    def test_twenty_at_most(self, site: Site) -> None:
        """A large source is not read to its end."""
        shown = preview(make_source(site.serve("/c", catalog([f"d{n}" for n in range(30)]))))
        assert len(shown["datasets"]) == 20
        assert shown["more"]

    def test_what_the_catalogue_refuses(self, site: Site) -> None:
        """A record against which the schema has something is shown with its reason, as the run reports it."""
        source = make_source(site.serve("/c", catalog(["a", "b"], TOO_LONG)))
        shown = {each["title"]: (each["status"], each["reason"]) for each in preview(source)["datasets"]}
        job = harvest(source)
        reasons = [each["message"] for each in job["object_error_summary"]]
        assert shown["Jeu a"] == ("added", "")
        assert [reason for _, reason in shown.values() if reason] == reasons
        assert len(reasons) == job["stats"]["errored"]

    def test_rows(self, site: Site) -> None:
        """First rows of a table stand beside its dataset; of a source that may hold personal data none."""
        columns = {"id": {"type": "integer"}, "level": {"type": "number", "unit": "%"}}
        config: dict[str, Any] = {
            "source": {
                "dataset": {"id": "bacs", "title": "Bacs"},
                "rows": {"records": "data", "columns": columns, "key": ["id"]},
            }
        }
        body = json.dumps({"data": [{"id": n, "level": n * 1.5} for n in range(9)]})
        address = site.serve("/rows", body, "application/json")
        for personal, number in (("none", 5), ("possible", 0)):
            text = json.dumps(config | {"personal_data": personal})
            (shown,) = preview(make_source(address, text, source_type="ccphva_rest"))["datasets"]
            assert shown["visibility"] == ("open" if personal == "none" else "private")
            tables = shown["tables"]
            assert sum(len(table["rows"]) for table in tables) == number
        assert tables == []

    def test_sources_that_cannot_be_read(self, site: Site) -> None:
        """An address where nobody answers, a page that is no catalogue, and a broken configuration."""
        nobody = make_source("http://127.0.0.1:9/c")
        page = make_source(site.serve("/page", "<html><p>Bonjour</p>", "text/html"))
        broken = make_source(site.serve("/c", catalog(["a"])))
        model.Session.query(HarvestSource).filter_by(id=broken["id"]).update({"config": '{"stepz": []}'})
        model.Session.commit()
        for source, word in ((nobody, "127.0.0.1"), (page, "/page"), (broken, "stepz")):
            shown = preview(source)
            assert word in shown["error"], shown
            assert shown["datasets"] == []

    def test_of_nothing(self) -> None:
        with pytest.raises(tk.ObjectNotFound):
            act("ccphva_harvest_source_preview", id="nothing-here")


def test_the_page(site: Site, app: Any) -> None:
    """Keepers of the source see the page in their language; others do not; texts of the source are inert."""
    with app.flask_app.test_request_context():
        keeper, stranger = factories.UserWithToken(), factories.UserWithToken()
        owner = factories.Organization(users=[{"name": keeper["name"], "capacity": "editor"}])["id"]
        titles = {"a": "Jeu <script>alert(1)</script>", "b": "Deux"}
        source = make_source(site.serve("/c", catalog(titles)), owner_org=owner)
        model.Session.remove()
    path = f"/harvest/preview/{source['name']}"
    page = app.get(path, headers={"Authorization": keeper["token"]}).body
    assert "une moisson apporterait" in page
    assert "alert(1)" not in page.replace("&lt;script&gt;alert(1)", "")
    assert f'href="/fr{path}"' in app.get(
        f"/harvest/admin/{source['name']}", headers={"Authorization": keeper["token"]}
    ).body.replace('href="/harvest', 'href="/fr/harvest')
    german = app.get(f"/de{path}", headers={"Authorization": keeper["token"]}).body
    assert "Was eine Ernte bringen würde" in german
    assert app.get(path, headers={"Authorization": stranger["token"]}, expect_errors=True).status_code == 403
    assert app.get(path, expect_errors=True).status_code == 403
    unknown = app.get("/harvest/preview/rien", headers={"Authorization": keeper["token"]}, expect_errors=True)
    assert unknown.status_code == 404
