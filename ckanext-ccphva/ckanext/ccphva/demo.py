"""Fills a portal with its territory: organisations, accounts, a first harvest. Safe to repeat."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import yaml
from ckan import model
from ckan.types import Context
from ckanext.ccphva import config, languages, territory

ROLES = {"sysadmin": None, "agent": "editor", "partner": "member", "citizen": None, "committee": "admin"}
SENSORS = "iot-demo"
"""The source file of the demonstration's own platform; the other ones are read when somebody asks for it."""
SOURCE, CATALOGUE, PUBLISHERS, STEPS = "demo", "catalogue.ttl", "publishers.yaml", "steps.yaml"

NewContext = Callable[[], Context]


def fill(accounts: Path | None) -> Iterator[str]:
    """Yield one line for each thing made."""
    site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    context: NewContext = lambda: Context(user=site_user, ignore_auth=True)  # noqa: E731
    places = territory.load()
    yield from organizations(places, context)
    if accounts:
        yield from _accounts(accounts, places.main_organization, context)
    yield from _territory_sources(places, context)
    yield from _harvest(places, context)


def organizations(places: territory.Territory, context: NewContext) -> Iterator[str]:
    """Make what is missing, and change only what the territory's files say otherwise."""
    every = [*places.organizations(), *_publishers(places)]
    known = set(tk.get_action("organization_list")(context(), {}))
    written = 0
    for wanted in every:
        if wanted["name"] not in known:
            tk.get_action("organization_create")(context(), dict(wanted))
            written += 1
            continue
        query = {"id": wanted["name"], "include_users": False, "include_datasets": False}
        stored = tk.get_action("organization_show")(context(), query)
        changed = {key: value for key, value in wanted.items() if _as_stored(value) != stored.get(key)}
        if changed:
            tk.get_action("organization_patch")(context(), {"id": stored["id"], **changed})
            written += 1
    yield f"{len(every)} organisations ({written} written)"


def _publishers(places: territory.Territory) -> list[dict[str, Any]]:
    """Organisations that only the demonstration has, as invented operators and associations."""
    path = places.folder / "demo" / PUBLISHERS
    return yaml.safe_load(path.read_text())["organizations"] if path.is_file() else []


def configuration(places: territory.Territory) -> dict[str, Any]:
    """How the demo source is harvested: the territory's own licences, each publisher's datasets its own, and
    the steps that the demonstration has besides.
    """
    licences = {licence["id"]: [licence["id"]] for licence in places.data.get("licences", ())}
    owners = {
        each["name"]: [each["siren"]] if each.get("siren") else [each["title_translated"][languages.MAIN]]
        for each in (*places.organizations(), *_publishers(places))
    }
    path = places.folder / "demo" / STEPS
    more = yaml.safe_load(path.read_text()) if path.is_file() else []
    return {
        "steps": [{"licence": {"licences": licences}}, {"organisation": {"organisations": owners}}, *more]
    }


def _as_stored(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _accounts(path: Path, organization: str, context: NewContext) -> Iterator[str]:
    """One account a role; its password and token are in the file and nowhere else."""
    kept = {a["role"]: a for a in json.loads(path.read_text())} if path.exists() else {}
    for role, capacity in ROLES.items():
        if role in kept and model.User.get(kept[role]["name"]):
            continue
        kept[role] = _account(role, capacity, organization, context)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(list(kept.values()), indent=1))
    yield f"{len(kept)} accounts"


def _account(role: str, capacity: str | None, organization: str, context: NewContext) -> dict[str, str]:
    """Make an account, or give one whose secrets were lost new ones."""
    name, password = f"demo-{role}", secrets.token_urlsafe(12)
    details = {"email": f"{name}@example.org", "password": password}
    if user := model.User.get(name):
        tk.get_action("user_patch")(context(), {"id": user.id, **details})
    else:
        tk.get_action("user_create")(context(), {"name": name, **details})
    if role == "sysadmin":
        if administrator := model.User.get(name):
            administrator.sysadmin = True
        model.repo.commit()
    if capacity:
        member = {"id": organization, "username": name, "role": capacity}
        tk.get_action("organization_member_create")(context(), member)
    token = tk.get_action("api_token_create")(context(), {"user": name, "name": "demo"})["token"]
    return {"role": role, "name": name, "password": password, "token": token}


def _harvest(places: territory.Territory, context: NewContext) -> Iterator[str]:
    """Register the territory's demo catalogue as a source and ask for a run, as a person would."""
    if not (places.folder / "demo" / CATALOGUE).is_file():
        return
    if not p.plugin_loaded("ccphva_harvest"):
        yield "no demo datasets: the plugin ccphva_harvest is not loaded"
        return
    from ckanext.harvest.logic import HarvestJobExists  # a plugin that may be left out

    source = _source(places, context)
    try:
        tk.get_action("harvest_job_create")(context(), {"source_id": source["id"], "run": True})
    except HarvestJobExists:
        # A job that was made and never sent (the queue was away) is sent now; one that runs is left alone.
        waiting = {"source_id": source["id"], "status": "New"}
        for job in tk.get_action("harvest_job_list")(context(), waiting):
            tk.get_action("harvest_send_job_to_gather_queue")(context(), {"id": job["id"]})
        yield "demo datasets: a run of the demo catalogue is under way"
        return
    yield f"demo datasets: a harvest of {source['url']} is asked for"


def _source(places: territory.Territory, context: NewContext) -> dict[str, Any]:
    wanted = {
        "name": SOURCE,
        "title": f"Catalogue de démonstration ({places.data['short_name']})",
        "url": f"{tk.config['ckan.site_url'].rstrip('/')}/demo-source/{CATALOGUE}",
        "source_type": "ccphva_dcat",
        "frequency": "MANUAL",
        "owner_org": places.main_organization,
        "config": json.dumps(configuration(places), ensure_ascii=False),
    }
    return _stored(wanted, context)


def _stored(wanted: dict[str, Any], context: NewContext) -> dict[str, Any]:
    """A source as it is wanted: made, or changed where it is another one."""
    try:
        stored = tk.get_action("harvest_source_show")(context(), {"id": wanted["name"]})
    except tk.ObjectNotFound:
        return tk.get_action("harvest_source_create")(context(), wanted)
    if all(stored.get(name) == wanted[name] for name in ("url", "source_type", "config")):
        return stored
    return tk.get_action("harvest_source_update")(context(), {**wanted, "id": stored["id"]})


def _territory_sources(places: territory.Territory, context: NewContext) -> Iterator[str]:
    """Register the territory's source files. Those of other keepers are read by hand only: nobody asked them;
    that of the demonstration's own sensors runs every minute, where their platform is."""
    if not p.plugin_loaded("ccphva_harvest"):
        return
    from ckanext.harvest.logic import HarvestJobExists  # a plugin that may be left out

    registered = 0
    for path in sorted((places.folder / "sources").glob("*.yaml")):
        own = path.stem == SENSORS
        if own and not config.demo_platform():
            continue
        source = _stored(_from_file(path, places, own), context)
        registered += 1
        if own:
            with suppress(HarvestJobExists):
                tk.get_action("harvest_job_create")(context(), {"source_id": source["id"], "run": True})
    if registered:
        yield f"{registered} sources of the territory"


def _from_file(path: Path, places: territory.Territory, own: bool) -> dict[str, Any]:
    """A source file (`ccphva-harvest check FILE`) as the register keeps it."""
    text = path.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    source, title = document["source"], text.partition("\n")[0].removeprefix("#").strip().partition(":")[0]
    address = config.demo_platform() if own else source["url"]
    kept = {name: value for name, value in document.items() if name != "owner_org"}
    kept["source"] = {name: value for name, value in source.items() if name != "url"}
    if own:
        kept |= {"every": 1, "listen": {"from": ["127.0.0.0/8"]}, "retention": 7}
    return {
        "name": path.stem,
        "title": title,
        "url": address,
        "source_type": f"ccphva_{source['type'].replace('-', '_')}",
        "frequency": "MANUAL",
        "owner_org": places.main_organization,
        "config": json.dumps(kept, ensure_ascii=False),
    }
