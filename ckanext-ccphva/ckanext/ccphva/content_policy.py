"""What a browser may do with our answers: Content Security Policy Level 3 (W3C) and its companions.

No page may run a script that is not a file of the portal. Three exceptions, as narrow as CKAN's core allows:
its own handlers in attributes are named by their hashes, and its previews, which stand in frames of their
own, hold their data in a script.
"""

from __future__ import annotations

import re

from ckan.types import CKANApp, Response
from ckanext.ccphva import config
from flask import request

HANDLERS_OF_CORE = (
    # templates/package/snippets/resource_upload_field.html: upload, link, clear, both of remove
    "FpdWAiA3RBpWuddjFnLcugxP42R6qjqK+gdZjxtwOv4=",
    "F6LaVvkpYli724gUpw3eUsTe6Z+buGZAsXZSXh5E58U=",
    "zvptZW5rX9uRlqMnxEvQ6iVm0wLi7xPmIcqW2y1JvZc=",
    "Z/m4LROcm/+b7adlxILx/HCly4VB4OqflMrYBAq48dI=",
    "unVzTsKuavdHA12GppEm/hbjTT3zhyL+xbRDzK9UnXw=",
    # templates/user/snippets/api_token_list.html and api_token_create_form.html
    "ZrVI5vUZG/f325B6NP6JIyXK7PKkA2jqxWw2C6+RnuI=",
    # datatablesview: a box that cannot be unticked
    "GZIcz60Uwd6wT3vaYke/atSr53TehbYAPepOa3d03Vw=",
)
"""SHA-256 of the handlers in attributes of core's pages; `tests/e2e/test_content_policy.py` compares them."""

PREVIEWS = re.compile(r"(^|_)resource\.view$")
DOWNLOADS = re.compile(r"(^|_)resource\.download$")

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=(), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DOCUMENT = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""For what is no page: a picture, XML or feed that is opened by itself runs nothing."""
UPLOADED = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


def install(app: CKANApp) -> None:
    """Give every answer its headers; called once a process."""
    app.after_request(protect)


def protect(response: Response) -> Response:
    for name, value in EVERYWHERE.items():
        response.headers.setdefault(name, value)
    if request.endpoint and DOWNLOADS.search(request.endpoint) and response.status_code == 200:
        response.headers["Content-Security-Policy"] = UPLOADED
        if not response.headers.get("Content-Disposition", "").startswith("attachment"):
            response.headers.set("Content-Disposition", "attachment", filename=_file_name())
    elif response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", page_policy())
    elif response.mimetype != "application/pdf":
        response.headers.setdefault("Content-Security-Policy", DOCUMENT)
    return response


def page_policy() -> str:
    """The policy of this request's page."""
    hosts = " ".join(["", *config.outside_hosts()])
    preview = bool(request.endpoint and PREVIEWS.search(request.endpoint))
    handlers = " ".join(f"'sha256-{digest}'" for digest in HANDLERS_OF_CORE)
    scripts = "'self' 'unsafe-inline'" if preview else f"'self' 'unsafe-hashes' {handlers}".strip()
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob:{hosts}",
            f"connect-src 'self'{hosts}",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        ]
    )


def _file_name() -> str:
    return (request.view_args or {}).get("filename") or request.path.rsplit("/", 1)[-1] or "file"
