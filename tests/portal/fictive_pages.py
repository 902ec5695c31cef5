"""Prints the public pages of a portal, after filling its territory: JSON {address: [status, body]}."""

from __future__ import annotations

import json
import sys

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from ckan.lib.search import clear_all
from ckanext.ccphva import demo

LANGUAGES = ("fr", "de", "en", "lb")
PATHS = (
    "",
    "/dataset/",
    "/dataset/brume",
    "/organization/",
    "/organization/brumeville",
    "/about",
    "/user/login",
    "/nothing-here",
)
FILES = ("/logo.svg", "/favicon.svg", "/territory.css", "/catalog.ttl", "/feeds/dataset.atom")


def main() -> None:
    application = make_app(CKANConfigLoader(sys.argv[1]).get_config())
    flask = application._wsgi_app
    with flask.test_request_context():
        list(demo.fill(None))
        user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        dataset = {"name": "brume", "title": "Brouillard par heure", "owner_org": "brumeville"}
        tk.get_action("package_create")({"user": user, "ignore_auth": True, "model": model}, dataset)
    client = flask.test_client()
    addresses = [f"/{language}{path}" for language in LANGUAGES for path in PATHS] + list(FILES)
    answers = {address: client.get(address) for address in addresses}
    with flask.test_request_context():
        clear_all()  # what stands under another site's name is in nobody's way but in that of later tests
    json.dump({address: [answer.status_code, answer.text] for address, answer in answers.items()}, sys.stdout)


if __name__ == "__main__":
    main()
