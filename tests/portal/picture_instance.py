"""Prints all that a restore must bring back of the portal whose ini is named, as JSON."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import ckan.plugins.toolkit as tk
import psycopg2
from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from psycopg2 import sql
from sqlalchemy import text

LONG_LIVED = (
    'SELECT name, email, password, state, sysadmin, created::text FROM "user"'
    " WHERE name NOT IN ('avant', 'apres') ORDER BY 1",  # the accounts of the two sites themselves
    "SELECT id, name, user_id, plugin_extras::text FROM api_token ORDER BY id",
    "SELECT key, value, state FROM system_info ORDER BY key",
    "SELECT table_id, group_id, capacity, state FROM member ORDER BY 1, 2, 3",
    "SELECT object_id, activity_type, timestamp::text FROM activity ORDER BY 3, 1",
)


def main() -> None:
    application = make_app(CKANConfigLoader(sys.argv[1]).get_config())
    with application._wsgi_app.test_request_context():
        print(json.dumps(picture(), default=str))


def picture() -> dict[str, object]:
    context = lambda: {"ignore_auth": True, "user": tk.config["ckan.site_id"]}  # noqa: E731
    names = [row[0] for row in model.Session.execute(text("SELECT name FROM package ORDER BY name"))]
    organizations = tk.get_action("organization_list")(context(), {})
    found = tk.get_action("package_search")(context(), {"include_private": True, "rows": 100})
    folder = Path(tk.config["ckan.storage_path"])
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and "webassets" not in p.parts]
    return {
        "datasets": [
            tk.get_action("package_show")(context(), {"id": n, "use_default_schema": False}) for n in names
        ],
        "organizations": [
            tk.get_action("organization_show")(context(), {"id": n, "include_users": True})
            for n in organizations
        ],
        "found": sorted(d["name"] for d in found["results"]),
        "files": {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
        "rows": [
            [list(map(str, row)) for row in model.Session.execute(text(statement))]
            for statement in LONG_LIVED
        ],
        "tables": tables(),
    }


def tables() -> dict[str, object]:
    """Rows of every DataStore table, and which of them the reading role may read, seen by that role."""
    with psycopg2.connect(tk.config["ckan.datastore.read_url"]) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, alias_of FROM _table_metadata WHERE name !~ '^(geo|spatial_ref)' ORDER BY 1"
        )
        names = cursor.fetchall()
        rows = {}
        for name, _ in names:
            cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(name)))
            rows[name] = [[str(cell) for cell in row] for row in cursor.fetchall()]
    return {"names": names, "rows": rows}


if __name__ == "__main__":
    main()
