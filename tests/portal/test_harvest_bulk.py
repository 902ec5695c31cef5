"""Datasets that are harvested together are the same as those that CKAN's own actions make one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import harvesting
import pytest
import sqlalchemy as sa
from ckan import logic, model
from ckan.lib import signals
from ckan.lib.search import commit
from ckan.lib.search.common import make_connection
from ckanext.activity.model import Activity
from ckanext.activity.subscriptions import package_changed
from ckanext.ccphva_harvest.bulk import indexing, reading
from ckanext.ccphva_harvest.engine import user_name
from harvesting import Site, act, catalog, datasets, harvest, make_source

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index", "with_request_context")
FACTS = [
    fact
    for fact in harvesting.facts()
    if fact.parses and 1 < fact.datasets < 100 and "paged" not in fact.path.name
]
OF_THE_MOMENT = {
    "created", "metadata_created", "metadata_modified", "harvest_object_id", "_version_", "timestamp",
    "indexed_ts", "score", "updated",
}  # fmt: skip
"""What two runs of the same can never have in common."""
FILES = """
<http://x.example/d/a> dcat:keyword "Eau"@fr, "Wasser"@de, "eau"@fr ;
  dcat:distribution <http://x.example/r/text>, <http://x.example/r/picture> .
<http://x.example/r/text> a dcat:Distribution ; dct:format "TXT" ;
  dcat:downloadURL <http://x.example/f/lisez.txt> .
<http://x.example/r/picture> a dcat:Distribution ; dct:format "PNG" ;
  dcat:downloadURL <http://x.example/f/carte.png> .
"""


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def state(source: dict[str, Any]) -> dict[str, Any]:
    """All that a harvest leaves: datasets, search documents, activity, rows of the catalogue and views."""
    shown = {dataset["id"]: dataset for dataset in datasets(source)}
    ids = list(shown)
    model.Session.remove()
    known = {
        "shown": [shown[id_] for id_ in ids],
        "documents": list(make_connection().search(f'harvest_source_id:"{source["id"]}"', rows=1000).docs),
        "activities": [
            {"of": each.object_id, "type": each.activity_type, "by": each.user_id, "data": each.data,
             "labels": each.permission_labels}
            for each in model.Session.query(Activity).filter(Activity.object_id.in_(ids))
        ],
        "rows": [
            {column: value for column, value in row._mapping.items() if column != "id"}
            for table, column in (
                (model.package_table, "id"), (model.package_tag_table, "package_id"),
                (model.member_table, "table_id"),
            )
            for row in model.Session.execute(sa.select(table).where(table.c[column].in_(ids)))
        ],
        "tags": [name for (name,) in model.Session.query(model.Tag.name)],
        "views": [
            (view.view_type, view.title, view.order)
            for view in model.Session.query(model.ResourceView).order_by(model.ResourceView.view_type)
        ],
    }  # fmt: skip
    return _comparable(known)


def _comparable(known: dict[str, Any]) -> dict[str, Any]:
    """Without moments, with the names of tags and resources for their ids, in an order of their own."""
    names = {
        resource["id"]: f"{dataset['id']} resource {resource['position']}"
        for dataset in known["shown"]
        for resource in dataset["resources"]
    }
    names |= {tag.id: f"tag {tag.name}" for tag in model.Session.query(model.Tag)}
    text = json.dumps(_timeless(known), default=str, sort_keys=True)
    for id_, name in names.items():
        text = text.replace(id_, name)
    return {kind: sorted(values, key=str) for kind, values in json.loads(text).items()}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in OF_THE_MOMENT}
    if isinstance(value, list | tuple):
        extras = [isinstance(each, dict) and each.get("key") in OF_THE_MOMENT for each in value]
        return [_timeless(each) for each, left_out in zip(value, extras, strict=True) if not left_out]
    if isinstance(value, str) and value.startswith("{"):
        try:
            return _timeless(json.loads(value))
        except ValueError:
            return value
    return value


def forget(source: dict[str, Any]) -> None:
    """Remove what the source brought, for good."""
    act("harvest_source_clear", id=source["id"])
    model.Session.query(Activity).delete()
    for tag in model.Session.query(model.Tag):
        model.Session.delete(tag)
    model.Session.commit()


def both_ways(site: Site, source: dict[str, Any], ckan_config: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What one harvest leaves together, and one by one."""
    harvest(source)
    together = state(source)
    forget(source)
    ckan_config["ccphva.harvest.batch"] = 1
    harvest(source)
    return together, state(source)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two states differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [each for key in keys for each in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list):
        pairs = enumerate(zip_longest(one, other))
        return [each for at, (a, b) in pairs for each in differences(a, b, f"{path}[{at}]")]
    return [] if one == other else [f"{path}: {str(one)[:200]} / {str(other)[:200]}"]


def test_the_same_as_one_by_one(site: Site, ckan_config: Any) -> None:
    """Files with views, keywords in two languages, names that collide: every row and document is the same."""
    titles = {"a": "Jeu", "b": "Jeu", "c": "Été", "d": "Éte", "e": "数据"}
    source = make_source(site.serve("/c", catalog(titles, FILES)))
    together, single = both_ways(site, source, ckan_config)
    assert len(together["shown"]) == 5
    assert together["views"]
    assert differences(together, single) == []


@pytest.mark.slow
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.path.name)
def test_real_documents(site: Site, ckan_config: Any, fact: harvesting.Fact) -> None:
    """Third-party catalogues in all their variety."""
    url = site.serve(f"/{fact.path.name}", fact.path.read_bytes(), fact.media_type)
    source = make_source(url, json.dumps({"source": {"base": "http://data.test.org/catalog"}}))
    together, single = both_ways(site, source, ckan_config)
    assert len(together["shown"]) > 1
    assert differences(together, single) == []


def test_many_are_read_and_indexed_as_one_is(site: Site) -> None:
    """What the index is given of a dataset is what CKAN would give it, with groups and relations too."""
    source = make_source(site.serve("/c", catalog({"a": " Jeu ", "b": "Jeu", "c": "Jeu"}, FILES)))
    harvest(source)
    ids = [dataset["id"] for dataset in datasets(source)]
    group = act("group_create", name="theme", title="Thème")
    for id_ in ids[:2]:
        act("member_create", id=group["id"], object=id_, object_type="package", capacity="public")
    model.Session.remove()
    context: Any = {"ignore_auth": True, "user": user_name(), "session": model.Session, "model": model}

    documents = []
    for index in (
        lambda: indexing.add(reading.shown(ids, context).values()),
        lambda: [logic.index_update_package(context, id_) for id_ in ids],
    ):
        index()
        commit()
        found = make_connection().search(f'harvest_source_id:"{source["id"]}"', sort="id asc").docs
        documents.append(_timeless(found))
    assert differences(*documents) == []

    act("package_relationship_create", subject=ids[0], object=ids[2], type="derives_from")
    model.Session.remove()
    single = {id_: list(logic.package_show_default_and_custom_schemas(context, id_)) for id_ in ids}
    assert differences({id_: list(both) for id_, both in reading.shown(ids, context).items()}, single) == []


def test_what_the_batch_cannot_store_goes_through_ckan(site: Site) -> None:
    """A step that puts datasets into a group: they are in it, as `package_create` makes them."""
    group = act("group_create", name="theme", title="Thème")
    steps = json.dumps({"steps": [{"set": {"fields": {"groups": [{"name": group["name"]}]}}}]})
    source = make_source(site.serve("/c", catalog(list("ab"))), steps)
    harvest(source)
    assert [[each["name"] for each in dataset["groups"]] for dataset in datasets(source)] == [["theme"]] * 2


def test_a_poisoned_record_fails_alone(site: Site) -> None:
    """One record that the schema refuses leaves the others of its batch in the catalogue."""
    poison = '<http://x.example/d/b> dct:description "\\u0000"@fr .'
    source = make_source(site.serve("/c", catalog(list("abc"), poison)))
    job = harvest(source)
    assert job["stats"]["added"] + job["stats"]["errored"] == 3
    assert job["stats"]["added"] >= 2


def test_a_batch_that_breaks_is_written_one_by_one(site: Site) -> None:
    """What the database refuses at the end of a batch costs the dataset that it refuses, and no other."""
    source = make_source(site.serve("/c", catalog(list("abc"))))
    model.Session.execute(
        sa.text(
            "CREATE FUNCTION refuse_b() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.title = 'Jeu b' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$"
        )
    )
    model.Session.execute(
        sa.text("CREATE TRIGGER refuse_b BEFORE INSERT ON package FOR EACH ROW EXECUTE FUNCTION refuse_b()")
    )
    model.Session.commit()
    try:
        job = harvest(source)
    finally:
        model.Session.rollback()
        model.Session.execute(sa.text("DROP FUNCTION refuse_b CASCADE"))
        model.Session.commit()
    assert (job["stats"]["added"], job["stats"]["errored"]) == (2, 1)
    assert {dataset["title"] for dataset in datasets(source)} == {"Jeu a", "Jeu c"}
    assert "not this one" in job["object_error_summary"][0]["message"]


def test_everybody_who_listens_to_new_datasets_is_known() -> None:
    """A plugin that joins and wants what the batch does not give must be seen to: here is what it gives."""
    listening = set(signals.action_succeeded.receivers_for("package_create"))
    assert listening == {package_changed}
    assert not list(p.PluginImplementations(p.IDomainObjectModification))
    for plugin in p.PluginImplementations(p.IPackageController):
        for hook in ("read", "edit"):
            assert getattr(type(plugin), hook) is getattr(p.IPackageController, hook), (plugin.name, hook)
    assert tk.get_action("package_create").__module__ == "ckan.logic.action.create"
