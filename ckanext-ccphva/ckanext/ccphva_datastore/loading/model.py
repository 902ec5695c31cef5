"""Own tables in CKAN's database: one load a resource, its versions, pages of documents. Imports nothing of
the plugin.

No foreign keys into CKAN's tables: `forget` removes what belongs to a resource that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

WAITING, READING, LOADING, DONE, REFUSED, NOTHING = (
    "waiting", "reading", "loading", "done", "refused", "nothing",
)  # fmt: skip
"""States of a load: in the queue; at work (two); a table or a text is there; why not is in `reason`; the
file is
of a kind that becomes neither."""
AT_WORK = (READING, LOADING)


def now() -> datetime:
    """The time as CKAN's tables keep it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Load(tk.BaseModel):
    """What became of a resource's file.

    :param source: `url`, `sha256`, `etag`, `last_modified`, `mark` of the file that was taken last.
    :param reason: a fault (`faults.told`).
    :param found: what the reading process said: kind, encoding, columns with proposals and first rows.
    :param chosen: what an agent said: `types` by column, `layer`, `crs`.
    :param changes: `added`, `gone`, `changed` columns against the table before.
    :param closed: perimeters that ended because a column of theirs is gone.
    """

    __tablename__ = "ccphva_load"

    resource_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    state: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text, default="")
    attempt: Mapped[int] = mapped_column(sa.Integer, default=0)
    queued: Mapped[datetime | None] = mapped_column(sa.DateTime)
    started: Mapped[datetime | None] = mapped_column(sa.DateTime)
    heartbeat: Mapped[datetime | None] = mapped_column(sa.DateTime)
    finished: Mapped[datetime | None] = mapped_column(sa.DateTime)
    rows: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    source: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    found: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    chosen: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    closed: Mapped[list[str]] = mapped_column(JSONB, default=list)


class Version(tk.BaseModel):
    """A file that a resource had or has; numbers begin with 1."""

    __tablename__ = "ccphva_version"

    resource_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(sa.DateTime)
    name: Mapped[str] = mapped_column(sa.Text)
    size: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str] = mapped_column(sa.Text)
    columns: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))


def load_of(resource_id: str) -> Load | None:
    return model.Session.get(Load, resource_id)


def note(resource_id: str, **values: Any) -> Load:
    """Write down where a load stands, at once."""
    load = load_of(resource_id)
    if load is None:
        load = Load(resource_id=resource_id, state=WAITING)
        model.Session.add(load)
    for name, value in values.items():
        setattr(load, name, value)
    model.Session.commit()
    return load


def beat(resource_id: str, rows: int, read: int) -> None:
    """A sign of life with how far it is, in one statement."""
    model.Session.query(Load).filter_by(resource_id=resource_id).update(
        {"heartbeat": now(), "rows": rows, "bytes": read}, synchronize_session=False
    )
    model.Session.commit()


def silent(seconds: int) -> Sequence[Load]:
    """Loads at work whose worker gave no sign of life for that long, and those that were queued as long
    ago.
    """
    since = now() - timedelta(seconds=seconds)
    lost = sa.and_(Load.state.in_(AT_WORK), Load.heartbeat < since)
    forgotten = sa.and_(Load.state == WAITING, Load.queued < since - timedelta(hours=1))
    return model.Session.query(Load).filter(sa.or_(lost, forgotten)).all()


def versions(resource_id: str) -> Sequence[Version]:
    """The latest first."""
    return (
        model.Session.query(Version).filter_by(resource_id=resource_id).order_by(Version.number.desc()).all()
    )


def add_version(resource_id: str, **values: Any) -> Version:
    last = model.Session.query(sa.func.max(Version.number)).filter_by(resource_id=resource_id).scalar()
    version = Version(resource_id=resource_id, number=(last or 0) + 1, at=now(), **values)
    model.Session.add(version)
    model.Session.commit()
    return version


CONFIGURATIONS = {"fr": "french", "de": "german", "lb": "german", "en": "english"}
"""Text search configurations of PostgreSQL; Luxembourgish has none, and German is the nearest."""

_WORDS = "to_tsvector(CAST(:configuration AS regconfig), :text) || to_tsvector('simple', :plain)"


def put_pages(resource_id: str, pages: Sequence[dict[str, Any]]) -> None:
    """Put pages (`number`, `language`, `text`, `plain`: without accents) in place of those before."""
    execute = model.Session.execute
    execute(sa.text("DELETE FROM ccphva_document_page WHERE resource_id = :id"), {"id": resource_id})
    insert = sa.text(
        "INSERT INTO ccphva_document_page (resource_id, number, language, text, words) "  # noqa: S608
        f"VALUES (:id, :number, :language, :text, {_WORDS})"
    )
    for page in pages:
        configuration = CONFIGURATIONS.get(page["language"], "simple")
        execute(insert, page | {"id": resource_id, "configuration": configuration})
    model.Session.commit()


def find_pages(
    words: str, plain: str, language: str | None, resource_ids: Sequence[str] | None, limit: int, offset: int
) -> list[dict[str, Any]]:
    """Pages that hold the words, best first, with a passage; each page is searched in its own language."""
    queries = " OR ".join(
        f"(p.language = '{language}' AND p.words @@ (websearch_to_tsquery('{configuration}', :words) "
        f"|| websearch_to_tsquery('simple', :plain)))"
        for language, configuration in [*CONFIGURATIONS.items(), ("", "simple")]
    )
    statement = sa.text(
        "SELECT p.resource_id, r.package_id, p.number, p.language, "  # noqa: S608
        "ts_headline('simple', p.text, websearch_to_tsquery('simple', :words), "
        "'MaxWords=30, MinWords=12, StartSel=[[, StopSel=]]') AS passage, "
        "ts_rank(p.words, websearch_to_tsquery('simple', :plain)) AS rank "
        "FROM ccphva_document_page p JOIN resource r ON r.id = p.resource_id AND r.state = 'active' "
        f"WHERE ({queries}) AND (CAST(:language AS text) IS NULL OR p.language = :language) "
        "AND (CAST(:ids AS text[]) IS NULL OR p.resource_id = ANY(CAST(:ids AS text[]))) "
        "ORDER BY rank DESC, p.resource_id, p.number LIMIT :limit OFFSET :offset"
    )
    values = {
        "words": words, "plain": plain, "language": language,
        "ids": list(resource_ids) if resource_ids is not None else None, "limit": limit, "offset": offset,
    }  # fmt: skip
    return [dict(row) for row in model.Session.execute(statement, values).mappings()]


def pages_of(resource_id: str, offset: int, limit: int) -> list[dict[str, Any]]:
    statement = sa.text(
        "SELECT number, language, text FROM ccphva_document_page WHERE resource_id = :id "
        "ORDER BY number LIMIT :limit OFFSET :offset"
    )
    rows = model.Session.execute(statement, {"id": resource_id, "limit": limit, "offset": offset})
    return [dict(row) for row in rows.mappings()]


def texts_of(dataset_id: str, most: int) -> list[tuple[str, str]]:
    """Language and text of a dataset's documents, as many pages as make `most` characters."""
    statement = sa.text(
        "SELECT p.language, p.text FROM ccphva_document_page p JOIN resource r ON r.id = p.resource_id "
        "WHERE r.package_id = :id AND r.state = 'active' ORDER BY p.resource_id, p.number"
    )
    found, size = [], 0
    for language, text in model.Session.execute(statement, {"id": dataset_id}):
        size += len(text)
        if size > most:
            break
        found.append((language, text))
    return found


def gone() -> list[str]:
    """Resources of which something is kept although they are no more."""
    statement = sa.text(
        "SELECT x.id FROM (SELECT resource_id AS id FROM ccphva_load UNION SELECT resource_id "
        "FROM ccphva_version UNION SELECT resource_id FROM ccphva_document_page) x "
        "LEFT JOIN resource r ON r.id = x.id WHERE r.id IS NULL"
    )
    return list(model.Session.execute(statement).scalars())


def forget(resource_id: str) -> None:
    """Remove what is kept of a resource."""
    for name in ("ccphva_load", "ccphva_version", "ccphva_document_page"):
        model.Session.execute(
            sa.text(f"DELETE FROM {name} WHERE resource_id = :id"),  # noqa: S608
            {"id": resource_id},
        )
    model.Session.commit()
