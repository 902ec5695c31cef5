"""What pages read straight from CKAN's tables, because no action gives it without work for each row."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from ckan import model
from ckan.model.group import group_table
from ckanext.ccphva import languages
from ckanext.ccphva.model import Review

LONGEST_LIST = 500


def organizations() -> list[dict[str, Any]]:
    """All active organisations with their fields, in one query.

    `organization_list` with all fields stops at 25, takes each through its schema, asks the search engine.
    """
    table = group_table.c
    columns = (table.id, table.name, table.title, table.extras)
    found = model.Session.query(*columns).filter(table.is_organization, table.state == "active")
    return [{**(extras or {}), "id": id_, "name": name, "title": title} for id_, name, title, extras in found]


def unpublished(
    organizations: Sequence[str], states: Sequence[str], author: str | None = None
) -> list[dict[str, Any]]:
    """Datasets of organisations that stand before publication, the longest unchanged first.

    :param author: only those that this user made or submitted.
    """
    table, review = model.Package, Review
    found = model.Session.query(table, model.Group.name, model.Group.title).join(
        model.Group, model.Group.id == table.owner_org
    )
    found = found.filter(
        table.state.in_(["active", "draft"]),
        table.type == "dataset",
        table.owner_org.in_(organizations),
        table.extras["workflow"].astext.in_(states),
    )
    if author is not None:
        submitted = model.Session.query(review.dataset_id).filter(
            review.user_id == author, review.state == "submitted"
        )
        found = found.filter(sa.or_(table.creator_user_id == author, table.id.in_(submitted)))
    rows = found.order_by(table.metadata_modified).limit(LONGEST_LIST).all()
    last = _last_reviews([package.id for package, _, _ in rows])
    return [
        {**_dataset(package), "organization": {"name": name, "title": title}, "last": last.get(package.id)}
        for package, name, title in rows
    ]


def deleted(organization: str) -> list[dict[str, Any]]:
    """Deleted datasets of an organisation, the latest first."""
    table = model.Package
    found = model.Session.query(table).filter(
        table.state == "deleted", table.owner_org == organization, table.type == "dataset"
    )
    packages = found.order_by(table.metadata_modified.desc()).limit(LONGEST_LIST)
    return [_dataset(package) for package in packages]


def _dataset(package: model.Package) -> dict[str, Any]:
    texts = json.loads(package.extras.get("title_translated") or "{}")
    return {
        "id": package.id,
        "name": package.name,
        "title": package.title,
        "title_translated": texts,
        "state": package.state,
        "workflow": package.extras.get("workflow"),
        "metadata_modified": package.metadata_modified.isoformat(),
    }


def _last_reviews(dataset_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    newest = (
        model.Session.query(sa.func.max(Review.id))
        .filter(Review.dataset_id.in_(dataset_ids))
        .group_by(Review.dataset_id)
    )
    return {step["dataset_id"]: step for step in _steps(Review.id.in_(newest))}


def reviews(dataset_id: str) -> list[dict[str, Any]]:
    """The steps of a dataset, the latest first."""
    return _steps(Review.dataset_id == dataset_id)


def _steps(condition: Any) -> list[dict[str, Any]]:
    found = (
        model.Session.query(Review, model.User)
        .outerjoin(model.User, model.User.id == Review.user_id)
        .filter(condition)
        .order_by(Review.id.desc())
        .limit(LONGEST_LIST)
    )
    return [
        {
            "dataset_id": step.dataset_id,
            "at": step.at.isoformat(),
            "before": step.before,
            "state": step.state,
            "comment": step.comment,
            "user": user.display_name if user else "",
        }
        for step, user in found
    ]


def names_like(name: str) -> set[str]:
    """Names of datasets that begin as this one does."""
    beginning = name[:90]
    found = model.Session.query(model.Package.name).filter(
        model.Package.name.startswith(beginning, autoescape=True)
    )
    return {str(each) for (each,) in found}


def steps_to_mail() -> list[Review]:
    """Steps that nobody was told of, the oldest first."""
    return model.Session.query(Review).filter(Review.mailed_at.is_(None)).order_by(Review.id).limit(100).all()


def note_mailed(step: Review) -> None:
    step.mailed_at = datetime.now(UTC)
    model.Session.commit()


def publishers(organization: str | None) -> list[model.User]:
    """Administrators of an organisation and of those above it, for whom a submission waits."""
    group = model.Group.get(organization) if organization else None
    if group is None:
        return []
    above = [group.id, *(each.id for each in group.get_parent_group_hierarchy("organization"))]
    return (
        model.Session.query(model.User)
        .join(model.Member, model.Member.table_id == model.User.id)
        .filter(
            model.Member.group_id.in_(above),
            model.Member.table_name == "user",
            model.Member.capacity == "admin",
            model.Member.state == "active",
        )
        .distinct()
        .all()
    )


def author(dataset: model.Package) -> list[model.User]:
    """Who submitted a dataset last, or made it."""
    submitted = model.Session.query(Review.user_id).filter(
        Review.dataset_id == dataset.id, Review.state == "submitted"
    )
    last = submitted.order_by(Review.id.desc()).limit(1).scalar()
    user = model.User.get(last or dataset.creator_user_id)
    return [user] if user else []


def language_of(user_id: str) -> str | None:
    """The language in which a person last took a step."""
    found = model.Session.query(Review.language).filter(Review.user_id == user_id)
    return found.order_by(Review.id.desc()).limit(1).scalar()


def fees(*, private: bool) -> list[dict[str, Any]]:
    """Fees of active datasets and of their resources, in two queries.

    :param private: with those of private datasets.
    """
    package: Any = model.Package
    resource: Any = model.Resource
    shown = [package.state == "active", *(() if private else (package.private.is_(False),))]
    own = (
        model.Session.query(package.name, package.title, package.extras["fee"].astext)
        .filter(package.extras.has_key("fee"), *shown)
        .all()
    )
    theirs = (
        model.Session.query(package.name, package.title, resource.id, resource.extras)
        .join(resource, resource.package_id == package.id)
        .filter(resource.state == "active", sa.cast(resource.extras, sa.Text).like('%"fee"%'), *shown)
        .all()
    )
    found = [(name, title, None, text) for name, title, text in own]
    found += [(name, title, id_, (extras or {}).get("fee")) for name, title, id_, extras in theirs]
    return [
        {"dataset": name, "title": title, "resource_id": id_, "fee": languages.parse(text)}
        for name, title, id_, text in found
        if text
    ]


class GroupTitle(NamedTuple):
    """What an organisation or group is called now."""

    name: str
    title: str
    translated: dict[str, str]


def group_titles(ids: Collection[str] = (), names: Collection[str] = ()) -> dict[str, GroupTitle]:
    """Titles of organisations and groups by their id, in one query."""
    if not ids and not names:
        return {}
    table = group_table.c
    columns = (table.id, table.name, table.title, table.extras)
    found = model.Session.query(*columns).filter(table.id.in_(ids) | table.name.in_(names))
    return {
        id_: GroupTitle(name, title or name, languages.parse((extras or {}).get("title_translated")) or {})
        for id_, name, title, extras in found
    }


_TITLES = sa.select(
    group_table.c.name, group_table.c.title, group_table.c.extras["title_translated"].astext
).where(group_table.c.name.in_(sa.bindparam("names", expanding=True)))
"""Made once: it runs with every search."""


def organization_titles(names: Collection[str], language: str) -> dict[str, str]:
    """What organisations are called in a language, by name, in one small query."""
    titles = {}
    for name, title, stored in model.Session.execute(_TITLES, {"names": sorted(names)}):
        texts = languages.parse(stored) or {}
        titles[name] = texts.get(language) or languages.best(texts, language) or title or name
    return titles


def public_tables(most: int) -> list[str]:
    """Resources with a table, of datasets that are published, the newest first."""
    extras: Any = model.Resource.extras
    query = (
        model.Session.query(model.Resource.id)
        .join(model.Package, model.Package.id == model.Resource.package_id)
        .filter(model.Resource.state == "active", model.Package.state == "active")
        .filter(model.Package.private.is_(False), extras.contains('"datastore_active": true'))
        .order_by(model.Resource.created.desc())
        .limit(most)
    )
    return [row[0] for row in query]
