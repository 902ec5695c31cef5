"""How the sources do: which fail, which are late, which wait; to each keeper his own only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from ckan import model
from ckan.tests import factories, helpers
from ckanext.ccphva_harvest.model import HarvestRun, now
from ckanext.harvest.model import HarvestSource
from harvesting import Site, act, catalog, harvest, make_source

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def conditions(**more: Any) -> dict[str, dict[str, Any]]:
    model.Session.remove()
    found = helpers.call_action("ccphva_harvest_condition_list", {**more}) if more else None
    return {each["id"]: each for each in found or act("ccphva_harvest_condition_list")}


def ended(source: dict[str, Any], ago: timedelta) -> None:
    """Let all runs of a source have ended so long ago."""
    model.Session.query(HarvestRun).filter_by(source_id=source["id"]).update({"finished": now() - ago})
    model.Session.commit()


@pytest.mark.usefixtures("with_request_context")
class TestStates:
    def test_never_then_in_order_with_its_runs(self, site: Site) -> None:
        source = make_source(site.serve("/c", catalog(list("ab"))))
        assert (conditions()[source["id"]]["state"], conditions()[source["id"]]["runs"]) == ("never", [])
        jobs = [harvest(source)["id"] for _ in range(2)]
        found = conditions()[source["id"]]
        assert (found["state"], found["error"], found["due"]) == ("ok", "", None)
        assert [run["job"] for run in found["runs"]] == jobs[::-1]
        assert [(run["read"], run["added"]) for run in found["runs"]] == [(2, 0), (2, 2)]

    def test_failing_keeps_the_last_success(self, site: Site) -> None:
        """What went wrong is told, and since when the data are old; a good run mends it."""
        source = make_source(site.serve("/c", catalog(list("ab"))))
        harvest(source)
        success = conditions()[source["id"]]["success"]
        site.serve("/c", "<html><p>Bonjour</p>", "text/html")
        harvest(source)
        found = conditions()[source["id"]]
        assert (found["state"], found["success"]) == ("failing", success)
        assert "/c" in found["error"]
        assert [run["ok"] for run in found["runs"]] == [False, True]
        site.serve("/c", catalog(list("ab")))
        harvest(source)
        assert conditions()[source["id"]]["state"] == "ok"

    @pytest.mark.parametrize(
        ("config", "frequency", "ago", "state"),
        [
            ('{"every": 60}', "MANUAL", timedelta(minutes=110), "ok"),
            ('{"every": 60}', "MANUAL", timedelta(minutes=131), "late"),
            (None, "DAILY", timedelta(hours=47), "ok"),
            (None, "DAILY", timedelta(hours=49), "late"),
            (None, "MANUAL", timedelta(days=999), "ok"),
        ],
    )
    def test_late_after_two_turns(
        self, site: Site, config: str | None, frequency: str, ago: timedelta, state: str
    ) -> None:
        """By the source's own minutes or the register's frequency; one that is run by hand is never late."""
        source = make_source(site.serve("/c", catalog(["a"])), config, frequency=frequency)
        harvest(source)
        ended(source, ago)
        assert conditions()[source["id"]]["state"] == state

    def test_paused_and_deleted(self, site: Site) -> None:
        paused, deleted = (make_source(site.serve(f"/{n}", catalog(["a"]))) for n in "cd")
        model.Session.query(HarvestSource).filter_by(id=paused["id"]).update({"active": False})
        model.Session.commit()
        act("harvest_source_delete", id=deleted["id"])
        assert conditions()[paused["id"]]["state"] == "paused"
        assert deleted["id"] not in conditions()

    def test_ten_runs_and_the_worst_first(self, site: Site) -> None:
        good = make_source(site.serve("/g", catalog(["a"])))
        for _ in range(11):
            harvest(good)
        bad = make_source(site.serve("/b", "no", "text/html"))
        harvest(bad)
        found = conditions()
        assert list(found) == [bad["id"], good["id"]]
        assert len(found[good["id"]]["runs"]) == 10

    def test_to_each_his_own(self, site: Site) -> None:
        """A source of another organisation is not told of, neither its title nor its errors."""
        keeper = factories.User()
        owner = factories.Organization(users=[{"name": keeper["name"], "capacity": "editor"}])["id"]
        mine = make_source(site.serve("/c", catalog(["a"])), owner_org=owner)
        make_source(site.serve("/d", catalog(["b"])))
        assert list(conditions(user=keeper["name"], ignore_auth=False)) == [mine["id"]]


def test_the_page(site: Site, app: Any) -> None:
    """For who has signed in; an error of a source is text, whatever it says."""
    with app.flask_app.test_request_context():
        keeper = factories.UserWithToken()
        owner = factories.Organization(users=[{"name": keeper["name"], "capacity": "editor"}])["id"]
        source = make_source(site.serve("/c", catalog(["a"])), owner_org=owner)
        job = harvest(source)
        run = model.Session.get_one(HarvestRun, job["id"])
        run.report = {"error": "<script>alert(1)</script>"}
        model.Session.commit()
        model.Session.remove()
    signed_in = {"Authorization": keeper["token"]}
    page = app.get("/dashboard/sources", headers=signed_in).body
    assert f"/harvest/{source['name']}/job/{job['id']}/report" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "/dashboard/sources" in app.get("/harvest", headers=signed_in).body
    assert app.get("/dashboard/sources", expect_errors=True).status_code == 403
