"""Mends core's protection against forged requests, which in CKAN 2.12.0 switches itself off.

Core marks every request without a session as "signed in by header" (`load_user_from_request`), anonymous
ones too, and then exempts the *view* for the life of the process (`ckan_before_request` calls
`csrf.exempt`). One anonymous GET of a form is enough, and from then on its POST is accepted from anywhere
with the cookie of whoever is signed in.

The mend decides by request and never remembers: core's check with its exemptions is off, and a check of every
unsafe request stands in its place.
"""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.config.middleware.flask_app import csrf
from ckan.types import CKANApp
from flask import g, request, session

# Only reads, by POST because its parameters are long; without a session there is nothing to abuse.
READS_BY_POST = frozenset({"datatablesview.ajax", "datatablesview.filtered_download"})


def mend(app: CKANApp) -> None:
    """Replace core's check by one that no earlier request can switch off."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.before_request(protect)


def protect() -> None:
    """Refuse an unsafe request that another site could have made a browser send.

    Two kinds need no token: those that a valid API token identifies, since a browser adds it to no
    foreign request, and those of the API without a session, which act as nobody.
    """
    if not tk.config.get("WTF_CSRF_ENABLED", True) or identified_by_token():
        return
    anonymous = "_user_id" not in session and not g.get("userobj")
    if anonymous and (request.blueprint == "api" or request.endpoint in READS_BY_POST):
        return
    csrf.protect()


def identified_by_token() -> bool:
    """Whether the user of this request was found by the API token in its header, not by a cookie."""
    header = tk.config["apitoken_header_name"]
    return bool(request.headers.get(header) and g.get("login_via_auth_header") and g.get("userobj"))
