"""The public face of the plugin `ccphva`: what the other plugins may import, and nothing else of it.

Request ids: `request_id()` reads the one at work; a task of Celery or RQ carries the id of the request
that asked for it as an argument or header and opens `with bind_request_id(value):` around its work;
anything it logs then bears that id.

Pulse: a process without a port says that it lives, and shows in `/health` under its name.

Notices: what platforms tell by themselves, queued by the gateway for the workers.

Harvests: `with harvesting():` around the writes of datasets that another catalogue describes;
`is_harvesting()` tells such a write from a person's.

Change log: a plugin that must know what changed implements `IFollowers` and returns objects that are like
`Follower`; `ckan ccphva follow` hands them each `Change`.

Values: `shown_value(field, value, language)` is a value of a schema's field as a reader knows it.

Importing this module loads no CKAN (Celery's beat stays small); the names of the change log do when first
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ckanext.ccphva.elsewhere import harvesting, is_harvesting
from ckanext.ccphva.logs import bind_request_id, redact, request_id, valid_request_id
from ckanext.ccphva.notices import Notices, is_secret, secret_of, within
from ckanext.ccphva.pulse import Pulse

if TYPE_CHECKING:
    from ckanext.ccphva.changelog import Change
    from ckanext.ccphva.differences import shown_value
    from ckanext.ccphva.followers import Follower, IFollowers

__all__ = [
    "Change",
    "Follower",
    "IFollowers",
    "Notices",
    "Pulse",
    "bind_request_id",
    "harvesting",
    "is_harvesting",
    "is_secret",
    "redact",
    "request_id",
    "secret_of",
    "shown_value",
    "valid_request_id",
    "within",
]

_LATER = {
    "Change": "changelog",
    "Follower": "followers",
    "IFollowers": "followers",
    "shown_value": "differences",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"ckanext.ccphva.{_LATER[name]}"), name)
