"""Doctor: do the parts of the catalogue agree: migrations, index, tables, followers?"""

from __future__ import annotations

import time
from collections.abc import Iterator

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import psycopg2
import pysolr
import requests
from ckan import model
from ckan.cli.db import current_revision
from ckanext.ccphva.operations import index, postgres
from ckanext.ccphva.operations.findings import Finding, fail, ok, warn
from sqlalchemy.exc import SQLAlchemyError

SETTLE = 2.5
SHOWN = 5
LATE = 300


def migrations() -> Iterator[Finding]:
    """No plugin, nor CKAN itself, waits for a migration."""
    check, mend = "catalogue.migrations", "ckan db upgrade"
    try:
        model.repo.setup_migration_version_control()
        core = model.repo.current_version() or ""
        behind = [] if core.endswith("(head)") else ["ckan"]
        for plugin in tk.config["ckan.plugins"]:
            state = current_revision(plugin)
            if state and not state.endswith("(head)"):
                behind.append(plugin)
    except SQLAlchemyError:
        return  # said by `services`
    if behind:
        names = ", ".join(behind)
        yield fail(check, f"Migrations à faire : {names}", f"Migrations to be done: {names}", mend)
    else:
        yield ok(check, "Aucune migration à faire", "No migration to be done")


def drift() -> Iterator[Finding]:
    """Database and index hold the same datasets in the same state."""
    check, mend = "catalogue.index", "ckan ccphva rebuild --only-drift"
    try:
        found = index.drift()
        if found:  # a write that is just under way is no drift
            time.sleep(SETTLE)
            found = found.common(index.drift())
    except (pysolr.SolrError, requests.RequestException, SQLAlchemyError):
        return  # said by `services`
    for ids, fr, en in (
        (found.missing, "jeux absents de l'index", "datasets missing in the index"),
        (found.stale, "jeux dans un ancien état dans l'index", "datasets in an old state in the index"),
        (
            found.phantoms,
            "jeux dans l'index que la base ne connaît pas",
            "datasets in the index that the database does not know",
        ),
    ):
        if ids:
            yield fail(check, f"{len(ids)} {fr} : {_some(ids)}", f"{len(ids)} {en}: {_some(ids)}", mend)
    if not found:
        yield ok(check, "Base et index sont d'accord", "Database and index agree")


def tables() -> Iterator[Finding]:
    """Every table belongs to a resource, and every resource that claims one has one."""
    if not p.plugin_loaded("datastore"):
        return
    catalogue, datastore = postgres.databases()
    try:
        with datastore.cursor() as cursor:
            there = {
                name
                for schema, name in postgres.tables(cursor)
                if schema == "public" and not name.startswith("_")
            }
        with catalogue.cursor() as cursor:
            known = set(postgres.column(cursor, "SELECT id FROM resource WHERE state = 'active'"))
            claimed = set(
                postgres.column(
                    cursor,
                    "SELECT id FROM resource WHERE state = 'active'"
                    " AND extras::jsonb ->> 'datastore_active' = 'true'",
                )
            )
    except psycopg2.Error:
        return  # said by `services`
    if orphans := sorted(there - known):
        yield warn(
            "catalogue.tables",
            f"{len(orphans)} tables sans ressource : {_some(orphans)}",
            f"{len(orphans)} tables without a resource: {_some(orphans)}",
            "ckan datastore purge",
        )
    if lost := sorted(claimed - there):
        yield fail(
            "catalogue.tables",
            f"{len(lost)} ressources sans leur table : {_some(lost)}",
            f"{len(lost)} resources without their table: {_some(lost)}",
            "ckan ccphva restore",
        )
    if not orphans and not lost:
        yield ok(
            "catalogue.tables",
            f"{len(there)} tables, chacune avec sa ressource",
            f"{len(there)} tables, each with its resource",
        )


def followers() -> Iterator[Finding]:
    """The followers of the change log keep up."""
    with_log = (
        "SELECT to_regclass('ccphva_follower') IS NOT NULL AND to_regclass('ccphva_change') IS NOT NULL"
    )
    try:
        with postgres.databases()[0].cursor() as cursor:
            if not postgres.one(cursor, with_log):
                return
            late = postgres.late_followers(cursor, LATE)
    except psycopg2.Error:
        return  # said by `services`
    for name, waiting, seconds in late:
        yield fail(
            "catalogue.followers",
            f"Le suiveur {name} a {waiting} changements de retard, depuis {seconds} s",
            f"The follower {name} is {waiting} changes behind, for {seconds} s",
            "systemctl restart ccphva-follower",
        )
    if not late:
        yield ok(
            "catalogue.followers", "Le journal des changements est suivi", "The change log is being followed"
        )


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (" …" if len(ids) > SHOWN else "")


CHECKS = (migrations, drift, tables, followers)
