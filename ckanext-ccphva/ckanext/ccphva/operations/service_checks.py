"""Doctor: does each service answer, and is it what the portal needs?"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import suppress
from xml.parsers.expat import ExpatError

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import psycopg2
import redis
import requests
from celery import Celery
from ckan.lib.redis import connect_to_redis
from ckan.lib.search import SearchError, check_solr_schema_version
from ckanext.ccphva import config
from ckanext.ccphva.operations import postgres
from ckanext.ccphva.operations.findings import Finding, fail, ok, warn
from ckanext.ccphva.operations.text import Text
from kombu.exceptions import KombuError
from rq import Worker

TIMEOUT = 5
QUEUES = {"harvest", "load", "render", "mail"}
# What deployment/solr/fields.xml adds to CKAN's schema (a test compares them).
KINDS = ("title", "text", "concept", "begin", "order")
FIELDS = {f"{kind}_{language}" for kind in KINDS for language in ("fr", "de", "en", "lb")} | {
    "card",
    "facet_theme",
    "updated",
    "written",
    "minx",
    "maxx",
    "miny",
    "maxy",
}
EVICTION = "noeviction"


def databases() -> Iterator[Finding]:
    """Both databases answer, and the catalogue's has PostGIS."""
    for database in postgres.databases():
        check = f"services.{database.name}"
        try:
            with database.cursor() as cursor:
                facts = postgres.facts(cursor)
        except psycopg2.OperationalError as error:
            said = str(error).strip().splitlines()[0]
            yield fail(
                check,
                f"La base {database.name} ne répond pas : {said}",
                f"The database {database.name} does not answer: {said}",
                "systemctl status postgresql",
            )
            continue
        size = facts["bytes"] // 10**6
        yield ok(
            check,
            f"La base {database.name} répond ({size} Mo)",
            f"The database {database.name} answers ({size} MB)",
        )
        if "postgis" not in facts["extensions"]:
            name = database.parameters["dbname"]
            yield fail(
                f"{check}.postgis",
                f"PostGIS manque dans {name}",
                f"PostGIS is missing in {name}",
                f"sudo -u postgres psql -d {name} -c 'CREATE EXTENSION postgis'",
            )


def reader() -> Iterator[Finding]:
    """The read-only role of the tables can read and cannot write: tried, not believed."""
    if not p.plugin_loaded("datastore"):
        return
    check, mend = (
        "services.reader",
        "ckan datastore set-permissions | sudo -u postgres psql --set ON_ERROR_STOP=1",
    )
    try:
        with postgres.reader().cursor(autocommit=False) as cursor:
            refused = postgres.may_not(cursor, "CREATE TABLE public.ccphva_doctor (a int)")
            refused &= postgres.may_not(cursor, "CREATE SCHEMA ccphva_doctor")
            refused &= not postgres.writable_tables(cursor)
    except psycopg2.OperationalError as error:
        said = str(error).strip().splitlines()[0]
        yield fail(
            check,
            f"Le rôle de lecture ne peut pas se connecter : {said}",
            f"The reading role cannot connect: {said}",
            mend,
        )
        return
    if not refused:
        yield fail(
            check,
            "Le rôle de lecture du DataStore peut écrire",
            "The DataStore's reading role can write",
            mend,
        )
    elif _reads_catalogue():
        name = postgres.databases()[0].parameters["dbname"]
        owner = postgres.databases()[0].parameters["user"]
        yield warn(
            check,
            "Le rôle de lecture du DataStore peut aussi se connecter à la base du catalogue",
            "The DataStore's reading role may also connect to the catalogue's database",
            f'sudo -u postgres psql -c "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; '
            f'GRANT CONNECT ON DATABASE {name} TO {owner}"',
        )
    else:
        yield ok(
            check,
            "Le rôle de lecture du DataStore ne peut que lire",
            "The DataStore's reading role can only read",
        )


def _reads_catalogue() -> bool:
    role = postgres.reader().parameters["user"]
    with postgres.databases()[0].cursor() as cursor:
        return bool(
            postgres.one(cursor, "SELECT has_database_privilege(%s, current_database(), 'CONNECT')", role)
        )


def search() -> Iterator[Finding]:
    """Solr answers with CKAN's schema and our fields."""
    address = tk.config["solr_url"].rstrip("/")
    user = tk.config.get("solr_user")
    login = (user, tk.config.get("solr_password") or "") if user else None
    try:
        answer = requests.get(f"{address}/schema/fields", auth=login, timeout=TIMEOUT)
        answer.raise_for_status()
        known = {f["name"] for f in answer.json()["fields"]}
    except (requests.RequestException, ValueError) as error:
        said = type(error).__name__
        yield fail(
            "services.search",
            f"Solr ne répond pas ({said})",
            f"Solr does not answer ({said})",
            "systemctl status solr",
        )
        return
    yield ok("services.search", "Solr répond", "Solr answers")
    mend = Text(
        "Copiez solr/conf (de « portal production ») vers Solr, redémarrez-le ; ckan ccphva rebuild",
        "Copy solr/conf (of `portal production`) to the Solr server, restart it; ckan ccphva rebuild",
    )
    if lacking := FIELDS - known:
        names = ", ".join(sorted(lacking))
        yield fail(
            "services.search.fields",
            f"Champs absents du schéma Solr : {names}",
            f"Fields missing in Solr's schema: {names}",
            mend,
        )
    try:
        check_solr_schema_version()
    except (SearchError, ExpatError) as error:
        yield fail(
            "services.search.schema",
            f"Le schéma Solr n'est pas celui de CKAN 2.12 : {error}",
            f"Solr's schema is not that of CKAN 2.12: {error}",
            mend,
        )
    else:
        yield ok("services.search.schema", "Le schéma Solr convient", "Solr's schema fits")


def queue() -> Iterator[Finding]:
    """Redis answers, and never throws away what waits in it."""
    try:
        connection = connect_to_redis()
        connection.ping()
        policy = ""
        with suppress(redis.ResponseError):  # a managed Redis may forbid CONFIG
            policy = connection.config_get("maxmemory-policy").get("maxmemory-policy", "")
    except redis.RedisError as error:
        said = type(error).__name__
        yield fail(
            "services.queue",
            f"Redis ne répond pas ({said})",
            f"Redis does not answer ({said})",
            "systemctl status redis-server",
        )
        return
    if policy not in ("", EVICTION):
        yield fail(
            "services.queue.policy",
            f"Redis jette des tâches quand il est plein (maxmemory-policy {policy})",
            f"Redis throws jobs away when it is full (maxmemory-policy {policy})",
            "redis-cli CONFIG SET maxmemory-policy noeviction && redis-cli CONFIG REWRITE",
        )
    yield ok("services.queue", "Redis répond", "Redis answers")


def workers() -> Iterator[Finding]:
    """Celery workers are there, and every queue has a reader."""
    if not p.plugin_loaded("ccphva_harvest"):
        return
    check, mend = "services.workers", "systemctl restart ccphva-worker"
    app = Celery(broker=config.broker_url(), set_as_current=False)
    app.conf.broker_connection_timeout = TIMEOUT
    try:
        answers = app.control.inspect(timeout=2).active_queues() or {}
    except (OSError, KombuError) as error:
        said = type(error).__name__
        yield fail(
            check,
            f"La file de Celery ne répond pas ({said})",
            f"Celery's queue does not answer ({said})",
            "systemctl status redis-server",
        )
        return
    finally:
        app.close()
    read = {queue["name"] for queues in answers.values() for queue in queues}
    if not answers:
        yield fail(
            check,
            "Aucun ouvrier Celery ne répond : rien n'est moissonné",
            "No Celery worker answers: nothing is harvested",
            mend,
        )
    elif lacking := QUEUES - read:
        names = ", ".join(sorted(lacking))
        yield fail(check, f"Files que personne ne lit : {names}", f"Queues that nobody reads: {names}", mend)
    else:
        yield ok(
            check,
            f"{len(answers)} ouvriers Celery lisent toutes les files",
            f"{len(answers)} Celery workers read all queues",
        )


def jobs() -> Iterator[Finding]:
    """CKAN's own job worker is there."""
    try:
        count = len(Worker.all(connection=connect_to_redis()))
    except redis.RedisError:
        return  # said by `queue`
    if count:
        yield ok("services.jobs", f"{count} ouvrier de tâches CKAN", f"{count} CKAN job worker")
    else:
        yield fail(
            "services.jobs",
            "Aucun ouvrier de tâches CKAN ne répond",
            "No CKAN job worker answers",
            "systemctl restart ccphva-jobs",
        )


def mail() -> Iterator[Finding]:
    """The mail server takes a connection, encrypted where that is asked for."""
    server = str(tk.config["smtp.server"])
    host, _, port = server.partition(":")
    try:
        with smtplib.SMTP(host, int(port or 25), timeout=TIMEOUT) as connection:
            connection.ehlo()
            plain = tk.config.get("smtp.starttls") and not connection.has_extn("starttls")
            if plain:
                yield fail(
                    "services.mail",
                    "Le serveur de courriel n'offre pas STARTTLS",
                    "The mail server does not offer STARTTLS",
                    "ckan config-tool … 'smtp.starttls = false'",
                )
                return
    except (OSError, smtplib.SMTPException) as error:
        said = type(error).__name__
        yield warn(
            "services.mail",
            f"Le serveur de courriel ne répond pas ({said})",
            f"The mail server does not answer ({said})",
            "smtp.server",
        )
        return
    yield ok("services.mail", "Le serveur de courriel répond", "The mail server answers")


CHECKS = (databases, reader, search, queue, workers, jobs, mail)
