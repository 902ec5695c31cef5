"""Solr, asked over one connection that stays open: the only module that speaks to it for our own searches.

CKAN's client makes a connection for each question and reads the answer with a slow parser; what is asked here is
the same, with the same filters: this portal's, active, and with a label that the caller has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
import orjson
import urllib3
from ckan import authz, model
from ckan.lib.plugins import get_permission_labels
from ckan.lib.search.common import SearchError, SearchQueryError, SolrConnectionError
from ckan.lib.search.query import solr_literal
from ckan.types import Context

Answer = dict[str, Any]
Params = Mapping[str, str | int | Sequence[str]]
CONNECTIONS = 8
MOST_TIME = 5_000
"""Milliseconds after which Solr gives what it has."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def ask(context: Context, params: Params, filters: Sequence[str] = (), private: bool = True) -> Answer:
    """Ask Solr for datasets that the caller may see.

    :param params: of Solr, without `fq`.
    :param filters: of Solr, each an `fq`.
    :param private: whether private datasets that the caller may see count.
    :raises SolrConnectionError: it does not answer.
    :raises SearchQueryError: it does not understand.
    """
    own = [f"+site_id:{solr_literal(tk.config['ckan.site_id'])}", "+state:active", *_labels(context)]
    if not private:
        own.append("+capacity:public")
    wanted = {"wt": "json", "timeAllowed": MOST_TIME, **params, "fq": [*filters, *own]}
    return _post(urlencode(wanted, doseq=True).encode())


def _labels(context: Context) -> list[str]:
    """The filter of what the caller may see; nothing for who may see all (as `package_search` has it)."""
    user = context.get("user", "")
    if context.get("ignore_auth") or (user and authz.is_sysadmin(user)):
        return []
    person = context.get("auth_user_obj") or (model.User.get(user) if user else None)
    labels = get_permission_labels().get_user_dataset_labels(person)  # type: ignore[arg-type]
    return [f"+permission_labels:({' OR '.join(solr_literal(label) for label in labels)})"]


def _post(body: bytes) -> Answer:
    address = tk.config["solr_url"].rstrip("/")
    try:
        got = _pool().request(
            "POST", f"{address}/select", body=body, headers=_FORM | _login(), timeout=_timeout()
        )
    except urllib3.exceptions.HTTPError as error:
        raise SolrConnectionError(f"Failed to connect to server at {address}") from error
    if got.status == 200:
        return orjson.loads(got.data)
    if got.status == 400:
        raise SearchQueryError("Solr does not understand the query")
    raise SearchError(f"Solr responded with an error (HTTP {got.status})")


def _timeout() -> urllib3.Timeout:
    return urllib3.Timeout(total=float(tk.config.get("solr_timeout") or 60))


def _login() -> dict[str, str]:
    user, password = tk.config.get("solr_user"), tk.config.get("solr_password")
    return urllib3.make_headers(basic_auth=f"{user}:{password}") if user and password else {}


@cache
def _pool() -> urllib3.PoolManager:
    """One pool a process; it is safe between threads. A connection that Solr closed meanwhile is made again."""
    return urllib3.PoolManager(maxsize=CONNECTIONS, retries=urllib3.Retry(1, redirect=False, backoff_factor=0))
