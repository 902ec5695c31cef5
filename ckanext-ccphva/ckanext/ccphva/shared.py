"""The public face of the plugin `ccphva`: what the other plugins may import, and nothing else of it.

Request ids: `request_id()` reads the one at work; a task of Celery or RQ carries the id of the request
that asked for it as an argument or header and opens `with bind_request_id(value):` around its work;
anything it logs then bears that id.
"""

from __future__ import annotations

from ckanext.ccphva.logs import bind_request_id, redact, request_id, valid_request_id

__all__ = ["bind_request_id", "redact", "request_id", "valid_request_id"]
