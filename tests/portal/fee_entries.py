"""The ways into the catalogue, one class each: the cases of `fees/*.yaml` run through all `ENTRIES`.

A new way in is a class with `write` and a line in `ENTRIES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import ckan.plugins.toolkit as tk
import msgspec
from bs4 import BeautifulSoup
from catalogue_support import call_action
from ccphva_harvesters import Dataset, Outcome, Write
from ckan import model
from ckan.tests import factories
from ckanext.ccphva_harvest import payload, settings
from ckanext.ccphva_harvest.catalogue import CkanCatalogue
from harvesting import make_job, make_source, site_user

Fields = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A dataset's fields, and where it is refused with which article."""

    name: str
    fields: Fields
    refused: dict[str, str]
    owner: str
    elsewhere: bool


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """An entry's no: `text_at` says what stands at a field, such as `fee.tariff.0.amount`."""

    def __init__(self, text_at: Callable[[str], str], told: Any) -> None:
        super().__init__(str(told))
        self.text_at = text_at


def errors_at(errors: Mapping[str, Any], where: str) -> str:
    """All that an action's errors say of a field; an object's errors are a list of one."""
    found: Any = errors
    for step in where.split("."):
        if isinstance(found, list) and not step.isdigit():
            found = found[0]
        found = found[int(step)] if isinstance(found, list) else found[step]
    return " ".join(str(each) for each in found)


class Action:
    """Writes by an action; what it refuses is in its errors."""

    repeats_the_state: ClassVar[bool] = False
    """An update that names the state which the dataset has already changes nothing of it."""

    def __init__(self, app: Any, owner: str, case: Case) -> None:
        self.app, self.owner, self.case = app, owner, case
        self.name = f"jeu-{type(self).__name__.lower()}"
        self.uri = f"https://example.org/id/{self.name}"

    @classmethod
    def takes(cls, case: Case) -> bool:  # noqa: ARG003
        return True

    @classmethod
    def refuses(cls, case: Case) -> dict[str, str]:
        return case.refused

    @property
    def fields(self) -> Fields:
        """A copy: CKAN writes ids into what it is given."""
        return deepcopy(self.case.fields)

    @property
    def base(self) -> Fields:
        return {"name": self.name, "title": "Jeu", "owner_org": self.owner}

    def made(self, **more: Any) -> str:
        return call_action("package_create", **self.base, **more)["id"]

    def run(self) -> Fields:
        """Write the case and show what is stored.

        :raises Refused: the law has something against it.
        """
        try:
            return self.write() or call_action("package_show", id=self.name)
        except tk.ValidationError as error:
            model.Session.rollback()
            told: Any = error.error_dict
            raise Refused(lambda where: errors_at(told, where), told) from None

    def write(self) -> Any:
        raise NotImplementedError


class Create(Action):
    def write(self) -> None:
        call_action("package_create", **self.base, **self.fields)


class CreateFromJson(Action):
    """A fee as JSON text, as clients of flat forms send it."""

    def write(self) -> None:
        fields = self.fields
        if isinstance(fields.get("fee"), dict):
            fields["fee"] = json.dumps(fields["fee"])
        call_action("package_create", **self.base, **fields)


class Update(Action):
    repeats_the_state = True

    def write(self) -> None:
        call_action("package_update", id=self.made(), **self.base, **self.fields)


class Patch(Action):
    repeats_the_state = True

    def write(self) -> None:
        call_action("package_patch", id=self.made(), **self.fields)


class Revise(Action):
    repeats_the_state = True

    def write(self) -> None:
        call_action("package_revise", match={"id": self.made()}, update=self.fields)


class ResourceCreate(Action):
    """The fee and the licence of a case, on a file."""

    action = "resource_create"

    @classmethod
    def takes(cls, case: Case) -> bool:
        return isinstance(case.fields.get("fee"), dict) and "hvd_category" not in case.fields

    def target(self) -> Fields:
        return {"package_id": self.made()}

    def write(self) -> Fields:
        wanted = {name: self.fields[name] for name in ("license_id", "fee") if name in self.fields}
        return call_action(self.action, **self.target(), url="https://example.org/a.csv", **wanted)


class ResourceUpdate(ResourceCreate):
    action = "resource_update"

    def target(self) -> Fields:
        made = call_action("resource_create", package_id=self.made(), url="https://example.org/b")
        return {"id": made["id"]}


class ResourcePatch(ResourceUpdate):
    action = "resource_patch"


class Harvest(Action):
    """A dataset of another catalogue, as a harvest writes it; its licence is its publisher's choice."""

    @classmethod
    def refuses(cls, case: Case) -> dict[str, str]:
        return {} if case.elsewhere else case.refused

    @classmethod
    def takes(cls, case: Case) -> bool:
        return "personal_data" not in case.fields  # of the source, not of its datasets

    def write(self) -> Any:
        fields = self.fields | {"uri": self.uri, "title_translated": {"fr": "Jeu"}}
        resources, visibility = fields.pop("resources", []), fields.pop("visibility", "open")
        if visibility == "restricted":
            fields["access_rights"] = (
                "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"
            )
        source = make_source("http://x.example/c", owner_org=self.owner)
        state = {"publication": "private"} if visibility == "private" else {}
        catalogue = CkanCatalogue(
            source["id"],
            make_job(source),
            settings.parse("dcat", "dcat-ap", "http://x.example/c", json.dumps(state)).file,
            user=site_user(),
            owner_org=self.owner,
            commit_index=True,
            cancelled=lambda: False,
        )
        dataset = Dataset(guid=self.uri, identifier=self.uri, fields=fields, resources=resources)
        write = Write(action="add", dataset=dataset, fingerprint="1", record_id=self.uri)
        outcome = self.apply(catalogue, write)
        if outcome.status != "added":
            raise Refused(lambda _: str(outcome.reason), msgspec.to_builtins(outcome))
        return call_action("package_show", id=payload.name_of(dataset, source["id"]))

    @staticmethod
    def apply(catalogue: CkanCatalogue, write: Write) -> Outcome:
        (outcome,) = catalogue.apply([write])
        return outcome


class HarvestTogether(Harvest):
    """A dataset of another catalogue that is written in one transaction with others."""

    @staticmethod
    def apply(catalogue: CkanCatalogue, write: Write) -> Outcome:
        other = Dataset(guid="https://example.org/id/autre", fields={"title_translated": {"fr": "Autre"}})
        beside = Write(action="add", dataset=other, fingerprint="1", record_id=other.guid)
        outcomes = {outcome.record: outcome for outcome in catalogue.apply([beside, write])}
        assert outcomes[other.guid].status == "added"
        return outcomes[write.record_id]


class Form(Action):
    """What an agent's browser sends; what is refused stands beside its field, and what was typed in it."""

    @classmethod
    def takes(cls, case: Case) -> bool:
        """Files are sent before the dataset says that it is of high value: their faults are other ones."""
        return not ("hvd_category" in case.fields and any("resources" in where for where in case.refused))

    def run(self) -> Fields:
        return self.write() or call_action("package_show", id=self.name)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": factories.SysadminWithToken()["token"]}

    def write(self) -> None:
        fields, headers = self.fields, self.headers
        resources = fields.pop("resources", None)
        if resources is None:
            self.send("/dataset/new", typed(self.base | fields), headers)
            return
        self.made()
        for number, resource in enumerate(resources):
            sent = typed({"url": "", **resource}) | {"save": "go-dataset-complete", "id": ""}
            self.send(f"/dataset/{self.name}/resource/new", sent, headers, f"resources.{number}.")
        self.send(f"/dataset/edit/{self.name}", typed(self.base | fields), headers)

    def send(self, path: str, sent: Fields, headers: Any, prefix: str = "") -> None:
        answer = self.app.post(path, data=sent, headers=headers, follow_redirects=False)
        if answer.status_code == 302:
            return
        page = BeautifulSoup(answer.body, "html.parser")
        assert page.select_one("#form-faults"), answer.body[:2000]
        for name, value in sent.items():
            box = page.find("input", {"name": name, "type": ["text", "url", "date"]})
            shown = value if isinstance(value, list) else [str(value)]
            assert box is None or box.get("value", "") in shown, (name, value, box)
        raise Refused(lambda where: beside(page, where.removeprefix(prefix)), page.select_one("#form-faults"))


def typed(fields: Fields) -> Fields:
    """An action's fields as a form sends them."""
    sent: Fields = {"save": ""}
    for name, value in fields.items():
        if name == "title":
            sent["title_translated-fr"] = value
        elif name == "fee" and isinstance(value, dict):
            sent |= _flat("fee", value)
        else:
            sent[name] = value
    return sent


def _flat(name: str, value: Any) -> Fields:
    if isinstance(value, Mapping):
        return {
            key: text for part, each in value.items() for key, text in _flat(f"{name}-{part}", each).items()
        }
    if isinstance(value, list):
        return {key: text for n, each in enumerate(value) for key, text in _flat(f"{name}-{n}", each).items()}
    return {name: str(value)}


def beside(page: BeautifulSoup, where: str) -> str:
    """The fault that a page shows beside a field; for what no form has, the one in the list above it."""
    name = where.replace(".", "-")
    field = page.find(
        ["input", "select", "textarea", "fieldset", "details"], id=f"field-{name}"
    ) or page.find(attrs={"name": name})
    if field is None:
        return page.select_one("#form-faults").get_text(" ")  # type: ignore[union-attr]
    block = field.find_parent(class_="form-group") if field.name not in ("fieldset", "details") else field
    assert block is not None, where
    faults = block.select(".error-block")
    assert faults, (where, block.prettify()[:1500])
    return " ".join(each.get_text(" ") for each in faults)


ENTRIES: list[type[Action]] = [
    Create,
    CreateFromJson,
    Update,
    Patch,
    Revise,
    ResourceCreate,
    ResourceUpdate,
    ResourcePatch,
    Harvest,
    HarvestTogether,
    Form,
]
