"""The databases as an operator sees them: connections of their own, facts, emptying.

The SQL of `operations` stands here.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import psycopg2
from ckan import model
from psycopg2 import sql
from sqlalchemy.engine import make_url

TIMEOUT = 5
# Relations that belong to an extension are made by it, not by a backup.
OWN_RELATIONS = """
    SELECT n.nspname, c.relname, c.relkind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
                      AND d.classid = 'pg_class'::regclass)
"""


@dataclass(frozen=True)
class Database:
    """One database of the portal.

    :param name: `ckan` or `datastore`, whatever the database itself is called.
    """

    name: str
    url: str

    @property
    def parameters(self) -> dict[str, str]:
        """For libpq; the password is among them, so they go into an environment, never on a command line."""
        url = make_url(self.url)
        found = {
            "host": url.host,
            "port": url.port,
            "user": url.username,
            "password": url.password,
            "dbname": url.database,
            "sslmode": url.query.get("sslmode"),
        }
        return {key: str(value) for key, value in found.items() if value}

    @property
    def environment(self) -> dict[str, str]:
        names = {
            "host": "PGHOST",
            "port": "PGPORT",
            "user": "PGUSER",
            "password": "PGPASSWORD",
            "dbname": "PGDATABASE",
            "sslmode": "PGSSLMODE",
        }
        return dict(os.environ) | {names[key]: value for key, value in self.parameters.items()}

    @contextmanager
    def cursor(self, autocommit: bool = True, lock_seconds: int = 0) -> Iterator[Any]:
        options = f"-c lock_timeout={lock_seconds}s -c idle_in_transaction_session_timeout=0"
        parameters: dict[str, Any] = {**self.parameters}
        with closing(psycopg2.connect(**parameters, connect_timeout=TIMEOUT, options=options)) as connection:
            connection.autocommit = autocommit
            with connection.cursor() as cursor:
                yield cursor


def databases() -> list[Database]:
    """What a backup holds: the catalogue and, where the plugin is loaded, the tables."""
    found = [Database("ckan", tk.config["sqlalchemy.url"])]
    if p.plugin_loaded("datastore"):
        found.append(Database("datastore", tk.config["ckan.datastore.write_url"]))
    return found


def reader() -> Database:
    """The tables as the read-only role reaches them."""
    return Database("datastore", tk.config["ckan.datastore.read_url"])


def release() -> None:
    """Close every connection of this process, so that only those of other programs are left.

    CKAN makes a new engine for each plugin it loads and leaves the pools of the earlier ones open; they are
    reachable through the garbage collector only.
    """
    model.Session.remove()
    gc.collect()
    for thing in gc.get_objects():
        if isinstance(thing, psycopg2.extensions.connection) and not thing.closed:
            thing.close()


def one(cursor: Any, statement: str, *values: object) -> Any:
    cursor.execute(statement, values or None)
    row = cursor.fetchone()
    return row[0] if row else None


def column(cursor: Any, statement: str, *values: object) -> list[Any]:
    cursor.execute(statement, values or None)
    return [row[0] for row in cursor.fetchall()]


def tables(cursor: Any) -> list[tuple[str, str]]:
    """Schema and name of every table with rows of its own."""
    cursor.execute(OWN_RELATIONS + " AND c.relkind = 'r' ORDER BY 1, 2")
    return [(schema, name) for schema, name, _ in cursor.fetchall()]


def counts(cursor: Any) -> dict[str, int]:
    """Rows of every table, in the transaction of the cursor."""
    found = {}
    for schema, name in tables(cursor):
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))
        found[f"{schema}.{name}"] = cursor.fetchone()[0]
    return found


def has_content(cursor: Any) -> bool:
    """Whether somebody would miss what is in this database: a dataset, an account or a table with rows."""
    known = {name for schema, name in tables(cursor) if schema == "public"}
    if "package" in known:
        statement = (
            'SELECT EXISTS (SELECT 1 FROM package) OR EXISTS (SELECT 1 FROM "group")'
            ' OR EXISTS (SELECT 1 FROM "user" WHERE name <> %s)'
        )
        return bool(one(cursor, statement, tk.config["ckan.site_id"]))
    return any(count for name, count in counts(cursor).items() if not name.startswith("public._"))


def facts(cursor: Any) -> dict[str, Any]:
    """What a restore must know of the server that was backed up."""
    cursor.execute("SELECT extname, extversion FROM pg_extension ORDER BY 1")
    extensions = dict(cursor.fetchall())
    statement = OWN_RELATIONS.replace(
        "n.nspname, c.relname, c.relkind", "DISTINCT pg_get_userbyid((aclexplode(c.relacl)).grantee)"
    )
    return {
        "server": int(one(cursor, "SHOW server_version_num")),
        "bytes": one(cursor, "SELECT pg_database_size(current_database())"),
        "extensions": extensions,
        "roles": sorted(role for role in column(cursor, statement) if not role.startswith("unknown")),
    }


def others(cursor: Any) -> int:
    """How many other programs are connected to this database.

    What kind of backend it is PostgreSQL tells to its owner only; those of the server itself have no user.
    """
    return one(
        cursor,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND usesysid IS NOT NULL",
    )


def empty(database: Database) -> None:
    """Drop everything the role owns in this database; extensions of the administrator stay.

    Relations first, one by one: a single DROP OWNED would have to lock thousands of tables at once.
    """
    kinds = {"v": "VIEW", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE", "S": "SEQUENCE"}
    with database.cursor(lock_seconds=10) as cursor:
        cursor.execute(
            OWN_RELATIONS
            + " AND c.relkind IN ('v', 'm', 'f', 'r', 'p', 'S')"
            + " AND pg_get_userbyid(c.relowner) = current_user"
        )
        for schema, name, kind in cursor.fetchall():
            cursor.execute(
                sql.SQL("DROP {} IF EXISTS {} CASCADE").format(
                    sql.SQL(kinds.get(kind, "TABLE")), sql.Identifier(schema, name)
                )
            )
        cursor.execute("DROP OWNED BY CURRENT_USER CASCADE")


def let_read(cursor: Any, role: str) -> None:
    """Give the reading role what `ckan datastore set-permissions` gives it, as the owner of the database.

    The rest of that script (view, functions, triggers) is in the dump. Run whole, it needs an administrator:
    it wants a trigger on the tables of PostGIS too.
    """
    for statement in (
        "REVOKE CREATE, USAGE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {}",
    ):
        cursor.execute(sql.SQL(statement).format(sql.Identifier(role)))


def may_not(cursor: Any, statement: str) -> bool:
    """Whether the server refuses a statement for want of a privilege; the transaction is rolled back."""
    try:
        cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    finally:
        cursor.connection.rollback()
    return False


def writable_tables(cursor: Any) -> list[str]:
    """Tables that the role of the cursor may change."""
    return column(
        cursor,
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        " AND has_schema_privilege(n.oid, 'USAGE')"
        " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')",
    )


def late_followers(cursor: Any, seconds: int) -> list[tuple[str, int, int]]:
    """Followers that have not moved for so long although changes wait: name, how many wait, for how long."""
    cursor.execute(
        "SELECT f.name, count(*), extract(epoch FROM now() - min(c.at))::int FROM ccphva_follower f"
        " JOIN ccphva_change c ON (c.xid, c.seq) > (f.xid, f.seq)"
        " GROUP BY f.name HAVING min(c.at) < now() - make_interval(secs => %s)",
        [seconds],
    )
    return cursor.fetchall()
