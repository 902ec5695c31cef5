"""From draft to published: who takes which step, what direct writes do, what nobody sees meanwhile."""

# ruff: noqa: F811 -- fixtures are imported by name

from __future__ import annotations

import email
import json
from email.header import decode_header, make_header
from typing import Any

import ckan.plugins.toolkit as tk
import flask
import pytest
from catalogue_support import call_action, plugins_loaded  # noqa: F401
from ckan.tests import helpers
from ckan.tests.helpers import CKANTestApp, _get_test_app
from ckanext.ccphva import storage, workflow
from ckanext.ccphva.review_mails import ReviewMails
from ckanext.ccphva.workflow import DRAFT, PUBLISHED, RETURNED, SUBMITTED
from publication_support import SECRET, Town, stage, town  # noqa: F401


@pytest.mark.parametrize(
    ("person", "fields", "expected"),
    [
        ("editor", {}, (SUBMITTED, True)),
        ("editor", {"private": False}, (SUBMITTED, True)),
        ("editor", {"visibility": "open"}, (SUBMITTED, True)),
        ("editor", {"workflow": DRAFT, "private": False}, (DRAFT, True)),
        ("editor", {"workflow": PUBLISHED}, (SUBMITTED, True)),
        ("editor", {"visibility": "private"}, (DRAFT, True)),
        ("editor", {"personal_data": "yes"}, (DRAFT, True)),
        ("admin", {}, (PUBLISHED, False)),
        ("admin", {"workflow": DRAFT}, (DRAFT, True)),
        ("admin", {"visibility": "private"}, (PUBLISHED, True)),
        ("admin", {"visibility": "restricted"}, (PUBLISHED, False)),
    ],
)
def test_a_new_dataset_by_api(town: Town, person: str, fields: dict[str, Any], expected: Any) -> None:
    """Who may publish publishes; what others make waits, whatever they ask for."""
    assert stage(town.make(person, **fields)) == expected


@pytest.mark.parametrize("action", ["package_update", "package_patch", "package_revise"])
@pytest.mark.parametrize("change", [{"private": False}, {"visibility": "open", "private": False}])
def test_a_direct_write_only_submits(town: Town, action: str, change: dict[str, Any]) -> None:
    """An editor who asks for publication by a write of core has asked, and no more."""
    made = town.make(workflow=DRAFT)
    if action == "package_revise":
        town.act("editor", action, match={"id": made["id"]}, update=change)
    elif action == "package_update":
        town.act("editor", action, **(made | change))
    else:
        town.act("editor", action, id=made["id"], **change)
    assert stage(made) == (SUBMITTED, True)


@pytest.mark.parametrize("state", [SUBMITTED, PUBLISHED, RETURNED])
@pytest.mark.parametrize("person", ["editor", "admin"])
def test_a_payload_cannot_name_another_state(town: Town, person: str, state: str) -> None:
    """The field follows from the steps; a write that says otherwise is refused beside it."""
    made = town.make(workflow=DRAFT)
    with pytest.raises(tk.ValidationError) as refused:
        town.act(person, "package_patch", id=made["id"], workflow=state)
    assert "workflow" in refused.value.error_dict
    assert stage(made) == (DRAFT, True)


def test_what_a_client_read_it_may_write_back(town: Town) -> None:
    """Show, change a word, update: neither the state nor the author's wish moves."""
    made = town.make(workflow=DRAFT, visibility="restricted")
    shown = town.act("editor", "package_show", id=made["id"])
    town.act("editor", "package_update", **(shown | {"title": "Autre"}))
    assert stage(made) == (DRAFT, True)
    assert town.act("editor", "package_show", id=made["id"])["visibility"] == "restricted"


def test_an_administrator_publishes_by_core_too(town: Town) -> None:
    """`private: false` of somebody who may publish publishes, also in bulk."""
    made = town.make(workflow=DRAFT)
    town.act("admin", "bulk_update_public", datasets=[made["id"]], org_id=town.id)
    assert stage(made) == (PUBLISHED, False)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("package_patch", {"title": "Autre"}),
        ("package_patch", {"visibility": "restricted"}),
        ("resource_create", {"url": "https://example.org/neu.csv"}),
    ],
)
def test_what_is_published_is_not_changed_past_the_review(
    town: Town, action: str, payload: dict[str, Any]
) -> None:
    """An editor who may not publish cannot publish other content under a published name."""
    made = town.make("admin")
    key = "package_id" if action == "resource_create" else "id"
    with pytest.raises(tk.ValidationError) as refused:
        town.act("editor", action, **{key: made["id"]}, **payload)
    assert "workflow" in refused.value.error_dict
    town.act("admin", action, **{key: made["id"]}, **payload)


def test_an_editor_cannot_bring_back_what_was_deleted_as_published(town: Town) -> None:
    """Undeleting by a patch puts the dataset before those who may publish."""
    made = town.make("admin")
    town.act("editor", "package_delete", id=made["id"])
    town.act("editor", "package_patch", id=made["id"], state="active")
    assert stage(made) == (SUBMITTED, True)


def test_editors_publish_where_the_organisation_lets_them(town: Town) -> None:
    """Without a choice of the organisation an editor's dataset is published at once."""
    call_action("organization_patch", id=town.id, publishing="editors")
    assert stage(town.make()) == (PUBLISHED, False)


def test_only_administrators_choose_who_publishes(town: Town) -> None:
    """An editor cannot give himself the right."""
    with pytest.raises(tk.NotAuthorized):
        town.act("editor", "organization_patch", id=town.id, publishing="editors")


STEPS = ("ccphva_dataset_submit", "ccphva_dataset_publish", "ccphva_dataset_return")


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("ccphva_dataset_submit", {"admin", "editor"}),
        ("ccphva_dataset_publish", {"admin"}),
        ("ccphva_dataset_return", {"admin"}),
        ("ccphva_dataset_review_show", {"admin", "editor"}),
    ],
)
@pytest.mark.parametrize("person", ["admin", "editor", "member", "stranger", ""])
def test_who_takes_which_step(town: Town, action: str, allowed: set[str], person: str) -> None:
    """Each step by each role."""
    made = town.make(workflow=DRAFT if action == "ccphva_dataset_submit" else SUBMITTED)
    if person in allowed:
        town.act(person, action, id=made["id"], comment="Bitte")
    else:
        with pytest.raises(tk.NotAuthorized):
            town.act(person, action, id=made["id"], comment="Bitte")


def test_there_and_back(town: Town) -> None:
    """Submitted, returned, submitted, published, returned: each step is kept with its person and words."""
    made = town.make(workflow=DRAFT)
    for person, action, state, private in (
        ("editor", "ccphva_dataset_submit", SUBMITTED, True),
        ("admin", "ccphva_dataset_return", RETURNED, True),
        ("editor", "ccphva_dataset_submit", SUBMITTED, True),
        ("admin", "ccphva_dataset_publish", PUBLISHED, False),
        ("admin", "ccphva_dataset_return", RETURNED, True),
    ):
        town.act(person, action, id=made["id"], comment=f"zu {state}")
        assert stage(made) == (state, private)
    steps = town.act("editor", "ccphva_dataset_review_show", id=made["id"])["steps"]
    assert [(step["state"], step["comment"], step["user"] != "") for step in steps] == [
        (RETURNED, "zu returned", True),
        (PUBLISHED, "zu published", True),
        (SUBMITTED, "zu submitted", True),
        (RETURNED, "zu returned", True),
        (SUBMITTED, "zu submitted", True),
    ]


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (SUBMITTED, "ccphva_dataset_submit"),
        (PUBLISHED, "ccphva_dataset_publish"),
        (PUBLISHED, "ccphva_dataset_submit"),
        (DRAFT, "ccphva_dataset_return"),
    ],
)
def test_steps_that_lead_nowhere(town: Town, state: str, action: str) -> None:
    """A step from the wrong state is an error of the field, and changes nothing."""
    made = town.make("admin", workflow=state)
    before = stage(made)
    with pytest.raises(tk.ValidationError) as refused:
        town.act("admin", action, id=made["id"], comment="Bitte")
    assert "workflow" in refused.value.error_dict
    assert stage(made) == before


def test_a_return_needs_a_reason(town: Town) -> None:
    """Without a comment the author would not know what to mend."""
    made = town.make()
    with pytest.raises(tk.ValidationError) as refused:
        town.act("admin", "ccphva_dataset_return", id=made["id"], comment="")
    assert "comment" in refused.value.error_dict


@pytest.mark.parametrize("action", ["ccphva_dataset_submit", "ccphva_dataset_publish"])
@pytest.mark.parametrize("personal_data", ["possible", "yes"])
def test_personal_data_are_never_published(town: Town, action: str, personal_data: str) -> None:
    """Not by an administrator either."""
    made = town.make("admin", workflow=DRAFT, personal_data=personal_data)
    with pytest.raises(tk.ValidationError) as refused:
        town.act("admin", action, id=made["id"])
    assert "personal_data" in refused.value.error_dict
    assert stage(made) == (DRAFT, True)


def test_what_waits_for_whom(town: Town) -> None:
    """The administrator decides, the author corrects and finishes, others see nothing."""
    made = {name: town.make(name=name, workflow=DRAFT) for name in ("entwurf", "wartend", "zuruck")}
    for name in ("wartend", "zuruck"):
        town.act("editor", "ccphva_dataset_submit", id=made[name]["id"])
    town.act("admin", "ccphva_dataset_return", id=made["zuruck"]["id"], comment="Datum fehlt")
    names = {
        person: {
            kind: [each["name"] for each in found]
            for kind, found in town.act(person, "ccphva_task_list").items()
        }
        for person in ("admin", "editor", "stranger")
    }
    assert names["admin"] == {"to_publish": ["wartend"], "returned": [], "drafts": [], "waiting": []}
    assert names["editor"] == {
        "to_publish": [],
        "returned": ["zuruck"],
        "drafts": ["entwurf"],
        "waiting": ["wartend"],
    }
    assert not any(names["stranger"].values())
    assert town.act("editor", "ccphva_task_list")["returned"][0]["last"]["comment"] == "Datum fehlt"


class TestDoors:
    """Nobody outside the organisation meets a dataset that is not published, by any door."""

    @pytest.fixture
    def browser(self, town: Town) -> CKANTestApp:
        return CKANTestApp(_get_test_app().app)

    DOORS = (
        "/dataset/jeu",
        "/dataset/jeu.ttl",
        "/dataset/jeu.jsonld",
        "/dataset/jeu/resource/{resource}",
        "/dataset/activity/jeu",
        "/dataset/jeu/changes",
        "/dataset/",
        "/dataset/?q=Zwischenfrucht",
        "/organization/town",
        "/catalog.ttl",
        "/catalog.jsonld",
        "/feeds/dataset.atom",
        "/feeds/organization/town.atom",
        "/feeds/tag/humus.atom",
        "/api/3/action/package_show?id=jeu",
        "/api/3/action/package_search?q=*:*&include_private=true&include_drafts=true&include_deleted=true",
        "/api/3/action/package_search?fq=workflow:*&facet.field=[%22title_string%22,%22workflow%22]",
        "/api/3/action/package_list",
        "/api/3/action/package_autocomplete?q=Zwi",
        "/api/3/action/current_package_list_with_resources",
        "/api/3/action/resource_show?id={resource}",
        "/api/3/action/resource_search?query=url:geheim",
        "/api/3/action/package_activity_list?id=jeu",
        "/api/3/action/recently_changed_packages_activity_list",
        "/api/3/action/organization_activity_list?id=town",
        "/api/3/action/user_activity_list?id=town-editor",
        "/api/3/action/organization_show?id=town&include_datasets=true",
        "/api/3/action/organization_list?all_fields=true",
        "/api/3/action/ccphva_dataset_review_show?id=jeu",
        "/",
    )

    @pytest.mark.parametrize("state", [DRAFT, SUBMITTED, RETURNED, "withdrawn", "deleted"])
    @pytest.mark.parametrize("person", ["", "stranger"])
    def test_no_door_leads_to_it(self, town: Town, browser: CKANTestApp, state: str, person: str) -> None:
        """Neither its name nor a word of it, and no count of it, comes out."""
        made = self._bring_to(town, state)
        resource = made["resources"][0]["id"]
        found = []
        for door in self.DOORS:
            answer = browser.get(door.format(resource=resource), headers=town.header(person), status=None)
            assert answer.status_code < 500, door
            text = answer.get_data(as_text=True)
            if answer.status_code == 200 and any(word in text for word in (SECRET, "geheim.csv", made["id"])):
                found.append(door)
        assert found == []
        counted = browser.get("/api/3/action/organization_show?id=town", headers=town.header(person))
        assert json.loads(counted.body)["result"]["package_count"] == 0

    def test_a_published_dataset_comes_through_them(self, town: Town, browser: CKANTestApp) -> None:
        """The doors of the test above do lead to a dataset that is published."""
        made = town.make("admin", resources=[{"url": "https://example.org/geheim.csv"}])
        resource = made["resources"][0]["id"]
        open_doors = [
            door
            for door in self.DOORS
            if SECRET in browser.get(door.format(resource=resource), status=None).get_data(as_text=True)
        ]
        assert len(open_doors) >= 15

    @staticmethod
    def _bring_to(town: Town, state: str) -> dict[str, Any]:
        resources = [{"url": "https://example.org/geheim.csv"}]
        made = town.make(
            "admin" if state in ("withdrawn", "deleted") else "editor",
            resources=resources,
            **({"workflow": state} if state in (DRAFT, SUBMITTED) else {}),
        )
        if state in (RETURNED, "withdrawn"):
            town.act("admin", "ccphva_dataset_return", id=made["id"], comment="Bitte")
        if state == "deleted":
            town.act("admin", "package_delete", id=made["id"])
        return made


class TestPages:
    """Pages of publication as people see them."""

    @pytest.mark.parametrize("language", ["fr", "de", "en", "lb"])
    @pytest.mark.parametrize(
        ("path", "person", "expected"),
        [
            ("/dataset/jeu", "editor", 200),
            ("/dataset/jeu/history", "editor", 200),
            ("/dataset/jeu/history", "stranger", 403),
            ("/dashboard/tasks", "admin", 200),
            ("/organization/town/deleted", "admin", 200),
            ("/organization/town/deleted", "editor", 403),
            ("/organization/nirgends/deleted", "admin", 404),
        ],
    )
    def test_who_sees_which_page(
        self, town: Town, language: str, path: str, person: str, expected: int
    ) -> None:
        """Each page in each language, with what it is about."""
        town.make()
        browser = CKANTestApp(_get_test_app().app)
        answer = browser.get(f"/{language}{path}", headers=town.header(person), status=None)
        assert answer.status_code == expected

    def test_the_task_names_the_dataset(self, town: Town) -> None:
        """With a link to it."""
        town.make()
        page = CKANTestApp(_get_test_app().app).get("/dashboard/tasks", headers=town.header("admin")).body
        assert "/dataset/jeu" in page
        assert SECRET in page

    def test_tasks_ask_strangers_to_sign_in(self, town: Town) -> None:
        """An anonymous visitor is led to the form."""
        answer = CKANTestApp(_get_test_app().app).get("/dashboard/tasks", follow_redirects=False)
        assert "/user/login" in answer.headers["Location"]


class TestMails:
    def test_those_who_may_publish_learn_of_a_submission(self, town: Town, mail_server: Any) -> None:
        """One mail to the administrator, with the comment and an address that leads to the dataset."""
        made = town.make(workflow=DRAFT)
        town.act("editor", "ccphva_dataset_submit", id=made["id"], comment="Fertig!")
        ReviewMails().sweep()
        [(subject, body, to)] = mails(mail_server)
        assert to == town.users["admin"]["email"]
        assert subject == f"À publier : Zwischenfrucht {SECRET}"
        assert "Fertig!" in body
        assert f"{tk.config['ckan.site_url']}/fr/dataset/jeu" in body
        ReviewMails().sweep()
        assert len(mails(mail_server)) == 1

    def test_the_author_learns_of_the_answer_in_his_language(self, town: Town, mail_server: Any) -> None:
        """Who submitted on a German page is answered in German."""
        made = town.make(workflow=DRAFT)
        with flask.current_app.test_request_context("/", environ_overrides={"CKAN_LANG": "de"}):
            town.act("editor", "ccphva_dataset_submit", id=made["id"])
        ReviewMails().sweep()
        town.act("admin", "ccphva_dataset_return", id=made["id"], comment="Datum fehlt")
        mail_server.clear_smtp_messages()
        ReviewMails().sweep()
        [(subject, body, to)] = mails(mail_server)
        assert (subject, to) == (f"Zu korrigieren: Zwischenfrucht {SECRET}", town.users["editor"]["email"])
        assert "Datum fehlt" in body
        assert "/de/dataset/jeu" in body

    def test_a_mail_server_that_rests_loses_no_mail(self, town: Town) -> None:
        """A step stays to be mailed until its turn came."""
        town.make()
        with helpers.changed_config("smtp.server", "127.0.0.1:1"):
            ReviewMails().sweep()
        assert len(storage.steps_to_mail()) == 1


def mails(server: Any) -> list[tuple[str, str, str]]:
    """Subject, text and receiver of what was sent."""
    found = []
    for _, _, receivers, message in server.get_smtp_messages():
        parsed = email.message_from_string(message)
        body = parsed.get_payload(decode=True).decode()
        found.append((str(make_header(decode_header(parsed["Subject"]))), body, receivers[0]))
    return found


@pytest.mark.parametrize("state", workflow.STATES)
def test_the_schema_names_the_states(state: str) -> None:
    """The field's choices are the states of the rules."""
    schema = helpers.call_action("scheming_dataset_schema_show", type="dataset")
    field = next(each for each in schema["dataset_fields"] if each["field_name"] == "workflow")
    assert state in [choice["value"] for choice in field["choices"]]
