"""The demonstration: what it makes, that a repeat makes nothing, its catalogue on the real stack."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan import model
from ckanext.ccphva import demo
from ckanext.harvest.model import HarvestJob
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal

SHARED = {"demo-telereleve", "demo-logements-vacants"}


def count_activities() -> int:
    return model.Session.execute(sa.text("select count(*) from activity")).scalar_one()


@pytest.mark.usefixtures("plugins_loaded", "clean_db", "clean_index")
class TestFilling:
    def test_it_makes_the_territory_and_asks_for_a_harvest(self, tmp_path: Path) -> None:
        """Eleven organisations, five accounts in a private file, one source with one job under way."""
        lines = list(demo.fill(tmp_path / "accounts.json"))
        assert "11 organisations" in lines[0]
        shown = call_action("organization_show", id="villerupt")
        assert (shown["insee"], shown["title_translated"]["lb"], shown["parent"]) == (
            "54580",
            "Gemeng Villerupt",
            "ccphva",
        )
        assert (tmp_path / "accounts.json").stat().st_mode & 0o777 == 0o600
        accounts = json.loads((tmp_path / "accounts.json").read_text())
        assert {each["role"] for each in accounts} == set(demo.ROLES)
        source = call_action("harvest_source_show", id="demo")
        assert source["url"].endswith("/demo-source/catalogue.ttl")
        (job,) = call_action("harvest_job_list", source_id=source["id"])
        assert job["status"] == "Running"

    def test_the_territory_s_sources_are_registered(self) -> None:
        """Read when somebody asks for it; that of the sensors only where their platform is."""
        list(demo.fill(None))
        sources = {each["url"].split("/")[2]: each for each in call_action("harvest_source_list")}
        others = {"www.data.gouv.fr", "data.public.lu", "www.datagrandest.fr", "www.geocatalogue.fr"}
        assert others | {"services.sandre.eaufrance.fr"} <= set(sources)
        assert not [name for name in sources if name.startswith("127.0.0.1:18080")]
        for name in others:
            assert sources[name]["frequency"] == "MANUAL"
            assert call_action("harvest_job_list", source_id=sources[name]["id"]) == []

    @pytest.mark.ckan_config("ccphva.demo.platform", "http://127.0.0.1:9/cse-in")
    def test_the_sensors_are_listened_to(self) -> None:
        """Each minute by a run, in between by what they tell; seven days are kept."""
        list(demo.fill(None))
        (source,) = [each for each in call_action("harvest_source_list") if each["type"] == "ccphva_onem2m"]
        config = json.loads(source["config"])
        assert (config["every"], config["retention"], config["listen"]) == (1, 7, {"from": ["127.0.0.0/8"]})
        (job,) = call_action("harvest_job_list", source_id=source["id"])
        assert job["status"] == "Running"

    def test_a_repeat_writes_nothing(self, tmp_path: Path) -> None:
        """The second call changes no organisation, keeps the accounts, and starts no second run."""
        list(demo.fill(tmp_path / "accounts.json"))
        before = (tmp_path / "accounts.json").read_text()
        activities = count_activities()
        lines = list(demo.fill(tmp_path / "accounts.json"))
        assert lines[0] == "11 organisations (0 written)"
        assert "under way" in lines[-1]
        assert (tmp_path / "accounts.json").read_text() == before
        assert count_activities() == activities

    def test_a_job_that_was_never_sent_is_sent(self) -> None:
        """A first call that ended between making the job and sending it is made good by the next."""
        list(demo.fill(None))
        source = call_action("harvest_source_show", id="demo")
        job = model.Session.get(HarvestJob, call_action("harvest_job_list", source_id=source["id"])[0]["id"])
        job.status = "New"
        model.repo.commit()
        list(demo.fill(None))
        assert [each["status"] for each in call_action("harvest_job_list", source_id=source["id"])] == [
            "Running"
        ]

    def test_it_mends_what_the_file_says_otherwise(self) -> None:
        """A title that was changed by hand becomes the territory's again, and only that is written."""
        list(demo.fill(None))
        call_action("organization_patch", id="thil", title="Autre", email="mairie@example.org")
        assert next(demo.fill(None)) == "11 organisations (1 written)"
        shown = call_action("organization_show", id="thil")
        assert (shown["title"], shown["email"]) == ("Commune de Thil", "mairie@example.org")

    def test_lost_secrets_are_made_anew(self, tmp_path: Path) -> None:
        """A lost accounts file is no dead end: the accounts get new passwords and tokens."""
        list(demo.fill(tmp_path / "one.json"))
        list(demo.fill(tmp_path / "two.json"))
        one, two = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "two.json"))
        assert [each["name"] for each in one] == [each["name"] for each in two]
        assert all(
            a["token"] != b["token"] and a["password"] != b["password"] for a, b in zip(one, two, strict=True)
        )


@pytest.mark.stack
class TestOnTheStack:
    @pytest.fixture(scope="class")
    def documented(self, stack_url: str) -> Graph:
        """The catalogue document as the stack serves it."""
        address = f"{stack_url}/demo-source/catalogue.ttl"
        return Graph().parse(data=requests.get(address, timeout=30).text, publicID=address, format="turtle")

    @pytest.fixture(scope="class")
    def harvested(self, stack_url: str, documented: Graph) -> list[dict[str, Any]]:
        """The demo's datasets, once the first harvest is done."""
        expected = len(set(documented.subjects(RDF.type, DCAT.Dataset)))
        for _ in range(90):
            answer = requests.get(
                f"{stack_url}/api/3/action/package_search",
                params={"fq": "identifier:demo-*", "rows": 100},
                timeout=30,
            ).json()
            if answer["success"] and answer["result"]["count"] >= expected:
                return answer["result"]["results"]
            time.sleep(1)
        pytest.fail(f"the demo was not harvested: {answer}")

    def test_the_demo_is_harvested_over_http(
        self, harvested: list[dict[str, Any]], documented: Graph
    ) -> None:
        """Every dataset of the document, in its languages; open but for the two shared on request."""
        for each in harvested:
            (node,) = documented.subjects(DCTERMS.identifier, Literal(each["identifier"]))
            said = {title.language for title in documented.objects(node, DCTERMS.title)}
            assert set(each["title_translated"]) == said
        states = {each["identifier"]: each["visibility"] for each in harvested}
        assert {name for name, state in states.items() if state != "open"} == SHARED
        licences = {each["identifier"]: each.get("license_id") for each in harvested}
        assert licences["demo-contours"] == "etalab-2.0"
        assert {licences[name] for name in SHARED} == {"partner-ccphva-lu"}

    def test_its_files_are_served(self, harvested: list[dict[str, Any]], documented: Graph) -> None:
        """Every resource of the demo that is a file answers with it."""
        files = {str(each) for each in documented.objects(None, DCAT.downloadURL)}
        addresses = {resource["url"] for each in harvested for resource in each["resources"]}
        assert files <= addresses
        for address in files:
            assert requests.get(address, timeout=30).status_code == 200, address

    @pytest.mark.parametrize("words", ["déchets", "Abfall", "waste", "Offall"])
    def test_it_is_found_in_every_language(
        self, harvested: list[dict[str, Any]], stack_url: str, words: str
    ) -> None:
        """One word of each language finds the collection days."""
        answer = requests.get(
            f"{stack_url}/api/3/action/package_search", params={"q": words}, timeout=30
        ).json()
        assert "demo-collecte" in {each.get("identifier") for each in answer["result"]["results"]}
