"""The search index stays true to the database, whatever went wrong while it was written."""

from __future__ import annotations

import hashlib
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.tests import factories, helpers
from ckanext.ccphva import changelog, followers
from ckanext.ccphva.reconcile import SearchReconciler, faces_in_database, faces_in_index

# Transactions of other tests, in whichever database of the cluster, hold back what a follower may read.
pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("clean_db", "clean_index", "with_request_context")]


@pytest.fixture
def dataset() -> dict[str, Any]:
    """A public dataset with an organisation and a tag."""
    organization = factories.Organization(name="epci")
    return factories.Dataset(owner_org=organization["id"], tags=[{"name": "eau"}])


@pytest.fixture
def reconciler() -> SearchReconciler:
    """The follower, with everything so far behind it."""
    follower = SearchReconciler()
    follow(follower)
    return follower


def follow(reconciler: SearchReconciler) -> None:
    """What `ckan ccphva follow` does until nothing is left to read."""
    runner = followers.Runner([reconciler])
    while runner.round() or any(lag.rows for lag in changelog.lags() if lag.follower == reconciler.name):
        pass
    runner.close()


def write(statement: str, **values: Any) -> None:
    with model.ensure_engine().begin() as connection:
        connection.execute(sa.text(statement), values)


def agree(*ids: str) -> bool:
    return faces_in_database(ids) == faces_in_index(ids)


def found(query: str = "*:*") -> set[str]:
    make_connection().commit()
    return {r["id"] for r in helpers.call_action("package_search", q=query, include_private=True)["results"]}


def test_core_and_we_read_the_same_face(dataset: dict[str, Any]) -> None:
    """What core has indexed is what we expect, so nothing is mended without need."""
    assert agree(dataset["id"])
    face = faces_in_index([dataset["id"]])[dataset["id"]]
    assert (face.organization, face.tags, face.private, face.state) == (
        "epci",
        frozenset({"eau"}),
        False,
        "active",
    )
    outcome = SearchReconciler().sweep()
    assert (outcome.checked, outcome.indexed, outcome.removed, outcome.failed) == (1, 0, 0, 0)


def test_phantom_is_removed_by_the_sweep(dataset: dict[str, Any]) -> None:
    """A document whose dataset was never committed disappears; the others stay."""
    document = make_connection(decode_dates=False).search("*:*", fq=f"id:{dataset['id']}", rows=1).docs[0]
    phantom = {k: v for k, v in document.items() if k not in {"_version_", "index_id"}}
    phantom |= {"id": "phantom-id", "name": "phantom", "index_id": key_of("phantom-id")}
    make_connection().add([phantom], commit=True)
    assert "phantom-id" in faces_in_index(["phantom-id"])
    outcome = SearchReconciler().sweep()
    assert (outcome.removed, outcome.indexed) == (1, 0)
    assert found() == {dataset["id"]}


def key_of(dataset_id: str) -> str:
    return hashlib.md5(f"{dataset_id}{tk.config['ckan.site_id']}".encode(), usedforsecurity=False).hexdigest()


def test_failed_commit_leaves_no_lie(dataset: dict[str, Any]) -> None:
    """Core indexes, then the commit fails: the index shows what never was, until the sweep."""
    site_user = helpers.call_action("get_site_user")["name"]

    def refuse(_: Any) -> None:
        raise RuntimeError("the commit fails")

    sa.event.listen(model.Session, "before_commit", refuse)
    try:
        with pytest.raises(RuntimeError):
            helpers.call_action(
                "package_patch",
                context={"user": site_user},
                id=dataset["id"],
                notes="Jamais",
                tags=[{"name": "faux"}],
            )
    finally:
        sa.event.remove(model.Session, "before_commit", refuse)
        model.Session.rollback()
    assert not agree(dataset["id"])
    SearchReconciler().sweep()
    assert agree(dataset["id"])
    assert found("tags:faux") == set()


def test_dataset_written_by_sql_is_indexed(dataset: dict[str, Any], reconciler: SearchReconciler) -> None:
    """A bulk writer that forgot the index is made good by the follower."""
    write(
        "UPDATE package SET name = 'renamed-by-sql', metadata_modified = now() WHERE id = :id",
        id=dataset["id"],
    )
    assert not agree(dataset["id"])
    follow(reconciler)
    assert agree(dataset["id"])
    assert found("name:renamed-by-sql") == {dataset["id"]}


def test_lost_document_comes_back(dataset: dict[str, Any], reconciler: SearchReconciler) -> None:
    """A dataset that the index lost is found again after its next change, or by the sweep."""
    search.clear(dataset["id"])
    assert faces_in_index([dataset["id"]]) == {}
    reconciler.sweep()
    assert agree(dataset["id"])


def test_deleted_and_private_datasets_are_shown_as_such(
    dataset: dict[str, Any], reconciler: SearchReconciler
) -> None:
    """What was withdrawn or made private by SQL does not stay public in search."""
    write("UPDATE package SET private = true WHERE id = :id", id=dataset["id"])
    follow(reconciler)
    assert faces_in_index([dataset["id"]])[dataset["id"]].private
    write("UPDATE package SET state = 'deleted' WHERE id = :id", id=dataset["id"])
    follow(reconciler)
    assert faces_in_index([dataset["id"]]) == {}


def test_renamed_organisation_reaches_its_datasets(
    dataset: dict[str, Any], reconciler: SearchReconciler
) -> None:
    """The facet of organisations follows a new name, which core's index does not."""
    write("UPDATE \"group\" SET name = 'epci-renamed' WHERE name = 'epci'")
    follow(reconciler)
    assert faces_in_index([dataset["id"]])[dataset["id"]].organization == "epci-renamed"


def test_tag_removed_by_sql_leaves_the_index(dataset: dict[str, Any], reconciler: SearchReconciler) -> None:
    """Tags change without the dataset's own row."""
    write("DELETE FROM package_tag WHERE package_id = :id", id=dataset["id"])
    follow(reconciler)
    assert found("tags:eau") == set()


def test_one_broken_dataset_does_not_stop_the_others(
    dataset: dict[str, Any], reconciler: SearchReconciler
) -> None:
    """A dataset that cannot be indexed is counted and logged, and the rest goes on."""
    other = factories.Dataset(owner_org=dataset["owner_org"])
    write("UPDATE package SET metadata_modified = now() - interval '1 day'")
    write("UPDATE package SET type = NULL, metadata_created = NULL WHERE id = :id", id=dataset["id"])
    outcome = reconciler.sweep()
    assert (outcome.failed, outcome.indexed) == (1, 1)
    assert agree(other["id"])


def test_dead_search_engine_moves_no_cursor(dataset: dict[str, Any], ckan_config: Any) -> None:
    """With Solr away the follower fails and keeps its place: nothing is skipped."""
    ckan_config["solr_url"] = "http://127.0.0.1:9/solr/ckan"
    follower = SearchReconciler()
    changelog.register(follower.name)
    unread = len(changelog.read(follower.name))
    runner = followers.Runner([follower])
    with pytest.raises(search.SearchError):
        runner.round()
    runner.close()
    assert unread > 0
    assert len(changelog.read(follower.name)) == unread
